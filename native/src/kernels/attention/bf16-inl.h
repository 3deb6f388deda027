// SPDX-License-Identifier: Apache-2.0
// The body of attention.h where queries, keys and values are bfloat16 and the instruction set multiplies pairs of them.
// As attention-inl.h, but for two things: weights are rounded to pairs of keys before the second product, and a block is
// several parts of queries that take each block of keys in turn, so that its values are transposed once for all.
// Softmax, masks and edges are the same functions, in float32. The product treats subnormal numbers as 0.
#pragma once

#include "kernels/attention/attention-inl.h"
#include "kernels/attention/bf16_operands-inl.h"

namespace {

constexpr int kParts = 4;

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

// What infinities and NaN among the values add to O^T, query by query that sees them: pack_values() left them out.
template <int V>
ATTN4J_APART void add_infinite_values(const State<V>& state, const AttentionBlock& block, int64_t first_key,
                                      int64_t n) {
    for (int64_t key = 0; key < n; ++key)
        for (int64_t d = 0; d < block.value_dim; ++d) {
            const uint16_t value = static_cast<const uint16_t*>(block.v)[(first_key + key) * block.v_stride + d];
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

// Keys [first_key, first_key + n), at the beginning of `kv`, against a part of the block's queries.
template <typename Products, int V>
ATTN4J_APART void attend_pairs(State<V>& state, const AttentionBlock& block, const KeyBlock& kv, int64_t first_key,
                               int64_t n) {
    constexpr int64_t width = State<V>::width;
    const Seen kept = kept_keys(block, first_key, n);
    if (kept == Seen::none || all_biased_away(block, first_key, n)) return;
    const Scores scores{state.scores, first_key, n};
    Products::template multiply<V>(kv.keys.data, kv.keys.stride, round_up(n, Products::row_unit), pairs_at(state.q),
                                   round_up((block.head_dim + 1) / 2, Products::pair_unit), state.scores, false);
    // The factor waits for the exponential, unless something must be done to scores in their own units.
    F32 factor = F32::set(block.scale * kLog2E);
    const bool dropped = block.dropout.threshold != 0;
    bool hides = kept == Seen::some;
    if (block.softcap > 0 || block.slope != 0 || block.bias != nullptr || kept == Seen::some || dropped ||
        !(block.scale > 0)) {
        for (int64_t i = 0; i < n * width; i += F32::lanes)
            (F32::load(state.scores + i) * factor).store(state.scores + i);
        factor = F32::set(1.0f);
        if (block.softcap > 0) cap_scores<V>(scores, block.softcap);
        hides |= alter_scores<V>(scores, block, kept);
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
        drop_weights<V>(scores, block);
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
    Products::template multiply<V>(kv.values, kv.values_stride, round_up(block.value_dim, Products::row_unit),
                                   pairs_at(state.scores), pairs, state.out, !state.fresh);
    state.fresh = false;
    if (!kv.finite) add_infinite_values(state, block, first_key, n);
}

// Queries [first, first + n) of a block.
inline AttentionBlock part_of(const AttentionBlock& block, int64_t first, int64_t n) {
    AttentionBlock part = block;
    part.q = static_cast<const uint16_t*>(block.q) + first * block.q_stride;
    part.out = static_cast<char*>(block.out) + first * block.out_stride * attn4j::bytes_of(block.out_type);
    if (block.lse != nullptr) part.lse = block.lse + first;
    part.queries = n;
    part.first_key += first;
    part.last_key += first;
    if (block.slope != 0) part.position += first;
    if (block.bias != nullptr) part.bias += first * block.bias_query_stride;
    if (block.keep != nullptr) part.keep += first * block.keep_query_stride;
    part.first_query += first;
    return part;
}

template <typename Tiles>
inline int64_t bf16_workspace_floats(int64_t head_dim, int64_t value_dim) {
    const int64_t width = Tiles::Products::max_vectors * F32::lanes;
    const int64_t dims = round_up(head_dim, kPairRow) / 2, values = round_up(value_dim, 16);
    const int64_t of_part = (dims + values) * width;
    const int64_t of_keys = Tiles::key_block * (width + dims + values / 2);
    return kParts * of_part + of_keys;
}

template <typename Tiles, int V>
inline void attend_in_pairs(const AttentionBlock& block, int parts) {
    using Products = typename Tiles::Products;
    constexpr int64_t width = State<V>::width;
    const int64_t dims = round_up(block.head_dim, kPairRow) / 2, values = round_up(block.value_dim, 16);
    float* const scores = block.workspace;
    uint16_t* const key_buffer = pairs_at(scores + Tiles::key_block * width);
    uint16_t* const value_buffer = key_buffer + 2 * Tiles::key_block * dims;
    float* next = scores + Tiles::key_block * (width + dims + values / 2);

    State<V> states[kParts];
    AttentionBlock part[kParts];
    for (int i = 0; i < parts; ++i) {
        const int64_t first = i * width, left = block.queries - first;
        part[i] = part_of(block, first, left < width ? left : width);
        State<V>& state = states[i];
        state.q = next;
        state.out = state.q + dims * width;
        next = state.out + values * width;
        state.scores = scores;
        start(state, block);
        pack_rows<V>(block.q_type, part[i].q, block.q_stride, part[i].queries, block.head_dim, dims, pairs_at(state.q));
    }
    const int64_t last = block.last_key + block.queries;
    const int64_t end = block.key_length < last ? block.key_length : last;
    for (int64_t first = block.first_key <= 0 ? 0 : block.first_key / kPairRow * kPairRow; first < end;
         first += Tiles::key_block) {
        if (attn4j::is_set(block.cancelled)) return;
        const int64_t n = end - first < Tiles::key_block ? end - first : Tiles::key_block;
        KeyBlock kv{key_rows<Products>(block, first, n, key_buffer), value_buffer, Tiles::key_block, true};
        kv.finite = pack_values(block, first, n, value_buffer, Tiles::key_block);
        for (int i = 0; i < parts; ++i) {
            // Of these keys, those from the first to the last that the part sees.
            const int64_t before = part[i].first_key - first, skipped = before <= 0 ? 0 : before / kPairRow * kPairRow;
            const int64_t within = part[i].last_key + part[i].queries - first, most = within < n ? within : n;
            if (skipped >= most) continue;
            KeyBlock seen = kv;
            seen.keys.data += skipped * kv.keys.stride;
            seen.values += skipped;
            attend_pairs<Products, V>(states[i], part[i], seen, first + skipped, most - skipped);
        }
    }
    for (int i = 0; i < parts; ++i) {
        if (states[i].fresh)
            for (int64_t d = 0; d < block.value_dim * width; d += F32::lanes) F32::zero().store(states[i].out + d);
        store_queries(states[i], part[i]);
    }
}

// In as few parts as possible, each of as few vectors as that takes.
template <typename Tiles>
inline void bf16_attention(const AttentionBlock& block) {
    constexpr int most = Tiles::Products::max_vectors;
    const int vectors = static_cast<int>((block.queries + F32::lanes - 1) / F32::lanes);
    const int parts = (vectors + most - 1) / most, each = (vectors + parts - 1) / parts;
    Tiles::Products::begin();
    if constexpr (most >= 4) {
        if (each == 4) attend_in_pairs<Tiles, 4>(block, parts);
    }
    if constexpr (most >= 3) {
        if (each == 3) attend_in_pairs<Tiles, 3>(block, parts);
    }
    if (each == 2) attend_in_pairs<Tiles, 2>(block, parts);
    if (each == 1) attend_in_pairs<Tiles, 1>(block, parts);
    Tiles::Products::end();
}

template <typename Tiles>
constexpr attn4j::AttentionKernel bf16_attention_kernel() {
    return {F32::lanes, kParts * Tiles::Products::max_vectors * F32::lanes, Tiles::key_block,
            bf16_workspace_floats<Tiles>, bf16_attention<Tiles>};
}

}  // namespace
