// SPDX-License-Identifier: Apache-2.0
#include "kernels/layer_norm/reference.h"

#include <cmath>

void layer_norm_reference(const float* x, const float* residual, const float* gamma, const float* beta, double epsilon,
                          int64_t width, double* out) {
    double mean = 0;
    for (int64_t c = 0; c < width; ++c) {
        out[c] = static_cast<double>(x[c]) + (residual == nullptr ? 0 : static_cast<double>(residual[c]));
        mean += out[c] / static_cast<double>(width);
    }
    double variance = 0;
    for (int64_t c = 0; c < width; ++c) variance += (out[c] - mean) * (out[c] - mean) / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c)
        out[c] = (out[c] - mean) / std::sqrt(variance + epsilon) * static_cast<double>(gamma[c]) +
                 static_cast<double>(beta[c]);
}
