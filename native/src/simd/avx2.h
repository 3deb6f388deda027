// SPDX-License-Identifier: Apache-2.0
// Eight float32 lanes with AVX2, FMA and F16C. Meaning of every operation: contract.md.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

inline __m256i lane_numbers() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }

struct Mask {
    __m256 v;
    static Mask from(int64_t n) {
        const int clamped = n < 0 ? 0 : n > 8 ? 8 : static_cast<int>(n);
        return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(lane_numbers(), _mm256_set1_epi32(clamped - 1)))};
    }
};
inline Mask operator&(Mask a, Mask b) { return {_mm256_and_ps(a.v, b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {_mm256_or_ps(a.v, b.v)}; }
inline Mask operator!(Mask a) { return {_mm256_xor_ps(a.v, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))}; }
inline bool any(Mask a) { return _mm256_movemask_ps(a.v) != 0; }

inline __m256i first_lanes(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane_numbers());
}

inline __m128i load_halves(const uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

template <typename T>
inline T load_as(const uint16_t* p) {
    T x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

// Put together in registers: of one to three halves at the end, and four before them.
inline __m128i load_halves_first(const uint16_t* p, int64_t n) {
    if (n == 8) return load_halves(p);
    uint64_t end = n & 1 ? p[n - 1] : 0;
    if (n & 2) end = end << 32 | load_as<uint32_t>(p + (n & 4));
    const int64_t last = static_cast<int64_t>(end);
    return n & 4 ? _mm_set_epi64x(last, load_as<int64_t>(p)) : _mm_cvtsi64_si128(last);
}

inline void store_halves(uint16_t* p, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }

inline void store_halves_first(uint16_t* p, int64_t n, __m128i x) {
    if (n == 8) return store_halves(p, x);
    if (n & 4) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(p), x);
        x = _mm_unpackhi_epi64(x, x);
        p += 4;
    }
    uint64_t end = static_cast<uint64_t>(_mm_cvtsi128_si64(x));
    if (n & 2) {
        __builtin_memcpy(p, &end, 4);
        end >>= 32;
        p += 2;
    }
    if (n & 1) __builtin_memcpy(p, &end, 2);
}

inline __m256 widen_bf16(__m128i x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }

inline __m128i narrow_bf16(__m256 x) {
    // Half a unit less one, and one more where the result would be odd: ties go to the even neighbour. A carry moves on
    // to the exponent, at last to infinity; a NaN must not take part, and keeps the quiet bit.
    const __m256i u = _mm256_castps_si256(x), odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
    const __m256i number = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_ORD_Q));
    const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(quiet, rounded, number), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1));
}

struct F32 {
    static constexpr int lanes = 8;
    __m256 v;
    static F32 zero() { return {_mm256_setzero_ps()}; }
    static F32 set(float x) { return {_mm256_set1_ps(x)}; }
    static F32 load(const float* p) { return {_mm256_loadu_ps(p)}; }
    static F32 load_first(const float* p, int64_t n) { return {_mm256_maskload_ps(p, first_lanes(n))}; }
    void store(float* p) const { _mm256_storeu_ps(p, v); }
    void store_first(float* p, int64_t n) const { _mm256_maskstore_ps(p, first_lanes(n), v); }

    static F32 load_bf16(const uint16_t* p) { return {widen_bf16(load_halves(p))}; }
    static F32 load_bf16_first(const uint16_t* p, int64_t n) { return {widen_bf16(load_halves_first(p, n))}; }
    static void load_bf16_pair(const uint16_t* p, F32& even, F32& odd) {
        const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        even.v = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
        odd.v = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
    }
    static F32 load_pairs(const uint16_t* p) {
        return {_mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
    }
    static F32 load_pairs_first(const uint16_t* p, int64_t n) {
        const __m128i low = load_halves_first(p, n < 8 ? n : 8);
        const __m128i high = n > 8 ? load_halves_first(p + 8, n - 8) : _mm_setzero_si128();
        return {_mm256_castsi256_ps(_mm256_set_m128i(high, low))};
    }
    static F32 load_f16(const uint16_t* p) { return {_mm256_cvtph_ps(load_halves(p))}; }
    static F32 load_f16_first(const uint16_t* p, int64_t n) { return {_mm256_cvtph_ps(load_halves_first(p, n))}; }
    static F32 load_i8(const int8_t* p) {
        return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
    }
    static F32 load_i8_first(const int8_t* p, int64_t n) {
        int8_t all[8] = {};
        for (int64_t i = 0; i < n; ++i) all[i] = p[i];
        return load_i8(all);
    }
    void store_bf16(uint16_t* p) const { store_halves(p, narrow_bf16(v)); }
    void store_bf16_first(uint16_t* p, int64_t n) const { store_halves_first(p, n, narrow_bf16(v)); }
    void store_f16(uint16_t* p) const { store_halves(p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT)); }
    void store_f16_first(uint16_t* p, int64_t n) const {
        store_halves_first(p, n, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
};

inline F32 even(F32 pairs) { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(pairs.v), 16))}; }
inline F32 odd(F32 pairs) {
    return {_mm256_and_ps(pairs.v, _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(0xffff0000u))))};
}

struct Splat {
    __m256 v;
    static Splat load(const float* p) { return {_mm256_broadcast_ss(p)}; }
};

inline F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline void conceal(F32& x) { __asm__ volatile("" : "+x"(x.v)); }
inline F32 fma(Splat a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 fma_from(const float* a, F32 b, F32 c) { return fma(Splat::load(a), b, c); }
inline F32 max(F32 a, F32 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline F32 abs(F32 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline F32 max_magnitude(F32 a, F32 b) { return max(abs(a), b); }
inline F32 sqrt(F32 a) { return {_mm256_sqrt_ps(a.v)}; }
inline F32 copysign(F32 a, F32 b) {
    const __m256 s = _mm256_set1_ps(-0.0f);
    return {_mm256_or_ps(_mm256_and_ps(s, b.v), _mm256_andnot_ps(s, a.v))};
}
inline F32 fraction(F32 a) { return {_mm256_sub_ps(a.v, _mm256_floor_ps(a.v))}; }
inline F32 scale2(F32 p, F32 a) {
    // 1.5 * 2^23 + 127: its sum with a whole number has that number plus 127 in its lowest bits, and shifted up they
    // are the exponent field of 2^whole. What is too small for that is 0; where a is NaN, p is NaN.
    const __m256 biased = _mm256_add_ps(_mm256_floor_ps(a.v), _mm256_set1_ps(12583039.0f));
    const __m256 power = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(biased), 23));
    const __m256 tiny = _mm256_cmp_ps(a.v, _mm256_set1_ps(-126.0f), _CMP_LT_OQ);
    return {_mm256_andnot_ps(tiny, _mm256_mul_ps(p.v, power))};
}
inline F32 exponent(F32 a) {
    const __m256i field = _mm256_and_si256(_mm256_srli_epi32(_mm256_castps_si256(a.v), 23), _mm256_set1_epi32(255));
    return {_mm256_cvtepi32_ps(_mm256_sub_epi32(field, _mm256_set1_epi32(127)))};
}
inline F32 mantissa(F32 a) {
    const __m256i fraction = _mm256_and_si256(_mm256_castps_si256(a.v), _mm256_set1_epi32(0x007fffff));
    return {_mm256_castsi256_ps(_mm256_or_si256(fraction, _mm256_set1_epi32(0x3f800000)))};
}
inline Mask operator==(F32 a, F32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask operator<(F32 a, F32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask sign(F32 a) { return {_mm256_castsi256_ps(_mm256_srai_epi32(_mm256_castps_si256(a.v), 31))}; }
inline F32 select(Mask m, F32 a, F32 b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }

inline float sum(F32 a) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

inline float largest(F32 a) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

inline F32 sums(const F32 (&r)[8]) {
    const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(r[0].v, r[1].v), _mm256_hadd_ps(r[2].v, r[3].v));
    const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(r[4].v, r[5].v), _mm256_hadd_ps(r[6].v, r[7].v));
    return {_mm256_add_ps(_mm256_blend_ps(a, b, 0xf0), _mm256_permute2f128_ps(a, b, 0x21))};
}

template <int n>
inline F32 exchange(F32 a) {
    if constexpr (n == 4) return {_mm256_permute2f128_ps(a.v, a.v, 1)};
    if constexpr (n == 2) return {_mm256_permute_ps(a.v, 0x4e)};
    if constexpr (n == 1) return {_mm256_permute_ps(a.v, 0xb1)};
}

inline void unzip(F32& a, F32& b) {
    const __m256 low = _mm256_permute2f128_ps(a.v, b.v, 0x20), high = _mm256_permute2f128_ps(a.v, b.v, 0x31);
    a.v = _mm256_shuffle_ps(low, high, 0x88);
    b.v = _mm256_shuffle_ps(low, high, 0xdd);
}
inline void zip(F32& a, F32& b) {
    const __m256 low = _mm256_unpacklo_ps(a.v, b.v), high = _mm256_unpackhi_ps(a.v, b.v);
    a.v = _mm256_permute2f128_ps(low, high, 0x20);
    b.v = _mm256_permute2f128_ps(low, high, 0x31);
}

inline void transpose(F32 (&r)[8]) {
    __m256 t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
        t[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
        r[i].v = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        r[i + 4].v = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}

inline void transpose_fours(F32 (&r)[4]) {
    const __m256 a = _mm256_unpacklo_ps(r[0].v, r[1].v), b = _mm256_unpackhi_ps(r[0].v, r[1].v);
    const __m256 c = _mm256_unpacklo_ps(r[2].v, r[3].v), d = _mm256_unpackhi_ps(r[2].v, r[3].v);
    r[0].v = _mm256_shuffle_ps(a, c, 0x44);
    r[1].v = _mm256_shuffle_ps(a, c, 0xee);
    r[2].v = _mm256_shuffle_ps(b, d, 0x44);
    r[3].v = _mm256_shuffle_ps(b, d, 0xee);
}
inline void transpose_parts(F32 (&r)[2]) {
    const __m256 first = r[0].v;
    r[0].v = _mm256_permute2f128_ps(first, r[1].v, 0x20);
    r[1].v = _mm256_permute2f128_ps(first, r[1].v, 0x31);
}

}  // namespace
