// SPDX-License-Identifier: Apache-2.0
#include "kernels/append/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

float scale_reference(const double* y, int64_t head_dim) {
    double most = 0;
    for (int64_t d = 0; d < head_dim; ++d) {
        if (!std::isfinite(y[d])) return std::numeric_limits<float>::quiet_NaN();
        most = std::max(most, std::fabs(y[d]));
    }
    const float scale = static_cast<float>(most / 127);
    return scale < std::numeric_limits<float>::min() ? 0 : scale;
}

int quantized_reference(double y, float scale) {
    // nearbyint: ties to even, in the mode a program begins with.
    return scale > 0 ? static_cast<int>(std::nearbyint(static_cast<float>(y / scale))) : 0;
}
