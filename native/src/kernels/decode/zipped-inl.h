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

}  // namespace
