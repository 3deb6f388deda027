// SPDX-License-Identifier: Apache-2.0
// The body of attention.h, written once over the vector type. Lanes are queries: a block of V vectors of them is kept transposed,
//     S^T[key][query] = sum_d k[key][d] qT[d][query]      O^T[d][query] += sum_key v[key][d] P^T[key][query]
// so keys and values are read as they lie, and maximum, exponential, sum and masks are vertical. Both products are the
// tile of tile-inl.h. An ISA gives R for each V, and the keys of a block, in its Tiles.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/attention/dropout-inl.h"
#include "kernels/attention/elements-inl.h"
#include "kernels/attention/scores-inl.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::Stage;

// What a block of V vectors of queries carries from key block to key block. All rows are V * lanes floats.
template <int V>
struct State {
    static constexpr int64_t width = V * F32::lanes;
    float* q;        // qT [head_dim][width], scaled by scale * log2(e)
    float* scores;   // S^T, then P^T [key_block][width]
    float* out;      // O^T [value_dim, up to a multiple of lanes][width], not yet divided by the sum
    float* widened;  // keys, then values of a block as float32, where they are stored in 16 bits
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
    F32 (&maximum)[V];

    template <int R>
    ATTN4J_INLINE void operator()(int64_t key) const {
        Tile<R, V> s;
        s.zero();
        s.add_rows(keys.data + key * keys.stride, keys.stride, state.q, head_dim);
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
ATTN4J_APART void score_edge_keys(State<V>& state, Rows keys, const AttentionBlock& block, int64_t first_key, int64_t begin, int64_t end) {
    for (int64_t key = begin; key < end; key += R) {
        const int64_t next = end - key < R ? end : key + R;
        for (int64_t v = 0; v < V; ++v) {
            const int64_t first_query = v * F32::lanes, last_query = first_query + F32::lanes - 1;
            if (block.first_key + first_query >= first_key + next || block.last_key + last_query < first_key + key) continue;
            cover<R>(next, key, ScoreTilesOfOne<V>{state, keys, block.head_dim, v});
        }
    }
}

// S^T of keys [begin, end) of those that `keys` holds.
template <int R, int V>
ATTN4J_APART void score_keys(State<V>& state, Rows keys, int64_t head_dim, int64_t begin, int64_t end, int64_t from, int64_t to, F32 (&maximum)[V]) {
    cover<R>(end, begin, ScoreTiles<V>{state, keys, head_dim, from, to, maximum});
}

// O^T of all value dimensions over keys [begin, end) of those that `values` holds. kHidden: some values are hidden and not finite.
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
        o.template add_columns<kHidden>(values.data + begin * values.stride + d, values.stride, state.scores + begin * o.width, end - begin);
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
ATTN4J_APART void value_edge_keys(const State<V>& state, Rows values, const AttentionBlock& block, int64_t first_key, int64_t begin, int64_t end) {
    for (int64_t v = 0; v < V; ++v) {
        const int64_t low = block.first_key + v * F32::lanes - first_key;
        const int64_t high = block.last_key + (v + 1) * F32::lanes - first_key;
        const int64_t from = low > begin ? low : begin, to = high < end ? high : end;
        if (from < to) cover<R>(block.value_dim, 0, ValueTilesOfOne<V, kHidden>{state, values, from, to, v});
    }
}

template <int V>
inline void fold_maximum(const Scores& s, int64_t from, int64_t to, F32 (&maximum)[V]) {
    for (int64_t key = from; key < to; ++key)
        for (int v = 0; v < V; ++v) maximum[v] = max(F32::load(score_row<V>(s, key, v)), maximum[v]);
}

// Scores with everything that changes them but the edges. Returns whether the bias hides any.
template <int R, int V>
inline bool altered_scores(State<V>& state, const AttentionBlock& block, const Scores& scores, const Rows& keys, Seen kept) {
    F32 ignored[V];
    for (int v = 0; v < V; ++v) ignored[v] = F32::zero();
    // A tile at a time where there is something to prefetch beside it.
    const int64_t step = block.bias == nullptr ? scores.keys : R;
    for (int64_t key = 0; key < scores.keys; key += step) {
        prefetch_bias(block, scores, key, step);
        score_keys<R>(state, keys, block.head_dim, key, scores.keys - key < step ? scores.keys : key + step, 0, 0, ignored);
    }
    if (block.softcap > 0) cap_scores<V>(scores, block.softcap);
    return alter_scores<V>(scores, block, kept);
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
inline bool finite(const Rows& values, int64_t rows, int64_t columns) {
    // 0 * x is 0 for a finite x and NaN otherwise, and a NaN stays in the sum.
    F32 total = F32::zero();
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t c = 0; c < columns; c += F32::lanes)
            total = fma(load_some(values.data + row * values.stride + c, columns - c < F32::lanes ? columns - c : F32::lanes), F32::zero(), total);
    return !any(!(total == F32::zero()));
}

// O^T over a block of keys: those in [from, to) for all queries, the others at the edges.
template <typename Tiles, int V, bool kHidden>
inline void weigh_values(State<V>& state, const Rows& values, const AttentionBlock& block, int64_t first_key, int64_t from, int64_t to, int64_t n) {
    value_keys<Tiles::rows(V), V, kHidden>(state, values, from, to, block.value_dim);
    if (from > 0) value_edge_keys<Tiles::rows(1), V, kHidden>(state, values, block, first_key, 0, from);
    if (to < n) value_edge_keys<Tiles::rows(1), V, kHidden>(state, values, block, first_key, to, n);
}

// One block of keys, first_key on, against the block of queries. All of its keys exist and are within the sequence's length.
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

// The scores or weights that were asked for: the first product once more, since only now maximum and sum are known.
template <typename Tiles, int V>
inline void store_stage(State<V>& state, const AttentionBlock& block) {
    const bool weights = block.stage == Stage::weights;
    F32 ignored[V], base[V], inverse[V], one[V];
    for (int v = 0; v < V; ++v) {
        ignored[v] = F32::zero();
        one[v] = F32::set(1.0f);
        base[v] = select(state.maximum[v] == F32::set(-kInfinity), F32::zero(), state.maximum[v]);
        inverse[v] = select(state.sum[v] == F32::zero(), F32::zero(), one[v] / state.sum[v]);
    }
    for (int64_t first = 0; first < block.keys; first += Tiles::key_block) {
        const int64_t n = block.keys - first < Tiles::key_block ? block.keys - first : Tiles::key_block;
        const Scores scores{state.scores, first, n};
        const Rows keys = widen(block.k_type, block.k, block.k_stride, first, n, block.head_dim, state.widened);
        score_keys<Tiles::rows(V)>(state, keys, block.head_dim, 0, n, 0, 0, ignored);
        if (block.softcap > 0 && block.stage != Stage::scaled) cap_scores<V>(scores, block.softcap);
        if (block.stage == Stage::hidden || weights) {
            alter_scores<V>(scores, block, Seen::some);
            hide_outside_window<V>(scores, block);
            for (int64_t key = block.key_length > first ? block.key_length - first : 0; key < n; ++key)
                for (int v = 0; v < V; ++v) F32::set(-kInfinity).store(score_row<V>(scores, key, v));
        }
        for (int64_t key = 0; key < n; ++key)
            for (int v = 0; v < V; ++v) {
                float* row = score_row<V>(scores, key, v);
                const F32 s = F32::load(row);
                const F32 w = select(s == F32::set(-kInfinity), F32::zero(), exp2(s - base[v]) * inverse[v]);
                (weights ? w : s * F32::set(kLn2)).store(row);
            }
        if (weights && block.dropout.threshold != 0) drop_weights<V>(scores, block);
        transpose_out(state.scores, block.queries, n, one, [&](int64_t query, int64_t key, int64_t count, F32 values) {
            float* to = block.scores + query * block.scores_stride + first + key;
            const F32 scaled = values * F32::set(block.scores_factor);
            store_some(block.scores_accumulate ? load_some(to, count) + scaled : scaled, to, count);
        });
    }
}

template <typename Tiles>
inline int64_t attention_workspace_floats(int64_t head_dim, int64_t value_dim) {
    const int64_t widened = Tiles::key_block * (head_dim > value_dim ? head_dim : value_dim);
    const int64_t scores = round_up(Tiles::key_block, F32::lanes);
    return (head_dim + scores + round_up(value_dim, F32::lanes)) * Tiles::max_vectors * F32::lanes + widened;
}

inline bool is_cancelled(const AttentionBlock& block) {
    return block.cancelled != nullptr && __atomic_load_n(block.cancelled, __ATOMIC_RELAXED) != 0;
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
    // What the block's last query does not see, nobody in it sees; and nobody sees what is before its first query's window.
    // Whole tiles, as far as there are keys.
    constexpr int64_t R = Tiles::rows(V);
    const int64_t last = block.last_key + block.queries <= 0 ? 0 : round_up(block.last_key + block.queries, R);
    const int64_t end = block.key_length < last ? block.key_length : last;
    for (int64_t first = block.first_key <= 0 ? 0 : block.first_key / R * R; first < end; first += Tiles::key_block) {
        if (is_cancelled(block)) return;
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
    return {F32::lanes, Tiles::max_vectors * F32::lanes, Tiles::key_block, attention_workspace_floats<Tiles>, attention<Tiles>};
}

}  // namespace
