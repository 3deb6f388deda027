// SPDX-License-Identifier: Apache-2.0
// Scores of four query rows at once by the quarters of a vector, which all meet the same 16 bytes of a key, for numbers
// that are multiplied in cells of 32 bits: pairs of bfloat16 or fours of bytes.
//     s[row][key] = sum_d q[row][d] k[key][d]
#pragma once

#include "kernels/decode/runs-inl.h"

namespace {

constexpr int64_t kQuarters = 4;
constexpr int64_t kQuarterBytes = 16;

// Fewer do not fill the quarters.
constexpr int64_t kFewestQuarterRows = kQuarters;

// So many keys at once are multiplied with rows.
constexpr int64_t kQuarterStripKeys = 128;

// Products of so many fours of rows, kFours, with a strip of n keys; the rows behind the last one are 0. Numbers says
// how they are multiplied, and of how many digits a number of q is, lowest first: the sums of two digits are joined.
template <typename Numbers, int kFours>
struct QuarterScores {
    static constexpr int digits = Numbers::digits, sums = (digits + 1) / 2;  // of a number
    static constexpr int kGroups = kFours * digits;
    using Number = typename Numbers::Number;
    using Vector = typename Numbers::Vector;
    using Sum = typename Numbers::Sum;
    static constexpr int64_t dims = kQuarterBytes / static_cast<int64_t>(sizeof(Number));

    const RowRuns& keys;
    int64_t n, head_dim;
    bool fetch;                                 // what is ahead
    const Number* q;                            // [kFours][digits][head_dim / dims, rounded up][kQuarters][dims]
    const typename Numbers::SumNumber* starts;  // [kFours][digits][lanes]: what is added to the sums, lane by lane
    typename Numbers::SumNumber* products;      // [kFours][sums][kQuarterStripKeys / 4][kQuarters][4 keys]

    void run() const {
        const int64_t whole = head_dim / dims, left = head_dim % dims;
        constexpr int most = kGroups == 1 ? 16 : kGroups <= 3 ? 8 : 4;
        if (fetch) {
            cover<most>(whole, 0, Parts<true>{*this});
        } else {
            cover<most>(whole, 0, Parts<false>{*this});
        }
        if (left > 0) add<1, false>(whole, [&](const Number* key) { return Numbers::repeat_first(key, left); });
    }

private:
    template <bool kFetch>
    struct Parts {
        const QuarterScores& scores;
        template <int N>
        ATTN4J_APART void operator()(int64_t first) const {
            scores.template add<N, kFetch>(first, Numbers::repeat);
        }
    };

    // The part of the sums over N times 16 bytes: those of the rows stay in registers while keys pass by.
    template <int N, bool kFetch, typename Repeat>
    ATTN4J_INLINE void add(int64_t first, const Repeat& repeat) const {
        Vector rows[kGroups][N];
        Sum start[kGroups];
#pragma GCC unroll 8
        for (int g = 0; g < kGroups; ++g) {
            start[g] = first == 0 ? Numbers::start(starts, g) : Sum::zero();
#pragma GCC unroll 16
            for (int i = 0; i < N; ++i)
                rows[g][i] = Vector::load(q + (g * round_up(head_dim, dims) + (first + i) * dims) * kQuarters);
        }
        keys.even(n) && n % 4 == 0 ? add<N, kFetch>(EvenRows(keys, n), first, rows, start, repeat)
                                   : add<N, kFetch>(EachRow(keys, n), first, rows, start, repeat);
    }

    // The sum numbered i of a key: of two digits, or of the last one alone.
    ATTN4J_INLINE static Sum joined(const Sum (&s)[kGroups][4], int i, int key) {
        const int g = i / sums * digits + i % sums * 2;
        if constexpr (digits > 1) {
            if (i % sums * 2 + 1 < digits) return Numbers::join(s[g][key], s[g + 1][key]);
        }
        return s[g][key];
    }

    template <int N, bool kFetch, typename Each, typename Repeat>
    ATTN4J_INLINE void add(Each each, int64_t first, const Vector (&rows)[kGroups][N], const Sum (&start)[kGroups],
                           const Repeat& repeat) const {
        for (int64_t key = 0; key < n; key += 4) {
            Sum s[kGroups][4];
#pragma GCC unroll 4
            for (int k = 0; k < 4; ++k) {
                const char *at = each.at() + first * kQuarterBytes, *ahead = each.ahead() + first * kQuarterBytes;
                // Or GCC keeps every sum of first and j in a register, for which there are not enough.
                conceal(at);
                conceal(ahead);
#pragma GCC unroll 8
                for (int g = 0; g < kGroups; ++g) s[g][k] = start[g];
#pragma GCC unroll 16
                for (int j = 0; j < N; ++j) {
                    // `first` is a multiple of N.
                    if (kFetch && fetches_at<Numbers::element, kLineBytes, N * dims>(first * dims, j * dims))
                        __builtin_prefetch(ahead + j * kQuarterBytes, 0, 2);
                    const Vector x = repeat(reinterpret_cast<const Number*>(at + j * kQuarterBytes));
#pragma GCC unroll 8
                    for (int g = 0; g < kGroups; ++g) s[g][k] = Numbers::dot(rows[g][j], x, s[g][k]);
                }
                each.next();
            }
#pragma GCC unroll 8
            for (int i = 0; i < kFours * sums; ++i) {
                Sum of_keys[4];
                for (int k = 0; k < 4; ++k) of_keys[k] = joined(s, i, k);
                typename Numbers::SumNumber* const to = products + (i * kQuarterStripKeys + key) * kQuarters;
                const Sum sum = sums_of_quarters(of_keys);
                (first == 0 ? sum : Sum::load(to) + sum).store(to);
            }
        }
    }
};

// Calls of(i) for four vectors of such products, of four keys each, and stores those of row i, times factor(i), at
// to + i * stride.
template <typename Of, typename Factor>
inline void store_rows(float* to, int64_t stride, const Of& of, const Factor& factor) {
    F32 s[kQuarters];
    for (int i = 0; i < kQuarters; ++i) s[i] = of(i);
    transpose_quarters(s);
    for (int i = 0; i < kQuarters; ++i) (s[i] * factor(i)).store(to + i * stride);
}

}  // namespace
