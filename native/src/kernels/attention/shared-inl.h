// SPDX-License-Identifier: Apache-2.0
// What blocks of queries that take turns over the same keys make once for all of them: rows widened to float32, and
// the bias transposed. Each remembers what it holds.
#pragma once

#include "kernels/attention/scores-inl.h"
#include "kernels/elements-inl.h"

namespace {

// Rows of keys or of values as float32, of one sequence.
struct WideRows {
    float* buffer;  // [key_block][columns]
    const void* base = nullptr;
    int64_t first = 0, count = 0;

    Rows rows(const attn4j::CacheRows& from, int64_t first_row, int64_t n, int64_t columns) {
        if (lies_wide(from)) return widen(from, first_row, n, columns, buffer);
        if (from.data != base || first_row != first || n > count) {
            base = from.data;
            first = first_row;
            count = n;
            widen(from, first_row, n, columns, buffer);
        }
        return {buffer, columns};
    }
};

// The bias of a block of queries and keys, as their scores lie.
struct TransposedBias {
    float* buffer;  // [key_block][V * lanes]
    const float* base = nullptr;
    int64_t first = 0, count = 0, queries = 0;
    bool hides = false;  // some of what it holds is -inf

    // [n][V * lanes], from key first_key on
    template <int V>
    const float* rows(const AttentionBlock& block, int64_t first_key, int64_t n) {
        if (block.bias != base || first_key != first || n > count || block.queries != queries) {
            base = block.bias;
            first = first_key;
            count = n;
            queries = block.queries;
            hides = transpose_bias<V>(block, first_key, n, buffer);
        }
        return buffer;
    }
};

template <typename Tiles>
struct Shared {
    static constexpr int64_t width = Tiles::max_vectors * F32::lanes;
    static constexpr int64_t rows = round_up(Tiles::key_block, F32::lanes);

    float* scores;
    TransposedBias bias;
    WideRows keys, values;

    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return 2 * rows * width + Tiles::key_block * (head_dim + value_dim);
    }
    Shared(float* workspace, int64_t head_dim)
        : scores(workspace),
          bias{workspace + rows * width},
          keys{workspace + 2 * rows * width},
          values{workspace + 2 * rows * width + Tiles::key_block * head_dim} {}
};

}  // namespace
