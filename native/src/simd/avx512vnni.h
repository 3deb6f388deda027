// SPDX-License-Identifier: Apache-2.0
// Products of bytes with AVX512-VNNI, beside the pairs of avx512bf16.h and the cells of avx512cells.h. Meaning of every
// operation: contract.md.
#pragma once

#include "simd/avx512bf16.h"
#include "simd/avx512cells.h"

namespace {

struct Integers {
    static constexpr int lanes = 16;
    __m512i v;
    static Integers zero() { return {_mm512_setzero_si512()}; }
    static Integers load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
    void store(int32_t* p) const { _mm512_storeu_si512(p, v); }
    F32 to_f32() const { return {_mm512_cvtepi32_ps(v)}; }
};
inline Integers operator+(Integers a, Integers b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline Integers operator-(Integers a, Integers b) { return {_mm512_sub_epi32(a.v, b.v)}; }

inline Integers times_256(Integers a) { return {_mm512_slli_epi32(a.v, 8)}; }

struct CellSplat {
    __m512i v;
    static CellSplat load(const uint8_t* p) {
        int32_t cell;
        __builtin_memcpy(&cell, p, sizeof cell);
        return {_mm512_set1_epi32(cell)};
    }
};

inline Integers dot(CellSplat a, Cells b, Integers c) { return {_mm512_dpbusd_epi32(c.v, a.v, b.v)}; }
inline Integers dot(Cells a, Cells b, Integers c) { return {_mm512_dpbusd_epi32(c.v, a.v, b.v)}; }

inline Cells plus_128(__m512i x) { return {_mm512_xor_si512(x, _mm512_set1_epi8(-128))}; }
inline Cells repeat_plus_128(const int8_t* p) {
    return plus_128(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Cells repeat_plus_128_first(const int8_t* p, int64_t n) {
    return plus_128(_mm512_broadcast_i32x4(_mm_maskz_loadu_epi8(static_cast<__mmask16>((1 << n) - 1), p)));
}

inline Integers sums_of_quarters(const Integers (&x)[4]) {
    const auto halves = [](Integers a, Integers b) {
        return _mm512_add_epi32(_mm512_unpacklo_epi32(a.v, b.v), _mm512_unpackhi_epi32(a.v, b.v));
    };
    const __m512i a = halves(x[0], x[1]), b = halves(x[2], x[3]);
    return {_mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b))};
}

// Of the whole numbers nearest to x the `count` digits of the base 256, lowest first, of lane i to to[i], to[stride + i]
// and so on.
template <int count>
inline void unsigned_digits(F32 x, uint8_t* to, int64_t stride) {
    __m512i n = _mm512_cvtps_epi32(x.v);
    for (int digit = 0; digit < count; ++digit, n = _mm512_srli_epi32(n, 8))
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + digit * stride), _mm512_cvtepi32_epi8(n));
}
template <int count>
inline void signed_digits(F32 x, int8_t* to, int64_t stride) {
    __m512i n = _mm512_cvtps_epi32(x.v);
    for (int digit = 0; digit < count; ++digit) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + digit * stride), _mm512_cvtepi32_epi8(n));
        n = _mm512_srai_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(128)), 8);
    }
}

}  // namespace
