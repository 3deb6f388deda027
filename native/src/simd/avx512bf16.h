// SPDX-License-Identifier: Apache-2.0
// Pairs of bfloat16 with AVX512-BF16, beside the float32 of avx512.h. Meaning of every operation: contract.md.
#pragma once

#include "simd/avx512.h"

namespace {

struct Pairs {
    static constexpr int lanes = 16;
    __m512i v;
    static Pairs zero() { return {_mm512_setzero_si512()}; }
    static Pairs load(const uint16_t* p) { return {_mm512_loadu_si512(p)}; }
    static Pairs load_first(const uint16_t* p, int64_t n) {
        return {_mm512_maskz_loadu_epi16(n <= 0 ? 0 : static_cast<__mmask32>((uint64_t{1} << n) - 1), p)};
    }
    void store(uint16_t* p) const { _mm512_storeu_si512(p, v); }
    static Pairs side_by_side(F32 low, F32 high) { return {(__m512i)_mm512_cvtne2ps_pbh(high.v, low.v)}; }
    static Pairs narrow(F32 even, F32 odd) {
        const __m512i zipped = _mm512_setr_epi32(0x00100000, 0x00110001, 0x00120002, 0x00130003, 0x00140004, 0x00150005,
                                                 0x00160006, 0x00170007, 0x00180008, 0x00190009, 0x001a000a, 0x001b000b,
                                                 0x001c000c, 0x001d000d, 0x001e000e, 0x001f000f);
        return {_mm512_permutexvar_epi16(zipped, side_by_side(even, odd).v)};
    }
    static Pairs repeat(const uint16_t* p) {
        return {_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
    }
    static Pairs repeat_first(const uint16_t* p, int64_t n) {
        return {_mm512_broadcast_i32x4(_mm_maskz_loadu_epi16(static_cast<__mmask8>((1 << n) - 1), p))};
    }
    F32 even() const { return {_mm512_castsi512_ps(_mm512_slli_epi32(v, 16))}; }
    F32 odd() const {
        return {_mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int>(0xffff0000))))};
    }
};

struct PairSplat {
    __m512i v;
    static PairSplat load(const uint16_t* p) {
        int32_t pair;
        __builtin_memcpy(&pair, p, sizeof pair);
        return {_mm512_set1_epi32(pair)};
    }
};

inline F32 dot(PairSplat a, Pairs b, F32 c) { return {_mm512_dpbf16_ps(c.v, (__m512bh)b.v, (__m512bh)a.v)}; }
inline F32 dot_from(const uint16_t* a, Pairs b, F32 c) {
    using Pair = uint32_t __attribute__((may_alias, aligned(2)));
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(c.v) : "v"(b.v), "m"(*reinterpret_cast<const Pair*>(a)));
    return c;
}
inline F32 dot(Pairs a, Pairs b, F32 c) { return {_mm512_dpbf16_ps(c.v, (__m512bh)b.v, (__m512bh)a.v)}; }

// Of Pairs, and of the Cells of avx512cells.h.
template <typename Vector>
inline void zip_halves(Vector& a, Vector& b) {
    const __m512i first = a.v;
    a.v = _mm512_unpacklo_epi16(first, b.v);
    b.v = _mm512_unpackhi_epi16(first, b.v);
}

inline void zip_quarters(F32& a, F32& b) {
    const __m512i low = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512 first = a.v;
    a.v = _mm512_permutex2var_ps(first, low, b.v);
    b.v = _mm512_permutex2var_ps(first, _mm512_or_si512(low, _mm512_set1_epi32(8)), b.v);
}

// Lane i of quarter r: the sum over the lanes of quarter r of x[i].
inline F32 sums_of_quarters(const F32 (&x)[4]) {
    const auto halves = [](F32 a, F32 b) {
        return _mm512_add_ps(_mm512_unpacklo_ps(a.v, b.v), _mm512_unpackhi_ps(a.v, b.v));
    };
    const __m512 a = halves(x[0], x[1]), b = halves(x[2], x[3]);
    return {_mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee))};
}

// Quarter j of vector i and quarter i of vector j change places.
inline void transpose_quarters(F32 (&x)[4]) {
    const __m512 a = _mm512_shuffle_f32x4(x[0].v, x[1].v, 0x44), b = _mm512_shuffle_f32x4(x[0].v, x[1].v, 0xee);
    const __m512 c = _mm512_shuffle_f32x4(x[2].v, x[3].v, 0x44), d = _mm512_shuffle_f32x4(x[2].v, x[3].v, 0xee);
    x[0].v = _mm512_shuffle_f32x4(a, c, 0x88);
    x[1].v = _mm512_shuffle_f32x4(a, c, 0xdd);
    x[2].v = _mm512_shuffle_f32x4(b, d, 0x88);
    x[3].v = _mm512_shuffle_f32x4(b, d, 0xdd);
}

inline void conceal(Pairs& x) { __asm__ volatile("" : "+x"(x.v)); }
inline void conceal(const char*& p) { __asm__ volatile("" : "+r"(p)); }

inline void transpose(Pairs (&r)[16]) {
    F32 t[16];
    for (int i = 0; i < 16; ++i) t[i].v = _mm512_castsi512_ps(r[i].v);
    transpose(t);
    for (int i = 0; i < 16; ++i) r[i].v = _mm512_castps_si512(t[i].v);
}

inline void transpose_fours(Pairs (&r)[4]) {
    F32 t[4];
    for (int i = 0; i < 4; ++i) t[i].v = _mm512_castsi512_ps(r[i].v);
    transpose_fours(t);
    for (int i = 0; i < 4; ++i) r[i].v = _mm512_castps_si512(t[i].v);
}
inline void transpose_parts(Pairs (&r)[4]) {
    F32 t[4];
    for (int i = 0; i < 4; ++i) t[i].v = _mm512_castsi512_ps(r[i].v);
    transpose_parts(t);
    for (int i = 0; i < 4; ++i) r[i].v = _mm512_castps_si512(t[i].v);
}

// Whether a number of those ever seen is an infinity or a NaN: the largest, without its sign.
struct Largest {
    __m512i v;
    static Largest none() { return {_mm512_setzero_si512()}; }
    void see(Pairs x) { v = _mm512_max_epu16(v, _mm512_slli_epi16(x.v, 1)); }
    bool infinite() const { return _mm512_cmpge_epu16_mask(v, _mm512_set1_epi16(static_cast<short>(0xff00))) != 0; }
};

// Infinities and NaN become 0.
inline Pairs finite_or_zero(Pairs x) {
    const __mmask32 finite =
        _mm512_cmplt_epu16_mask(_mm512_slli_epi16(x.v, 1), _mm512_set1_epi16(static_cast<short>(0xff00)));
    return {_mm512_maskz_mov_epi16(finite, x.v)};
}

inline __m128i eighth(const uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// Pair i of row d of `to` is (from[2 i][d], from[2 i + 1][d]), for 32 rows of 8 columns: the pairs of a column lie in
// one vector. Four rows of eight are laid side by side, zipped with the four after each, and transposed in quarters.
inline void transpose_pairs(const uint16_t* from, int64_t stride, Pairs (&to)[8]) {
    __m512i low[4], high[4];
    for (int m = 0; m < 4; ++m) {
        const uint16_t* const even = from + 2 * m * stride;
        const uint16_t* const odd = even + stride;
        const auto quarters = [&](const uint16_t* p) {
            __m512i x = _mm512_castsi128_si512(eighth(p));
            x = _mm512_inserti32x4(x, eighth(p + 8 * stride), 1);
            x = _mm512_inserti32x4(x, eighth(p + 16 * stride), 2);
            return _mm512_inserti32x4(x, eighth(p + 24 * stride), 3);
        };
        const __m512i a = quarters(even), b = quarters(odd);
        low[m] = _mm512_unpacklo_epi16(a, b);
        high[m] = _mm512_unpackhi_epi16(a, b);
    }
    const auto transpose_quarters = [](const __m512i(&x)[4], Pairs* y) {
        const __m512i a = _mm512_unpacklo_epi32(x[0], x[1]), b = _mm512_unpackhi_epi32(x[0], x[1]);
        const __m512i c = _mm512_unpacklo_epi32(x[2], x[3]), d = _mm512_unpackhi_epi32(x[2], x[3]);
        y[0].v = _mm512_unpacklo_epi64(a, c);
        y[1].v = _mm512_unpackhi_epi64(a, c);
        y[2].v = _mm512_unpacklo_epi64(b, d);
        y[3].v = _mm512_unpackhi_epi64(b, d);
    };
    transpose_quarters(low, to);
    transpose_quarters(high, to + 4);
}

}  // namespace
