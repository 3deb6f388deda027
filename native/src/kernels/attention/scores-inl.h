// SPDX-License-Identifier: Apache-2.0
// What happens to transposed scores [keys][V * lanes], in units of log2, between the product and the softmax: softcap,
// ALiBi, bias, boolean mask, and the edges of causality and windows. Hidden scores become -inf. Only what a problem has
// is visited.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::AttentionBlock;
using attn4j::Seen;

constexpr float kInfinity = __builtin_inff();
constexpr float kLog2E = 1.44269504088896341f, kLn2 = 0.693147180559945309f;

// lane_index[i] = i
alignas(64) constexpr float lane_index[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// Keys [first, first + keys) of a block, and where their scores are.
struct Scores {
    float* data;
    int64_t first, keys;
};

template <int V>
inline float* score_row(const Scores& s, int64_t key, int v) {
    return s.data + key * V * F32::lanes + v * F32::lanes;
}

// What q is multiplied by: scores come out in units of log2, or of the softcap where there is one.
inline F32 score_factor(float scale, float softcap) { return F32::set(softcap > 0 ? scale / softcap : scale * kLog2E); }

// Of a score in units of the softcap, the capped one in units of log2.
inline F32 capped(F32 s, float softcap) { return F32::set(softcap * kLog2E) * tanh(s); }

template <int V>
inline void cap_scores(const Scores& s, float softcap) {
    for (int64_t key = 0; key < s.keys; ++key)
        for (int v = 0; v < V; ++v) {
            float* row = score_row<V>(s, key, v);
            capped(F32::load(row), softcap).store(row);
        }
}

template <int V>
inline void add_alibi(const Scores& s, const AttentionBlock& block) {
    const F32 slope = F32::set(-block.slope * kLog2E), lanes = F32::load(lane_index);
    for (int64_t key = 0; key < s.keys; ++key)
        for (int v = 0; v < V; ++v) {
            float* row = score_row<V>(s, key, v);
            const F32 distance = lanes + F32::set(static_cast<float>(block.position + v * F32::lanes - s.first - key));
            fma(slope, abs(distance), F32::load(row)).store(row);
        }
}

constexpr float kLargeBias = 2.35e38f;  // times log2(e) just below the largest float32

// A finite bias that stays finite when it is multiplied by log2(e); an infinite one stays what it is.
inline F32 bounded_bias(F32 bias) {
    const F32 bounded = min(F32::set(kLargeBias), max(F32::set(-kLargeBias), bias));
    return select(abs(bias) == F32::set(kInfinity), bias, bounded);
}

// Calls apply(key, v, values, largest) with what load(query, key, n) gives, transposed: values of V vectors of queries
// for each key; `largest` holds the greatest magnitudes among them and those beside them.
template <int V, typename Load, typename Apply>
inline void for_transposed(int64_t queries, int64_t keys, const Load& load, const Apply& apply) {
    constexpr int64_t lanes = F32::lanes;
    for (int v = 0; v < V && v * lanes < queries; ++v)
        for (int64_t key = 0; key < keys; key += lanes) {
            const int64_t n = keys - key < lanes ? keys - key : lanes;
            F32 block[lanes];
            F32 largest = F32::zero();
            for (int64_t i = 0; i < lanes; ++i) {
                block[i] = v * lanes + i < queries ? load(v * lanes + i, key, n) : F32::zero();
                largest = max_magnitude(block[i], largest);
            }
            transpose(block);
            for (int64_t i = 0; i < n; ++i) apply(key + i, v, block[i], largest);
        }
}

// A bias of keys [first, first + keys) as scores lie, bounded: to[key][V * lanes]. Returns whether it hides any.
template <int V>
inline bool transpose_bias(const AttentionBlock& block, int64_t first, int64_t keys, float* to) {
    bool hides = false;
    const float* const bias = block.bias + first * block.bias_key_stride;
    const auto store = [&](int64_t key, int v, F32 values, F32 largest) {
        if (any(F32::set(kLargeBias) < largest)) {
            hides |= any(values == F32::set(-kInfinity));
            values = bounded_bias(values);
        }
        values.store(to + (key * V + v) * F32::lanes);
    };
    if (block.bias_query_stride == 0 || block.queries == 1) {
        for (int64_t key = 0; key < keys; ++key) {
            const F32 all = F32::set(bias[key * block.bias_key_stride]);
            for (int v = 0; v < V; ++v) store(key, v, all, abs(all));
        }
    } else if (block.bias_key_stride == 0) {
        for_transposed<V>(
            block.queries, keys,
            [&](int64_t query, int64_t, int64_t) { return F32::set(bias[query * block.bias_query_stride]); }, store);
    } else {
        for_transposed<V>(
            block.queries, keys,
            [&](int64_t query, int64_t key, int64_t n) {
                return load_some(bias + query * block.bias_query_stride + key, n);
            },
            store);
    }
    return hides;
}

// bias: transposed, bounded. -inf hides, whatever the score.
template <int V>
inline void add_bias(const Scores& s, const float* bias) {
    const F32 factor = F32::set(kLog2E), hidden = F32::set(-kInfinity);
    for (int64_t key = 0; key < s.keys; ++key)
        for (int v = 0; v < V; ++v) {
            float* row = score_row<V>(s, key, v);
            const F32 b = F32::load(bias + (key * V + v) * F32::lanes);
            select(b == hidden, hidden, fma(b, factor, F32::load(row))).store(row);
        }
}

// n <= lanes bytes as 0 or 1.
inline F32 load_flags(const uint8_t* p, int64_t stride, int64_t n) {
    float flags[F32::lanes] = {};
    for (int64_t i = 0; i < n; ++i) flags[i] = p[i * stride] != 0 ? 1.0f : 0.0f;
    return F32::load(flags);
}

template <int V>
inline void apply_keep(const Scores& s, const AttentionBlock& block) {
    const uint8_t* const keep = block.keep + s.first * block.keep_key_stride;
    for_transposed<V>(
        block.queries, s.keys,
        [&](int64_t query, int64_t key, int64_t n) {
            return load_flags(keep + query * block.keep_query_stride + key * block.keep_key_stride,
                              block.keep_key_stride, n);
        },
        [&](int64_t key, int v, F32 flags, F32) {
            float* row = score_row<V>(s, key, v);
            select(flags == F32::zero(), F32::set(-kInfinity), F32::load(row)).store(row);
        });
}

// Of a mask or bias, one number for each query and key, the part of the block of keys after [first, first + n) is
// called for: its rows are too short for the hardware to foresee the next.
template <typename T>
inline void call_for_next(const T* numbers, int64_t query_stride, int64_t key_stride, const AttentionBlock& block,
                          int64_t first, int64_t n) {
    if (query_stride == 0 || key_stride == 0) return;
    constexpr int64_t line = kLineBytes / static_cast<int64_t>(sizeof(T));
    const int64_t next = first + n, count = block.key_length - next < n ? block.key_length - next : n;
    for (int64_t query = 0; query < block.queries; ++query)
        for (int64_t key = 0; key < count; key += line)
            __builtin_prefetch(numbers + query * query_stride + next + key, 0, 2);
}

// What the boolean mask leaves of keys [first, first + n). Most blocks of most masks are all or none, and cost nothing
// more.
inline Seen kept_keys(const AttentionBlock& block, int64_t first, int64_t n) {
    constexpr int64_t width = 128;
    const int64_t rows = block.keep_query_stride == 0 ? 1 : block.queries, columns = block.keep_key_stride == 0 ? 1 : n;
    uint8_t any_hidden = 0, any_kept = 0;
    for (int64_t begin = 0; begin < columns; begin += width) {
        const int64_t count = columns - begin < width ? columns - begin : width;
        // Of each column, so that rows are not folded one by one.
        uint8_t hidden[width] = {}, kept[width] = {};
        for (int64_t query = 0; query < rows; ++query) {
            const uint8_t* const row =
                block.keep + query * block.keep_query_stride + (first + begin) * block.keep_key_stride;
            for (int64_t i = 0; i < count; ++i) {
                hidden[i] |= static_cast<uint8_t>(row[i] == 0);
                kept[i] |= row[i];
            }
        }
        for (int64_t i = 0; i < count; ++i) {
            any_hidden |= hidden[i];
            any_kept |= kept[i];
        }
    }
    return any_kept == 0 ? Seen::none : any_hidden == 0 ? Seen::all : Seen::some;
}

// The same, remembered for the other heads; `key_block` is that of the kernel.
inline Seen seen_keys(const AttentionBlock& block, int64_t first, int64_t n, int64_t key_block) {
    if (block.keep == nullptr) return Seen::all;
    Seen* const known = block.seen == nullptr ? nullptr : block.seen + first / key_block;
    Seen seen = known == nullptr ? Seen::unknown : __atomic_load_n(known, __ATOMIC_RELAXED);
    if (seen != Seen::unknown) return seen;
    seen = kept_keys(block, first, n);
    if (known != nullptr) __atomic_store_n(known, seen, __ATOMIC_RELAXED);
    call_for_next(block.keep, block.keep_query_stride, block.keep_key_stride, block, first, n);
    return seen;
}

// Whether the bias of keys [first, first + n) is -inf for every query. The first other vector ends the search.
inline bool all_biased_away(const AttentionBlock& block, int64_t first, int64_t n) {
    if (block.bias == nullptr) return false;
    const int64_t rows = block.bias_query_stride == 0 ? 1 : block.queries, columns = block.bias_key_stride == 0 ? 1 : n;
    for (int64_t query = 0; query < rows; ++query) {
        const float* const row = block.bias + query * block.bias_query_stride + first * block.bias_key_stride;
        for (int64_t key = 0; key < columns; key += F32::lanes) {
            const int64_t count = columns - key < F32::lanes ? columns - key : F32::lanes;
            const Mask away = load_some(row + key, count) == F32::set(-kInfinity);
            if (any(!(away | Mask::from(count)))) return false;
        }
    }
    return true;
}

// Of a row of scores hides vectors [from, to), and of vector `partial`, if there is one, the lanes outside `visible`.
template <int V>
inline void hide_vectors(const Scores& s, int64_t key, int from, int to, int partial, Mask visible) {
    const F32 hidden = F32::set(-kInfinity);
    for (int v = from; v < to; ++v) hidden.store(score_row<V>(s, key, v));
    if (partial >= V) return;
    float* row = score_row<V>(s, key, partial);
    select(visible, F32::load(row), hidden).store(row);
}

// What is outside a query's window becomes -inf.
template <int V>
inline void hide_outside_window(const Scores& s, const AttentionBlock& block) {
    constexpr int64_t width = V * F32::lanes;
    // Query i sees key j only if i <= j - first_key: the first so many of the block.
    for (int64_t key = 0; key < s.keys && s.first + key - block.first_key + 1 < width; ++key) {
        const int64_t seeing = s.first + key - block.first_key + 1 < 0 ? 0 : s.first + key - block.first_key + 1;
        const int partial = static_cast<int>(seeing / F32::lanes);
        hide_vectors<V>(s, key, partial + 1, V, partial, !Mask::from(seeing % F32::lanes));
    }
    // And only if i >= j - last_key: all but the first so many.
    for (int64_t key = block.last_key + 1 - s.first < 0 ? 0 : block.last_key + 1 - s.first; key < s.keys; ++key) {
        const int64_t blind = s.first + key - block.last_key < width ? s.first + key - block.last_key : width;
        const int partial = static_cast<int>(blind / F32::lanes);
        hide_vectors<V>(s, key, 0, partial, partial, Mask::from(blind % F32::lanes));
    }
}

// Everything after the softcap and before the softmax but the edges. bias: transposed, or null where there is none.
template <int V>
inline void alter_scores(const Scores& s, const AttentionBlock& block, const float* bias, Seen kept) {
    if (block.slope != 0) add_alibi<V>(s, block);
    if (bias != nullptr) add_bias<V>(s, bias);
    if (block.keep != nullptr && kept == Seen::some) apply_keep<V>(s, block);
}

}  // namespace
