// SPDX-License-Identifier: Apache-2.0
// The product of bfloat16 by the dot instruction of pairs, in register tiles of R rows by V vectors:
//     c[row][lane] (+)= sum over pairs of a[row][pair] . b[pair][lane]
// where a pair is two neighbours along the summed dimension. `a` is read as it lies.
#pragma once

#include "kernels/limit/pairs-inl.h"
#include "kernels/tile-inl.h"

namespace {

template <int V>
struct PairTiles {
    const uint16_t* a;
    int64_t a_stride;
    const uint16_t* b;
    int64_t pairs;
    float* c;
    bool onto;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t row) const {
        constexpr int64_t width = V * F32::lanes;
        Tile<R, V> t;
        if (onto) {
            t.load(c + row * width);
        } else {
            t.zero();
        }
        // Every third row: see Tile::add_rows.
        const uint16_t* third[(R + 2) / 3];
        for (int r = 0; r < R; r += 3) third[r / 3] = a + (row + r) * a_stride;
#pragma GCC unroll 2
        for (int64_t pair = 0; pair < pairs; ++pair) {
            Pairs x[V];
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) x[v] = Pairs::load(b + 2 * (pair * width + v * F32::lanes));
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) {
                const PairSplat s = PairSplat::load(third[r / 3] + r % 3 * a_stride + 2 * pair);
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) t.at[r][v] = dot(s, x[v], t.at[r][v]);
            }
        }
        t.store(c + row * width);
    }
};

// As WideCells of linear/few_rows_out_in-inl.h: a lane of pairs by one pair of each row.
struct PairCells {
    using Cells = Pairs;
    using Number = uint16_t;
    using X = uint16_t;
    static constexpr int64_t numbers = 2, x_numbers = 2, rows_at_once = 32;

    static Pairs load(const uint16_t* p) { return Pairs::load(p); }
    static Pairs load_first(const uint16_t* p, int64_t n) { return Pairs::load_first(p, n); }
    template <int R>
    static ATTN4J_INLINE void add(Pairs cells, const uint16_t* x, F32 (&sums)[R]) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r] = dot(PairSplat::load(x + 2 * r), cells, sums[r]);
    }
    template <int R>
    static void add_first(Pairs cells, const uint16_t* x, int64_t, F32 (&sums)[R]) {
        add<R>(cells, x, sums);
    }
};

// How an instruction set multiplies: the units that rows and pairs come in, what stands around a task's products, how
// lanes of pairs are arranged before they are multiplied, in place, and the product, b [pairs][V * lanes] and c
// [rows][V * lanes] without gaps, rows of `a` a_stride elements apart. A linear layer's task is of up to parts_together
// times max_vectors of rows; where those are several, multiply also takes what it calls with each of its steps. With
// few_rows, Cells multiply them by fewer rows than lanes, with the same bits.
template <typename Tiles>
struct PairProducts {
    using Cells = PairCells;
    static constexpr bool few_rows = true;
    static constexpr int64_t row_unit = 1, pair_unit = 1;
    static constexpr int max_vectors = Tiles::max_vectors;
    static constexpr int64_t parts_together = 1;
    static void begin() {}
    static void end() {}
    template <int V>
    static void arrange(uint16_t*, int64_t) {}

    // As pair_flops: of a lane two multiply-adds.
    static double flops(int64_t rounds) {
        alignas(64) const uint16_t numbers[2 * Pairs::lanes] = {};
        const PairSplat y = PairSplat::load(numbers);
        return pair_flops(rounds, 4.0 * F32::lanes, [&](Pairs x, F32 c) { return dot(y, x, c); });
    }

    template <int V>
    static ATTN4J_APART void multiply(const uint16_t* a, int64_t a_stride, int64_t rows, const uint16_t* b,
                                      int64_t pairs, float* c, bool onto) {
        cover<Tiles::rows(V)>(rows, 0, PairTiles<V>{a, a_stride, b, pairs, c, onto});
    }
};

}  // namespace
