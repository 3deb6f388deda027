// SPDX-License-Identifier: Apache-2.0
// One float32 lane in plain C++: runs everywhere, and is the yardstick for the others. Meaning of every operation: contract.md.
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
};

struct Splat {
    float v;
    static Splat load(const float* p) { return {*p}; }
};

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

inline F32 operator+(F32 a, F32 b) { return {a.v + b.v}; }
inline F32 operator-(F32 a, F32 b) { return {a.v - b.v}; }
inline F32 operator*(F32 a, F32 b) { return {a.v * b.v}; }
inline F32 operator/(F32 a, F32 b) { return {a.v / b.v}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {a.v * b.v + c.v}; }
inline F32 fma(Splat a, F32 b, F32 c) { return {a.v * b.v + c.v}; }
inline F32 max(F32 a, F32 b) { return {a.v > b.v ? a.v : b.v}; }
inline F32 min(F32 a, F32 b) { return {a.v < b.v ? a.v : b.v}; }
inline F32 abs(F32 a) { return {__builtin_fabsf(a.v)}; }
inline F32 sqrt(F32 a) { return {__builtin_sqrtf(a.v)}; }
inline F32 copysign(F32 a, F32 b) { return {__builtin_copysignf(a.v, b.v)}; }
// floor(a) as an integer; -151 below that, where nothing is left of 2^a, and for NaN.
inline int32_t whole_of(F32 a) {
    if (!(a.v >= -151.0f)) return -151;
    const int32_t truncated = static_cast<int32_t>(a.v);
    return truncated - (static_cast<float>(truncated) > a.v ? 1 : 0);
}
inline F32 fraction(F32 a) {
    return {a.v < -151.0f ? 0.0f : a.v - static_cast<float>(whole_of(a))};
}
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
inline void transpose(F32 (&)[1]) {}

}  // namespace
