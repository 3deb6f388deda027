// SPDX-License-Identifier: Apache-2.0
// Scores of a block of keys, lanes along the keys and in units of log2, to weights: softcap, ALiBi, bias, mask, edges,
// and the online softmax.
#pragma once

#include "kernels/attention/scores-inl.h"
#include "kernels/decode/multiples-inl.h"
#include "kernels/elements-inl.h"

namespace {

using attn4j::DecodeChunk;

constexpr int64_t kMostRows = 32;

// What query rows carry from block to block.
struct DecodeState {
    alignas(64) float maximum[kMostRows];  // of the scores so far
    alignas(64) float base[kMostRows];     // the same, but 0 where nothing was seen
    alignas(64) float rescale[kMostRows];  // exp2(old maximum - maximum), owed to out
    float* sums;                           // [rows][lanes], of exp2(score - maximum), yet to be added up

    // Nothing seen yet; sums in `memory` [rows][lanes].
    void begin(int64_t rows, float* memory) {
        sums = memory;
        for (int64_t row = 0; row < kMostRows; ++row) maximum[row] = -kInfinity;
        for (int64_t i = 0; i < rows * F32::lanes; ++i) sums[i] = 0;
    }

    // Maxima and sums to where a partial result keeps them.
    void finish(int64_t rows, float* to) const {
        for (int64_t row = 0; row < rows; ++row) {
            to[row] = maximum[row];
            to[rows + row] = sum(F32::load(sums + row * F32::lanes));
        }
    }
};

// Keys [first, first + n) and their scores [rows][stride].
struct DecodeBlock {
    float* scores;
    int64_t stride;
    int64_t first, n;
    const float *k_scales,
        *v_scales;  // of keys and values that are not yet multiplied by them; null where there are none
    Magnitude* magnitudes = nullptr;  // [rows], of the weights, if they are asked for
};

// The largest of n scores, whole vectors of them, first multiplied by the scales if there are any. Four maxima, as each
// waits for the one before it.
template <typename Meanwhile>
inline float largest_score(float* scores, const float* scales, int64_t n, const Meanwhile& meanwhile) {
    F32 most[4] = {F32::set(-kInfinity), F32::set(-kInfinity), F32::set(-kInfinity), F32::set(-kInfinity)};
    const auto see = [&](int64_t key, F32& larger) {
        meanwhile();
        F32 s = F32::load(scores + key);
        if (scales != nullptr) {
            s = s * F32::load(scales + key);
            s.store(scores + key);
        }
        larger = max(s, larger);
    };
    int64_t key = 0;
    for (; n - key >= 4 * F32::lanes; key += 4 * F32::lanes)
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) see(key + i * F32::lanes, most[i]);
    for (; key < n; key += F32::lanes) see(key, most[0]);
    return largest(max(max(most[0], most[1]), max(most[2], most[3])));
}

// Everything between product and softmax for one row, and its maximum into `maximum`. Returns whether a key is hidden.
// Calls `meanwhile` with each vector of keys.
template <typename Meanwhile>
inline bool alter_row(const DecodeChunk& c, const DecodeBlock& block, int64_t row, float& maximum,
                      const Meanwhile& meanwhile) {
    const int64_t head = row / c.queries, query = row % c.queries, n = block.n;
    const int64_t low = c.first_key + query - block.first, high = c.last_key + query + 1 - block.first;
    const int64_t from = low < 0 ? 0 : low < n ? low : n, to = high > n ? n : high < from ? from : high;
    const F32 hidden = F32::set(-kInfinity);
    const float* bias = nullptr;
    const uint8_t* keep = nullptr;
    if (c.bias != nullptr)
        bias = c.bias + head * c.bias_head_stride + query * c.bias_query_stride + block.first * c.bias_key_stride;
    if (c.keep != nullptr)
        keep = c.keep + head * c.keep_head_stride + query * c.keep_query_stride + block.first * c.keep_key_stride;
    if (c.softcap <= 0 && c.slopes == nullptr && bias == nullptr && keep == nullptr && from == 0 && to == n &&
        n % F32::lanes == 0) {
        maximum = largest_score(block.scores + row * block.stride, block.k_scales, n, meanwhile);
        return false;
    }
    const F32 slope = F32::set(c.slopes == nullptr ? 0.0f : -c.slopes[head] * kLog2E);
    bool hides = from > 0 || to < n;
    F32 most = hidden;
    for (int64_t key = 0; key < n; key += F32::lanes) {
        const int64_t count = n - key < F32::lanes ? n - key : F32::lanes;
        meanwhile();
        float* const at = block.scores + row * block.stride + key;
        F32 s = F32::load(at);
        if (block.k_scales != nullptr) s = s * F32::load(block.k_scales + key);
        if (c.softcap > 0) s = capped(s, c.softcap);
        if (c.slopes != nullptr) {
            const F32 distance =
                F32::load(lane_index) - F32::set(static_cast<float>(c.position + query - block.first - key));
            s = fma(slope, abs(distance), s);
        }
        if (bias != nullptr) {
            const F32 b = c.bias_key_stride == 0 ? F32::set(*bias) : load_some(bias + key, count);
            const Mask away = b == hidden;
            hides |= any(away);
            s = select(away, hidden, fma(bounded_bias(b), F32::set(kLog2E), s));
        }
        if (keep != nullptr) {
            const Mask away = load_flags(keep + key * c.keep_key_stride, c.keep_key_stride, count) == F32::zero();
            hides |= any(away & !Mask::from(count));
            s = select(away, hidden, s);
        }
        if (key < from || key + F32::lanes > to) s = select(Mask::from(from - key) & !Mask::from(to - key), s, hidden);
        s.store(at);
        most = max(s, most);
    }
    maximum = largest(most);
    return hides;
}

template <bool kHidden, typename Meanwhile>
inline void weigh_row(const DecodeBlock& block, DecodeState& state, int64_t row, const Meanwhile& meanwhile) {
    const F32 base = F32::set(state.base[row]);
    F32 total = F32::zero();
    Magnitude magnitude;
    for (int64_t key = 0; key < block.n; key += F32::lanes) {
        meanwhile();
        float* const at = block.scores + row * block.stride + key;
        const F32 s = F32::load(at);
        F32 p = exp2(s - base);
        total = total + p;
        if (block.v_scales != nullptr) p = p * F32::load(block.v_scales + key);
        if (block.magnitudes != nullptr) magnitude.see(p);
        (kHidden ? select(s == F32::set(-kInfinity), F32::set(-0.0f), p) : p).store(at);
    }
    if (block.magnitudes != nullptr) block.magnitudes[row] = magnitude;
    float* const sums = state.sums + row * F32::lanes;
    fma(F32::load(sums), F32::set(state.rescale[row]), total).store(sums);
}

// Scores to weights exp2(score - maximum), -0 where hidden. Returns whether any key is hidden from any row. Calls
// `meanwhile` twice with each vector of keys of a row.
template <typename Meanwhile>
inline bool soften_rows(const DecodeChunk& c, const DecodeBlock& block, int64_t rows, DecodeState& state,
                        const Meanwhile& meanwhile) {
    alignas(64) float largest_of_block[kMostRows] = {};
    bool hides = false;
    for (int64_t row = 0; row < rows; ++row) hides |= alter_row(c, block, row, largest_of_block[row], meanwhile);
    for (int64_t row = 0; row < rows; row += F32::lanes) {
        const F32 old = F32::load(state.maximum + row), larger = max(F32::load(largest_of_block + row), old);
        // A row that has seen nothing yet must not form -inf - -inf.
        const F32 base = select(larger == F32::set(-kInfinity), F32::zero(), larger);
        exp2(old - base).store(state.rescale + row);
        base.store(state.base + row);
        larger.store(state.maximum + row);
    }
    for (int64_t row = 0; row < rows; ++row)
        hides ? weigh_row<true>(block, state, row, meanwhile) : weigh_row<false>(block, state, row, meanwhile);
    return hides;
}

// Whether a bias or mask hides keys [first, first + n) from all rows.
inline bool all_hidden(const DecodeChunk& c, int64_t first, int64_t n) {
    if (c.bias == nullptr && c.keep == nullptr) return false;
    for (int64_t row = 0; row < c.group * c.queries; ++row) {
        const int64_t head = row / c.queries, query = row % c.queries;
        for (int64_t key = first; key < first + n; ++key) {
            const bool away =
                c.bias != nullptr &&
                c.bias[head * c.bias_head_stride + query * c.bias_query_stride + key * c.bias_key_stride] == -kInfinity;
            const bool kept =
                c.keep == nullptr ||
                c.keep[head * c.keep_head_stride + query * c.keep_query_stride + key * c.keep_key_stride] != 0;
            if (kept && !away) return false;
        }
    }
    return true;
}

}  // namespace
