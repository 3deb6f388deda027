// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention/reference.h"

#include <cmath>
#include <limits>
#include <vector>

void attention_reference(const float* q, int64_t q_stride, const float* k, int64_t k_stride, const float* v,
                         int64_t v_stride, int64_t queries, int64_t keys, int64_t head_dim, int64_t value_dim,
                         double scale, bool causal, int64_t offset, double* out, double* lse, double* largest_score) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    std::vector<double> weight(static_cast<size_t>(keys));
    for (int64_t i = 0; i < queries; ++i) {
        // Key j is seen if j <= i + offset: compared without forming the sum, which may not fit.
        const auto visible = [&](int64_t j) { return !causal || j - i <= offset; };

        double maximum = -infinity;
        for (int64_t j = 0; j < keys; ++j) {
            if (!visible(j)) continue;
            double dot = 0;
            for (int64_t d = 0; d < head_dim; ++d)
                dot += static_cast<double>(q[i * q_stride + d]) * static_cast<double>(k[j * k_stride + d]);
            const double score = scale * dot;
            weight[static_cast<size_t>(j)] = score;
            if (score > maximum) maximum = score;
            if (std::isfinite(score) && std::fabs(score) > *largest_score) *largest_score = std::fabs(score);
        }

        // Scores that are all -inf weigh nothing, as if none were seen; a NaN has not raised the maximum and stays NaN
        // below.
        const double base = maximum == -infinity ? 0 : maximum;
        double sum = 0;
        for (int64_t j = 0; j < keys; ++j) {
            if (!visible(j)) continue;
            weight[static_cast<size_t>(j)] = std::exp(weight[static_cast<size_t>(j)] - base);
            sum += weight[static_cast<size_t>(j)];
        }

        const bool empty = sum == 0;
        lse[i] = empty ? -infinity : base + std::log(sum);
        for (int64_t d = 0; d < value_dim; ++d) {
            double total = 0;
            for (int64_t j = 0; j < keys; ++j)
                if (visible(j)) total += weight[static_cast<size_t>(j)] * static_cast<double>(v[j * v_stride + d]);
            out[i * value_dim + d] = empty ? 0 : total / sum;
        }
    }
}
