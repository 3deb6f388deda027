// SPDX-License-Identifier: Apache-2.0
// A linear layer with a weight [out, in] for fewer rows than a vector has lanes, where reading the weight once is what
// counts. Lanes are output features: as many rows of the weight side by side as there are lanes are transposed in
// registers. Each sum runs over the inputs in ascending order, so its bits are those of many rows.
//
// The two steps of the transposition are apart: the first takes lines from memory into a ring in the first cache, the
// second and the products take columns from there. So products that wait for each other do not keep the next lines
// from being called for, and rows need not be read at the same column: every fourth one is a line further on, as lines
// a multiple of 4 KiB apart, more of them than the first cache has ways, displace each other on their way. (Measured on
// Zen 4 with a float32 weight of 4096 x 4096 at 1, 4 and 8 rows: 25, 23 and 21 GB/s, and 21, 17 and 13 with the
// transposition at once and four lines called for, of 28 that can be read.)
#pragma once

#include "kernels/tile-inl.h"

namespace {

// Numbers of x, of four bytes, that are laid out anew at a time: 16 KiB of the smallest first cache, 32 KiB.
constexpr int64_t kPackedFloats = 4096;

// How the numbers of a weight lie in cells of four bytes, a vector of which is a column:
//     Number, numbers     what is stored, and how many of it make a cell
//     X, x_numbers        what x is laid out as, and how many of it meet a cell
//     rows_at_once        rows of the weight that keep the sums of one row of x from waiting for each other
//     add(cells, x, sums) sums[r] += the product of the cells by x [R][x_numbers]; add_first: of n numbers of a cell
struct WideCells {
    using Cells = F32;
    using Number = float;
    using X = float;
    static constexpr int64_t numbers = 1, x_numbers = 1, rows_at_once = 16;

    static F32 load(const float* p) { return F32::load(p); }
    static F32 load_first(const float* p, int64_t n) { return F32::load_first(p, n); }
    template <int R>
    static ATTN4J_INLINE void add(F32 cells, const float* x, F32 (&sums)[R]) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r] = fma(Splat::load(x + r), cells, sums[r]);
    }
    template <int R>
    static void add_first(F32 cells, const float* x, int64_t, F32 (&sums)[R]) {
        add<R>(cells, x, sums);
    }
};

// A weight and what is done with it for R rows of x.
template <typename Weight>
struct FewRows {
    const typename Weight::Number* weight;  // [out_features, in_features]
    int64_t weight_stride, in_features, out_features;
    float* workspace;  // few_rows_out_in_floats(out_features)
};

// Rows of the weight side by side, kGroups times as many as there are lanes.
template <typename Weight, int kGroups>
struct ColumnRing {
    using Cells = typename Weight::Cells;
    using Number = typename Weight::Number;
    static constexpr int parts = F32::lanes / 4;
    static constexpr int64_t of_line = 16 / F32::lanes, slots = 4 * of_line;

    Cells ring[kGroups][slots][parts][4];

    // How many columns ahead of the products every fourth row, from the i-th on, is read.
    static constexpr int64_t ahead(int i) { return i * of_line + 1; }

    // The column of those rows of a group, whose first row has it at `from`. Columns are counted through all blocks.
    ATTN4J_INLINE void take(int group, int i, int64_t column, const Number* from, int64_t stride) {
        Cells a[parts];
#pragma GCC unroll 4
        for (int p = 0; p < parts; ++p) a[p] = Weight::load(from + (i + 4 * p) * stride);
        transpose_parts(a);
#pragma GCC unroll 4
        for (int p = 0; p < parts; ++p) ring[group][column % slots][p][i] = a[p];
    }
    // Four cells in lanes of features.
    ATTN4J_INLINE void give(int group, int part, int64_t column, Cells (&a)[4]) const {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) a[i] = ring[group][column % slots][part][i];
    }
};

// The products of one part of the weight, kGroups * lanes of its rows at a time, by R rows of x.
template <typename Weight, int R, int kGroups>
struct FewRowsBlocks {
    using Number = typename Weight::Number;
    using X = typename Weight::X;
    using Cells = typename Weight::Cells;
    using Ring = ColumnRing<Weight, kGroups>;
    static constexpr int64_t lanes = F32::lanes, column_numbers = lanes * Weight::numbers, rows = kGroups * lanes;
    // Called for so many lines before they are read, into the second cache, as the first would lose them again. (With
    // 24 the same speed, with 8 up to 20 % less.)
    static constexpr int64_t called = 16 * Ring::of_line;

    const Number* weight;  // [blocks * rows][columns]
    int64_t stride, blocks, columns;
    const X* x;  // [columns * lanes][R][x_numbers]

    // Beyond the columns of a block come those of the next; and of the last its own, which are not used.
    ATTN4J_INLINE const Number* at(int64_t block, int64_t column) const {
        if (column >= columns) {
            column -= columns;
            if (block + 1 < blocks) ++block;
        }
        return weight + block * rows * stride + column * column_numbers;
    }

    // begin(block, s) gives what the sums s[kGroups][R] of a block begin with, done(block, s) takes them.
    template <typename Begin, typename Done>
    ATTN4J_INLINE void operator()(const Begin& begin, const Done& done) const {
        Ring ring;
        for (int g = 0; g < kGroups; ++g)
            for (int i = 0; i < 4; ++i)
                for (int64_t c = 0; c < Ring::ahead(i); ++c) ring.take(g, i, c, at(0, c) + g * lanes * stride, stride);
        for (int64_t block = 0; block < blocks; ++block) {
            F32 s[kGroups][R];
            begin(block, s);
            for (int64_t c = 0; c < columns; ++c) add_column(ring, block, c, s);
            done(block, s);
        }
    }

    ATTN4J_INLINE void add_column(Ring& ring, int64_t block, int64_t column, F32 (&s)[kGroups][R]) const {
        constexpr int step = 4 / Ring::parts, calls = 4 / Ring::of_line;
        const int64_t counted = block * columns + column;
        const Number* const line = at(block, column + called) + column % Ring::of_line * calls * stride;
#pragma GCC unroll 8
        for (int g = 0; g < kGroups; ++g)
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) {
                // Before take(), which may need their place.
                Cells cells[4];
                if (i % step == 0) ring.give(g, i / step, counted, cells);
                if (i < calls) {
#pragma GCC unroll 4
                    for (int p = 0; p < Ring::parts; ++p)
                        __builtin_prefetch(line + (g * lanes + i + 4 * p) * stride, 0, 2);
                }
                ring.take(g, i, counted + Ring::ahead(i), at(block, column + Ring::ahead(i)) + g * lanes * stride,
                          stride);
                if (i % step != 0) continue;
                transpose_fours(cells);
#pragma GCC unroll 4
                for (int k = 0; k < 4; ++k)
                    Weight::template add<R>(cells[k], x + (column * lanes + i / step * 4 + k) * R * Weight::x_numbers,
                                            s[g]);
            }
    }
};

// n inputs of up to `lanes` features, a column at a time.
template <typename Weight, int R>
inline void add_some_inputs(const typename Weight::Number* weight, int64_t stride, int64_t features, int64_t n,
                            const typename Weight::X* x, F32 (&sums)[R]) {
    constexpr int lanes = F32::lanes;
    constexpr int64_t numbers = Weight::numbers;
    for (int64_t first = 0; first < n; first += lanes * numbers) {
        const int64_t some = n - first < lanes * numbers ? n - first : lanes * numbers;
        typename Weight::Cells w[lanes];
        for (int k = 0; k < lanes; ++k)
            w[k] = k < features ? Weight::load_first(weight + k * stride + first, some) : Weight::Cells::zero();
        transpose(w);
        for (int64_t k = 0; k * numbers < some; ++k)
            Weight::template add_first<R>(w[k], x + (first / numbers + k) * R * Weight::x_numbers, some - k * numbers,
                                          sums);
    }
}

// take(row, first, n, to) lays out n inputs of a row of x, 0 up to a whole cell; finish(row, o, n, y) takes sums of
// features from o on.
template <typename Weight, int R, typename Take, typename Finish>
ATTN4J_APART void few_rows_out_in_of(const FewRows<Weight>& w, const Take& take, const Finish& finish) {
    using X = typename Weight::X;
    constexpr int64_t lanes = F32::lanes, numbers = Weight::numbers, x_numbers = Weight::x_numbers;
    constexpr int apart = Weight::rows_at_once / lanes / R, groups = apart > 1 ? apart : 1;
    using Blocks = FewRowsBlocks<Weight, R, groups>;
    // Whole lines of the weight.
    constexpr int64_t cells = kPackedFloats * 4 / static_cast<int64_t>(sizeof(X)) / (R * x_numbers);
    constexpr int64_t inputs = cells / 16 * 16 * numbers;
    X* const x = reinterpret_cast<X*>(w.workspace);   // [inputs / numbers][R][x_numbers]
    float* const sums = w.workspace + kPackedFloats;  // [features / lanes, rounded up][R][lanes]
    for (int64_t first = 0; first < w.in_features; first += inputs) {
        const int64_t n = w.in_features - first < inputs ? w.in_features - first : inputs;
        for (int r = 0; r < R; ++r)
            for (int64_t c = 0; c < n; c += lanes * numbers) {
                alignas(64) X row[lanes * x_numbers] = {};
                take(r, first + c, n - c < lanes * numbers ? n - c : lanes * numbers, row);
                X* const to = x + (c / numbers * R + r) * x_numbers;
                for (int64_t i = 0; i < lanes; ++i)
                    for (int64_t k = 0; k < x_numbers; ++k) to[i * R * x_numbers + k] = row[i * x_numbers + k];
            }
        const auto begin = [&](int64_t o, F32(&s)[R]) {
            for (int r = 0; r < R; ++r) s[r] = first == 0 ? F32::zero() : F32::load(sums + o * R + r * lanes);
        };
        const auto end = [&](int64_t o, int64_t features, const F32(&s)[R]) {
            for (int r = 0; r < R; ++r) {
                if (first + n < w.in_features) {
                    s[r].store(sums + o * R + r * lanes);
                } else {
                    finish(r, o, features, s[r]);
                }
            }
        };
        const int64_t columns = n / Blocks::column_numbers, whole = columns * Blocks::column_numbers;
        const int64_t blocks = columns < Blocks::Ring::slots ? 0 : w.out_features / Blocks::rows;
        if (blocks > 0)
            Blocks{w.weight + first, w.weight_stride, blocks, columns, x}(
                [&](int64_t block, F32(&s)[groups][R]) {
                    for (int g = 0; g < groups; ++g) begin(block * Blocks::rows + g * lanes, s[g]);
                },
                [&](int64_t block, F32(&s)[groups][R]) {
                    for (int g = 0; g < groups; ++g) {
                        const int64_t o = block * Blocks::rows + g * lanes;
                        add_some_inputs<Weight, R>(w.weight + o * w.weight_stride + first + whole, w.weight_stride,
                                                   lanes, n - whole, x + whole / numbers * R * x_numbers, s[g]);
                        end(o, lanes, s[g]);
                    }
                });
        for (int64_t o = blocks * Blocks::rows; o < w.out_features; o += lanes) {
            const int64_t features = w.out_features - o < lanes ? w.out_features - o : lanes;
            F32 s[R];
            begin(o, s);
            add_some_inputs<Weight, R>(w.weight + o * w.weight_stride + first, w.weight_stride, features, n, x, s);
            end(o, features, s);
        }
    }
}

// For 1 to R rows, fewer than lanes.
template <typename Weight, int R, typename Take, typename Finish>
inline void few_rows_out_in(const FewRows<Weight>& w, int64_t rows, const Take& take, const Finish& finish) {
    if constexpr (R > 1) {
        if (rows < R) return few_rows_out_in<Weight, R - 1>(w, rows, take, finish);
    }
    few_rows_out_in_of<Weight, R>(w, take, finish);
}

inline int64_t few_rows_out_in_floats(int64_t out_features) {
    return kPackedFloats + round_up(out_features, F32::lanes) * F32::lanes;
}

}  // namespace
