// SPDX-License-Identifier: Apache-2.0
// What blocks of queries that take turns over the same keys make once for all of them: rows widened to float32, and
// the bias transposed. Each remembers what it was made for.
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
        if (from.data != base || first_row != first) {
            base = from.data;
            first = first_row;
            count = 0;
        }
        // Where fewer were made for a block that sees fewer, the rest follows.
        if (count < n) {
            widen(from, first + count, n - count, columns, buffer + count * columns);
            count = n;
        }
        return {buffer, columns};
    }
};

// Remembers for which scores something was made: queries of a block, keys of a run, and the bias they have in common.
// Blocks of queries that take turns have a slot each, so that it serves all heads.
struct Slots {
    static constexpr int count = attn4j::kBlocksTogether;

    struct Made {
        const void* base = nullptr;
        int64_t first = 0, count = 0, queries = 0;
    };
    Made made[count];
    int latest = 0;

    // Makes `latest` the slot of these scores; returns whether it was theirs already. Else the oldest becomes theirs.
    bool find(const void* base, int64_t first_key, int64_t n, int64_t queries) {
        for (int i = 0; i < count; ++i) {
            const Made& m = made[i];
            if (m.base != base || m.first != first_key || m.count != n || m.queries != queries) continue;
            latest = i;
            return true;
        }
        latest = (newest + 1) % count;
        newest = latest;
        made[latest] = {base, first_key, n, queries};
        return false;
    }

private:
    int newest = count - 1;
};

// The bias of blocks of queries and keys, as their scores lie.
struct TransposedBias {
    float* buffers;       // [Slots::count][slot_floats]
    int64_t slot_floats;  // of [key_block][V * lanes]
    Slots slots;
    bool hiding[Slots::count];

    // [n][V * lanes], from key first_key on
    template <int V>
    const float* rows(const AttentionBlock& block, int64_t first_key, int64_t n) {
        const bool there = slots.find(block.bias, first_key, n, block.queries);
        float* const buffer = buffers + slots.latest * slot_floats;
        if (!there) {
            hiding[slots.latest] = transpose_bias<V>(block, first_key, n, buffer);
            call_for_next(block.bias, block.bias_query_stride, block.bias_key_stride, block, first_key, n);
        }
        return buffer;
    }

    // Whether some of what rows() gave last is -inf.
    bool hides() const { return hiding[slots.latest]; }
};

template <typename Tiles>
struct Shared {
    static constexpr int64_t width = Tiles::max_vectors * F32::lanes;
    static constexpr int64_t scores_floats = round_up(Tiles::key_block, F32::lanes) * width;
    static constexpr int64_t bias_floats = Slots::count * scores_floats;

    float* scores;
    TransposedBias bias;
    WideRows keys, values;

    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return scores_floats + bias_floats + Tiles::key_block * (head_dim + value_dim);
    }
    Shared(float* workspace, int64_t head_dim)
        : scores(workspace),
          bias{workspace + scores_floats, scores_floats, {}, {}},
          keys{workspace + scores_floats + bias_floats},
          values{workspace + scores_floats + bias_floats + Tiles::key_block * head_dim} {}
};

}  // namespace
