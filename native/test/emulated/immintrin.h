// SPDX-License-Identifier: Apache-2.0
// Stands before the compiler's <immintrin.h> for the files of isa/ that need AVX-512, so that their code can be tested
// on a CPU without it: SIMDe's portable functions take the place of the instructions, and those that SIMDe lacks are
// below, by Intel's description of them. An intrinsic that is neither does not compile. For tests only: slow.
#pragma once

#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <cstdint>

namespace {

// Lane by lane, and of the memory only what the mask names.
template <typename Vector, typename Lane>
inline Vector emulated_load(uint64_t mask, const Lane* p) {
    Lane lanes[sizeof(Vector) / sizeof(Lane)] = {};
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(Lane); ++i)
        if (mask >> i & 1) lanes[i] = p[i];
    Vector v;
    __builtin_memcpy(&v, lanes, sizeof v);
    return v;
}
template <typename Vector, typename Lane>
inline void emulated_store(Lane* p, uint64_t mask, Vector v) {
    Lane lanes[sizeof(Vector) / sizeof(Lane)];
    __builtin_memcpy(lanes, &v, sizeof v);
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(Lane); ++i)
        if (mask >> i & 1) p[i] = lanes[i];
}
template <typename To, typename Lane, typename From>
inline To emulated_convert(From v) {
    To to;
    for (unsigned i = 0; i < sizeof(To) / sizeof(to[0]) && i < sizeof(From) / sizeof(v[0]); ++i)
        to[i] = static_cast<Lane>(v[i]);
    return to;
}
template <typename Of>
inline __m512 emulated_each(__m512 v, const Of& of) {
    for (int i = 0; i < 16; ++i) v[i] = of(v[i]);
    return v;
}

using emulated_u16x16 = uint16_t __attribute__((vector_size(32), may_alias));
using emulated_u32x16 = uint32_t __attribute__((vector_size(64), may_alias));

inline __m512i emulated_cvtepu16_epi32(__m256i a) {
    return reinterpret_cast<__m512i>(
        emulated_convert<emulated_u32x16, uint32_t>(reinterpret_cast<emulated_u16x16>(a)));
}
// Of signed bytes, through memory: as vectors this release of GCC does not compile them.
inline __m512i emulated_cvtepi8_epi32(__m128i a) {
    int8_t bytes[16];
    int32_t lanes[16];
    __builtin_memcpy(bytes, &a, sizeof a);
    for (int i = 0; i < 16; ++i) lanes[i] = bytes[i];
    __m512i v;
    __builtin_memcpy(&v, lanes, sizeof v);
    return v;
}
inline __m512 emulated_cvtepi32_ps(__m512i a) {
    int32_t lanes[16];
    __builtin_memcpy(lanes, &a, sizeof a);
    __m512 v;
    for (int i = 0; i < 16; ++i) v[i] = static_cast<float>(lanes[i]);
    return v;
}
inline __m256i emulated_cvtepi32_epi16(__m512i a) {
    return reinterpret_cast<__m256i>(
        emulated_convert<emulated_u16x16, uint16_t>(reinterpret_cast<emulated_u32x16>(a)));
}

struct EmulatedHalves {
    __m256 of[2];
};
inline EmulatedHalves emulated_halves(__m512 v) {
    EmulatedHalves halves;
    __builtin_memcpy(&halves, &v, sizeof v);
    return halves;
}
inline __m512 emulated_whole(__m256 low, __m256 high) {
    const EmulatedHalves halves = {{low, high}};
    __m512 v;
    __builtin_memcpy(&v, &halves, sizeof v);
    return v;
}
inline __m512 emulated_cvtph_ps(__m256i a) {
    return emulated_whole(_mm256_cvtph_ps(_mm256_castsi256_si128(a)), _mm256_cvtph_ps(_mm256_extracti128_si256(a, 1)));
}
template <int kRounding>
inline __m256i emulated_cvtps_ph(__m512 a) {
    const EmulatedHalves halves = emulated_halves(a);
    return _mm256_set_m128i(_mm256_cvtps_ph(halves.of[1], kRounding), _mm256_cvtps_ph(halves.of[0], kRounding));
}

// Quarters of a, a, b, b.
template <int kQuarters>
inline __m512 emulated_shuffle_f32x4(__m512 a, __m512 b) {
    __m512 v;
    for (int i = 0; i < 16; ++i) v[i] = (i < 8 ? a : b)[(kQuarters >> i / 4 * 2 & 3) * 4 + i % 4];
    return v;
}
// Within each quarter.
template <int kOrder>
inline __m512 emulated_permute(__m512 a) {
    __m512 v;
    for (int i = 0; i < 16; ++i) v[i] = a[i / 4 * 4 + (kOrder >> i % 4 * 2 & 3)];
    return v;
}

inline __m512 emulated_getexp(__m512 a) {
    return emulated_each(a, [](float x) { return __builtin_logbf(x); });
}
template <int kInterval, int kSign>
inline __m512 emulated_getmant(__m512 a) {
    static_assert(kInterval == _MM_MANT_NORM_1_2 && kSign == _MM_MANT_SIGN_zero, "the only form in use");
    return emulated_each(a, [](float x) {
        int exponent;
        if (x != x) return x;
        if (x == 0 || __builtin_isinf(x)) return 1.0f;
        return 2 * __builtin_frexpf(__builtin_fabsf(x), &exponent);
    });
}
template <int kRounding>
inline __m512 emulated_reduce(__m512 a) {
    static_assert(kRounding == (_MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC), "the only form in use");
    return emulated_each(a, [](float x) { return __builtin_isinf(x) ? 0.0f : x - __builtin_floorf(x); });
}

}  // namespace

#define _mm512_maskz_loadu_ps(mask, p) emulated_load<__m512, float>(mask, p)
#define _mm512_mask_storeu_ps(p, mask, v) emulated_store<__m512, float>(p, mask, v)
#define _mm512_maskz_loadu_epi16(mask, p) emulated_load<__m512i, uint16_t>(mask, p)
#define _mm256_maskz_loadu_epi16(mask, p) emulated_load<__m256i, uint16_t>(mask, p)
#define _mm256_mask_storeu_epi16(p, mask, v) emulated_store<__m256i, uint16_t>(p, mask, v)
#define _mm_maskz_loadu_epi8(mask, p) emulated_load<__m128i, int8_t>(mask, p)
#define _mm512_cvtepi8_epi32(a) emulated_cvtepi8_epi32(a)
#define _mm512_cvtepi32_ps(a) emulated_cvtepi32_ps(a)
#define _mm512_cvtepu16_epi32(a) emulated_cvtepu16_epi32(a)
#define _mm512_cvtepi32_epi16(a) emulated_cvtepi32_epi16(a)
#define _mm512_cvtph_ps(a) emulated_cvtph_ps(a)
#undef _mm512_cvtps_ph
#define _mm512_cvtps_ph(a, rounding) emulated_cvtps_ph<rounding>(a)
#undef _mm512_extractf32x8_ps
#define _mm512_extractf32x8_ps(a, half) emulated_halves(a).of[half]
#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4(a, b, quarters) emulated_shuffle_f32x4<quarters>(a, b)
#undef _mm512_permute_ps
#define _mm512_permute_ps(a, order) emulated_permute<order>(a)
#undef _mm512_getexp_ps
#define _mm512_getexp_ps(a) emulated_getexp(a)
#undef _mm512_getmant_ps
#define _mm512_getmant_ps(a, interval, sign) emulated_getmant<interval, sign>(a)
#undef _mm512_reduce_ps
#define _mm512_reduce_ps(a, rounding) emulated_reduce<rounding>(a)
