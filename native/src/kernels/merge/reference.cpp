// SPDX-License-Identifier: Apache-2.0
#include "kernels/merge/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

void merge_reference(const float* const* outs, const float* lses, int64_t count, double sink, int64_t width,
                     double* out, double* lse) {
    const double infinity = std::numeric_limits<double>::infinity();
    double most = sink, total = 0;
    for (int64_t p = 0; p < count; ++p) most = std::max(most, static_cast<double>(lses[p]));
    for (int64_t c = 0; c < width; ++c) out[c] = 0;
    *lse = most;
    if (most == -infinity) return;
    for (int64_t p = 0; p < count; ++p) total += std::exp(lses[p] - most);
    total += std::exp(sink - most);
    *lse = most + std::log(total);
    for (int64_t p = 0; p < count; ++p)
        for (int64_t c = 0; c < width && lses[p] != -infinity; ++c)
            out[c] += std::exp(lses[p] - most) / total * outs[p][c];
}
