// SPDX-License-Identifier: Apache-2.0
#include "kernels/rotary/reference.h"

#include <algorithm>
#include <cmath>

namespace {

// A product of two floats, and the sum of two, round to the nearest float by way of double as they do directly.
double product(double a, double b) { return static_cast<float>(a * b); }
double sum(double a, double b) { return static_cast<float>(a + b); }

double clamp(double x) { return std::min(std::max(x, 0.0), 1.0); }

}  // namespace

void rotary_reference(const double* x, int64_t head_dim, int64_t rotary_dim, attn4j_rotary_layout layout,
                      const float* cos, const float* sin, double* out) {
    for (int64_t i = rotary_dim; i < head_dim; ++i) out[i] = x[i];
    for (int64_t d = 0; d < rotary_dim / 2; ++d) {
        const int64_t a = layout == ATTN4J_ROTARY_PAIRS ? 2 * d : d,
                      b = layout == ATTN4J_ROTARY_PAIRS ? a + 1 : d + rotary_dim / 2;
        out[a] = sum(product(x[a], cos[d]), -product(x[b], sin[d]));
        out[b] = sum(product(x[b], cos[d]), product(x[a], sin[d]));
    }
}

double rotary_frequency_reference(int64_t d, int64_t rotary_dim, double base, attn4j_rotary_scaling scaling,
                                  double factor, double original_positions, double low_rotations,
                                  double high_rotations) {
    const double dim = static_cast<double>(rotary_dim), pi = std::acos(-1.0);
    if (scaling == ATTN4J_ROTARY_NTK) base *= std::pow(factor, dim / (dim - 2));
    const double f = 1 / std::pow(base, 2 * static_cast<double>(d) / dim);
    if (scaling == ATTN4J_ROTARY_LINEAR) return f / factor;
    if (scaling == ATTN4J_ROTARY_LLAMA3) {
        const double wavelength = 2 * pi / f;
        const double smooth = (original_positions / wavelength - low_rotations) / (high_rotations - low_rotations);
        return (1 - clamp(smooth)) * f / factor + clamp(smooth) * f;
    }
    if (scaling == ATTN4J_ROTARY_YARN || scaling == ATTN4J_ROTARY_YARN_UNROUNDED) {
        const auto dimension = [&](double rotations) {
            return dim * std::log(original_positions / (rotations * 2 * pi)) / (2 * std::log(base));
        };
        double low = dimension(high_rotations), high = dimension(low_rotations);
        if (scaling == ATTN4J_ROTARY_YARN) {
            low = std::floor(low);
            high = std::ceil(high);
        }
        low = std::max(low, 0.0);
        high = std::min(high, dim - 1);
        const double ramp = clamp((static_cast<double>(d) - low) / (high - low + (low == high ? 0.001 : 0)));
        return f / factor * ramp + f * (1 - ramp);
    }
    return f;
}
