// SPDX-License-Identifier: Apache-2.0
// How far float32 results may be from the double precision references.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "attn4j/attn4j.h"

// Of attention's out and lse, for unit-normal inputs at scales up to 1/sqrt(headDim). Rounding of a score grows with
// its terms and, past 32, with itself. A scale c times larger is an input c times larger: there the largest of many
// errors passes it in some draws: of 20000 random problems at scales up to four times that, up to 1.97 times at headDim
// 1 and 1.13 times elsewhere; of 150 draws at headDim 8 and scale 3, 1.35 times.
inline double attention_tolerance(int64_t head_dim, double largest_score) {
    return 2e-6 * std::sqrt(static_cast<double>(head_dim)) * std::max(1.0, largest_score / 32);
}

// The same where q, k and v are of a type, and so are the numbers of the reference.
inline double attention_tolerance(attn4j_dtype dtype, int64_t head_dim, double largest_score) {
    return dtype == ATTN4J_BF16 ? 2e-2 : dtype == ATTN4J_F16 ? 3e-3 : attention_tolerance(head_dim, largest_score);
}

// Where queries of 16 bits meet keys and values that are multiplied as bytes (decode.h), beside references of the stored
// numbers. Of 10000 random problems the largest error was 1.2e-4; storing them as bytes may cost 5e-2.
inline double byte_products_tolerance(double largest_score) { return 3e-4 * std::max(1.0, largest_score / 32); }

// Of a linear layer's result whose terms add up to `size` without their signs: the roundings of `in` partial sums, as a
// random walk, and three more of what follows.
inline double linear_tolerance(int64_t in, double size) {
    return 0x1p-24 * (std::sqrt(static_cast<double>(in)) + 3) * size;
}

// The bound of pointwise.h, for y = x + bias, of which GELU takes the rounded sum.
inline double gelu_tolerance(double y) { return 4e-7 * std::max(1.0, std::fabs(y)); }
