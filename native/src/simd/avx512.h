// SPDX-License-Identifier: Apache-2.0
// Sixteen float32 lanes with AVX-512 F, DQ, BW, VL. Meaning of every operation: contract.md.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Mask {
    __mmask16 v;
    static Mask from(int64_t n) {
        return {n <= 0    ? static_cast<__mmask16>(0xffff)
                : n >= 16 ? static_cast<__mmask16>(0)
                          : static_cast<__mmask16>(0xffffu << n)};
    }
};
inline Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.v & b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {static_cast<__mmask16>(a.v | b.v)}; }
inline Mask operator!(Mask a) { return {static_cast<__mmask16>(~a.v)}; }
inline bool any(Mask a) { return a.v != 0; }

inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }

inline __m512 widen_bf16(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }

inline __m256i narrow_bf16(__m512 x) {
    // Half a unit less one, and one more where the result would be odd: ties go to the even neighbour. A carry moves on
    // to the exponent, at last to infinity; a NaN must not take part, and keeps the quiet bit.
    const __m512i u = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    const __m512i quiet = _mm512_or_si512(u, _mm512_set1_epi32(0x400000));
    const __m512i rounded = _mm512_mask_add_epi32(quiet, _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), u,
                                                  _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

inline __m256i load_halves(const uint16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

struct F32 {
    static constexpr int lanes = 16;
    __m512 v;
    static F32 zero() { return {_mm512_setzero_ps()}; }
    static F32 set(float x) { return {_mm512_set1_ps(x)}; }
    static F32 load(const float* p) { return {_mm512_loadu_ps(p)}; }
    static F32 load_first(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(first_lanes(n), p)}; }
    void store(float* p) const { _mm512_storeu_ps(p, v); }
    void store_first(float* p, int64_t n) const { _mm512_mask_storeu_ps(p, first_lanes(n), v); }

    static F32 load_bf16(const uint16_t* p) { return {widen_bf16(load_halves(p))}; }
    static F32 load_bf16_first(const uint16_t* p, int64_t n) {
        return {widen_bf16(_mm256_maskz_loadu_epi16(first_lanes(n), p))};
    }
    static void load_bf16_pair(const uint16_t* p, F32& even, F32& odd) {
        const __m512i both = _mm512_loadu_si512(p);
        even.v = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
        odd.v = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
    }
    static F32 load_pairs(const uint16_t* p) { return {_mm512_castsi512_ps(_mm512_loadu_si512(p))}; }
    static F32 load_pairs_first(const uint16_t* p, int64_t n) {
        return {_mm512_castsi512_ps(_mm512_maskz_loadu_epi16(static_cast<__mmask32>((uint64_t{1} << n) - 1), p))};
    }
    static F32 load_f16(const uint16_t* p) { return {_mm512_cvtph_ps(load_halves(p))}; }
    static F32 load_f16_first(const uint16_t* p, int64_t n) {
        return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p))};
    }
    static F32 load_i8(const int8_t* p) {
        return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
    }
    static F32 load_i8_first(const int8_t* p, int64_t n) {
        return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_lanes(n), p)))};
    }
    void store_bf16(uint16_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow_bf16(v)); }
    void store_bf16_first(uint16_t* p, int64_t n) const { _mm256_mask_storeu_epi16(p, first_lanes(n), narrow_bf16(v)); }
    void store_f16(uint16_t* p) const {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
    void store_f16_first(uint16_t* p, int64_t n) const {
        _mm256_mask_storeu_epi16(p, first_lanes(n), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
};

inline F32 even(F32 pairs) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs.v), 16))}; }
inline F32 odd(F32 pairs) {
    return {_mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(pairs.v), _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
}

struct Splat {
    __m512 v;
    static Splat load(const float* p) { return {_mm512_set1_ps(*p)}; }
};

inline F32 operator+(F32 a, F32 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline void conceal([[maybe_unused]] F32& x) {
#if defined(__AVX512F__)  // not so where it is emulated
    __asm__ volatile("" : "+v"(x.v));
#endif
}
inline F32 fma(Splat a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 fma_from(const float* a, F32 b, F32 c) {
#if defined(__AVX512F__)
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c.v) : "v"(b.v), "m"(*a));
    return c;
#else
    return fma(Splat::load(a), b, c);
#endif
}
inline F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F32 abs(F32 a) { return {_mm512_abs_ps(a.v)}; }
inline F32 max_magnitude(F32 a, F32 b) { return {_mm512_range_ps(a.v, b.v, 0xb)}; }
inline F32 sqrt(F32 a) { return {_mm512_sqrt_ps(a.v)}; }
inline F32 copysign(F32 a, F32 b) {
    const __m512 s = _mm512_set1_ps(-0.0f);
    return {_mm512_or_ps(_mm512_and_ps(s, b.v), _mm512_andnot_ps(s, a.v))};
}
inline F32 fraction(F32 a) { return {_mm512_reduce_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
inline F32 scale2(F32 p, F32 a) { return {_mm512_scalef_ps(p.v, a.v)}; }
inline F32 exponent(F32 a) { return {_mm512_getexp_ps(a.v)}; }
inline F32 mantissa(F32 a) { return {_mm512_getmant_ps(a.v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero)}; }
inline Mask operator==(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask operator<(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask sign(F32 a) { return {_mm512_movepi32_mask(_mm512_castps_si512(a.v))}; }
inline F32 select(Mask m, F32 a, F32 b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }

inline float sum(F32 a) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

inline float largest(F32 a) {
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// Halves, quarters, then pairs of lanes: one of two operands is a blend, which does not need the shuffle port.
inline F32 sums(const F32 (&r)[16]) {
    const __m512i quarters = _mm512_setr_epi32(4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
    const auto halves = [](F32 a, F32 b) {
        return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a.v, b.v), _mm512_shuffle_f32x4(a.v, b.v, 0x4e));
    };
    __m512 t[4];
    for (int i = 0; i < 4; ++i) {
        const __m512 a = halves(r[i], r[i + 8]), b = halves(r[i + 4], r[i + 12]);
        t[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xf0f0, a, b), _mm512_permutex2var_ps(a, quarters, b));
    }
    __m512 u[2];
    for (int i = 0; i < 2; ++i) {
        const __m512 a = t[2 * i], b = t[2 * i + 1];
        u[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xcccc, a, b), _mm512_shuffle_ps(a, b, 0x4e));
    }
    return {_mm512_add_ps(_mm512_shuffle_ps(u[0], u[1], 0x88), _mm512_shuffle_ps(u[0], u[1], 0xdd))};
}

template <int n>
inline F32 exchange(F32 a) {
    if constexpr (n == 8) return {_mm512_shuffle_f32x4(a.v, a.v, 0x4e)};
    if constexpr (n == 4) return {_mm512_shuffle_f32x4(a.v, a.v, 0xb1)};
    if constexpr (n == 2) return {_mm512_permute_ps(a.v, 0x4e)};
    if constexpr (n == 1) return {_mm512_permute_ps(a.v, 0xb1)};
}

inline void unzip(F32& a, F32& b) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512 first = a.v;
    a.v = _mm512_permutex2var_ps(first, even, b.v);
    b.v = _mm512_permutex2var_ps(first, _mm512_or_si512(even, _mm512_set1_epi32(1)), b.v);
}
inline void zip(F32& a, F32& b) {
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512 even = a.v;
    a.v = _mm512_permutex2var_ps(even, low, b.v);
    b.v = _mm512_permutex2var_ps(even, _mm512_or_si512(low, _mm512_set1_epi32(8)), b.v);
}

// Pairs, then quads within 128-bit quarters, then the quarters themselves: four rounds of sixteen shuffles.
inline void transpose(F32 (&r)[16]) {
    __m512 t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
        t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
    }
    __m512 u[16];
    for (int i = 0; i < 16; i += 4) {
        u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
        const __m512 a = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88), b = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
        const __m512 c = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88),
                     d = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
        r[i].v = _mm512_shuffle_f32x4(a, c, 0x88);
        r[i + 4].v = _mm512_shuffle_f32x4(b, d, 0x88);
        r[i + 8].v = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[i + 12].v = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

inline void transpose_fours(F32 (&r)[4]) {
    const __m512 a = _mm512_unpacklo_ps(r[0].v, r[1].v), b = _mm512_unpackhi_ps(r[0].v, r[1].v);
    const __m512 c = _mm512_unpacklo_ps(r[2].v, r[3].v), d = _mm512_unpackhi_ps(r[2].v, r[3].v);
    r[0].v = _mm512_shuffle_ps(a, c, 0x44);
    r[1].v = _mm512_shuffle_ps(a, c, 0xee);
    r[2].v = _mm512_shuffle_ps(b, d, 0x44);
    r[3].v = _mm512_shuffle_ps(b, d, 0xee);
}
inline void transpose_parts(F32 (&r)[4]) {
    const __m512 a = _mm512_shuffle_f32x4(r[0].v, r[1].v, 0x88), b = _mm512_shuffle_f32x4(r[0].v, r[1].v, 0xdd);
    const __m512 c = _mm512_shuffle_f32x4(r[2].v, r[3].v, 0x88), d = _mm512_shuffle_f32x4(r[2].v, r[3].v, 0xdd);
    r[0].v = _mm512_shuffle_f32x4(a, c, 0x88);
    r[1].v = _mm512_shuffle_f32x4(b, d, 0x88);
    r[2].v = _mm512_shuffle_f32x4(a, c, 0xdd);
    r[3].v = _mm512_shuffle_f32x4(b, d, 0xdd);
}

}  // namespace
