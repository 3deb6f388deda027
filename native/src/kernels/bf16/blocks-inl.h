// SPDX-License-Identifier: Apache-2.0
// The product of pairs-inl.h by an instruction that multiplies two rows of four numbers by two lanes of four. A
// register holds two rows of `a`, or two lanes of `b`, or the 2 x 2 sums of both.
#pragma once

#include "kernels/limit/pairs-inl.h"
#include "kernels/tile-inl.h"

namespace {

// b as BlockProducts::arrange() leaves it.
template <int V>
struct BlockTiles {
    const uint16_t* a;
    int64_t a_stride;
    const uint16_t* b;
    int64_t pairs;
    float* c;
    bool onto;

    // R is even: rows come in twos.
    template <int R>
    ATTN4J_INLINE void operator()(int64_t row) const {
        if constexpr (R > 1) {
            constexpr int64_t width = V * F32::lanes;
            // at[r][v][i]: rows 2 r and 2 r + 1 by lanes 2 i and 2 i + 1 of vector v. In memory they are two rows.
            F32 at[R / 2][V][2];
#pragma GCC unroll 64
            for (int r = 0; r < R / 2; ++r)
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) {
                    const float* const from = c + (row + 2 * r) * width + v * F32::lanes;
                    at[r][v][0] = onto ? F32::load(from) : F32::zero();
                    at[r][v][1] = onto ? F32::load(from + width) : F32::zero();
                    exchange_halves(at[r][v][0], at[r][v][1]);
                }
            const uint16_t* const rows = a + row * a_stride;
            for (int64_t pair = 0; pair < pairs; pair += Pairs::lanes) {
                Pairs x[R];
#pragma GCC unroll 64
                for (int r = 0; r < R; r += 2) {
                    x[r] = Pairs::load(rows + r * a_stride + 2 * pair);
                    x[r + 1] = Pairs::load(rows + (r + 1) * a_stride + 2 * pair);
                    exchange_halves(x[r], x[r + 1]);
                }
#pragma GCC unroll 2
                for (int four = 0; four < 2; ++four)
#pragma GCC unroll 64
                    for (int v = 0; v < V; ++v)
#pragma GCC unroll 2
                        for (int i = 0; i < 2; ++i) {
                            const Pairs y = Pairs::load(b + 2 * ((pair + 2 * four + i) * width + v * F32::lanes));
#pragma GCC unroll 64
                            for (int r = 0; r < R / 2; ++r)
                                at[r][v][i] = multiply_blocks(x[2 * r + four], y, at[r][v][i]);
                        }
            }
#pragma GCC unroll 64
            for (int r = 0; r < R / 2; ++r)
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) {
                    float* const to = c + (row + 2 * r) * width + v * F32::lanes;
                    exchange_halves(at[r][v][0], at[r][v][1]);
                    at[r][v][0].store(to);
                    at[r][v][1].store(to + width);
                }
        }
    }
};

template <typename Tiles>
struct BlockProducts {
    static constexpr bool few_rows = false;
    static constexpr int64_t row_unit = 2, pair_unit = Pairs::lanes;
    static constexpr int max_vectors = Tiles::max_vectors;
    static constexpr int64_t parts_together = 1;
    static void begin() {}
    static void end() {}

    // As pair_flops: of 2 x 2 sums four multiply-adds each.
    static double flops(int64_t rounds) {
        const Pairs y = Pairs::zero();
        return pair_flops(rounds, 32.0, [&](Pairs x, F32 c) { return multiply_blocks(y, x, c); });
    }

    // Of each vector, two rows of pairs become the four numbers of lanes 0 and 1 and those of lanes 2 and 3.
    template <int V>
    static void arrange(uint16_t* b, int64_t pairs) {
        constexpr int64_t row = 2 * V * Pairs::lanes;
        for (int64_t pair = 0; pair < pairs; pair += 2)
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) {
                uint16_t* const at = b + pair * row + 2 * v * Pairs::lanes;
                Pairs x = Pairs::load(at), y = Pairs::load(at + row);
                zip(x, y);
                x.store(at);
                y.store(at + row);
            }
    }

    template <int V>
    static ATTN4J_APART void multiply(const uint16_t* a, int64_t a_stride, int64_t rows, const uint16_t* b,
                                      int64_t pairs, float* c, bool onto) {
        cover<Tiles::rows(V)>(rows, 0, BlockTiles<V>{a, a_stride, b, pairs, c, onto});
    }
};

}  // namespace
