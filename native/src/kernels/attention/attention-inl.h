// SPDX-License-Identifier: Apache-2.0
// The body of attention.h, written once over the vector type. Lanes are queries: a block of V vectors of them is kept
// transposed,
//     S^T[key][query] = sum_d k[key][d] qT[d][query]      O^T[d][query] += sum_key v[key][d] P^T[key][query]
// so keys and values are read as they lie, and maximum, exponential, sum and masks are vertical. Both products are the
// tile of tile-inl.h. An ISA gives R for each V, and the keys of a block, in its Tiles.
#pragma once

#include "kernels/attention/dropout-inl.h"
#include "kernels/attention/products-inl.h"
#include "kernels/attention/scores-inl.h"
#include "kernels/attention/store-inl.h"

namespace {

template <int V>
inline void fold_maximum(const Scores& s, int64_t from, int64_t to, F32 (&maximum)[V]) {
    for (int64_t key = from; key < to; ++key)
        for (int v = 0; v < V; ++v) maximum[v] = max(F32::load(score_row<V>(s, key, v)), maximum[v]);
}

// Scores with everything that changes them but the edges. Returns whether the bias hides any.
template <int R, int V>
inline bool altered_scores(State<V>& state, const AttentionBlock& block, const Scores& scores, const Rows& keys,
                           Seen kept) {
    F32 ignored[V];
    for (int v = 0; v < V; ++v) ignored[v] = F32::zero();
    // A tile at a time where there is something to prefetch beside it.
    const int64_t step = block.bias == nullptr ? scores.keys : R;
    for (int64_t key = 0; key < scores.keys; key += step) {
        prefetch_bias(block, scores, key, step);
        score_keys<R>(state, keys, block.head_dim, key, scores.keys - key < step ? scores.keys : key + step, 0, 0,
                      ignored);
    }
    if (block.softcap > 0) cap_scores<V>(scores, block.softcap);
    return alter_scores<V>(scores, block, kept);
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

// Whether rows [0, rows) of [rows, columns] hold neither NaN nor infinity.
inline bool finite(const Rows& values, int64_t rows, int64_t columns) {
    // 0 * x is 0 for a finite x and NaN otherwise, and a NaN stays in the sum.
    F32 total = F32::zero();
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t c = 0; c < columns; c += F32::lanes)
            total = fma(
                load_some(values.data + row * values.stride + c, columns - c < F32::lanes ? columns - c : F32::lanes),
                F32::zero(), total);
    return !any(!(total == F32::zero()));
}

// One block of keys, first_key on, against the block of queries. All of its keys exist and are within the sequence's
// length.
template <typename Tiles, int V>
inline void attend_keys(State<V>& state, const AttentionBlock& block, int64_t first_key, int64_t n) {
    constexpr int R = Tiles::rows(V);
    const Seen kept = kept_keys(block, first_key, n);
    if (kept == Seen::none || all_biased_away(block, first_key, n)) return;
    const Scores scores{state.scores, first_key, n};
    const bool altered = block.softcap > 0 || block.slope != 0 || block.bias != nullptr || kept == Seen::some;
    // Keys [from, to) are seen by all queries: all of them, or whole tiles of them within the edges.
    const int64_t low = block.first_key + block.queries - 1 - first_key, high = block.last_key + 1 - first_key;
    const int64_t from = low <= 0 ? 0 : low >= n ? n : round_up(low, R) < n ? round_up(low, R) : n;
    const int64_t to = high >= n ? n : high <= from ? from : from + (high - from) / R * R;
    bool hides = from > 0 || to < n || kept == Seen::some;

    F32 maximum[V];
    for (int v = 0; v < V; ++v) maximum[v] = F32::set(-kInfinity);
    const Rows keys = widen(block.k_type, block.k, block.k_stride, first_key, n, block.head_dim, state.widened);
    if (altered) {
        hides |= altered_scores<R>(state, block, scores, keys, kept);
        fold_maximum(scores, from, to, maximum);
    } else {
        if (from > 0) score_edge_keys<R>(state, keys, block, first_key, 0, from);
        score_keys<R>(state, keys, block.head_dim, from, to, from, to, maximum);
        if (to < n) score_edge_keys<R>(state, keys, block, first_key, to, n);
    }
    if (from > 0 || to < n) {
        hide_outside_window<V>(scores, block);
        fold_maximum(scores, 0, from, maximum);
        fold_maximum(scores, to, n, maximum);
    }
    if (hides) {
        soften<V, true>(state, n, maximum);
    } else {
        soften<V, false>(state, n, maximum);
    }
    if (block.dropout.threshold != 0) drop_weights<V>(scores, block);

    const Rows values = widen(block.v_type, block.v, block.v_stride, first_key, n, block.value_dim, state.widened);
    if (!hides || finite(values, n, block.value_dim)) {
        weigh_values<Tiles, V, false>(state, values, block, first_key, from, to, n);
    } else {
        weigh_values<Tiles, V, true>(state, values, block, first_key, from, to, n);
    }
    state.fresh = false;
}

template <typename Tiles>
inline int64_t attention_workspace_floats(int64_t head_dim, int64_t value_dim) {
    const int64_t widened = Tiles::key_block * (head_dim > value_dim ? head_dim : value_dim);
    const int64_t scores = round_up(Tiles::key_block, F32::lanes);
    return (head_dim + scores + round_up(value_dim, F32::lanes)) * Tiles::max_vectors * F32::lanes + widened;
}

// qT[d][i] = q[i][d] * scale * log2(e)
template <int V>
inline void load_queries(const State<V>& state, const AttentionBlock& block) {
    const F32 factor = F32::set(block.scale * kLog2E);
    if (block.q_type == Element::f32) {
        const float* const q = static_cast<const float*>(block.q);
        transpose_in<V>(block.queries, block.head_dim, factor, state.q, [&](int64_t query, int64_t d, int64_t n) {
            return load_some(q + query * block.q_stride + d, n);
        });
    } else {
        transpose_in<V>(block.queries, block.head_dim, factor, state.q, [&](int64_t query, int64_t d, int64_t n) {
            return load_elements(block.q_type, block.q, query * block.q_stride + d, n);
        });
    }
}

template <typename Tiles, int V>
inline void attend(const AttentionBlock& block) {
    constexpr int64_t width = State<V>::width;
    State<V> state;
    state.q = block.workspace;
    state.scores = state.q + block.head_dim * width;
    state.out = state.scores + round_up(Tiles::key_block, F32::lanes) * width;
    state.widened = state.out + round_up(block.value_dim, F32::lanes) * width;
    state.fresh = true;
    // A sink is a score that is there from the start and has no value.
    for (int v = 0; v < V; ++v) {
        const bool sink = block.has_sink && block.sink != -kInfinity;
        state.maximum[v] = F32::set(sink ? block.sink * kLog2E : -kInfinity);
        state.sum[v] = F32::set(sink ? 1.0f : 0.0f);
    }
    load_queries(state, block);
    // What the block's last query does not see, nobody in it sees; and nobody sees what is before its first query's
    // window. Whole tiles, as far as there are keys.
    constexpr int64_t R = Tiles::rows(V);
    const int64_t last = block.last_key + block.queries <= 0 ? 0 : round_up(block.last_key + block.queries, R);
    const int64_t end = block.key_length < last ? block.key_length : last;
    for (int64_t first = block.first_key <= 0 ? 0 : block.first_key / R * R; first < end; first += Tiles::key_block) {
        if (attn4j::is_set(block.cancelled)) return;
        attend_keys<Tiles, V>(state, block, first, end - first < Tiles::key_block ? end - first : Tiles::key_block);
    }
    if (state.fresh)
        for (int64_t i = 0; i < block.value_dim * width; i += F32::lanes) F32::zero().store(state.out + i);
    store_queries(state, block);
    if (block.stage != Stage::none) store_stage<Tiles>(state, block);
}

// As few vectors as the queries need.
template <typename Tiles>
inline void attention(const AttentionBlock& block) {
    const int64_t vectors = (block.queries + F32::lanes - 1) / F32::lanes;
    if constexpr (Tiles::max_vectors >= 3) {
        if (vectors >= 3) return attend<Tiles, 3>(block);
    }
    if constexpr (Tiles::max_vectors >= 2) {
        if (vectors >= 2) return attend<Tiles, 2>(block);
    }
    attend<Tiles, 1>(block);
}

template <typename Tiles>
constexpr attn4j::AttentionKernel attention_kernel() {
    return {F32::lanes, Tiles::max_vectors * F32::lanes, Tiles::key_block, attention_workspace_floats<Tiles>,
            attention<Tiles>};
}

}  // namespace
