// SPDX-License-Identifier: Apache-2.0
// What results are compared with before anything is timed: definitions in doubles, and the tolerances of the tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "scenarios.h"

// The absolute difference; throws where it is NaN or larger than the tolerance.
double checked_error(double expected, double actual, double tolerance);

// Keys [first, end) are visible to a query.
struct KeyRange {
    int64_t first, end;
};

// Of attention: out [value_dim], 0 where no key is visible, and the largest score without its sign.
struct ExpectedRow {
    std::vector<double> out;
    double largest_score;
};

// By score(key) and value(key), the address of the first of value_dim numbers.
template <typename Score, typename Value>
ExpectedRow expected_row(KeyRange visible, int64_t value_dim, const Score& score, const Value& value) {
    ExpectedRow row = {std::vector<double>(static_cast<size_t>(value_dim), 0), 0};
    std::vector<double> scores;
    double maximum = -INFINITY, sum = 0;
    for (int64_t j = visible.first; j < visible.end; ++j) {
        scores.push_back(score(j));
        maximum = std::max(maximum, scores.back());
        row.largest_score = std::max(row.largest_score, std::fabs(scores.back()));
    }
    for (int64_t j = visible.first; j < visible.end; ++j) {
        const double weight = std::exp(scores[static_cast<size_t>(j - visible.first)] - maximum);
        sum += weight;
        const auto* numbers = value(j);
        for (double& total : row.out) total += weight * *numbers++;
    }
    for (double& number : row.out) number = sum == 0 ? 0 : number / sum;
    return row;
}

struct AttentionShape {
    int64_t batch, heads, kv_heads, queries, keys, head_dim, value_dim;
};

// Attention of stored operands, as float32.
struct ExpectedAttention {
    AttentionShape shape;
    AlignedFloats q, k, v;
    const AlignedFloats& bias;                                                // [queries, keys], or empty
    std::function<KeyRange(int64_t query)> visible_keys;                      // for every batch entry and head
    std::function<int64_t(int64_t batch, int64_t kv_head, int64_t key)> row;  // of k and v

    // The largest error of some rows of out, spread over all batch entries, heads and queries; out was of `dtype`.
    double max_error(const AlignedFloats& out, attn4j_dtype dtype) const;
};
