// SPDX-License-Identifier: Apache-2.0
// How far float32 results may be from the double precision references, for unit-normal inputs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

// Of out and lse. Rounding of a score grows with its terms and, past 32, with itself.
inline double attention_tolerance(int64_t head_dim, double largest_score) {
    return 2e-6 * std::sqrt(static_cast<double>(head_dim)) * std::max(1.0, largest_score / 32);
}

// The bound of pointwise.h, for y = x + bias, of which GELU takes the rounded sum.
inline double gelu_tolerance(double y) { return 4e-7 * std::max(1.0, std::fabs(y)); }
