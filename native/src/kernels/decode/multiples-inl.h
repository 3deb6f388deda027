// SPDX-License-Identifier: Apache-2.0
// Numbers as whole multiples of a part of the largest of them, as products of bytes take them, digit by digit.
#pragma once

#include "kernels/decode/rows-inl.h"

namespace {

// What turns numbers into whole multiples up to `most`, and what turns them back: NaN where one is not finite.
struct Unit {
    float inverse, size;
};

// Of the numbers that it sees. Below some size all are nothing.
struct Magnitude {
    F32 largest_of_lane = F32::zero();
    Finite finite;
    void see(F32 x) {
        largest_of_lane = max_magnitude(x, largest_of_lane);
        finite.see(x);
    }
    Unit unit(float most) const {
        const float largest_of_all = largest(largest_of_lane);
        return {largest_of_all > 1e-30f ? most / largest_of_all : 0.0f,
                largest_of_all * (1 / most) + sum(finite.zeros)};
    }
};

// Of n numbers; those to the end of the last vector are read as well.
inline Magnitude magnitude_of(const float* numbers, int64_t n) {
    Magnitude magnitude;
    for (int64_t i = 0; i < n; i += F32::lanes) magnitude.see(F32::load(numbers + i));
    return magnitude;
}

// A query row times the factor to `to` [dims], a multiple of the lanes; 0 behind its last number.
inline Magnitude load_query(const attn4j::DecodeChunk& c, int64_t row, F32 factor, int64_t dims, float* to) {
    Magnitude magnitude;
    for (int64_t d = 0; d < dims; d += F32::lanes) {
        const int64_t left = c.head_dim - d, n = left < 0 ? 0 : left < F32::lanes ? left : F32::lanes;
        const F32 x = n == 0 ? F32::zero() : load_elements(c.q_type, c.q, query_at(c, row) + d, n) * factor;
        x.store(to + d);
        magnitude.see(x);
    }
    return magnitude;
}

}  // namespace
