// SPDX-License-Identifier: Apache-2.0
#include "kernels/rms_norm/reference.h"

#include <cmath>

void rms_norm_reference(const float* x, const float* gamma, double epsilon, int64_t width, double* out) {
    double mean = 0;
    for (int64_t c = 0; c < width; ++c)
        mean += static_cast<double>(x[c]) * static_cast<double>(x[c]) / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c)
        out[c] = static_cast<double>(x[c]) / std::sqrt(mean + epsilon) * static_cast<double>(gamma[c]);
}
