// SPDX-License-Identifier: Apache-2.0
// The online softmax of a block of queries, one block of keys after the other.
#pragma once

#include "kernels/attention/products-inl.h"
#include "kernels/attention/scores-inl.h"

namespace {

// The largest scores of keys [from, to).
template <int V>
inline void fold_maximum(const Scores& s, int64_t from, int64_t to, F32 (&maximum)[V]) {
    for (int64_t key = from; key < to; ++key)
        for (int v = 0; v < V; ++v) maximum[v] = max(F32::load(score_row<V>(s, key, v)), maximum[v]);
}

// Scores to weights: P = exp2(S - maximum), their sum, and what O^T is owed. kHidden marks -inf scores with a weight of
// -0.
template <int V, bool kHidden>
inline void soften(State<V>& state, int64_t keys, const F32 (&maximum)[V]) {
    constexpr int64_t width = State<V>::width;
    const F32 hidden = F32::set(-kInfinity);
    F32 base[V], sum[V];
#pragma GCC unroll 64
    for (int v = 0; v < V; ++v) {
        const F32 larger = max(maximum[v], state.maximum[v]);
        // A row that has seen nothing yet must not form -inf - -inf.
        base[v] = select(larger == hidden, F32::zero(), larger);
        state.rescale[v] = exp2(state.maximum[v] - base[v]);
        state.maximum[v] = larger;
        sum[v] = F32::zero();
    }
    for (int64_t key = 0; key < keys; ++key) {
#pragma GCC unroll 64
        for (int v = 0; v < V; ++v) {
            float* row = state.scores + key * width + v * F32::lanes;
            const F32 s = F32::load(row);
            const F32 p = exp2(s - base[v]);
            sum[v] = sum[v] + p;
            (kHidden ? select(s == hidden, F32::set(-0.0f), p) : p).store(row);
        }
    }
#pragma GCC unroll 64
    for (int v = 0; v < V; ++v) state.sum[v] = fma(state.sum[v], state.rescale[v], sum[v]);
}

}  // namespace
