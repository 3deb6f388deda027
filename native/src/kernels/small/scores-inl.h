// SPDX-License-Identifier: Apache-2.0
// Of up to a vector of rows the weights of all keys: p[key][width], where the width is the next power of two, so that a
// vector holds lanes / width keys and the softmax takes hardly more exponentials than there are weights.
// Scores of a full vector of rows are formed as attention-inl.h does it, those of fewer as decode-inl.h does it.
#pragma once

#include "kernels/decode/products-inl.h"
#include "kernels/decode/soften-inl.h"

namespace {

constexpr int64_t kSmallKeys = 64;

// Rows [first, first + count) of those of a key-value head, and their keys [begin, begin + keys).
struct SmallRows {
    const DecodeChunk& c;
    int64_t begin, keys, first, count;
    float* scores;  // [keys][width], then weights
    int64_t width = 0;
    // Of the sums, one a row; as long as the widest vector, which no tile exceeds.
    alignas(64) float inverse[16] = {};

    int64_t head_of(int64_t row) const { return c.group == 1 ? 0 : (first + row) / c.queries; }
    int64_t query_of(int64_t row) const { return c.group == 1 ? first + row : (first + row) % c.queries; }
    int64_t element_of(int64_t row, int64_t head_stride, int64_t stride) const {
        return c.group == 1 ? (first + row) * stride : head_of(row) * head_stride + query_of(row) * stride;
    }
};

// Parts of a workspace.
struct SmallMemory {
    static constexpr int64_t rows = kSmallKeys > F32::lanes ? kSmallKeys : F32::lanes;
    float *scores, *added;        // [rows][lanes]; added: by a bias and a mask
    float *transposed, *queries;  // [head_dim][lanes], [lanes][head_dim]
    float *keys, *values;         // [rows][head_dim], [rows][value_dim] as float32
    // What `added` was made for.
    const float* bias = nullptr;
    const uint8_t* keep = nullptr;
    int64_t first = -1;

    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return 2 * (rows + head_dim) * F32::lanes + rows * (head_dim + value_dim);
    }
    SmallMemory(float* workspace, int64_t head_dim)
        : scores(workspace),
          added(scores + rows * F32::lanes),
          transposed(added + rows * F32::lanes),
          queries(transposed + head_dim * F32::lanes),
          keys(queries + head_dim * F32::lanes),
          values(keys + rows * head_dim) {}
};

inline void advance_rows(attn4j::CacheRows& rows, int64_t stride, int64_t scale_stride) {
    rows.data = static_cast<const char*>(rows.data) + stride * attn4j::bytes_of(rows.type);
    if (rows.scales != nullptr) rows.scales += scale_stride;
}

// Queries of `rows`: where they lie if they are evenly spaced float32 and fill a vector, else copied, with 0 for rows
// that there are not.
inline Rows small_queries(const SmallRows& rows, float* buffer) {
    const DecodeChunk& c = rows.c;
    const bool even = c.group == 1 || c.queries == 1 || c.q_head_stride == c.queries * c.q_stride;
    const int64_t stride = c.queries == 1 ? c.q_head_stride : c.q_stride;
    if (even && c.q_type == Element::f32 && rows.count == rows.width)
        return {static_cast<const float*>(c.q) + rows.first * stride, stride};
    for (int64_t row = 0; row < rows.width; ++row)
        for (int64_t d = 0; d < c.head_dim; d += F32::lanes) {
            const int64_t n = c.head_dim - d < F32::lanes ? c.head_dim - d : F32::lanes;
            const F32 x = row < rows.count
                              ? load_elements(c.q_type, c.q, rows.element_of(row, c.q_head_stride, c.q_stride) + d, n)
                              : F32::zero();
            store_some(x, buffer + row * c.head_dim + d, n);
        }
    return {buffer, c.head_dim};
}

// Addresses of N rows: every third, and the two after it by indexing, so that they do not take N registers.
template <int N>
struct ThirdRows {
    const float* third[(N + 2) / 3];
    int64_t stride;

    ATTN4J_INLINE ThirdRows(const Rows& rows, int64_t first) : stride(rows.stride) {
#pragma GCC unroll 64
        for (int i = 0; i < (N + 2) / 3; ++i) third[i] = rows.data + (first + 3 * i) * stride;
    }
    ATTN4J_INLINE const float* row(int i) const { return third[i / 3] + i % 3 * stride; }
};

// Scores of kWidth rows with G * lanes / kWidth keys, as they lie one behind the other: lanes are (key, row).
template <int kWidth, int G>
ATTN4J_INLINE void score_some(const Rows& q, const Rows& k, int64_t key, int64_t dim, F32 factor, float* to) {
    constexpr int lanes = F32::lanes, N = G * lanes / kWidth;
    const ThirdRows<kWidth> queries(q, 0);
    const ThirdRows<N> keys(k, key);
    F32 s[N * kWidth];
#pragma GCC unroll 64
    for (int i = 0; i < N * kWidth; ++i) s[i] = F32::zero();
    const auto add = [&](int64_t d, int64_t n) {
        F32 x[kWidth];
#pragma GCC unroll 64
        for (int r = 0; r < kWidth; ++r) x[r] = load_some(queries.row(r) + d, n);
#pragma GCC unroll 64
        for (int j = 0; j < N; ++j) {
            const F32 y = load_some(keys.row(j) + d, n);
#pragma GCC unroll 64
            for (int r = 0; r < kWidth; ++r) s[j * kWidth + r] = fma(x[r], y, s[j * kWidth + r]);
        }
    };
    int64_t d = 0;
    for (; d + lanes <= dim; d += lanes) add(d, lanes);
    if (d < dim) add(d, dim - d);
#pragma GCC unroll 64
    for (int g = 0; g < G; ++g) {
        F32 part[lanes];
#pragma GCC unroll 64
        for (int i = 0; i < lanes; ++i) part[i] = s[g * lanes + i];
        (sums(part) * factor).store(to + g * lanes);
    }
}

// Scores of a vector of rows, transposed and scaled.
struct SmallScores {
    const Rows& k;
    const float* q;  // [dim][lanes]
    int64_t dim;
    float* to;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t key) const {
        Tile<R, 1> s;
        s.zero();
        s.add_rows(k.data + key * k.stride, k.stride, q, dim);
        s.store(to + key * F32::lanes);
    }
};

// Scores of all keys, in units of log2.
template <typename Tiles, int kWidth>
inline void score_small(const SmallRows& rows, const Rows& k, const SmallMemory& memory) {
    const DecodeChunk& c = rows.c;
    const F32 factor = score_factor(c.scale, c.softcap);
    const Rows q = small_queries(rows, memory.queries);
    if constexpr (kWidth == F32::lanes) {
        transpose_in<1>(rows.count, c.head_dim, factor, memory.transposed,
                        [&](int64_t row, int64_t d, int64_t n) { return load_some(q.data + row * q.stride + d, n); });
        cover<Tiles::rows(1)>(rows.keys, 0, SmallScores{k, memory.transposed, c.head_dim, rows.scores});
    } else {
        constexpr int N = F32::lanes / kWidth, G = kSums / F32::lanes;
        int64_t key = 0;
        for (; key + G * N <= rows.keys; key += G * N)
            score_some<kWidth, G>(q, k, key, c.head_dim, factor, rows.scores + key * kWidth);
        for (; key < rows.keys; key += N) {
            // The last tile goes back over keys that are done.
            const int64_t first = key + N <= rows.keys ? key : rows.keys - N;
            score_some<kWidth, 1>(q, k, first, c.head_dim, factor, rows.scores + first * kWidth);
        }
    }
}

}  // namespace
