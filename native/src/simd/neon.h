// SPDX-License-Identifier: Apache-2.0
// Four float32 lanes with AArch64 NEON. Meaning of every operation: contract.md.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace {

inline uint32x4_t lane_numbers() {
    const uint32x4_t n = {0, 1, 2, 3};
    return n;
}

struct Mask {
    uint32x4_t v;
    static Mask from(int64_t n) {
        return {vcgeq_u32(lane_numbers(), vdupq_n_u32(n < 0 ? 0 : n > 4 ? 4 : static_cast<uint32_t>(n)))};
    }
};
inline Mask operator&(Mask a, Mask b) { return {vandq_u32(a.v, b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {vorrq_u32(a.v, b.v)}; }
inline Mask operator!(Mask a) { return {vmvnq_u32(a.v)}; }
inline bool any(Mask a) { return vmaxvq_u32(a.v) != 0; }

// Put together in a register: the last of an odd number, and the two before.
inline uint16x4_t load_halves_first(const uint16_t* p, int64_t n) {
    if (n == 4) return vld1_u16(p);
    uint64_t halves = n & 1 ? p[n - 1] : 0;
    if (n & 2) {
        uint32_t two;
        __builtin_memcpy(&two, p, sizeof two);
        halves = halves << 32 | two;
    }
    return vcreate_u16(halves);
}

inline void store_halves_first(uint16_t* p, int64_t n, uint16x4_t x) {
    if (n == 4) return vst1_u16(p, x);
    uint64_t halves = vget_lane_u64(vreinterpret_u64_u16(x), 0);
    if (n & 2) {
        __builtin_memcpy(p, &halves, 4);
        halves >>= 32;
        p += 2;
    }
    if (n & 1) __builtin_memcpy(p, &halves, 2);
}

inline float32x4_t widen_bf16(uint16x4_t x) { return vreinterpretq_f32_u32(vshll_n_u16(x, 16)); }

inline uint16x4_t narrow_bf16(float32x4_t x) {
    // Half a unit less one, and one more where the result would be odd: ties go to the even neighbour. A carry moves on
    // to the exponent, at last to infinity; a NaN must not take part, and keeps the quiet bit.
    const uint32x4_t u = vreinterpretq_u32_f32(x), odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(u, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), 16);
}

inline float32x4_t widen_f16(uint16x4_t x) { return vcvt_f32_f16(vreinterpret_f16_u16(x)); }
inline uint16x4_t narrow_f16(float32x4_t x) { return vreinterpret_u16_f16(vcvt_f16_f32(x)); }

struct F32 {
    static constexpr int lanes = 4;
    float32x4_t v;
    static F32 zero() { return {vdupq_n_f32(0.0f)}; }
    static F32 set(float x) { return {vdupq_n_f32(x)}; }
    static F32 load(const float* p) { return {vld1q_f32(p)}; }
    static F32 load_first(const float* p, int64_t n) {
        float buffer[4] = {0, 0, 0, 0};
        for (int64_t i = 0; i < n; ++i) buffer[i] = p[i];
        return {vld1q_f32(buffer)};
    }
    void store(float* p) const { vst1q_f32(p, v); }
    void store_first(float* p, int64_t n) const {
        float buffer[4];
        vst1q_f32(buffer, v);
        for (int64_t i = 0; i < n; ++i) p[i] = buffer[i];
    }

    static F32 load_bf16(const uint16_t* p) { return {widen_bf16(vld1_u16(p))}; }
    static F32 load_bf16_first(const uint16_t* p, int64_t n) { return {widen_bf16(load_halves_first(p, n))}; }
    static void load_bf16_pair(const uint16_t* p, F32& even, F32& odd) {
        const uint32x4_t both = vreinterpretq_u32_u16(vld1q_u16(p));
        even.v = vreinterpretq_f32_u32(vshlq_n_u32(both, 16));
        odd.v = vreinterpretq_f32_u32(vandq_u32(both, vdupq_n_u32(0xffff0000u)));
    }
    static F32 load_pairs(const uint16_t* p) { return {vreinterpretq_f32_u16(vld1q_u16(p))}; }
    static F32 load_pairs_first(const uint16_t* p, int64_t n) {
        const uint16x4_t low = load_halves_first(p, n < 4 ? n : 4);
        const uint16x4_t high = n > 4 ? load_halves_first(p + 4, n - 4) : vdup_n_u16(0);
        return {vreinterpretq_f32_u16(vcombine_u16(low, high))};
    }
    static F32 load_f16(const uint16_t* p) { return {widen_f16(vld1_u16(p))}; }
    static F32 load_f16_first(const uint16_t* p, int64_t n) { return {widen_f16(load_halves_first(p, n))}; }
    static F32 load_i8(const int8_t* p) {
        uint32_t four;
        __builtin_memcpy(&four, p, sizeof four);
        const int16x8_t halves = vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)));
        return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(halves)))};
    }
    static F32 load_i8_first(const int8_t* p, int64_t n) {
        int8_t all[4] = {};
        for (int64_t i = 0; i < n; ++i) all[i] = p[i];
        return load_i8(all);
    }
    void store_bf16(uint16_t* p) const { vst1_u16(p, narrow_bf16(v)); }
    void store_bf16_first(uint16_t* p, int64_t n) const { store_halves_first(p, n, narrow_bf16(v)); }
    void store_f16(uint16_t* p) const { vst1_u16(p, narrow_f16(v)); }
    void store_f16_first(uint16_t* p, int64_t n) const { store_halves_first(p, n, narrow_f16(v)); }
};

inline F32 even(F32 pairs) { return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(pairs.v), 16))}; }
inline F32 odd(F32 pairs) {
    return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(pairs.v), vdupq_n_u32(0xffff0000u)))};
}

// A scalar load and a multiply by lane: a replicating load would take a slot of the pipes that multiply.
struct Splat {
    float v;
    static Splat load(const float* p) { return {*p}; }
};

inline F32 operator+(F32 a, F32 b) { return {vaddq_f32(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {vsubq_f32(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {vmulq_f32(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {vdivq_f32(a.v, b.v)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline void conceal(F32& x) { __asm__ volatile("" : "+w"(x.v)); }
inline F32 fma(Splat a, F32 b, F32 c) { return {vfmaq_n_f32(c.v, b.v, a.v)}; }
inline F32 fma_from(const float* a, F32 b, F32 c) { return fma(Splat::load(a), b, c); }
inline F32 max(F32 a, F32 b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
inline F32 abs(F32 a) { return {vabsq_f32(a.v)}; }
inline F32 max_magnitude(F32 a, F32 b) { return max(abs(a), b); }
inline F32 sqrt(F32 a) { return {vsqrtq_f32(a.v)}; }
inline F32 copysign(F32 a, F32 b) { return {vbslq_f32(vdupq_n_u32(0x80000000u), b.v, a.v)}; }
inline F32 fraction(F32 a) { return {vsubq_f32(a.v, vrndmq_f32(a.v))}; }
inline F32 scale2(F32 p, F32 a) {
    // The exponent field of 2^floor(a). What is too small for one is 0; where a is NaN, p is NaN.
    const int32x4_t power = vshlq_n_s32(vaddq_s32(vcvtmq_s32_f32(a.v), vdupq_n_s32(127)), 23);
    const uint32x4_t product = vreinterpretq_u32_f32(vmulq_f32(p.v, vreinterpretq_f32_s32(power)));
    return {vreinterpretq_f32_u32(vbicq_u32(product, vcltq_f32(a.v, vdupq_n_f32(-126.0f))))};
}
inline F32 exponent(F32 a) {
    const uint32x4_t field = vandq_u32(vshrq_n_u32(vreinterpretq_u32_f32(a.v), 23), vdupq_n_u32(255));
    return {vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(field), vdupq_n_s32(127)))};
}
inline F32 mantissa(F32 a) {
    const uint32x4_t fraction = vandq_u32(vreinterpretq_u32_f32(a.v), vdupq_n_u32(0x007fffffu));
    return {vreinterpretq_f32_u32(vorrq_u32(fraction, vdupq_n_u32(0x3f800000u)))};
}
inline Mask operator==(F32 a, F32 b) { return {vceqq_f32(a.v, b.v)}; }
inline Mask operator<(F32 a, F32 b) { return {vcltq_f32(a.v, b.v)}; }
inline Mask sign(F32 a) { return {vreinterpretq_u32_s32(vshrq_n_s32(vreinterpretq_s32_f32(a.v), 31))}; }
inline F32 select(Mask m, F32 a, F32 b) { return {vbslq_f32(m.v, a.v, b.v)}; }
inline float sum(F32 a) { return vaddvq_f32(a.v); }

inline float largest(F32 a) { return vmaxvq_f32(a.v); }
inline F32 sums(const F32 (&r)[4]) { return {vpaddq_f32(vpaddq_f32(r[0].v, r[1].v), vpaddq_f32(r[2].v, r[3].v))}; }

template <int n>
inline F32 exchange(F32 a) {
    if constexpr (n == 2) return {vextq_f32(a.v, a.v, 2)};
    if constexpr (n == 1) return {vrev64q_f32(a.v)};
}

inline void unzip(F32& a, F32& b) {
    const float32x4x2_t parts = vuzpq_f32(a.v, b.v);
    a.v = parts.val[0];
    b.v = parts.val[1];
}
inline void zip(F32& a, F32& b) {
    const float32x4x2_t pairs = vzipq_f32(a.v, b.v);
    a.v = pairs.val[0];
    b.v = pairs.val[1];
}

inline void transpose(F32 (&r)[4]) {
    const float32x4x2_t low = vtrnq_f32(r[0].v, r[1].v), high = vtrnq_f32(r[2].v, r[3].v);
    r[0].v = vcombine_f32(vget_low_f32(low.val[0]), vget_low_f32(high.val[0]));
    r[1].v = vcombine_f32(vget_low_f32(low.val[1]), vget_low_f32(high.val[1]));
    r[2].v = vcombine_f32(vget_high_f32(low.val[0]), vget_high_f32(high.val[0]));
    r[3].v = vcombine_f32(vget_high_f32(low.val[1]), vget_high_f32(high.val[1]));
}

inline void transpose_fours(F32 (&r)[4]) { transpose(r); }
inline void transpose_parts(F32 (&)[1]) {}

}  // namespace
