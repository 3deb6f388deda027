// SPDX-License-Identifier: Apache-2.0
// Pairs of bfloat16 with the BF16 extension of AArch64, beside the float32 of neon.h. Meaning of every operation:
// contract.md.
#pragma once

#include "simd/neon.h"

namespace {

struct Pairs {
    static constexpr int lanes = 4;
    uint16x8_t v;
    static Pairs zero() { return {vdupq_n_u16(0)}; }
    static Pairs load(const uint16_t* p) { return {vld1q_u16(p)}; }
    static Pairs load_first(const uint16_t* p, int64_t n) {
        if (n <= 0) return zero();
        if (n <= 4) return {vcombine_u16(load_halves_first(p, n), vdup_n_u16(0))};
        return {vcombine_u16(vld1_u16(p), load_halves_first(p + 4, n - 4))};
    }
    void store(uint16_t* p) const { vst1q_u16(p, v); }
    static Pairs narrow(F32 even, F32 odd) {
        const uint16x4_t e = vreinterpret_u16_bf16(vcvt_bf16_f32(even.v));
        const uint16x4_t o = vreinterpret_u16_bf16(vcvt_bf16_f32(odd.v));
        return {vzip1q_u16(vcombine_u16(e, e), vcombine_u16(o, o))};
    }
    F32 even() const { return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u16(v), 16))}; }
    F32 odd() const { return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u16(v), vdupq_n_u32(0xffff0000u)))}; }
};

inline void conceal(Pairs& x) { __asm__ volatile("" : "+w"(x.v)); }

inline void transpose(Pairs (&r)[4]) {
    F32 t[4];
    for (int i = 0; i < 4; ++i) t[i].v = vreinterpretq_f32_u16(r[i].v);
    transpose(t);
    for (int i = 0; i < 4; ++i) r[i].v = vreinterpretq_u16_f32(t[i].v);
}

// Whether a number of those ever seen is an infinity or a NaN: the largest, without its sign.
struct Largest {
    uint16x8_t v;
    static Largest none() { return {vdupq_n_u16(0)}; }
    void see(Pairs x) { v = vmaxq_u16(v, vshlq_n_u16(x.v, 1)); }
    bool infinite() const { return vmaxvq_u16(v) >= 0xff00; }
};

// Infinities and NaN become 0.
inline Pairs finite_or_zero(Pairs x) { return {vandq_u16(x.v, vcltq_u16(vshlq_n_u16(x.v, 1), vdupq_n_u16(0xff00)))}; }

// Pair i of row d of `to` is (from[2 i][d], from[2 i + 1][d]), for 8 rows of 8 columns: their transpose.
inline void transpose_pairs(const uint16_t* from, int64_t stride, Pairs (&to)[8]) {
    uint32x4_t two[4][2];  // columns 0, 2, 4, 6 and columns 1, 3, 5, 7 of two rows
    for (int m = 0; m < 4; ++m) {
        const uint16x8_t a = vld1q_u16(from + 2 * m * stride), b = vld1q_u16(from + (2 * m + 1) * stride);
        two[m][0] = vreinterpretq_u32_u16(vtrn1q_u16(a, b));
        two[m][1] = vreinterpretq_u32_u16(vtrn2q_u16(a, b));
    }
    for (int odd = 0; odd < 2; ++odd) {
        const auto halves = [&](int column, uint32x4_t upper, uint32x4_t lower) {
            const uint64x2_t a = vreinterpretq_u64_u32(upper), b = vreinterpretq_u64_u32(lower);
            to[column].v = vreinterpretq_u16_u64(vzip1q_u64(a, b));
            to[column + 4].v = vreinterpretq_u16_u64(vzip2q_u64(a, b));
        };
        halves(odd, vtrn1q_u32(two[0][odd], two[1][odd]), vtrn1q_u32(two[2][odd], two[3][odd]));
        halves(odd + 2, vtrn2q_u32(two[0][odd], two[1][odd]), vtrn2q_u32(two[2][odd], two[3][odd]));
    }
}

inline void zip(Pairs& a, Pairs& b) {
    const uint32x4_t x = vreinterpretq_u32_u16(a.v), y = vreinterpretq_u32_u16(b.v);
    a.v = vreinterpretq_u16_u32(vzip1q_u32(x, y));
    b.v = vreinterpretq_u16_u32(vzip2q_u32(x, y));
}

inline void exchange_halves(Pairs& a, Pairs& b) {
    const uint64x2_t x = vreinterpretq_u64_u16(a.v), y = vreinterpretq_u64_u16(b.v);
    a.v = vreinterpretq_u16_u64(vzip1q_u64(x, y));
    b.v = vreinterpretq_u16_u64(vzip2q_u64(x, y));
}

inline void exchange_halves(F32& a, F32& b) {
    const float64x2_t x = vreinterpretq_f64_f32(a.v), y = vreinterpretq_f64_f32(b.v);
    a.v = vreinterpretq_f32_f64(vzip1q_f64(x, y));
    b.v = vreinterpretq_f32_f64(vzip2q_f64(x, y));
}

// In assembly, as GCC 12 copies an accumulator of the intrinsic back and forth in each round of a loop.
inline F32 multiply_blocks(Pairs a, Pairs b, F32 c) {
    __asm__("bfmmla\t%0.4s, %1.8h, %2.8h" : "+w"(c.v) : "w"(a.v), "w"(b.v));
    return c;
}

}  // namespace
