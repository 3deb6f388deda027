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
#include "kernels/attention/shared-inl.h"
#include "kernels/attention/soften-inl.h"
#include "kernels/attention/store-inl.h"
#include "kernels/attention/turns-inl.h"

namespace {

// Whether rows [begin, end) of [rows, columns] hold neither NaN nor infinity.
inline bool finite(const Rows& values, int64_t begin, int64_t end, int64_t columns) {
    // Several sums, or each would wait for the one before it.
    constexpr int sums = 4;
    Finite of[sums];
    for (int64_t row = begin; row < end; ++row) {
        const float* const from = values.data + row * values.stride;
        int64_t c = 0;
        for (; columns - c >= sums * F32::lanes; c += sums * F32::lanes)
#pragma GCC unroll 64
            for (int i = 0; i < sums; ++i) of[i].see(F32::load(from + c + i * F32::lanes));
        for (; c < columns; c += F32::lanes)
            of[0].see(load_some(from + c, columns - c < F32::lanes ? columns - c : F32::lanes));
    }
    return of[0].all() && of[1].all() && of[2].all() && of[3].all();
}

// One block of keys, first_key on, against the block of queries. All of its keys exist and are within the sequence's
// length.
template <typename Tiles, int V>
inline void attend_keys(State<V>& state, const AttentionBlock& block, int64_t first_key, int64_t n,
                        Shared<Tiles>& shared) {
    constexpr int R = Tiles::rows(V);
    const Seen kept = seen_keys(block, first_key, n, Tiles::key_block);
    if (kept == Seen::none || all_biased_away(block, first_key, n)) return;
    const Scores scores{state.scores, first_key, n};
    const float* const bias = block.bias == nullptr ? nullptr : shared.bias.template rows<V>(block, first_key, n);
    const bool biased_away = bias != nullptr && shared.bias.hides();
    // Keys [from, to) are seen by all queries: all of them, or whole tiles of them within the edges.
    const int64_t low = block.first_key + block.queries - 1 - first_key, high = block.last_key + 1 - first_key;
    const int64_t from = low <= 0 ? 0 : low >= n ? n : round_up(low, R) < n ? round_up(low, R) : n;
    const int64_t to = high >= n ? n : high <= from ? from : from + (high - from) / R * R;
    const bool edges = from > 0 || to < n;
    const bool hides_anywhere = biased_away || kept == Seen::some, hides = edges || hides_anywhere;
    // A bias alone that hides nothing is added in registers.
    const bool altered =
        block.softcap > 0 || block.slope != 0 || kept == Seen::some || (bias != nullptr && (biased_away || edges));

    F32 maximum[V];
    for (int v = 0; v < V; ++v) maximum[v] = F32::set(-kInfinity);
    const Rows keys = shared.keys.rows(block.k, first_key, n, block.head_dim);
    if (altered) {
        F32 ignored[V];
        for (int v = 0; v < V; ++v) ignored[v] = F32::zero();
        score_keys<R>(state, keys, block.head_dim, 0, n, 0, 0, nullptr, ignored);
        if (block.softcap > 0) cap_scores<V>(scores, block.softcap);
        alter_scores<V>(scores, block, bias, kept);
        fold_maximum(scores, from, to, maximum);
    } else {
        if (from > 0) score_edge_keys<Tiles::rows(1)>(state, keys, block, first_key, 0, from);
        score_keys<R>(state, keys, block.head_dim, from, to, from, to, bias, maximum);
        if (to < n) score_edge_keys<Tiles::rows(1)>(state, keys, block, first_key, to, n);
    }
    if (edges) {
        hide_outside_window<V>(scores, block);
        fold_maximum(scores, 0, from, maximum);
        fold_maximum(scores, to, n, maximum);
    }
    if (hides) {
        soften<V, true>(state, n, maximum);
    } else {
        soften<V, false>(state, n, maximum);
    }
    if (block.dropout.threshold != 0) drop_weights<V>(scores, block, block.dropout.keep_scale);

    const Rows values = shared.values.rows(block.v, first_key, n, block.value_dim);
    const bool harmless = hides_anywhere
                              ? finite(values, 0, n, block.value_dim)
                              : finite(values, 0, from, block.value_dim) && finite(values, to, n, block.value_dim);
    if (harmless) {
        weigh_values<Tiles, V, false>(state, values, block, first_key, from, to, n);
    } else {
        weigh_values<Tiles, V, true>(state, values, block, first_key, from, to, n);
    }
    state.fresh = false;
}

// Of one block: its queries and its sums, in whole cache lines.
template <typename Tiles>
inline int64_t own_floats(int64_t head_dim, int64_t value_dim) {
    return (head_dim + round_up(value_dim, F32::lanes)) * Shared<Tiles>::width;
}

template <typename Tiles>
inline int64_t attention_workspace_floats(int64_t head_dim, int64_t value_dim, int64_t blocks) {
    return Shared<Tiles>::floats(head_dim, value_dim) + blocks * own_floats<Tiles>(head_dim, value_dim);
}

// qT[d][i] = q[i][d] * score_factor
template <int V>
inline void load_queries(const State<V>& state, const AttentionBlock& block) {
    const F32 factor = score_factor(block.scale, block.softcap);
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
inline void begin(Turn<Tiles::max_vectors>& turn, const Shared<Tiles>& shared) {
    const AttentionBlock& block = *turn.block;
    turn.template begin<V>();
    load_queries(turn.template state<V>(shared.scores), block);
    turn.next = turn.end = 0;
    if (block.stage_alone) return;
    // What the block's last query does not see, nobody in it sees; and nobody sees what is before its first query's
    // window. Whole tiles, as far as there are keys.
    constexpr int64_t R = Tiles::rows(V);
    const int64_t last = block.last_key + block.queries <= 0 ? 0 : round_up(block.last_key + block.queries, R);
    turn.end = block.key_length < last ? block.key_length : last;
    turn.next = block.first_key <= 0 ? 0 : block.first_key / R * R;
}

// The next block of keys.
template <typename Tiles, int V>
inline void advance(Turn<Tiles::max_vectors>& turn, Shared<Tiles>& shared) {
    State<V> state = turn.template state<V>(shared.scores);
    const int64_t n = turn.end - turn.next < Tiles::key_block ? turn.end - turn.next : Tiles::key_block;
    attend_keys<Tiles, V>(state, *turn.block, turn.next, n, shared);
    turn.next += n;
    turn.keep(state);
}

template <typename Tiles, int V>
inline void finish(const Turn<Tiles::max_vectors>& turn, Shared<Tiles>& shared) {
    State<V> state = turn.template state<V>(shared.scores);
    clear_unseen(state, turn.block->value_dim);
    if (!turn.block->stage_alone) store_queries(state, *turn.block);
    if (turn.block->stage != Stage::none) store_stage<Tiles>(state, *turn.block, shared);
}

template <typename Tiles>
inline void attention(const AttentionBlock* blocks, int64_t count, float* workspace) {
    constexpr int most = Tiles::max_vectors;
    const int64_t head_dim = blocks[0].head_dim, value_dim = blocks[0].value_dim;
    Shared<Tiles> shared(workspace, head_dim);
    float* own = workspace + Shared<Tiles>::floats(head_dim, value_dim);
    Turn<most> turns[attn4j::kTogether];
    for (int64_t i = 0; i < count; ++i) {
        turns[i].block = blocks + i;
        turns[i].q = own;
        turns[i].out = own + head_dim * Shared<Tiles>::width;
        own += own_floats<Tiles>(head_dim, value_dim);
        with_vectors<most>(blocks[i].queries,
                           [&](auto vectors) { begin<Tiles, decltype(vectors)::count>(turns[i], shared); });
    }
    const bool whole = take_turns(
        turns, count, [&](auto vectors, Turn<most>& turn) { advance<Tiles, decltype(vectors)::count>(turn, shared); });
    if (!whole) return;
    for (int64_t i = 0; i < count; ++i)
        with_vectors<most>(blocks[i].queries,
                           [&](auto vectors) { finish<Tiles, decltype(vectors)::count>(turns[i], shared); });
}

template <typename Tiles>
constexpr attn4j::AttentionKernel attention_kernel() {
    return {F32::lanes, Tiles::max_vectors * F32::lanes, Tiles::key_block, attention_workspace_floats<Tiles>,
            attention<Tiles>};
}

}  // namespace
