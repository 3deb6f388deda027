// SPDX-License-Identifier: Apache-2.0
// The body of decode.h where queries, keys and values are bfloat16 and vectors multiply its pairs: nothing is widened,
// and an instruction does two multiply-adds a lane. Weights are rounded to bfloat16; products treat subnormal numbers
// as 0.
//     s[row][key] = sum_d q[row][d] k[key][d]      four rows by the quarters of a vector, which meet the same eight d
//     o[row][d]  += sum_key p[row][key] v[key][d]  lanes along d, pairs of keys
#pragma once

#include "kernels/decode/decode-inl.h"
#include "kernels/decode/infinite-inl.h"
#include "kernels/decode/zipped-inl.h"

namespace {

constexpr int64_t kQuarters = 4;
constexpr int64_t kQuarterDims = 8;  // numbers of a quarter

// So many keys at once are multiplied with rows.
constexpr int64_t kPairStripKeys = 128;

// Products of so many fours of rows, kGroups, with a strip of n keys; the rows behind the last one are 0.
template <int kGroups>
struct PairScores {
    RowRuns keys;
    int64_t n, head_dim;
    bool fetch;         // what is ahead
    const uint16_t* q;  // kGroups times [head_dim / kQuarterDims, rounded up][kQuarters][kQuarterDims]
    float* products;    // kGroups times [kPairStripKeys / 4][kQuarters][4 keys]

    void run() const {
        const int64_t whole = head_dim / kQuarterDims, left = head_dim % kQuarterDims;
        constexpr int most = kGroups == 1 ? 16 : 8;  // 16 are 128 numbers, most often all there are
        if (fetch) {
            cover<most>(whole, 0, Eighths<true>{*this});
        } else {
            cover<most>(whole, 0, Eighths<false>{*this});
        }
        if (left > 0) add<1, false>(whole, [&](const uint16_t* key) { return Pairs::repeat_first(key, left); });
    }

private:
    template <bool kFetch>
    struct Eighths {
        const PairScores& scores;
        template <int N>
        ATTN4J_APART void operator()(int64_t first) const {
            scores.template add<N, kFetch>(first, Pairs::repeat);
        }
    };

    // The part of the sums over N times eight numbers: those of the rows stay in registers while keys pass by.
    template <int N, bool kFetch, typename Repeat>
    ATTN4J_INLINE void add(int64_t first, const Repeat& repeat) const {
        constexpr int64_t bytes = kQuarterDims * sizeof(uint16_t);
        Pairs rows[kGroups][N];
#pragma GCC unroll 2
        for (int g = 0; g < kGroups; ++g)
#pragma GCC unroll 16
            for (int i = 0; i < N; ++i)
                rows[g][i] =
                    Pairs::load(q + (g * round_up(head_dim, kQuarterDims) + (first + i) * kQuarterDims) * kQuarters);
        EachRow each(keys, n);
        for (int64_t key = 0; key < n; key += 4) {
            F32 s[kGroups][4];
#pragma GCC unroll 4
            for (int k = 0; k < 4; ++k) {
                const char *at = each.at() + first * bytes, *ahead = each.ahead() + first * bytes;
                // Or GCC keeps every sum of first and i in a register, for which there are not enough.
                conceal(at);
                conceal(ahead);
#pragma GCC unroll 2
                for (int g = 0; g < kGroups; ++g) s[g][k] = F32::zero();
#pragma GCC unroll 16
                for (int j = 0; j < N; ++j) {
                    // `first` is a multiple of N.
                    if (kFetch &&
                        fetches_at<Element::bf16, kLineBytes, N * kQuarterDims>(first * kQuarterDims, j * kQuarterDims))
                        __builtin_prefetch(ahead + j * bytes, 0, 2);
                    const Pairs x = repeat(reinterpret_cast<const uint16_t*>(at + j * bytes));
#pragma GCC unroll 2
                    for (int g = 0; g < kGroups; ++g) s[g][k] = dot(rows[g][j], x, s[g][k]);
                }
                each.next();
            }
#pragma GCC unroll 2
            for (int g = 0; g < kGroups; ++g) {
                float* const to = products + (g * kPairStripKeys + key) * kQuarters;
                const F32 sum = sums_of_quarters(s[g]);
                (first == 0 ? sum : F32::load(to) + sum).store(to);
            }
        }
    }
};

// Weights of `count` keys times their values, columns in the order of ZippedHalves.
struct PairValues {
    static constexpr int64_t dims = ZippedHalves::dims;

    RowRuns values;
    int64_t count;
    int64_t fetching_row;     // as in ValueRows
    const uint16_t* weights;  // [rows][stride]; 0 behind the last key, if their number is odd
    int64_t stride;
    int64_t dim;
    float* out;  // [rows][out_stride]
    int64_t out_stride;
    const float* rescale;  // [rows], owed to out, or null
    bool fresh;            // out holds nothing yet
    bool careful;          // infinities and NaN count as 0

    template <int R>
    ATTN4J_APART void operator()(int64_t row) const {
        careful               ? columns<R, true, false>(row)
        : row == fetching_row ? columns<R, false, true>(row)
                              : columns<R, false, false>(row);
    }

private:
    template <int R, bool kCareful, bool kFetch>
    ATTN4J_INLINE void columns(int64_t row) const {
        int64_t d = 0;
        if constexpr (R <= 2)
            for (; dim - d >= 4 * dims; d += 4 * dims) add<R, 4, kCareful, kFetch>(row, d, Pairs::load);
        for (; dim - d >= 2 * dims; d += 2 * dims) add<R, 2, kCareful, kFetch>(row, d, Pairs::load);
        for (; dim - d >= dims; d += dims) add<R, 1, kCareful, kFetch>(row, d, Pairs::load);
        if (d < dim)
            add<R, 1, kCareful, kFetch>(row, d,
                                        [&](const uint16_t* value) { return Pairs::load_first(value, dim - d); });
    }

    // C times `dims` columns from d on.
    template <int R, int C, bool kCareful, bool kFetch, typename Load>
    ATTN4J_INLINE void add(int64_t row, int64_t d, const Load& load) const {
        constexpr int64_t lanes = F32::lanes, bytes = sizeof(uint16_t);
        float* const to = out + row * out_stride + d;
        F32 o[R][2 * C];
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            const F32 factor = rescale == nullptr ? F32::set(1) : F32::set(rescale[row + r]);
#pragma GCC unroll 64
            for (int c = 0; c < 2 * C; ++c)
                o[r][c] = fresh ? F32::zero() : F32::load(to + r * out_stride + c * lanes) * factor;
        }
        const uint16_t* const p = weights + row * stride;
        EachRow each(values, count);
        for (int64_t key = 0; key < count; key += 2) {
            Pairs v[2 * C];
#pragma GCC unroll 2
            for (int i = 0; i < 2; ++i) {
                const char *const at = each.at() + d * bytes, *const ahead = each.ahead() + d * bytes;
#pragma GCC unroll 64
                for (int c = 0; c < C; ++c) {
                    if (kFetch && fetches_at<Element::bf16, kLineBytes, C * dims>(d, c * dims))
                        __builtin_prefetch(ahead + c * dims * bytes, 0, 2);
                    v[2 * c + i] = load(reinterpret_cast<const uint16_t*>(at) + c * dims);
                    if (kCareful) v[2 * c + i] = finite_or_zero(v[2 * c + i]);
                }
                each.next();
            }
#pragma GCC unroll 64
            for (int c = 0; c < 2 * C; c += 2) zip_halves(v[c], v[c + 1]);
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) {
                const PairSplat weight = PairSplat::load(p + r * stride + key);
#pragma GCC unroll 64
                for (int c = 0; c < 2 * C; ++c) o[r][c] = dot(weight, v[c], o[r][c]);
            }
        }
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int c = 0; c < 2 * C; ++c) o[r][c].store(to + r * out_stride + c * lanes);
    }
};

class PairDecoding {
public:
    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return kMostRows * (round_up(head_dim, kQuarterDims) / 2 + F32::lanes + round_up(value_dim, PairValues::dims)) +
               kScores + kScores / 2 + 2 * kQuarters * kPairStripKeys;
    }

    PairDecoding(const DecodeChunk& chunk, bool careful)
        : c_(chunk), careful_(careful), factor_(score_factor(chunk.scale, chunk.softcap)) {
        rows_ = c_.group * c_.queries;
        most_keys_ = block_keys(rows_);
        dims_ = round_up(c_.head_dim, kQuarterDims);
        columns_ = round_up(c_.value_dim, PairValues::dims);
        Workspace memory{c_.workspace};
        q_ = reinterpret_cast<uint16_t*>(memory.take(kMostRows * dims_ / 2));
        scores_ = memory.take(kScores);
        weights_ = reinterpret_cast<uint16_t*>(memory.take(kScores / 2));
        products_ = memory.take(2 * kQuarters * kPairStripKeys);
        out_ = memory.take(kMostRows * columns_);
        state_.begin(rows_, memory.take(kMostRows * F32::lanes));
        load_rows();
    }

    int64_t most_keys() const { return most_keys_; }  // of a block

    // The block of n keys from `first` on, as for_each_block() gives it.
    void take(int64_t first, int64_t n, bool together) {
        if (all_hidden(c_, first, n)) return;
        const RowRuns values(c_, &DecodeChunk::v, c_.value_dim, first, together);
        RowRuns keys(c_, &DecodeChunk::k, c_.head_dim, first, together);
        for (int64_t begin = 0; begin < n; begin += kPairStripKeys) {
            const int64_t count = n - begin < kPairStripKeys ? n - begin : kPairStripKeys;
            cover<2>((rows_ + kQuarters - 1) / kQuarters, 0, Scores{*this, keys, begin, count});
            keys.skip(count);
        }
        soften_rows(c_, DecodeBlock{scores_, most_keys_, first, n, nullptr, nullptr}, rows_, state_, [] {});
        for (int64_t row = 0; row < rows_; ++row)
            for (int64_t key = 0; key < n; key += 2 * F32::lanes) {
                const float* const from = scores_ + row * most_keys_ + key;
                Pairs::side_by_side(F32::load(from), F32::load(from + F32::lanes))
                    .store(weights_ + row * most_keys_ + key);
            }
        for_each_strip(values, n, rows_ <= kQuarters ? kStripKeys : n, weights_, most_keys_, rows_,
                       [&](const RowRuns& strip, int64_t begin, int64_t count) { add(strip, begin, count); });
        if (careful_)
            add_infinite(values, n, c_.value_dim, scores_, most_keys_, rows_, out_, columns_, ZippedHalves::position);
    }

    // Whether the result is right: no value that was infinite or NaN took part.
    bool finite() const { return fresh_ || all_finite(out_, rows_ * columns_); }

    void finish() const {
        const int64_t width = round_up(c_.value_dim, F32::lanes);
        state_.finish(rows_, c_.partial + rows_ * width);
        for (int64_t row = 0; row < rows_ && !fresh_; ++row)
            for (int64_t d = 0; d < width; d += PairValues::dims) {
                F32 x[2] = {F32::load(out_ + row * columns_ + d), F32::load(out_ + row * columns_ + d + F32::lanes)};
                ZippedHalves::straighten(x);
                x[0].store(c_.partial + row * width + d);
                if (d + F32::lanes < width) x[1].store(c_.partial + row * width + d + F32::lanes);
            }
    }

private:
    void load_rows() {
        for (int64_t row = 0; row < round_up(rows_, kQuarters); ++row) {
            const uint16_t* const from = static_cast<const uint16_t*>(c_.q) + row / c_.queries * c_.q_head_stride +
                                         row % c_.queries * c_.q_stride;
            uint16_t* const to = q_ + row / kQuarters * kQuarters * dims_ + row % kQuarters * kQuarterDims;
            for (int64_t d = 0; d < dims_; d += kQuarterDims) {
                const int64_t left = row < rows_ ? c_.head_dim - d : 0, n = left < kQuarterDims ? left : kQuarterDims;
                __builtin_memset(to + d * kQuarters, 0, kQuarterDims * sizeof *to);
                if (n > 0) __builtin_memcpy(to + d * kQuarters, from + d, static_cast<size_t>(n) * sizeof *to);
            }
        }
    }

    // Keys [begin, begin + count) of a block.
    void add(const RowRuns& values, int64_t begin, int64_t count) {
        const auto to = [&](int64_t fetching_row) {
            return PairValues{values,
                              count,
                              fetching_row,
                              weights_ + begin,
                              most_keys_,
                              c_.value_dim,
                              out_,
                              columns_,
                              begin == 0 ? state_.rescale : nullptr,
                              fresh_,
                              careful_};
        };
        if (rows_ <= kQuarters) {
            cover<2>(rows_, 0, to(last_pair(rows_)));
        } else {
            cover<5>(rows_, 0, to(0));
        }
        fresh_ = false;
    }

    struct Scores {
        const PairDecoding& d;
        RowRuns keys;
        int64_t begin, n;  // keys of the block
        template <int kGroups>
        void operator()(int64_t group) const {
            const int64_t row = group * kQuarters;
            PairScores<kGroups>{keys, n, d.c_.head_dim, group == 0, d.q_ + row * d.dims_, d.products_}.run();
            for (int g = 0; g < kGroups; ++g)
                d.straighten(d.products_ + g * kPairStripKeys * kQuarters, n, row + g * kQuarters, begin);
        }
    };

    // Products of four rows from `row` on with n keys to their scores, from the one numbered `begin` on.
    void straighten(const float* products, int64_t n, int64_t row, int64_t begin) const {
        for (int64_t key = 0; key < n; key += F32::lanes) {
            F32 s[kQuarters];
            for (int i = 0; i < kQuarters; ++i) s[i] = F32::load(products + key * kQuarters + i * F32::lanes) * factor_;
            transpose_quarters(s);
            for (int i = 0; i < kQuarters; ++i) s[i].store(scores_ + (row + i) * most_keys_ + begin + key);
        }
    }

    const DecodeChunk& c_;
    const bool careful_;  // values may be infinite or NaN
    const F32 factor_;
    int64_t rows_, most_keys_, dims_, columns_;
    uint16_t* q_;        // fours of rows, as PairScores takes them
    float* scores_;      // [rows][most_keys]
    uint16_t* weights_;  // [rows][most_keys]
    float* products_;    // of two fours of rows, as PairScores gives them
    float* out_;         // [rows][columns]
    DecodeState state_;
    bool fresh_ = true;  // out holds nothing yet
};

inline bool decode_pairs(const DecodeChunk& c, bool careful) {
    PairDecoding decoding(c, careful);
    for_each_block(c, decoding.most_keys(),
                   [&](int64_t first, int64_t n, bool together) { decoding.take(first, n, together); });
    if (!careful && !decoding.finite()) return false;
    decoding.finish();
    return true;
}

// Fewer do not fill the quarters.
constexpr int64_t kFewestPairRows = kQuarters;

inline void decode_pairs(const DecodeChunk& c) {
    if (c.group * c.queries < kFewestPairRows) return decode(c);
    if (!decode_pairs(c, false)) decode_pairs(c, true);
}

inline int64_t pairs_workspace_floats(int64_t head_dim, int64_t value_dim) {
    return or_plain(PairDecoding::floats(head_dim, value_dim), head_dim, value_dim);
}

constexpr attn4j::DecodeKernel pairs_decode_kernel(int64_t most_queries) {
    return {kMostRows, most_queries, 1024, decode_partial_floats, pairs_workspace_floats, decode_pairs, merge_chunks};
}

}  // namespace
