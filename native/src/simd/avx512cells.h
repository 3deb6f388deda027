// SPDX-License-Identifier: Apache-2.0
// Cells of 32 bits, two numbers of bfloat16 or four bytes along a summed dimension, beside the float32 of avx512.h.
// Meaning of every operation: contract.md.
#pragma once

#include "simd/avx512.h"

namespace {

struct Cells {
    static constexpr int lanes = 16;
    __m512i v;
    static Cells zero() { return {_mm512_setzero_si512()}; }
    static Cells load(const void* p) { return {_mm512_loadu_si512(p)}; }
    static Cells load_first(const void* p, int64_t bytes) {
        return {_mm512_maskz_loadu_epi8(bytes >= 64 ? ~uint64_t{0} : (uint64_t{1} << bytes) - 1, p)};
    }
    void store(void* p) const { _mm512_storeu_si512(p, v); }
};

inline void zip_bytes(Cells (&x)[4]) {
    const __m512i a = _mm512_unpacklo_epi8(x[0].v, x[1].v), b = _mm512_unpackhi_epi8(x[0].v, x[1].v);
    const __m512i c = _mm512_unpacklo_epi8(x[2].v, x[3].v), d = _mm512_unpackhi_epi8(x[2].v, x[3].v);
    x[0].v = _mm512_unpacklo_epi16(a, c);
    x[1].v = _mm512_unpackhi_epi16(a, c);
    x[2].v = _mm512_unpacklo_epi16(b, d);
    x[3].v = _mm512_unpackhi_epi16(b, d);
}

// Lanes that hold whole numbers.
inline F32 from_integers(F32 a) { return {_mm512_cvtepi32_ps(_mm512_castps_si512(a.v))}; }
inline F32 less_times_128(F32 a, F32 b) {
    return {_mm512_castsi512_ps(
        _mm512_sub_epi32(_mm512_castps_si512(a.v), _mm512_slli_epi32(_mm512_castps_si512(b.v), 7)))};
}

// Of four vectors of numbers, rounded to whole ones below 2^23, plus 2^23: the three bytes, lowest first, those of four
// numbers in a cell.
inline void digits(const F32 (&x)[4], Cells (&digit)[3]) {
    __m512i n[4];
    for (int i = 0; i < 4; ++i) n[i] = _mm512_xor_si512(_mm512_cvtps_epi32(x[i].v), _mm512_set1_epi32(0x800000));
    // Halves of two numbers side by side, then bytes of four.
    const __mmask32 odd = 0xaaaaaaaa;
    const __m512i a = _mm512_mask_blend_epi16(odd, n[0], _mm512_slli_epi32(n[2], 16));
    const __m512i b = _mm512_mask_blend_epi16(odd, n[1], _mm512_slli_epi32(n[3], 16));
    const __m512i c = _mm512_mask_blend_epi16(odd, _mm512_srli_epi32(n[0], 16), n[2]);
    const __m512i d = _mm512_mask_blend_epi16(odd, _mm512_srli_epi32(n[1], 16), n[3]);
    const __mmask64 high = 0xaaaaaaaaaaaaaaaa;
    digit[0].v = _mm512_mask_blend_epi8(high, a, _mm512_slli_epi16(b, 8));
    digit[1].v = _mm512_mask_blend_epi8(high, _mm512_srli_epi16(a, 8), b);
    digit[2].v = _mm512_mask_blend_epi8(high, c, _mm512_slli_epi16(d, 8));
}

}  // namespace
