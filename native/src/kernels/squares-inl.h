// SPDX-License-Identifier: Apache-2.0
// What norms divide a row by.
#pragma once

#include <cstdint>

namespace {

inline float sum_of_squares(const float* x, int64_t width) {
    F32 squares = F32::zero();
    for (int64_t c = 0; c < width; c += F32::lanes) {
        const F32 y = F32::load_first(x + c, width - c < F32::lanes ? width - c : F32::lanes);
        squares = fma(y, y, squares);
    }
    return sum(squares);
}

}  // namespace
