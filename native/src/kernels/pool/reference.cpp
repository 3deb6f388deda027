// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool/reference.h"

#include <algorithm>
#include <cmath>

void mean_pool_reference(const float* x, int64_t x_stride, int64_t rows, int64_t width, double* out) {
    for (int64_t c = 0; c < width; ++c) {
        double total = 0;
        for (int64_t row = 0; row < rows; ++row) total += static_cast<double>(x[row * x_stride + c]);
        out[c] = rows == 0 ? 0 : total / static_cast<double>(rows);
    }
}

void normalize_reference(const float* x, double epsilon, int64_t width, double* out) {
    double squares = 0;
    for (int64_t c = 0; c < width; ++c) squares += static_cast<double>(x[c]) * static_cast<double>(x[c]);
    for (int64_t c = 0; c < width; ++c) out[c] = static_cast<double>(x[c]) / std::max(std::sqrt(squares), epsilon);
}
