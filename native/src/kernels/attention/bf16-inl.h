// SPDX-License-Identifier: Apache-2.0
// The body of attention.h where queries, keys and values are bfloat16 and the instruction set multiplies pairs of them.
// As attention-inl.h, but weights are rounded to pairs of keys before the second product, and blocks of keys begin at
// multiples of key_block, so that their values are transposed once for all blocks of queries that take turns. Softmax,
// masks and edges are the same functions, in float32. The product treats subnormal numbers as 0.
#pragma once

#include "kernels/attention/attention-inl.h"
#include "kernels/attention/bf16_operands-inl.h"

namespace {

// Base-2 exponents of weights may reach this before O^T and the sum are scaled down for a new maximum: within float32
// and bfloat16 that costs no accuracy, and after the first keys a new maximum is seldom larger by that much.
constexpr float kSlack = 8;

inline uint16_t* pairs_at(float* row) { return reinterpret_cast<uint16_t*>(row); }

// Scores, in units that `factor` turns into log2, to weights as pairs of keys: those of keys 2 i and 2 i + 1 take the
// place of row i. An odd key gets a neighbour of weight 0. kHidden marks -inf scores with a weight of -0.
template <int V, bool kHidden>
inline void soften_pairs(State<V>& state, int64_t keys, F32 factor, const F32 (&maximum)[V]) {
    constexpr int64_t width = State<V>::width;
    const F32 hidden = F32::set(-kInfinity);
    F32 base[V], sum[V];
#pragma GCC unroll 64
    for (int v = 0; v < V; ++v) {
        const F32 seen = maximum[v] * factor;
        const F32 larger = select(state.maximum[v] + F32::set(kSlack) < seen, seen, state.maximum[v]);
        // A row that has seen nothing yet must not form -inf - -inf.
        base[v] = select(larger == hidden, F32::zero(), F32::zero() - larger);
        state.rescale[v] = exp2(state.maximum[v] + base[v]);
        state.maximum[v] = larger;
        sum[v] = F32::zero();
        if (keys % 2 == 1) hidden.store(state.scores + keys * width + v * F32::lanes);
    }
    for (int64_t key = 0; key < keys; key += 2) {
#pragma GCC unroll 64
        for (int v = 0; v < V; ++v) {
            const float* const row = state.scores + key * width + v * F32::lanes;
            const F32 s = F32::load(row), t = F32::load(row + width);
            const F32 p = exp2(fma(s, factor, base[v])), q = exp2(fma(t, factor, base[v]));
            sum[v] = sum[v] + (p + q);
            const F32 marked = F32::set(-0.0f);
            const Pairs pair = kHidden ? Pairs::narrow(select(s == hidden, marked, p), select(t == hidden, marked, q))
                                       : Pairs::narrow(p, q);
            pair.store(pairs_at(state.scores + key / 2 * width + v * F32::lanes));
        }
    }
#pragma GCC unroll 64
    for (int v = 0; v < V; ++v) state.sum[v] = fma(state.sum[v], state.rescale[v], sum[v]);
}

// Weights that are float32 yet.
template <int V>
inline void narrow_weights(const State<V>& state, int64_t keys) {
    constexpr int64_t width = State<V>::width;
    for (int64_t key = 0; key < keys; key += 2)
        for (int64_t i = 0; i < width; i += F32::lanes) {
            const float* const row = state.scores + key * width + i;
            Pairs::narrow(F32::load(row), key + 1 < keys ? F32::load(row + width) : F32::zero())
                .store(pairs_at(state.scores + key / 2 * width + i));
        }
}

// What infinities and NaN among the values add to O^T, query by query that sees them: pack_values() leaves them out.
template <int V>
ATTN4J_APART void add_infinite_values(const State<V>& state, const AttentionBlock& block, int64_t first_key,
                                      int64_t n) {
    for (int64_t key = 0; key < n; ++key)
        for (int64_t d = 0; d < block.value_dim; ++d) {
            const uint16_t value = static_cast<const uint16_t*>(block.v.data)[(first_key + key) * block.v.stride + d];
            if ((value & 0x7f80) != 0x7f80) continue;
            const uint32_t bits = uint32_t{value} << 16;
            float number;
            __builtin_memcpy(&number, &bits, sizeof number);
            for (int v = 0; v < V; ++v) {
                const Pairs pair = Pairs::load(pairs_at(state.scores + (key / 2 * V + v) * F32::lanes));
                const F32 p = key % 2 == 0 ? pair.even() : pair.odd();
                float* const out = state.out + (d * V + v) * F32::lanes;
                const F32 o = F32::load(out);
                select(sign(p), o, fma(F32::set(number), p, o)).store(out);
            }
        }
}

// One block of keys as the products take it.
struct KeyBlock {
    PairRows keys;
    const uint16_t* values;  // [valueDim] rows of pairs
    int64_t values_stride;
    bool finite;  // `values` lacks nothing
};

// What blocks of queries that take turns make once for all of them. Each block of keys reaches to where the sequence or
// key_block ends, whoever sees it.
template <typename Tiles>
struct SharedPairs {
    using Products = typename Tiles::Products;
    static constexpr int64_t width = Products::max_vectors * F32::lanes, scores_floats = Tiles::key_block * width;

    float* scores;
    TransposedBias bias;
    uint16_t *key_buffer, *value_buffer;
    const void *k = nullptr, *v = nullptr;
    int64_t first = 0, n = 0;
    KeyBlock held{};

    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return (1 + Slots::count) * scores_floats +
               Tiles::key_block * (round_up(head_dim, kPairRow) / 2 + round_up(value_dim, 16) / 2);
    }
    SharedPairs(float* workspace, int64_t head_dim)
        : scores(workspace),
          bias{workspace + scores_floats, scores_floats, {}, {}},
          key_buffer(pairs_at(workspace + (1 + Slots::count) * scores_floats)),
          value_buffer(key_buffer + Tiles::key_block * round_up(head_dim, kPairRow)) {}

    const KeyBlock& keys(const AttentionBlock& block, int64_t first_key) {
        const int64_t left = block.key_length - first_key, count = left < Tiles::key_block ? left : Tiles::key_block;
        if (block.k.data != k || block.v.data != v || first_key != first || count != n) {
            k = block.k.data;
            v = block.v.data;
            first = first_key;
            n = count;
            held.keys = key_rows<Products>(block, first, n, key_buffer);
            held.finite = pack_values(block, first, n, value_buffer, Tiles::key_block);
            held.values = value_buffer;
            held.values_stride = Tiles::key_block;
        }
        return held;
    }
};

// Keys [first_key, first_key + n), at the beginning of `kv`, against the block of queries.
template <typename Products, int V>
ATTN4J_APART void attend_pairs(State<V>& state, const AttentionBlock& block, const KeyBlock& kv, int64_t first_key,
                               int64_t n, Seen kept, TransposedBias& shared_bias) {
    constexpr int64_t width = State<V>::width;
    if (kept == Seen::none || all_biased_away(block, first_key, n)) return;
    const Scores scores{state.scores, first_key, n};
    Products::template multiply<V>(kv.keys.data, kv.keys.stride, round_up(n, Products::row_unit), pairs_at(state.q),
                                   round_up((block.head_dim + 1) / 2, Products::pair_unit), state.scores, false);
    const float* const bias = block.bias == nullptr ? nullptr : shared_bias.rows<V>(block, first_key, n);
    // The factor waits for the exponential, unless something must be done to scores in their own units.
    F32 factor = score_factor(block.scale, block.softcap);
    const bool dropped = block.dropout.threshold != 0;
    bool hides = kept == Seen::some || (bias != nullptr && shared_bias.hides());
    if (block.softcap > 0 || block.slope != 0 || block.bias != nullptr || kept == Seen::some || dropped ||
        !(block.scale > 0)) {
        for (int64_t i = 0; i < n * width; i += F32::lanes)
            (F32::load(state.scores + i) * factor).store(state.scores + i);
        factor = F32::set(1.0f);
        if (block.softcap > 0) cap_scores<V>(scores, block.softcap);
        alter_scores<V>(scores, block, bias, kept);
    }
    if (block.first_key + block.queries - 1 > first_key || block.last_key < first_key + n - 1) {
        hide_outside_window<V>(scores, block);
        hides = true;
    }
    F32 maximum[V];
    for (int v = 0; v < V; ++v) maximum[v] = F32::set(-kInfinity);
    fold_maximum(scores, 0, n, maximum);
    if (dropped) {
        hides ? soften<V, true>(state, n, maximum) : soften<V, false>(state, n, maximum);
        // What is kept is scaled with the result: rounded to bfloat16, a weight of 1 stays 1.
        drop_weights<V>(scores, block, 1);
        narrow_weights(state, n);
    } else {
        hides ? soften_pairs<V, true>(state, n, factor, maximum) : soften_pairs<V, false>(state, n, factor, maximum);
    }
    const int64_t pairs = round_up((n + 1) / 2, Products::pair_unit);
    for (int64_t i = (n + 1) / 2 * width; i < pairs * width; i += F32::lanes) F32::zero().store(state.scores + i);

    bool rescaled = false;
    for (int v = 0; v < V; ++v) rescaled |= any(!(state.rescale[v] == F32::set(1.0f)));
    if (rescaled && !state.fresh)
        for (int64_t d = 0; d < block.value_dim; ++d)
            for (int v = 0; v < V; ++v) {
                float* const out = state.out + (d * V + v) * F32::lanes;
                (F32::load(out) * state.rescale[v]).store(out);
            }
    const int64_t dims = round_up(block.value_dim, Products::row_unit);
    if (!kv.finite) {
        if (state.fresh)
            for (int64_t i = 0; i < dims * width; i += F32::lanes) F32::zero().store(state.out + i);
        state.fresh = false;
        add_infinite_values(state, block, first_key, n);
    }
    Products::template arrange<V>(pairs_at(state.scores), pairs);
    Products::template multiply<V>(kv.values, kv.values_stride, dims, pairs_at(state.scores), pairs, state.out,
                                   !state.fresh);
    state.fresh = false;
}

template <typename Tiles>
using PairTurn = Turn<Tiles::Products::max_vectors>;

template <typename Tiles, int V>
inline void begin_pairs(PairTurn<Tiles>& turn) {
    const AttentionBlock& block = *turn.block;
    turn.template begin<V>();
    const int64_t pairs = round_up(block.head_dim, kPairRow) / 2;
    pack_rows<V>(block.q_type, block.q, block.q_stride, block.queries, block.head_dim, pairs, pairs_at(turn.q));
    Tiles::Products::template arrange<V>(pairs_at(turn.q), pairs);
    const int64_t last = block.last_key + block.queries;
    turn.end = block.key_length < last ? block.key_length : last;
    turn.next = block.first_key <= 0 ? 0 : block.first_key / Tiles::key_block * Tiles::key_block;
}

// The next block of keys; of these, those from the first to the last that the queries see.
template <typename Tiles, int V>
inline void advance_pairs(PairTurn<Tiles>& turn, SharedPairs<Tiles>& shared) {
    const AttentionBlock& block = *turn.block;
    const int64_t first = turn.next, before = block.first_key - first;
    const int64_t skipped = before <= 0 ? 0 : before / kPairRow * kPairRow;
    const int64_t n = turn.end - first < Tiles::key_block ? turn.end - first : Tiles::key_block;
    turn.next += n;
    if (skipped >= n) return;
    KeyBlock seen = shared.keys(block, first);
    seen.keys.data += skipped * seen.keys.stride;
    seen.values += skipped;
    State<V> state = turn.template state<V>(shared.scores);
    attend_pairs<typename Tiles::Products, V>(state, block, seen, first + skipped, n - skipped,
                                              seen_keys(block, first + skipped, n - skipped, Tiles::key_block),
                                              shared.bias);
    turn.keep(state);
}

template <typename Tiles, int V>
inline void finish_pairs(const PairTurn<Tiles>& turn, const SharedPairs<Tiles>& shared) {
    const State<V> state = turn.template state<V>(shared.scores);
    const AttentionBlock& block = *turn.block;
    clear_unseen(state, block.value_dim);
    if (block.dropout.threshold != 0)
        for (int64_t i = 0; i < block.value_dim * State<V>::width; i += F32::lanes)
            (F32::load(state.out + i) * F32::set(block.dropout.keep_scale)).store(state.out + i);
    store_queries(state, block);
}

template <typename Tiles>
inline int64_t bf16_own_floats(int64_t head_dim, int64_t value_dim) {
    return (round_up(head_dim, kPairRow) / 2 + round_up(value_dim, 16)) * SharedPairs<Tiles>::width;
}

template <typename Tiles>
inline int64_t bf16_workspace_floats(int64_t head_dim, int64_t value_dim, int64_t blocks) {
    return SharedPairs<Tiles>::floats(head_dim, value_dim) + blocks * bf16_own_floats<Tiles>(head_dim, value_dim);
}

template <typename Tiles>
inline void bf16_attention(const AttentionBlock* blocks, int64_t count, float* workspace) {
    using Products = typename Tiles::Products;
    constexpr int most = Products::max_vectors;
    const int64_t head_dim = blocks[0].head_dim, value_dim = blocks[0].value_dim;
    SharedPairs<Tiles> shared(workspace, head_dim);
    float* own = workspace + SharedPairs<Tiles>::floats(head_dim, value_dim);
    PairTurn<Tiles> turns[attn4j::kTogether];
    for (int64_t i = 0; i < count; ++i) {
        turns[i].block = blocks + i;
        turns[i].q = own;
        turns[i].out = own + round_up(head_dim, kPairRow) / 2 * SharedPairs<Tiles>::width;
        own += bf16_own_floats<Tiles>(head_dim, value_dim);
        with_vectors<most>(blocks[i].queries,
                           [&](auto vectors) { begin_pairs<Tiles, decltype(vectors)::count>(turns[i]); });
    }
    Products::begin();
    const bool whole = take_turns(turns, count, [&](auto vectors, PairTurn<Tiles>& turn) {
        advance_pairs<Tiles, decltype(vectors)::count>(turn, shared);
    });
    Products::end();
    if (!whole) return;
    for (int64_t i = 0; i < count; ++i)
        with_vectors<most>(blocks[i].queries,
                           [&](auto vectors) { finish_pairs<Tiles, decltype(vectors)::count>(turns[i], shared); });
}

template <typename Tiles>
constexpr attn4j::AttentionKernel bf16_attention_kernel() {
    return {F32::lanes, Tiles::Products::max_vectors * F32::lanes, Tiles::key_block, bf16_workspace_floats<Tiles>,
            bf16_attention<Tiles>};
}

}  // namespace
