// SPDX-License-Identifier: Apache-2.0
// The body of attention.h, written once over the vector type. Lanes are queries: a block of V vectors of them is kept transposed,
//     S^T[key][query] = sum_d k[key][d] qT[d][query]      O^T[d][query] += sum_key v[key][d] P^T[key][query]
// so keys and values are read as they lie, and maximum, exponential, sum and masks are vertical. Both products are the
// tile of tile-inl.h. An ISA gives R for each V, and the keys of a block, in its Tiles.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::AttentionBlock;

constexpr float kInfinity = __builtin_inff();
constexpr float kLog2E = 1.44269504088896341f, kLn2 = 0.693147180559945309f;

// What a block of V vectors of queries carries from key block to key block. All rows are V * lanes floats.
template <int V>
struct State {
    static constexpr int64_t width = V * F32::lanes;
    float* q;        // qT [head_dim][width], scaled by scale * log2(e)
    float* scores;   // S^T, then P^T [key_block][width]
    float* out;      // O^T [value_dim, up to a multiple of lanes][width], not yet divided by the sum
    F32 maximum[V];  // of the scores so far, in units of log2
    F32 sum[V];      // of exp2(score - maximum) so far
    F32 rescale[V];  // exp2(old maximum - maximum), owed to O^T
    bool fresh;      // O^T holds nothing yet
};

// S^T of keys first_key on; their maximum is folded into `maximum`.
template <int V>
struct ScoreTiles {
    State<V>& state;
    const AttentionBlock& block;
    int64_t first_key;
    F32 (&maximum)[V];

    template <int R>
    void operator()(int64_t key) const {
        Tile<R, V> s;
        s.zero();
        s.add_rows(block.k + (first_key + key) * block.k_stride, block.k_stride, state.q, block.head_dim);
        s.store(state.scores + key * s.width);
#pragma GCC unroll 64
        for (int v = 0; v < V; ++v)
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) maximum[v] = max(s.at[r][v], maximum[v]);
    }
};

// O^T of all value dimensions over `keys` keys, first_key on. kHidden: some values are hidden and not finite.
template <int V, bool kHidden>
struct ValueTiles {
    const State<V>& state;
    const AttentionBlock& block;
    int64_t first_key, keys;

    template <int R>
    void operator()(int64_t d) const {
        Tile<R, V> o;
        float* const out = state.out + d * o.width;
        if (state.fresh) {
            o.zero();
        } else {
            o.load(out);
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) o.at[r][v] = o.at[r][v] * state.rescale[v];
        }
        o.template add_columns<kHidden>(block.v + first_key * block.v_stride + d, block.v_stride, state.scores, keys);
        o.store(out);
    }
};

// Of the block's keys from `from` on, hidden scores become -inf; the maximum takes in what is left.
template <int V>
inline void hide(State<V>& state, const AttentionBlock& block, int64_t first_key, int64_t from, int64_t keys,
                 F32 (&maximum)[V]) {
    const F32 hidden = F32::set(-kInfinity);
    for (int v = 0; v < V; ++v) {
        for (int64_t key = from; key < keys; ++key) {
            float* row = state.scores + key * State<V>::width + v * F32::lanes;
            // Query i sees the key if i >= key - last_key.
            const Mask visible = Mask::from(first_key + key - block.last_key - v * F32::lanes);
            const F32 s = select(visible, F32::load(row), hidden);
            s.store(row);
            maximum[v] = max(s, maximum[v]);
        }
    }
}

// Scores to weights: P = exp2(S - maximum), their sum, and what O^T is owed. kHidden marks -inf scores with a weight of -0.
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
inline bool finite(const float* values, int64_t stride, int64_t rows, int64_t columns) {
    // 0 * x is 0 for a finite x and NaN otherwise, and a NaN stays in the sum.
    F32 total = F32::zero();
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t c = 0; c < columns; c += F32::lanes) {
            const float* from = values + row * stride + c;
            const F32 x = columns - c < F32::lanes ? F32::load_first(from, columns - c) : F32::load(from);
            total = fma(x, F32::zero(), total);
        }
    return !any(!(total == F32::zero()));
}

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
    transpose_out(state.out, block.queries, block.value_dim, inverse,
                  [&](int64_t query, int64_t d, int64_t n, F32 values) {
                      float* to = block.out + query * block.out_stride + d;
                      if (n == F32::lanes) {
                          values.store(to);
                      } else {
                          values.store_first(to, n);
                      }
                  });
}

template <typename Tiles>
inline int64_t attention_workspace_floats(int64_t head_dim, int64_t value_dim) {
    return (head_dim + Tiles::key_block + round_up(value_dim, F32::lanes)) * Tiles::max_vectors * F32::lanes;
}

// One block of keys, first_key on, against the block of queries.
template <typename Tiles, int V>
inline void attend_keys(State<V>& state, const AttentionBlock& block, int64_t first_key, int64_t keys) {
    constexpr int R = Tiles::rows(V);
    F32 maximum[V];
    for (int v = 0; v < V; ++v) maximum[v] = F32::set(-kInfinity);
    // Keys that all queries see: all of them, or whole tiles of them up to the causal edge.
    const int64_t seen = block.last_key + 1 - first_key;
    const int64_t plain = seen >= keys ? keys : seen < 0 ? 0 : seen / R * R;
    cover<R>(plain, 0, ScoreTiles<V>{state, block, first_key, maximum});
    const ValueTiles<V, false> values{state, block, first_key, keys};
    if (plain == keys) {
        soften<V, false>(state, keys, maximum);
        cover<R>(block.value_dim, 0, values);
        return;
    }
    F32 of_hidden_too[V];
    for (int v = 0; v < V; ++v) of_hidden_too[v] = F32::zero();
    cover<R>(keys, plain, ScoreTiles<V>{state, block, first_key, of_hidden_too});
    hide(state, block, first_key, plain, keys, maximum);
    soften<V, true>(state, keys, maximum);
    if (finite(block.v + first_key * block.v_stride, block.v_stride, keys, block.value_dim)) {
        cover<R>(block.value_dim, 0, values);
    } else {
        cover<R>(block.value_dim, 0, ValueTiles<V, true>{state, block, first_key, keys});
    }
}

template <typename Tiles, int V>
inline void attend(const AttentionBlock& block) {
    constexpr int64_t width = State<V>::width;
    State<V> state;
    state.q = block.workspace;
    state.scores = state.q + block.head_dim * width;
    state.out = state.scores + Tiles::key_block * width;
    state.fresh = true;
    for (int v = 0; v < V; ++v) {
        state.maximum[v] = F32::set(-kInfinity);
        state.sum[v] = F32::zero();
    }
    transpose_in<V>(block.q, block.q_stride, block.queries, block.head_dim, F32::set(block.scale * kLog2E), state.q);
    // What the block's last query does not see, nobody in it sees.
    const int64_t end = block.keys < block.last_key + block.queries ? block.keys : block.last_key + block.queries;
    for (int64_t first = 0; first < end; first += Tiles::key_block) {
        attend_keys<Tiles, V>(state, block, first, end - first < Tiles::key_block ? end - first : Tiles::key_block);
        state.fresh = false;
    }
    if (state.fresh)
        for (int64_t i = 0; i < block.value_dim * width; i += F32::lanes) F32::zero().store(state.out + i);
    store_queries(state, block);
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
    return {F32::lanes, Tiles::max_vectors * F32::lanes, attention_workspace_floats<Tiles>, attention<Tiles>};
}

}  // namespace
