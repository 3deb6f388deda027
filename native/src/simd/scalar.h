// SPDX-License-Identifier: Apache-2.0
// One float32 lane in plain C++: runs everywhere, and is the yardstick for the others. Meaning of every operation:
// contract.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

struct Mask {
    bool v;
    static Mask from(int64_t n) { return {n <= 0}; }
};
inline Mask operator&(Mask a, Mask b) { return {a.v && b.v}; }
inline Mask operator|(Mask a, Mask b) { return {a.v || b.v}; }
inline Mask operator!(Mask a) { return {!a.v}; }
inline bool any(Mask a) { return a.v; }

inline uint32_t bits(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, sizeof u);
    return u;
}
inline float from_bits(uint32_t u) {
    float x;
    __builtin_memcpy(&x, &u, sizeof x);
    return x;
}

inline float widen_bf16(uint16_t h) { return from_bits(static_cast<uint32_t>(h) << 16); }

inline uint16_t narrow_bf16(float x) {
    const uint32_t u = bits(x);
    if (x != x) return static_cast<uint16_t>(u >> 16 | 0x40);
    // Half a unit less one, and one more where the result would be odd: ties go to the even neighbour. A carry moves on
    // to the exponent, at last to infinity.
    return static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

inline float widen_f16(uint16_t h) {
    const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
    if (exponent == 0) return from_bits(sign | bits(static_cast<float>(fraction) * 0x1p-24f));
    if (exponent == 31) return from_bits(sign | 0x7f800000 | fraction << 13 | (fraction == 0 ? 0 : 0x400000));
    return from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

inline uint16_t narrow_f16(float x) {
    const uint32_t u = bits(x), magnitude = u & 0x7fffffff, sign = u >> 16 & 0x8000;
    uint32_t h;
    if (magnitude > 0x7f800000) {
        h = 0x7e00 | (magnitude >> 13 & 0x3ff);
    } else if (magnitude >= 0x47800000) {
        h = 0x7c00;  // from 2^16; what lies between 65520 and that is carried to infinity below
    } else if (magnitude < 0x38800000) {
        // Below 2^-14 the unit is 2^-24, as that of float32 is from 1/2 to 1.
        h = bits(from_bits(magnitude) + 0.5f) - bits(0.5f);
    } else {
        h = (magnitude + 0xfff + (magnitude >> 13 & 1) - (static_cast<uint32_t>(127 - 15) << 23)) >> 13;
    }
    return static_cast<uint16_t>(sign | h);
}

struct F32 {
    static constexpr int lanes = 1;
    float v;
    static F32 zero() { return {0.0f}; }
    static F32 set(float x) { return {x}; }
    static F32 load(const float* p) { return {*p}; }
    static F32 load_first(const float* p, int64_t n) { return {n > 0 ? *p : 0.0f}; }
    void store(float* p) const { *p = v; }
    void store_first(float* p, int64_t n) const {
        if (n > 0) *p = v;
    }

    static F32 load_bf16(const uint16_t* p) { return {widen_bf16(*p)}; }
    static F32 load_bf16_first(const uint16_t* p, int64_t n) { return {n > 0 ? widen_bf16(*p) : 0.0f}; }
    static void load_bf16_pair(const uint16_t* p, F32& even, F32& odd) {
        even.v = widen_bf16(p[0]);
        odd.v = widen_bf16(p[1]);
    }
    static F32 load_pairs(const uint16_t* p) { return load_pairs_first(p, 2); }
    static F32 load_pairs_first(const uint16_t* p, int64_t n) {
        return {from_bits((n > 0 ? p[0] : 0u) | (n > 1 ? static_cast<uint32_t>(p[1]) << 16 : 0u))};
    }
    static F32 load_f16(const uint16_t* p) { return {widen_f16(*p)}; }
    static F32 load_f16_first(const uint16_t* p, int64_t n) { return {n > 0 ? widen_f16(*p) : 0.0f}; }
    static F32 load_i8(const int8_t* p) { return {static_cast<float>(*p)}; }
    static F32 load_i8_first(const int8_t* p, int64_t n) { return {n > 0 ? static_cast<float>(*p) : 0.0f}; }
    void store_bf16(uint16_t* p) const { *p = narrow_bf16(v); }
    void store_bf16_first(uint16_t* p, int64_t n) const {
        if (n > 0) *p = narrow_bf16(v);
    }
    void store_f16(uint16_t* p) const { *p = narrow_f16(v); }
    void store_f16_first(uint16_t* p, int64_t n) const {
        if (n > 0) *p = narrow_f16(v);
    }
};

inline F32 even(F32 pairs) { return {from_bits(bits(pairs.v) << 16)}; }
inline F32 odd(F32 pairs) { return {from_bits(bits(pairs.v) & 0xffff0000u)}; }

struct Splat {
    float v;
    static Splat load(const float* p) { return {*p}; }
};

inline F32 operator+(F32 a, F32 b) { return {a.v + b.v}; }
inline F32 operator-(F32 a, F32 b) { return {a.v - b.v}; }
inline F32 operator*(F32 a, F32 b) { return {a.v * b.v}; }
inline F32 operator/(F32 a, F32 b) { return {a.v / b.v}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {a.v * b.v + c.v}; }
inline void conceal(F32&) {}
inline F32 fma(Splat a, F32 b, F32 c) { return {a.v * b.v + c.v}; }
inline F32 fma_from(const float* a, F32 b, F32 c) { return fma(Splat::load(a), b, c); }
inline F32 max(F32 a, F32 b) { return {a.v > b.v ? a.v : b.v}; }
inline F32 min(F32 a, F32 b) { return {a.v < b.v ? a.v : b.v}; }
inline F32 abs(F32 a) { return {__builtin_fabsf(a.v)}; }
inline F32 max_magnitude(F32 a, F32 b) { return max(abs(a), b); }
inline F32 sqrt(F32 a) { return {__builtin_sqrtf(a.v)}; }
inline F32 copysign(F32 a, F32 b) { return {__builtin_copysignf(a.v, b.v)}; }
// floor(a) as an integer; -151 below that, where nothing is left of 2^a, and for NaN.
inline int32_t whole_of(F32 a) {
    if (!(a.v >= -151.0f)) return -151;
    const int32_t truncated = static_cast<int32_t>(a.v);
    return truncated - (static_cast<float>(truncated) > a.v ? 1 : 0);
}
inline F32 fraction(F32 a) { return {a.v < -151.0f ? 0.0f : a.v - static_cast<float>(whole_of(a))}; }
inline F32 scale2(F32 p, F32 a) {
    // Two factors, each a normal number, reach the subnormal results that one could not.
    const int32_t whole = whole_of(a), half = whole / 2;
    return {p.v * from_bits(static_cast<uint32_t>(half + 127) << 23) *
            from_bits(static_cast<uint32_t>(whole - half + 127) << 23)};
}
inline F32 exponent(F32 a) { return {static_cast<float>(static_cast<int32_t>((bits(a.v) >> 23) & 255) - 127)}; }
inline F32 mantissa(F32 a) { return {from_bits((bits(a.v) & 0x007fffffu) | 0x3f800000u)}; }
inline Mask operator==(F32 a, F32 b) { return {a.v == b.v}; }
inline Mask operator<(F32 a, F32 b) { return {a.v < b.v}; }
inline Mask sign(F32 a) { return {(bits(a.v) >> 31) != 0}; }
inline F32 select(Mask m, F32 a, F32 b) { return m.v ? a : b; }
inline float sum(F32 a) { return a.v; }
inline float largest(F32 a) { return a.v; }
template <int n>
inline F32 exchange(F32 a) {
    return a;
}
inline F32 sums(const F32 (&r)[1]) { return r[0]; }
inline void unzip(F32&, F32&) {}
inline void zip(F32&, F32&) {}
inline void transpose(F32 (&)[1]) {}

}  // namespace
