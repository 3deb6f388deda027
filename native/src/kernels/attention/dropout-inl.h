// SPDX-License-Identifier: Apache-2.0
// Dropout of weights by a counter-based generator, Philox4x32-10: the number for (seed, row, query, key) depends on
// nothing else, so it is the same for any tiling and any number of threads.
//     counter = (key / 4, query, row, 0), key = seed, and word key % 4 of the result
#pragma once

#include "kernels/attention/scores-inl.h"
#include "kernels/philox-inl.h"

namespace {

inline void draw(uint32_t key4, int64_t first_query, uint32_t row, const attn4j::Dropout& dropout,
                 RandomWords& random) {
    for (int i = 0; i < F32::lanes; ++i) {
        random.word[0][i] = key4;
        random.word[1][i] = static_cast<uint32_t>(first_query + i);
        random.word[2][i] = row;
        random.word[3][i] = 0;
    }
    philox(random, dropout.seed_low, dropout.seed_high);
}

// Weights [keys][V * lanes]: each is kept, times `keep_scale`, or becomes 0; a hidden one (-0) stays -0.
template <int V>
inline void drop_weights(const Scores& weights, const AttentionBlock& block, float keep_scale) {
    constexpr int lanes = F32::lanes;
    RandomWords random;
    for (int v = 0; v < V; ++v) {
        int64_t drawn = -1;
        for (int64_t key = 0; key < weights.keys; ++key) {
            const int64_t j = weights.first + key;
            if (j / 4 != drawn) {
                drawn = j / 4;
                draw(static_cast<uint32_t>(drawn), block.first_query + v * lanes, block.row, block.dropout, random);
            }
            float factor[lanes];
            for (int i = 0; i < lanes; ++i)
                factor[i] = random.word[j % 4][i] >= block.dropout.threshold ? keep_scale : 0.0f;
            float* row = score_row<V>(weights, key, v);
            (F32::load(row) * F32::load(factor)).store(row);
        }
    }
}

}  // namespace
