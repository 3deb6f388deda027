// SPDX-License-Identifier: Apache-2.0
#include "expected.h"

#include "tolerance.h"

double checked_error(double expected, double actual, double tolerance) {
    const double error = std::fabs(expected - actual);
    if (error <= tolerance) return error;
    char message[128];
    std::snprintf(message, sizeof message, "the result is not what the scenario computes: error=%.3g tolerance=%.3g",
                  error, tolerance);
    throw std::runtime_error(message);
}

double ExpectedAttention::max_error(const AlignedFloats& out, attn4j_dtype dtype) const {
    const AttentionShape& s = shape;
    const auto at = [](const AlignedFloats& values, int64_t index) {
        return static_cast<double>(values[static_cast<size_t>(index)]);
    };
    const int64_t rows = s.batch * s.heads * s.queries, step = std::max<int64_t>(1, rows / 97);
    double worst = 0;
    for (int64_t r = 0; r < rows; r += step) {
        const int64_t b = r / (s.heads * s.queries), i = r % s.queries;
        const int64_t kv_head = r / s.queries % s.heads / (s.heads / s.kv_heads);
        const auto score = [&](int64_t j) {
            const int64_t key = row(b, kv_head, j) * s.head_dim;
            double sum = 0;
            for (int64_t d = 0; d < s.head_dim; ++d) sum += at(q, r * s.head_dim + d) * at(k, key + d);
            return sum / std::sqrt(static_cast<double>(s.head_dim)) + (bias.empty() ? 0 : at(bias, i * s.keys + j));
        };
        const auto value = [&](int64_t j) { return v.data() + row(b, kv_head, j) * s.value_dim; };
        const ExpectedRow expected = expected_row(visible_keys(i), s.value_dim, score, value);
        const double tolerance = attention_tolerance(dtype, s.head_dim, expected.largest_score);
        for (int64_t d = 0; d < s.value_dim; ++d)
            worst = std::max(
                worst, checked_error(expected.out[static_cast<size_t>(d)], at(out, r * s.value_dim + d), tolerance));
    }
    return worst;
}
