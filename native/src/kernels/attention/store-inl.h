// SPDX-License-Identifier: Apache-2.0
// What leaves a block of queries: the result, its lse, and the scores or weights where they are asked for.
#pragma once

#include "kernels/attention/dropout-inl.h"
#include "kernels/attention/products-inl.h"
#include "kernels/attention/scores-inl.h"
#include "kernels/attention/shared-inl.h"
#include "kernels/attention/soften-inl.h"

namespace {

using attn4j::Stage;

// out[i][d] = O^T[d][i] / sum[i]; a row that saw nothing is 0, its lse -inf.
template <int V>
inline void store_queries(const State<V>& state, const AttentionBlock& block) {
    F32 inverse[V];
    for (int v = 0; v < V; ++v) {
        const Mask empty = state.sum[v] == F32::zero();
        inverse[v] = select(empty, F32::zero(), F32::set(1.0f) / state.sum[v]);
        const int64_t first = v * F32::lanes;
        if (block.lse == nullptr || block.queries <= first) continue;
        // The sum is at least 1 where anything was seen: the largest score has weight 1.
        const F32 natural = fma(state.maximum[v], F32::set(kLn2), log(state.sum[v]));
        const F32 known = select(state.sum[v] == state.sum[v], natural, state.sum[v]);
        const int64_t queries = block.queries - first < F32::lanes ? block.queries - first : F32::lanes;
        select(empty, F32::set(-kInfinity), known).store_first(block.lse + first, queries);
    }
    if (block.out_type == Element::f32) {
        float* const out = static_cast<float*>(block.out);
        transpose_out(state.out, block.queries, block.value_dim, inverse,
                      [&](int64_t query, int64_t d, int64_t n, F32 values) {
                          store_some(values, out + query * block.out_stride + d, n);
                      });
    } else {
        transpose_out(state.out, block.queries, block.value_dim, inverse,
                      [&](int64_t query, int64_t d, int64_t n, F32 values) {
                          store_elements(block.out_type, values, block.out, query * block.out_stride + d, n);
                      });
    }
}

// The scores of keys [first, first + n) as they are after the block's stage; those of weights, before the softmax.
template <typename Tiles, int V>
inline void form_stage(State<V>& state, const AttentionBlock& block, Shared<Tiles>& shared, int64_t first, int64_t n) {
    const Scores scores{state.scores, first, n};
    F32 ignored[V];
    for (int v = 0; v < V; ++v) ignored[v] = F32::zero();
    const Rows keys = shared.keys.rows(block.k, first, n, block.head_dim);
    score_keys<Tiles::rows(V)>(state, keys, block.head_dim, 0, n, 0, 0, nullptr, ignored);
    if (block.softcap > 0 && block.stage != Stage::scaled) cap_scores<V>(scores, block.softcap);
    if (block.stage != Stage::hidden && block.stage != Stage::weights) return;
    const float* const bias = block.bias == nullptr ? nullptr : shared.bias.template rows<V>(block, first, n);
    alter_scores<V>(scores, block, bias, Seen::some);
    hide_outside_window<V>(scores, block);
    for (int64_t key = block.key_length > first ? block.key_length - first : 0; key < n; ++key)
        for (int v = 0; v < V; ++v) F32::set(-kInfinity).store(score_row<V>(scores, key, v));
}

// Maximum and sum of the scores of all keys, where no product with the values has gathered them.
template <typename Tiles, int V>
inline void gather_sums(State<V>& state, const AttentionBlock& block, Shared<Tiles>& shared) {
    for (int64_t first = 0; first < block.key_length && !attn4j::is_set(block.cancelled); first += Tiles::key_block) {
        const int64_t n = block.key_length - first < Tiles::key_block ? block.key_length - first : Tiles::key_block;
        form_stage<Tiles>(state, block, shared, first, n);
        F32 maximum[V];
        for (int v = 0; v < V; ++v) maximum[v] = F32::set(-kInfinity);
        fold_maximum(Scores{state.scores, first, n}, 0, n, maximum);
        soften<V, false>(state, n, maximum);
    }
}

// The scores or weights that were asked for: the first product once more, since only now maximum and sum are known.
template <typename Tiles, int V>
inline void store_stage(State<V>& state, const AttentionBlock& block, Shared<Tiles>& shared) {
    const bool weights = block.stage == Stage::weights;
    if (weights && block.stage_alone) gather_sums<Tiles>(state, block, shared);
    const F32 unit = F32::set(block.softcap > 0 && block.stage == Stage::scaled ? block.softcap : kLn2);
    F32 base[V], inverse[V], one[V];
    for (int v = 0; v < V; ++v) {
        one[v] = F32::set(1.0f);
        base[v] = select(state.maximum[v] == F32::set(-kInfinity), F32::zero(), state.maximum[v]);
        inverse[v] = select(state.sum[v] == F32::zero(), F32::zero(), one[v] / state.sum[v]);
    }
    for (int64_t first = 0; first < block.keys && !attn4j::is_set(block.cancelled); first += Tiles::key_block) {
        const int64_t n = block.keys - first < Tiles::key_block ? block.keys - first : Tiles::key_block;
        const Scores scores{state.scores, first, n};
        form_stage<Tiles>(state, block, shared, first, n);
        for (int64_t key = 0; key < n; ++key)
            for (int v = 0; v < V; ++v) {
                float* row = score_row<V>(scores, key, v);
                const F32 s = F32::load(row);
                const F32 w = select(s == F32::set(-kInfinity), F32::zero(), exp2(s - base[v]) * inverse[v]);
                (weights ? w : s * unit).store(row);
            }
        if (weights && block.dropout.threshold != 0) drop_weights<V>(scores, block, block.dropout.keep_scale);
        transpose_out(state.scores, block.queries, n, one, [&](int64_t query, int64_t key, int64_t count, F32 values) {
            float* to = block.scores + query * block.scores_stride + first + key;
            const F32 scaled = values * F32::set(block.scores_factor);
            store_some(block.scores_accumulate ? load_some(to, count) + scaled : scaled, to, count);
        });
    }
}

}  // namespace
