// SPDX-License-Identifier: Apache-2.0
// What results are compared with before anything is timed: definitions in doubles, and the tolerances of the tests.
#pragma once

#include <functional>

#include "scenarios.h"

// The absolute difference; throws where it is NaN or larger than the tolerance.
double checked_error(double expected, double actual, double tolerance);

// Of a linear layer's result whose terms add up to `size` without their signs: the roundings of `in` partial sums, as a
// random walk, and three more of what follows.
double linear_tolerance(int64_t in, double size);

// Keys [first, end) are visible to a query.
struct KeyRange {
    int64_t first, end;
};

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
