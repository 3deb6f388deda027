// SPDX-License-Identifier: Apache-2.0
// What blocks of queries that take turns over the same keys make once for all of them: rows widened to float32, and
// the bias transposed, and what the boolean mask leaves. Each remembers what it was made for.
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

// Which scores something was made for: queries of a block, keys of a run, and the mask or bias they have in common.
struct Made {
    const void* base = nullptr;
    int64_t first = 0, count = 0, queries = 0;

    bool is(const void* from, int64_t first_key, int64_t n, int64_t rows) const {
        return from == base && first_key == first && n == count && rows == queries;
    }
};

// The bias of a block of queries and keys, as their scores lie.
struct TransposedBias {
    float* buffer;  // [key_block][V * lanes]
    Made made;
    bool hides = false;  // some of what it holds is -inf

    // [n][V * lanes], from key first_key on
    template <int V>
    const float* rows(const AttentionBlock& block, int64_t first_key, int64_t n) {
        if (!made.is(block.bias, first_key, n, block.queries)) {
            made = {block.bias, first_key, n, block.queries};
            hides = transpose_bias<V>(block, first_key, n, buffer);
            const int64_t next = first_key + n, after = block.key_length - next < n ? block.key_length - next : n;
            if (block.bias_query_stride != 0 && block.bias_key_stride != 0)
                call_for(block.bias + next, block.bias_query_stride * 4, block.queries, after * 4);
        }
        return buffer;
    }
};

// What the boolean mask leaves of a block of queries and keys.
struct KeptKeys {
    Made made;
    Seen seen = Seen::all;

    Seen of(const AttentionBlock& block, int64_t first_key, int64_t n) {
        if (block.keep == nullptr) return Seen::all;
        if (!made.is(block.keep, first_key, n, block.queries)) {
            made = {block.keep, first_key, n, block.queries};
            seen = kept_keys(block, first_key, n);
            const int64_t next = first_key + n, after = block.key_length - next < n ? block.key_length - next : n;
            if (block.keep_query_stride != 0 && block.keep_key_stride != 0)
                call_for(block.keep + next, block.keep_query_stride, block.queries, after);
        }
        return seen;
    }
};

template <typename Tiles>
struct Shared {
    static constexpr int64_t width = Tiles::max_vectors * F32::lanes;
    static constexpr int64_t rows = round_up(Tiles::key_block, F32::lanes);

    float* scores;
    TransposedBias bias;
    KeptKeys kept;
    WideRows keys, values;

    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return 2 * rows * width + Tiles::key_block * (head_dim + value_dim);
    }
    Shared(float* workspace, int64_t head_dim)
        : scores(workspace),
          bias{workspace + rows * width, {}},
          keys{workspace + 2 * rows * width},
          values{workspace + 2 * rows * width + Tiles::key_block * head_dim} {}
};

}  // namespace
