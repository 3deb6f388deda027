// SPDX-License-Identifier: Apache-2.0
// The two products of a block of queries with a block of keys, in tiles: all keys that every query sees for all vectors
// at once, those at an edge a vector at a time and only where some query of it sees them.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/attention/scores-inl.h"
#include "kernels/elements-inl.h"

namespace {

using attn4j::AttentionBlock;

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

// S^T of keys; the maximum of those in [from, to), whole tiles, is folded into `maximum`.
template <int V>
struct ScoreTiles {
    State<V>& state;
    Rows keys;
    int64_t head_dim, from, to;
    const float* bias;  // transposed as scores are, or null
    F32 (&maximum)[V];

    template <int R>
    ATTN4J_INLINE void operator()(int64_t key) const {
        Tile<R, V> s;
        s.zero();
        s.add_rows(keys.data + key * keys.stride, keys.stride, state.q, head_dim);
        if (bias != nullptr) {
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v)
                    s.at[r][v] =
                        fma(F32::load(bias + (key + r) * s.width + v * F32::lanes), F32::set(kLog2E), s.at[r][v]);
        }
        s.store(state.scores + key * s.width);
        if (key < from || key >= to) return;
#pragma GCC unroll 64
        for (int v = 0; v < V; ++v)
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) maximum[v] = max(s.at[r][v], maximum[v]);
    }
};

// The same for vector v of the queries alone, with no maximum.
template <int V>
struct ScoreTilesOfOne {
    State<V>& state;
    Rows keys;
    int64_t head_dim, v;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t key) const {
        Tile<R, 1, State<V>::width> s;
        s.zero();
        s.add_rows(keys.data + key * keys.stride, keys.stride, state.q + v * F32::lanes, head_dim);
        s.store(state.scores + key * s.width + v * F32::lanes);
    }
};

// Of keys [begin, end) at an edge only what some query of a vector sees; the rest of their scores is not written.
template <int R, int V>
ATTN4J_APART void score_edge_keys(State<V>& state, Rows keys, const AttentionBlock& block, int64_t first_key,
                                  int64_t begin, int64_t end) {
    for (int64_t key = begin; key < end; key += R) {
        const int64_t next = end - key < R ? end : key + R;
        for (int64_t v = 0; v < V; ++v) {
            const int64_t first_query = v * F32::lanes, last_query = first_query + F32::lanes - 1;
            if (block.first_key + first_query >= first_key + next || block.last_key + last_query < first_key + key)
                continue;
            cover<R>(next, key, ScoreTilesOfOne<V>{state, keys, block.head_dim, v});
        }
    }
}

// S^T of keys [begin, end) of those that `keys` holds, with a bias that hides none added.
template <int R, int V>
ATTN4J_APART void score_keys(State<V>& state, Rows keys, int64_t head_dim, int64_t begin, int64_t end, int64_t from,
                             int64_t to, const float* bias, F32 (&maximum)[V]) {
    cover<R>(end, begin, ScoreTiles<V>{state, keys, head_dim, from, to, bias, maximum});
}

// O^T of all value dimensions over keys [begin, end) of those that `values` holds. kHidden: some values are hidden and
// not finite.
template <int V, bool kHidden>
struct ValueTiles {
    const State<V>& state;
    Rows values;
    int64_t begin, end;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t d) const {
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
        o.template add_columns<kHidden>(values.data + begin * values.stride + d, values.stride,
                                        state.scores + begin * o.width, end - begin);
        o.store(out);
    }
};

// More keys for vector v of the queries alone.
template <int V, bool kHidden>
struct ValueTilesOfOne {
    const State<V>& state;
    Rows values;
    int64_t begin, end, v;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t d) const {
        Tile<R, 1, State<V>::width> o;
        float* const out = state.out + d * o.width + v * F32::lanes;
        o.load(out);
        o.template add_columns<kHidden>(values.data + begin * values.stride + d, values.stride,
                                        state.scores + begin * o.width + v * F32::lanes, end - begin);
        o.store(out);
    }
};

template <int R, int V, bool kHidden>
ATTN4J_APART void value_keys(const State<V>& state, Rows values, int64_t begin, int64_t end, int64_t value_dim) {
    cover<R>(value_dim, 0, ValueTiles<V, kHidden>{state, values, begin, end});
}

// Of keys [begin, end) at an edge only what some query of a vector sees.
template <int R, int V, bool kHidden>
ATTN4J_APART void value_edge_keys(const State<V>& state, Rows values, const AttentionBlock& block, int64_t first_key,
                                  int64_t begin, int64_t end) {
    for (int64_t v = 0; v < V; ++v) {
        const int64_t low = block.first_key + v * F32::lanes - first_key;
        const int64_t high = block.last_key + (v + 1) * F32::lanes - first_key;
        const int64_t from = low > begin ? low : begin, to = high < end ? high : end;
        if (from < to) cover<R>(block.value_dim, 0, ValueTilesOfOne<V, kHidden>{state, values, from, to, v});
    }
}

// O^T over a block of keys: those in [from, to) for all queries, the others at the edges.
template <typename Tiles, int V, bool kHidden>
inline void weigh_values(State<V>& state, const Rows& values, const AttentionBlock& block, int64_t first_key,
                         int64_t from, int64_t to, int64_t n) {
    value_keys<Tiles::rows(V), V, kHidden>(state, values, from, to, block.value_dim);
    if (from > 0) value_edge_keys<Tiles::rows(1), V, kHidden>(state, values, block, first_key, 0, from);
    if (to < n) value_edge_keys<Tiles::rows(1), V, kHidden>(state, values, block, first_key, to, n);
}

}  // namespace
