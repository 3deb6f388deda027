// SPDX-License-Identifier: Apache-2.0
// The two products of a few query rows with a block of keys. Lanes run along the dimension that lies in memory:
//     s[row][key] = sum_d q[row][d] k[key][d]     as many sums at once as make whole vectors when they are reduced
//     o[row][d]  += sum_key p[row][key] v[key][d]
// Rows are read whole, one after the other as they lie, which the hardware's own fetching follows, or so in several
// places by turns, and others fetched meanwhile. To the second cache, as the first has room for fewer. The fetch is
// written out where it is done: GCC drops calls of a function that does nothing else.
#pragma once

#include <optional>

#include "kernels/decode/runs-inl.h"

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

template <int64_t kDim>
struct OfDim {
    static constexpr int64_t dim = kDim;
};

// Calls work(OfDim<dim>()) where it is the usual one, whose loops then have no ends to look after, which takes a sixth of
// the time; else work(OfDim<0>()). Others would each add a third to what is compiled.
template <typename Work>
inline void with_dim([[maybe_unused]] int64_t dim, const Work& work) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // where compiling the same once more takes minutes
    if (dim == 128) return work(OfDim<128>());
#endif
    work(OfDim<0>());
}

// Vectors of a key that are read before they are used.
constexpr int kKeyVectors = F32::lanes >= 16 ? 8 : 4;

// Whether the fetch of a line of so many bytes is due at the element `from + d`, `from` being a multiple of `step`; of 0
// bytes none is.
template <Element kType, int64_t line, int64_t step>
ATTN4J_INLINE bool fetches_at(int64_t from, int64_t d) {
    constexpr int64_t bytes = attn4j::bytes_of(kType);
    if (line == 0) return false;
    return (step * bytes % line == 0 ? d : from + d) * bytes % line == 0;
}

// Keys of a tile, which lie evenly or each somewhere.
struct EvenKeys {
    const char *first, *first_ahead;
    int64_t stride;
    const char* at(int64_t n) const { return first + n * stride; }
    const char* ahead(int64_t n) const { return first_ahead + n * stride; }
};
template <int N>
struct AnyKeys {
    const char *rows[N], *rows_ahead[N];
    explicit AnyKeys(EachRow& each) {
        for (int n = 0; n < N; ++n, each.next()) {
            rows[n] = each.at();
            rows_ahead[n] = each.ahead();
        }
    }
    const char* at(int64_t n) const { return rows[n]; }
    const char* ahead(int64_t n) const { return rows_ahead[n]; }
};

// Scores of R query rows with kSums / R keys. kFetch: of a line of what is ahead, 0 for nothing.
template <Element kType, int R, int64_t kFetch, typename Keys>
struct ScoreTile {
    static constexpr int N = kSums / R;
    // So many keys are read before they are used: about 512 bytes.
    static constexpr int kKeys = R == 1 && kType != Element::f32 && F32::lanes >= 16 ? 2 : 1;
    static constexpr bool pairs = takes_pairs<kType>();

    const Keys& keys;
    const float* q;
    int64_t q_stride;
    F32 (&s)[kSums];  // [R][N]

    ATTN4J_INLINE void run(int64_t dim) const {
        constexpr int64_t width = pairs ? kPair : F32::lanes;
        cover<pairs ? kKeyVectors / 2 : kKeyVectors>(dim / width, 0, *this);
        int64_t d = dim / width * width;
        if (pairs && d + F32::lanes <= dim) {
            add_rest(d, F32::lanes);
            d += F32::lanes;
        }
        if (d < dim) add_rest(d, dim - d);
    }

    // V vectors, or pairs of them, from the one numbered `first` on.
    template <int V>
    ATTN4J_INLINE void operator()(int64_t first) const {
        constexpr int64_t width = pairs ? kPair : F32::lanes, vectors = pairs ? 2 * V : V;
        constexpr int64_t bytes = attn4j::bytes_of(kType);
        const int64_t from = first * width;
#pragma GCC unroll 64
        for (int n = 0; n < N; n += kKeys) {
            F32 k[kKeys][vectors];
#pragma GCC unroll 64
            for (int j = 0; j < kKeys; ++j) {
                const char *const key = keys.at(n + j) + from * bytes, *const fetched =
                                                                           keys.ahead(n + j) + from * bytes;
#pragma GCC unroll 64
                for (int i = 0; i < V; ++i) {
                    if (fetches_at<kType, kFetch, V * width>(from, i * width))
                        __builtin_prefetch(fetched + i * width * bytes, 0, 2);
                    if constexpr (pairs) {
                        load_pair(key, i * width, k[j][2 * i], k[j][2 * i + 1]);
                    } else {
                        k[j][i] = load_elements(kType, key, i * width, width);
                    }
                }
                // All are read before the first is used, and before the next key's.
#pragma GCC unroll 64
                for (int i = 0; i < vectors; ++i) conceal(k[j][i]);
            }
#pragma GCC unroll 64
            for (int j = 0; j < kKeys; ++j)
#pragma GCC unroll 64
                for (int i = 0; i < vectors; ++i) add(from + i * F32::lanes, n + j, k[j][i]);
        }
    }

private:
    ATTN4J_INLINE void add_rest(int64_t d, int64_t count) const {
#pragma GCC unroll 64
        for (int n = 0; n < N; ++n) add(d, n, load_elements(kType, keys.at(n), d, count));
    }

    ATTN4J_INLINE void add(int64_t d, int n, F32 k) const {
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) s[r * N + n] = fma(F32::load(q + r * q_stride + d), k, s[r * N + n]);
    }
};

// Scores of a block of `count` keys. What is ahead is fetched for the first rows, all that there are when they wait for
// memory. kDim: the dimension, or 0 for any.
template <Element kType, int64_t kDim>
struct ScoreRows {
    RowRuns keys;
    int64_t count;
    bool fetch;      // what is ahead
    const float* q;  // [rows][q_stride], the rest of a vector 0
    int64_t q_stride, dim;
    float* scores;  // [rows][stride]
    int64_t stride;

    template <int R>
    ATTN4J_APART void operator()(int64_t row) const {
        constexpr int64_t line = fetch_bytes(kType, R, false);
        if (keys.together()) return tiles_together<R>(row);
        if (row > 0 || !fetch) return tiles<R, 0>(row);
        keys.every_line() ? tiles<R, kLineBytes>(row) : tiles<R, line>(row);
    }

private:
    template <int R, int64_t kFetch>
    ATTN4J_INLINE void tiles(int64_t row) const {
        constexpr int64_t N = kSums / R;
        RowRuns runs = keys;
        for (int64_t key = 0; key < count;) {
            const Run run = runs.take(count - key);
            for (int64_t i = 0; i < run.rows;) {
                // What is left of a run goes one by one.
                const int64_t n = run.rows - i < N ? 1 : N, offset = i * runs.stride();
                tile<R, kFetch>(row, EvenKeys{run.at + offset, run.ahead + offset, n == 1 ? 0 : runs.stride()}, key + i,
                                n);
                i += n;
            }
            key += run.rows;
        }
    }

    template <int R>
    ATTN4J_INLINE void tiles_together(int64_t row) const {
        constexpr int64_t N = kSums / R;
        EachRow each(keys, count);
        for (int64_t key = 0; key < count; key += N)
            tile<R, kLineBytes>(row, AnyKeys<N>(each), key, count - key < N ? count - key : N);
    }

    // The first n keys of a tile are those from `key` on.
    template <int R, int64_t kFetch, typename Keys>
    ATTN4J_INLINE void tile(int64_t row, const Keys& at, int64_t key, int64_t n) const {
        constexpr int64_t N = kSums / R, lanes = F32::lanes;
        F32 s[kSums];
#pragma GCC unroll 64
        for (int j = 0; j < kSums; ++j) s[j] = F32::zero();
        ScoreTile<kType, R, kFetch, Keys>{at, q + row * q_stride, q_stride, s}.run(kDim > 0 ? kDim : dim);
        alignas(64) float all[kSums];
#pragma GCC unroll 64
        for (int j = 0; j < kSums; j += lanes) {
            F32 part[lanes];
#pragma GCC unroll 64
            for (int lane = 0; lane < lanes; ++lane) part[lane] = s[j + lane];
            sums(part).store(all + j);
        }
        float* const to = scores + row * stride + key;
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            if (n == N) {
                __builtin_memcpy(to + r * stride, all + r * N, N * sizeof(float));
            } else {
                for (int64_t i = 0; i < n; ++i) to[r * stride + i] = all[r * N + i];
            }
        }
    }
};

// So many keys' values are added to all rows before the next are read, where memory is waited for: whole rows as they
// lie, so that they are in the first cache for the query rows after the first few.
constexpr int64_t kStripKeys = 16;

// Where the last `most` rows or fewer begin, which no longer wait for a strip's values as the first ones do.
constexpr int64_t last_rows(int64_t rows, int64_t most) { return (rows - 1) / most * most; }

// Calls add(values, begin, count) with each strip of n keys. The first cache, where values stream through, loses the
// weights [rows][stride]: those of the next strip are fetched.
template <typename Weight, typename Add>
inline void for_each_strip(const RowRuns& values, int64_t n, int64_t strip, const Weight* weights, int64_t stride,
                           int64_t rows, const Add& add) {
    for_each_strip(values, n, strip, [&](const RowRuns& of_strip, int64_t begin, int64_t count) {
        for (int64_t row = 0; row < rows && begin + count < n; ++row)
            __builtin_prefetch(weights + row * stride + begin + count, 0, 3);
        add(of_strip, begin, count);
    });
}

// Where there are 32 registers of 16 lanes, they keep the sums of so many rows over 128 columns, and one the vector of
// values that meets them: values are then read once, as they lie, which is all that the hardware's own fetching needs
// (an EPYC of 2022: 9.5 ms for the 12.1 that float32 took by two rows; every line fetched as well 11.7).
constexpr int kWholeRows = F32::lanes >= 16 ? 4 : 0;

// Weights of `count` keys times their values. kHidden: a weight of -0 marks a value that must not be touched (0 *
// NaN is NaN); all else is formed as without.
template <Element kType, bool kHidden, int64_t kDim>
struct ValueRows {
    static constexpr bool whole = kWholeRows > 0 && !kHidden;
    static constexpr int most_rows = whole || !waits_for_memory(kType, 4) ? 4 : 2;

    RowRuns values;
    int64_t count;
    int64_t fetching_row;  // what is ahead is fetched while this one is the first of those added to; -1 for none
    const float* weights;  // [rows][stride]
    int64_t stride;
    int64_t dim;
    float* out;  // [rows][out_stride]
    int64_t out_stride;
    const float* rescale;  // [rows], owed to out, or null
    bool fresh;            // out holds nothing yet

    template <int R>
    ATTN4J_APART void operator()(int64_t row) const {
        constexpr int64_t line = fetch_bytes(kType, R, false);
        if (row != fetching_row) return columns<R, 0>(row);
        values.every_line() ? columns<R, kLineBytes>(row) : columns<R, line>(row);
    }

private:
    template <int R, int64_t kFetch>
    ATTN4J_INLINE void columns(int64_t row) const {
        constexpr int rows = R <= 2 ? 2 : 4, sums = whole && R == kWholeRows ? 32 : kSums;
        constexpr int most = sums / rows < 2 ? 2 : sums / rows;
        constexpr int64_t lanes = F32::lanes;
        const int64_t dim = kDim > 0 ? kDim : this->dim;
        int64_t d = 0;
        if constexpr (takes_pairs<kType>()) {
            cover<most / 2>(dim / kPair, 0, Columns<R, true, kFetch>{*this, row});
            d = dim / kPair * kPair;
        } else {
            cover<most>(dim / lanes, 0, Columns<R, false, kFetch>{*this, row});
            d = dim / lanes * lanes;
        }
        for (; dim - d >= lanes; d += lanes) add<R, 1, false, kFetch>(row, d, lanes);
        if (d < dim) add<R, 1, false, kFetch>(row, d, dim - d);
    }

    template <int R, bool kPairs, int64_t kFetch>
    struct Columns {
        const ValueRows& of;
        int64_t row;
        // N vectors, or pairs of them, from the one numbered `at` on.
        template <int N>
        ATTN4J_INLINE void operator()(int64_t at) const {
            constexpr int per = kPairs ? 2 : 1;
            of.add<R, per * N, kPairs, kFetch>(row, at * per * F32::lanes, F32::lanes);
        }
    };

    // C vectors from d on; where C is 1, n elements.
    template <int R, int C, bool kPairs, int64_t kFetch>
    ATTN4J_INLINE void add(int64_t row, int64_t d, int64_t n) const {
        constexpr int64_t lanes = F32::lanes, bytes = attn4j::bytes_of(kType);
        float* const to = out + row * out_stride + d;
        const float* const p = weights + row * stride;
        F32 o[R][C];
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            const F32 factor = rescale == nullptr ? F32::set(1) : F32::set(rescale[row + r]);
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c)
                o[r][c] = fresh ? F32::zero() : F32::load(to + r * out_stride + c * lanes) * factor;
        }
        const bool even = values.even(count);
        std::optional<RowRuns> runs;  // a copy takes as long as some keys do
        if (!even) runs = values;
        for (int64_t key = 0; key < count;) {
            const Run run = even ? values.look(count) : runs->take(count - key);
            const char *value = run.at + d * bytes, *ahead = run.ahead + d * bytes;
            for (int64_t i = 0; i < run.rows; ++i, ++key) {
                if constexpr (whole && R == kWholeRows) {
                    add_by_vectors<R, C, kPairs, kFetch>(value, ahead, d, n, p + key, o);
                } else {
                    add_by_rows<R, C, kPairs, kFetch>(value, ahead, d, n, p + key, o);
                }
                value += values.stride();
                ahead += values.stride();
            }
        }
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) o[r][c].store(to + r * out_stride + c * lanes);
    }

    // A value's C vectors are read before the first is used.
    template <int R, int C, bool kPairs, int64_t kFetch>
    ATTN4J_INLINE void add_by_rows(const char* value, const char* ahead, int64_t d, int64_t n, const float* p,
                                   F32 (&o)[R][C]) const {
        constexpr int64_t lanes = F32::lanes, bytes = attn4j::bytes_of(kType);
        F32 v[C];
#pragma GCC unroll 64
        for (int c = 0; c < C; ++c) {
            if (fetches_at<kType, kFetch, C * lanes>(d, c * lanes)) __builtin_prefetch(ahead + c * lanes * bytes, 0, 2);
            if (!kPairs) v[c] = load_elements(kType, value, c * lanes, n);
            if (kPairs && c % 2 == 0) load_pair(value, c * lanes, v[c], v[c + 1]);
        }
#pragma GCC unroll 64
        for (int c = 0; c < C; ++c) conceal(v[c]);
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            const Splat weight = Splat::load(p + r * stride);
            if (kHidden && __builtin_signbit(p[r * stride])) continue;
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) o[r][c] = fma(weight, v[c], o[r][c]);
        }
    }

    // Each vector, or pair of them, meets all rows before the next is read, and weights are read where they are used.
    template <int R, int C, bool kPairs, int64_t kFetch>
    ATTN4J_INLINE void add_by_vectors(const char* value, const char* ahead, int64_t d, int64_t n, const float* p,
                                      F32 (&o)[R][C]) const {
        constexpr int64_t lanes = F32::lanes, bytes = attn4j::bytes_of(kType);
        constexpr int per = kPairs ? 2 : 1;
#pragma GCC unroll 64
        for (int c = 0; c < C; c += per) {
            if (fetches_at<kType, kFetch, C * lanes>(d, c * lanes)) __builtin_prefetch(ahead + c * lanes * bytes, 0, 2);
            F32 v[2];
            if (kPairs) {
                load_pair(value, c * lanes, v[0], v[1]);
            } else {
                v[0] = load_elements(kType, value, c * lanes, n);
            }
#pragma GCC unroll 2
            for (int i = 0; i < per; ++i) {
                conceal(v[i]);
#pragma GCC unroll 64
                for (int r = 0; r < R; ++r) o[r][c + i] = fma_from(p + r * stride, v[i], o[r][c + i]);
            }
        }
    }
};

}  // namespace
