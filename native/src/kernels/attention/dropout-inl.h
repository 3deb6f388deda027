// SPDX-License-Identifier: Apache-2.0
// Dropout of weights by a counter-based generator, Philox4x32-10 (Salmon and others, SC 2011): the number for (seed,
// row, query, key) depends on nothing else, so it is the same for any tiling and any number of threads.
//     counter = (key / 4, query, row, 0), key = seed, and word key % 4 of the result
#pragma once

#include "kernels/attention/scores-inl.h"

namespace {

// Four words of each lane, a query.
struct RandomWords {
    uint32_t word[4][F32::lanes];
};

inline void philox(uint32_t key4, int64_t first_query, uint32_t row, const attn4j::Dropout& dropout,
                   RandomWords& random) {
    constexpr int lanes = F32::lanes;
    uint32_t(&c)[4][lanes] = random.word;
    for (int i = 0; i < lanes; ++i) {
        c[0][i] = key4;
        c[1][i] = static_cast<uint32_t>(first_query + i);
        c[2][i] = row;
        c[3][i] = 0;
    }
    uint32_t key_low = dropout.seed_low, key_high = dropout.seed_high;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < lanes; ++i) {
            const uint64_t a = 0xD2511F53ull * c[0][i], b = 0xCD9E8D57ull * c[2][i];
            const uint32_t c1 = c[1][i], c3 = c[3][i];
            c[0][i] = static_cast<uint32_t>(b >> 32) ^ c1 ^ key_low;
            c[1][i] = static_cast<uint32_t>(b);
            c[2][i] = static_cast<uint32_t>(a >> 32) ^ c3 ^ key_high;
            c[3][i] = static_cast<uint32_t>(a);
        }
        key_low += 0x9E3779B9u;
        key_high += 0xBB67AE85u;
    }
}

// Weights [keys][V * lanes]: each is kept and scaled, or becomes 0; a hidden one (-0) stays -0.
template <int V>
inline void drop_weights(const Scores& weights, const AttentionBlock& block) {
    constexpr int lanes = F32::lanes;
    RandomWords random;
    for (int v = 0; v < V; ++v) {
        int64_t drawn = -1;
        for (int64_t key = 0; key < weights.keys; ++key) {
            const int64_t j = weights.first + key;
            if (j / 4 != drawn) {
                drawn = j / 4;
                philox(static_cast<uint32_t>(drawn), block.first_query + v * lanes, block.row, block.dropout, random);
            }
            float factor[lanes];
            for (int i = 0; i < lanes; ++i)
                factor[i] = random.word[j % 4][i] >= block.dropout.threshold ? block.dropout.keep_scale : 0.0f;
            float* row = score_row<V>(weights, key, v);
            (F32::load(row) * F32::load(factor)).store(row);
        }
    }
}

}  // namespace
