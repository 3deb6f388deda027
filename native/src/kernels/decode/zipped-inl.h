// SPDX-License-Identifier: Apache-2.0
// The orders in which zip_halves() and zip_bytes() leave numbers of two or four rows, and so the sums of their products.
#pragma once

#include "kernels/decode/rows-inl.h"

namespace {

struct ZippedHalves {
    static constexpr int64_t dims = 2 * F32::lanes;  // in two vectors
    static int64_t position(int64_t d) { return d / 32 * 32 + d % 8 / 4 * 16 + d % 32 / 8 * 4 + d % 4; }
    static void straighten(F32 (&x)[2]) { zip_quarters(x[0], x[1]); }
};

struct ZippedBytes {
    static constexpr int64_t dims = 4 * F32::lanes;  // in four
    static int64_t position(int64_t d) { return d / 64 * 64 + d % 16 / 4 * 16 + d % 64 / 16 * 4 + d % 4; }
    static void straighten(F32 (&x)[4]) {
        zip_quarters(x[0], x[2]);
        zip_quarters(x[1], x[3]);
        zip_quarters(x[0], x[1]);
        zip_quarters(x[2], x[3]);
    }
};

// Sums [width], a multiple of the lanes, from the order of Zipped to that of their columns.
template <typename Zipped>
inline void store_straight(const float* sums, int64_t width, float* to) {
    constexpr int64_t vectors = Zipped::dims / F32::lanes;
    for (int64_t d = 0; d < width; d += Zipped::dims) {
        F32 x[vectors];
        for (int64_t i = 0; i < vectors; ++i) x[i] = F32::load(sums + d + i * F32::lanes);
        Zipped::straighten(x);
        for (int64_t i = 0; i < vectors && d + i * F32::lanes < width; ++i) x[i].store(to + d + i * F32::lanes);
    }
}

}  // namespace
