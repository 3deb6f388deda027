// SPDX-License-Identifier: Apache-2.0
#include "expected.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tolerance.h"

double checked_error(double expected, double actual, double tolerance) {
    const double error = std::fabs(expected - actual);
    if (error <= tolerance) return error;
    char message[128];
    std::snprintf(message, sizeof message, "the result is not what the scenario computes: error=%.3g tolerance=%.3g",
                  error, tolerance);
    throw std::runtime_error(message);
}

double linear_tolerance(int64_t in, double size) { return 0x1p-24 * (std::sqrt(static_cast<double>(in)) + 3) * size; }

double ExpectedAttention::max_error(const AlignedFloats& out, attn4j_dtype dtype) const {
    const AttentionShape& s = shape;
    const auto at = [](const AlignedFloats& values, int64_t index) {
        return static_cast<double>(values[static_cast<size_t>(index)]);
    };
    const int64_t rows = s.batch * s.heads * s.queries, step = std::max<int64_t>(1, rows / 97);
    double worst = 0;
    std::vector<double> weights(static_cast<size_t>(s.keys)), expected(static_cast<size_t>(s.value_dim));
    for (int64_t r = 0; r < rows; r += step) {
        const int64_t b = r / (s.heads * s.queries), i = r % s.queries;
        const int64_t kv_head = r / s.queries % s.heads / (s.heads / s.kv_heads);
        const KeyRange visible = visible_keys(i);
        double maximum = -INFINITY, largest = 0, sum = 0;
        for (int64_t j = visible.first; j < visible.end; ++j) {
            const int64_t key = row(b, kv_head, j) * s.head_dim;
            double score = 0;
            for (int64_t d = 0; d < s.head_dim; ++d) score += at(q, r * s.head_dim + d) * at(k, key + d);
            score = score / std::sqrt(static_cast<double>(s.head_dim)) + (bias.empty() ? 0 : at(bias, i * s.keys + j));
            weights[static_cast<size_t>(j)] = score;
            maximum = std::max(maximum, score);
            largest = std::max(largest, std::fabs(score));
        }
        std::fill(expected.begin(), expected.end(), 0);
        for (int64_t j = visible.first; j < visible.end; ++j) {
            const double weight = std::exp(weights[static_cast<size_t>(j)] - maximum);
            const int64_t value = row(b, kv_head, j) * s.value_dim;
            sum += weight;
            for (int64_t d = 0; d < s.value_dim; ++d) expected[static_cast<size_t>(d)] += weight * at(v, value + d);
        }
        const double tolerance = attention_tolerance(dtype, s.head_dim, largest);
        for (int64_t d = 0; d < s.value_dim; ++d)
            worst = std::max(worst, checked_error(sum == 0 ? 0 : expected[static_cast<size_t>(d)] / sum,
                                                  at(out, r * s.value_dim + d), tolerance));
    }
    return worst;
}
