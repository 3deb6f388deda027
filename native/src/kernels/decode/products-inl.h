// SPDX-License-Identifier: Apache-2.0
// The two products of a few query rows with a block of keys. Lanes run along the dimension that lies in memory:
//     s[row][key] = sum_d q[row][d] k[key][d]     as many sums at once as make whole vectors when they are reduced
//     o[row][d]  += sum_key p[row][key] v[key][d]
// Rows of the cache are found by their addresses, and while a block is worked on the next one is fetched, a line for
// each line that is read, keys while keys are: a core drops fetches it has no room for, and has little (an EPYC of
// 2022: 24 lines; fetched a row at a time decoding takes 1.3 times as long, keys and values in turns 1.2 times). To the
// second cache, as the first has room for fewer. It is written out where it is done: GCC drops calls of a function that
// does nothing else.
#pragma once

#include "kernels/decode/rows-inl.h"

namespace {

// bfloat16 widens cheapest by pairs, even elements apart from odd ones: what meets them is kept in that order, as far
// as there are whole pairs of vectors.
template <Element kType>
constexpr bool takes_pairs() {
    return kType == Element::bf16;
}
constexpr int64_t kPair = 2 * F32::lanes;

ATTN4J_INLINE void load_pair(const char* row, int64_t d, F32& even, F32& odd) {
    F32::load_bf16_pair(reinterpret_cast<const uint16_t*>(row) + d, even, odd);
}

constexpr int64_t kBlockKeys = 64;

// Whether element d of a row begins a line of it.
template <Element kType>
ATTN4J_INLINE bool begins_line(int64_t d) {
    return d * attn4j::bytes_of(kType) % kLineBytes == 0;
}

// Of R query rows with kSums / R keys over n <= lanes elements from d on.
template <Element kType, int R>
ATTN4J_INLINE void add_products(const char* const* keys, const float* q, int64_t q_stride, int64_t d, int64_t n,
                                F32 (&s)[kSums]) {
    constexpr int N = kSums / R;
    F32 k[N];
#pragma GCC unroll 64
    for (int i = 0; i < N; ++i) k[i] = load_elements(kType, keys[i], d, n);
#pragma GCC unroll 64
    for (int r = 0; r < R; ++r) {
        const F32 x = F32::load(q + r * q_stride);
#pragma GCC unroll 64
        for (int i = 0; i < N; ++i) s[r * N + i] = fma(x, k[i], s[r * N + i]);
    }
}

// Scores of R query rows with kSums / R keys.
template <Element kType, int R, bool kFetch>
ATTN4J_INLINE void score_tile(const char* const* keys, const char* const* next, const float* q, int64_t q_stride,
                              int64_t dim, float* to) {
    constexpr int lanes = F32::lanes, N = kSums / R;
    F32 s[kSums];
#pragma GCC unroll 64
    for (int i = 0; i < kSums; ++i) s[i] = F32::zero();
    int64_t d = 0;
    if constexpr (takes_pairs<kType>()) {
        for (; d + kPair <= dim; d += kPair) {
            F32 even[N], odd[N];
#pragma GCC unroll 64
            for (int n = 0; n < N; ++n) {
                if (kFetch && begins_line<kType>(d)) __builtin_prefetch(next[n] + d * attn4j::bytes_of(kType), 0, 2);
                load_pair(keys[n], d, even[n], odd[n]);
            }
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) {
                const F32 x = F32::load(q + r * q_stride + d), y = F32::load(q + r * q_stride + d + lanes);
#pragma GCC unroll 64
                for (int n = 0; n < N; ++n) s[r * N + n] = fma(y, odd[n], fma(x, even[n], s[r * N + n]));
            }
        }
    }
    for (; d + lanes <= dim; d += lanes) {
#pragma GCC unroll 64
        for (int n = 0; kFetch && n < N; ++n)
            if (begins_line<kType>(d)) __builtin_prefetch(next[n] + d * attn4j::bytes_of(kType), 0, 2);
        add_products<kType, R>(keys, q + d, q_stride, d, lanes, s);
    }
    if (d < dim) add_products<kType, R>(keys, q + d, q_stride, d, dim - d, s);
    alignas(64) float all[kSums];
#pragma GCC unroll 64
    for (int i = 0; i < kSums; i += lanes) {
        F32 part[lanes];
#pragma GCC unroll 64
        for (int lane = 0; lane < lanes; ++lane) part[lane] = s[i + lane];
        sums(part).store(all + i);
    }
#pragma GCC unroll 64
    for (int r = 0; r < R; ++r) __builtin_memcpy(to + r * kBlockKeys, all + r * N, N * sizeof(float));
}

// Scores of a block of `count` keys; addresses and scores reach up to a multiple of kSums.
template <Element kType>
struct ScoreRows {
    const char *const *keys, *const *next;
    int64_t count;
    const float* q;  // [rows][q_stride], the rest of a vector 0
    int64_t q_stride, dim;
    float* scores;  // [rows][kBlockKeys]

    template <int R>
    ATTN4J_APART void operator()(int64_t row) const {
        row == 0 && next != nullptr ? tiles<R, true>(row) : tiles<R, false>(row);
    }

    template <int R, bool kFetch>
    ATTN4J_INLINE void tiles(int64_t row) const {
        constexpr int64_t N = kSums / R;
        for (int64_t key = 0; key < count; key += N)
            score_tile<kType, R, kFetch>(keys + key, next + key, q + row * q_stride, q_stride, dim,
                                         scores + row * kBlockKeys + key);
    }
};

// The rows of the next block, gone through as they lie while this one's are read a few columns at a time.
struct Ahead {
    const char* const* row;
    int64_t row_bytes, byte = 0;

    ATTN4J_INLINE void skip(int64_t bytes) {
        byte += bytes;
        if (byte < row_bytes) return;
        byte = 0;
        ++row;
    }
};

// Weights of a block of keys times their values. kHidden: a weight of -0 marks a value that must not be touched (0 *
// NaN is NaN); all else is formed as without.
template <Element kType, bool kHidden>
struct ValueRows {
    const char *const *values, *const *next;
    int64_t count;
    const float* weights;  // [rows][kBlockKeys]
    int64_t dim;
    float* out;  // [rows][out_stride]
    int64_t out_stride;
    const float* rescale;  // [rows], owed to out; null where out holds nothing yet

    template <int R>
    ATTN4J_APART void operator()(int64_t row) const {
        row == 0 && next != nullptr ? all_columns<R, true>(row) : all_columns<R, false>(row);
    }

    template <int R, bool kFetch>
    ATTN4J_INLINE void all_columns(int64_t row) const {
        constexpr int C = kSums / 4 < 2 ? 2 : kSums / 4;
        constexpr int64_t lanes = F32::lanes;
        Ahead ahead{next, dim * attn4j::bytes_of(kType)};
        int64_t d = 0;
        if constexpr (takes_pairs<kType>()) {
            for (; dim - d >= C * lanes; d += C * lanes) columns<R, C, true, kFetch>(row, d, lanes, ahead);
            for (; dim - d >= kPair; d += kPair) columns<R, 2, true, kFetch>(row, d, lanes, ahead);
        } else {
            for (; dim - d >= C * lanes; d += C * lanes) columns<R, C, false, kFetch>(row, d, lanes, ahead);
        }
        for (; dim - d >= lanes; d += lanes) columns<R, 1, false, kFetch>(row, d, lanes, ahead);
        if (d < dim) columns<R, 1, false, kFetch>(row, d, dim - d, ahead);
    }

    template <int R, int C, bool kPairs>
    ATTN4J_INLINE void add_key(const float* p, int64_t key, int64_t d, int64_t n, F32 (&o)[R][C]) const {
        const char* const value = values[key];
        F32 v[C];
#pragma GCC unroll 64
        for (int c = 0; c < C; ++c) {
            if (!kPairs) v[c] = load_elements(kType, value, d + c * F32::lanes, n);
            if (kPairs && c % 2 == 0) load_pair(value, d + c * F32::lanes, v[c], v[c + 1]);
        }
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            const Splat weight = Splat::load(p + r * kBlockKeys + key);
            if (kHidden && __builtin_signbit(p[r * kBlockKeys + key])) continue;
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) o[r][c] = fma(weight, v[c], o[r][c]);
        }
    }

    // C vectors from d on; where C is 1, n elements.
    template <int R, int C, bool kPairs, bool kFetch>
    ATTN4J_INLINE void columns(int64_t row, int64_t d, int64_t n, Ahead& ahead) const {
        constexpr int64_t lanes = F32::lanes;
        float* const to = out + row * out_stride + d;
        const float* const p = weights + row * kBlockKeys;
        F32 o[R][C];
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            const F32 factor = rescale == nullptr ? F32::zero() : F32::set(rescale[row + r]);
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c)
                o[r][c] = rescale == nullptr ? F32::zero() : F32::load(to + r * out_stride + c * lanes) * factor;
        }
        for (int64_t key = 0; key < count; ++key) {
            if (kFetch) {
                constexpr int64_t bytes = C * lanes * attn4j::bytes_of(kType);
#pragma GCC unroll 64
                for (int64_t i = 0; i < bytes; i += kLineBytes)
                    if (bytes >= kLineBytes || ahead.byte % kLineBytes == 0)
                        __builtin_prefetch(*ahead.row + ahead.byte + i, 0, 2);
                ahead.skip(bytes);
            }
            add_key<R, C, kPairs>(p, key, d, n, o);
        }
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) o[r][c].store(to + r * out_stride + c * lanes);
    }
};

}  // namespace
