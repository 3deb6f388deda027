// SPDX-License-Identifier: Apache-2.0
// Scores of few rows to weights of all their keys at once. Lanes are (key, row), so maximum and sum are vertical but
// for the last few steps, where lanes that hold the same row are put together.
#pragma once

#include "kernels/decode/decode.h"
#include "kernels/small/scores-inl.h"

namespace {

// Of each lane of a vector the key, counted from the vector's first, and the row.
template <int kWidth>
struct LaneNumbers {
    alignas(64) float key[F32::lanes], row[F32::lanes];
    constexpr LaneNumbers() : key(), row() {
        for (int i = 0; i < F32::lanes; ++i) {
            key[i] = static_cast<float>(i / kWidth);
            row[i] = static_cast<float>(i % kWidth);
        }
    }
};
template <int kWidth>
constexpr LaneNumbers<kWidth> lane_numbers_of{};

// Lanes of the same row put together.
template <int kWidth>
ATTN4J_INLINE F32 most_of_rows(F32 x) {
    if constexpr (kWidth < F32::lanes) return most_of_rows<2 * kWidth>(max(exchange<kWidth>(x), x));
    return x;
}
template <int kWidth>
ATTN4J_INLINE F32 sum_of_rows(F32 x) {
    if constexpr (kWidth < F32::lanes) return sum_of_rows<2 * kWidth>(exchange<kWidth>(x) + x);
    return x;
}

// value(row) for the row of each lane.
template <int kWidth, typename Value>
inline F32 each_row(const SmallRows& rows, const Value& value) {
    alignas(64) float values[F32::lanes] = {};
    for (int64_t row = 0; row < rows.count; ++row)
        for (int64_t lane = row; lane < F32::lanes; lane += kWidth) values[lane] = value(row);
    return F32::load(values);
}

// What a bias and a mask add to each score, -inf where they hide: [keys][lanes], lanes are rows. Heads often share
// them.
inline void transpose_added(const SmallRows& rows, SmallMemory& memory) {
    const DecodeChunk& c = rows.c;
    if (memory.bias == c.bias && memory.keep == c.keep && memory.first == rows.first) return;
    memory.bias = c.bias;
    memory.keep = c.keep;
    memory.first = rows.first;
    transpose_in<1>(rows.count, rows.keys, F32::set(1.0f), memory.added, [&](int64_t row, int64_t key, int64_t n) {
        const int64_t head = rows.head_of(row), query = rows.query_of(row), at = rows.begin + key;
        F32 added = F32::zero();
        if (c.bias != nullptr) {
            const float* const bias =
                c.bias + head * c.bias_head_stride + query * c.bias_query_stride + at * c.bias_key_stride;
            added = c.bias_key_stride == 0 ? F32::set(*bias) : load_some(bias, n);
        }
        if (c.keep == nullptr) return added;
        const uint8_t* const keep =
            c.keep + head * c.keep_head_stride + query * c.keep_query_stride + at * c.keep_key_stride;
        return select(load_flags(keep, c.keep_key_stride, n) == F32::zero(), F32::set(-kInfinity), added);
    });
}

// Everything between product and softmax. Returns whether a key is hidden.
template <int kWidth>
inline bool alter_small(const SmallRows& rows, SmallMemory& memory) {
    constexpr int64_t keys_of_vector = F32::lanes / kWidth;
    const DecodeChunk& c = rows.c;
    const bool edges = c.first_key + c.queries - 1 > rows.begin || c.last_key < rows.begin + rows.keys - 1;
    const bool adds = c.bias != nullptr || c.keep != nullptr;
    if (!edges && !adds && c.softcap == 0 && c.slopes == nullptr) return false;
    if (adds) transpose_added(rows, memory);
    const F32 hidden = F32::set(-kInfinity);
    F32 distance = F32::zero(), slope = F32::zero();  // from the query on to the key, counted from the vector's first
    if (edges || c.slopes != nullptr)
        distance = F32::load(lane_numbers_of<kWidth>.key) -
                   each_row<kWidth>(rows, [&](int64_t row) { return static_cast<float>(rows.query_of(row)); });
    if (c.slopes != nullptr)
        slope = each_row<kWidth>(rows, [&](int64_t row) { return -c.slopes[rows.head_of(row)] * kLog2E; });
    Mask away = !(F32::zero() == F32::zero());
    for (int64_t key = 0; key < rows.keys; key += keys_of_vector) {
        float* const at = rows.scores + key * kWidth;
        F32 s = F32::load(at);
        if (c.softcap > 0) s = capped(s, c.softcap);
        if (c.slopes != nullptr)
            s = fma(slope, abs(distance - F32::set(static_cast<float>(c.position - rows.begin - key))), s);
        if (adds) {
            alignas(64) float added[F32::lanes];
            for (int64_t j = 0; j < keys_of_vector; ++j)
                __builtin_memcpy(added + j * kWidth, memory.added + (key + j) * F32::lanes, kWidth * sizeof(float));
            const F32 b = F32::load(added);
            const Mask hides = b == hidden;
            away = away | hides;
            s = select(hides, hidden, fma(bounded_bias(b), F32::set(kLog2E), s));
        }
        if (edges) {
            const Mask early = distance < F32::set(static_cast<float>(c.first_key - rows.begin - key)),
                       late = F32::set(static_cast<float>(c.last_key - rows.begin - key)) < distance;
            away = away | early | late;
            s = select(early | late, hidden, s);
        }
        s.store(at);
    }
    return any(away);
}

// Scores to weights, -0 where hidden, and what they sum up to. Returns whether any key is hidden from any row.
template <int kWidth>
inline bool soften_small(SmallRows& rows, SmallMemory& memory, const attn4j::DecodeMerge& to) {
    const int64_t n = rows.keys * kWidth;
    const F32 hidden = F32::set(-kInfinity);
    const bool hides = alter_small<kWidth>(rows, memory);
    F32 most = hidden;
    for (int64_t i = 0; i < n; i += F32::lanes) {
        F32 s = F32::load(rows.scores + i);
        if (n - i < F32::lanes) {
            s = select(Mask::from(n - i), hidden, s);
            s.store(rows.scores + i);
        }
        most = max(s, most);
    }
    // A sink is a score that is there from the start and has no value.
    const F32 sink = to.sinks == nullptr
                         ? hidden
                         : each_row<kWidth>(rows, [&](int64_t row) { return to.sinks[rows.head_of(row)] * kLog2E; });
    most = max(sink, most_of_rows<kWidth>(most));
    // A row that sees nothing must not form -inf - -inf.
    const F32 base = select(most == hidden, F32::zero(), most);
    F32 total = F32::zero();
    for (int64_t i = 0; i < n; i += F32::lanes) {
        const F32 s = F32::load(rows.scores + i), p = exp2(s - base);
        total = total + p;
        (hides ? select(s == hidden, F32::set(-0.0f), p) : p).store(rows.scores + i);
    }
    total = sum_of_rows<kWidth>(total);
    if (to.sinks != nullptr) total = total + exp2(sink - base);
    select(total == F32::zero(), F32::zero(), F32::set(1.0f) / total).store(rows.inverse);
    if (to.lse != nullptr) {
        const F32 natural = fma(base, F32::set(kLn2), log(total));
        alignas(64) float lse[F32::lanes];
        select(total == F32::zero(), hidden, select(total == total, natural, total)).store(lse);
        for (int64_t row = 0; row < rows.count; ++row)
            to.lse[rows.head_of(row) * to.lse_head_stride + rows.query_of(row)] = lse[row];
    }
    return hides;
}

// With the least width that the rows fit into and that leaves no vector without a key.
template <typename Tiles, int kWidth>
inline bool form_weights(SmallRows& rows, const Rows& k, SmallMemory& memory, const attn4j::DecodeMerge& to) {
    if constexpr (kWidth > 1) {
        if (rows.count <= kWidth / 2 && rows.keys >= 2 * F32::lanes / kWidth)
            return form_weights<Tiles, kWidth / 2>(rows, k, memory, to);
    }
    rows.width = kWidth;
    score_small<Tiles, kWidth>(rows, k, memory);
    return soften_small<kWidth>(rows, memory, to);
}

}  // namespace
