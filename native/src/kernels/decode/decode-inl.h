// SPDX-License-Identifier: Apache-2.0
// The body of decode.h, written once over the vector type.
#pragma once

#include "kernels/decode/merge-inl.h"
#include "kernels/decode/products-inl.h"
#include "kernels/decode/soften-inl.h"

namespace {

// More rows than this read a block from its float32 copy: widened once, not once for each few rows.
constexpr int64_t kFewRows = 8;

// A block's rows as float32, in `copy` [rows][stride]. Meanwhile the rows `next` are fetched.
inline void widen_block(const attn4j::CacheRows& cache, int64_t dim, float* copy, int64_t stride,
                        const char* const* next, RowAddresses& rows) {
    const int64_t row_bytes = dim * attn4j::bytes_of(cache.type);
    with_type(cache.type, [&](auto of) {
        for (int64_t i = 0; i < rows.n; ++i) {
            for (int64_t byte = 0; byte < row_bytes; byte += kLineBytes) __builtin_prefetch(next[i] + byte, 0, 2);
            widen_row<decltype(of)::type>(rows.at[i], cache.scales == nullptr ? 1.0f : rows.scales[i], dim,
                                          copy + i * stride);
        }
    });
    for (int64_t i = 0; i < round_up(rows.n, kSums); ++i)
        rows.at[i] = reinterpret_cast<const char*>(i < rows.n ? copy + i * stride : copy);
}

inline bool finite_rows(const RowAddresses& rows, Element type, int64_t dim) {
    // 0 * x is 0 for a finite x and NaN otherwise, and a NaN stays in the sum.
    F32 total = F32::zero();
    for (int64_t i = 0; i < rows.n; ++i)
        for (int64_t d = 0; d < dim; d += F32::lanes)
            total = fma(load_elements(type, rows.at[i], d, dim - d < F32::lanes ? dim - d : F32::lanes), F32::zero(),
                        total);
    return !any(!(total == F32::zero()));
}

struct Decoding {
    const DecodeChunk& c;
    int64_t rows, q_stride, out_stride;
    Element k_type, v_type;  // of what the products read
    float* q;                // [rows][q_stride], times scale * log2(e)
    float* scores;           // [rows][kBlockKeys]
    float* copy;             // [kBlockKeys][copy_stride]
    int64_t copy_stride;
    DecodeState state;
    bool fresh;  // out holds nothing yet

    explicit Decoding(const DecodeChunk& chunk) : c(chunk) {
        rows = c.group * c.queries;
        q_stride = round_up(c.head_dim, F32::lanes);
        out_stride = round_up(c.value_dim, F32::lanes);
        copy_stride = q_stride > out_stride ? q_stride : out_stride;
        k_type = rows > kFewRows ? Element::f32 : c.k.type;
        v_type = rows > kFewRows ? Element::f32 : c.v.type;
        q = c.workspace;
        scores = q + kMostRows * q_stride;
        state.begin(rows, scores + kMostRows * kBlockKeys);
        copy = state.sums + kMostRows * F32::lanes;
        fresh = true;
        load_rows();
    }

    void load_rows() {
        const F32 factor = score_factor(c.scale, c.softcap);
        for (int64_t row = 0; row < rows; ++row) {
            const int64_t from = row / c.queries * c.q_head_stride + row % c.queries * c.q_stride;
            float* const to = q + row * q_stride;
            for (int64_t d = 0; d < c.head_dim; d += F32::lanes) {
                const int64_t n = c.head_dim - d < F32::lanes ? c.head_dim - d : F32::lanes;
                (load_elements(c.q_type, c.q, from + d, n) * factor).store(to + d);
            }
            for (int64_t d = 0; k_type == Element::bf16 && d + kPair <= c.head_dim; d += kPair) {
                F32 even = F32::load(to + d), odd = F32::load(to + d + F32::lanes);
                unzip(even, odd);
                even.store(to + d);
                odd.store(to + d + F32::lanes);
            }
        }
    }

    // A block of keys with their values; `next` is the one after it.
    void take(int64_t first, KeyValueRows& block, const KeyValueRows& next) {
        RowAddresses &keys = block.keys, &values = block.values;
        if (all_hidden(c, first, keys.n)) return;
        const bool keys_widen = k_type != c.k.type, values_widen = v_type != c.v.type;
        const char *const *const next_keys = next.keys.at, *const *const next_values = next.values.at;
        if (keys_widen) widen_block(c.k, c.head_dim, copy, copy_stride, next_keys, keys);
        score(keys, keys_widen ? nullptr : next_keys);
        const DecodeBlock of_block{scores,
                                   kBlockKeys,
                                   first,
                                   keys.n,
                                   k_type == Element::i8 ? keys.scales : nullptr,
                                   v_type == Element::i8 ? values.scales : nullptr};
        const bool hides = soften_rows(c, of_block, rows, state, [] {});
        if (values_widen) widen_block(c.v, c.value_dim, copy, copy_stride, next_values, values);
        const char* const* const fetched = values_widen ? nullptr : next_values;
        hides && !finite_rows(values, v_type, c.value_dim) ? add<true>(values, fetched) : add<false>(values, fetched);
        fresh = false;
    }

    // Meanwhile the rows `next` are fetched, if it is not null.
    void score(const RowAddresses& keys, const char* const* next) const {
        with_type(k_type, [&](auto of) {
            cover<4>(rows, 0, ScoreRows<decltype(of)::type>{keys.at, next, keys.n, q, q_stride, c.head_dim, scores});
        });
    }

    template <bool kHidden>
    void add(const RowAddresses& values, const char* const* next) const {
        with_type(v_type, [&](auto of) {
            cover<4>(rows, 0,
                     ValueRows<decltype(of)::type, kHidden>{values.at, next, values.n, scores, c.value_dim, c.partial,
                                                            out_stride, fresh ? nullptr : state.rescale});
        });
    }

    void finish() const {
        state.finish(rows, c.partial + rows * out_stride);
        if (v_type != Element::bf16 || fresh) return;
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t d = 0; d + kPair <= c.value_dim; d += kPair) {
                float* const out = c.partial + row * out_stride + d;
                F32 even = F32::load(out), odd = F32::load(out + F32::lanes);
                zip(even, odd);
                even.store(out);
                odd.store(out + F32::lanes);
            }
    }
};

// Calls take(first, block, next) with each block of a chunk's keys and the one after it, until the call is cancelled.
template <typename Take>
inline void for_each_block(const DecodeChunk& c, const Take& take) {
    const KeyRange range(c, 1);
    KeyValueRows blocks[2];
    if (range.begin < range.end) find_block(c, range.begin, kBlockKeys, 1, blocks[0]);
    for (int64_t first = range.begin, i = 0; first < range.end && !attn4j::is_set(c.cancelled);
         first += kBlockKeys, ++i) {
        KeyValueRows &block = blocks[i % 2], &next = blocks[(i + 1) % 2];
        find_block(c, first + kBlockKeys, kBlockKeys, 1, next);
        take(first, block, next.keys.n > 0 ? next : block);
    }
}

inline void decode(const DecodeChunk& c) {
    Decoding decoding(c);
    for_each_block(
        c, [&](int64_t first, KeyValueRows& block, const KeyValueRows& next) { decoding.take(first, block, next); });
    decoding.finish();
}

inline int64_t decode_workspace_floats(int64_t head_dim, int64_t value_dim) {
    const int64_t q = round_up(head_dim, F32::lanes), v = round_up(value_dim, F32::lanes);
    return kMostRows * (q + kBlockKeys + F32::lanes) + kBlockKeys * (q > v ? q : v);
}

// Floats of a kernel that leaves some chunks to decode().
inline int64_t or_plain(int64_t floats, int64_t head_dim, int64_t value_dim) {
    const int64_t plain = decode_workspace_floats(head_dim, value_dim);
    return floats > plain ? floats : plain;
}

template <typename Tiles>
constexpr attn4j::DecodeKernel decode_kernel() {
    return {kMostRows,   Tiles::most_decode_queries, 1024, decode_partial_floats, decode_workspace_floats, decode,
            merge_chunks};
}

}  // namespace
