// SPDX-License-Identifier: Apache-2.0
// The product of pairs-inl.h by the matrix unit's tiles: four accumulators of sixteen rows by sixteen lanes, two tiles
// of `a` and two of `b`, so that each tile that is loaded is used twice.
#pragma once

#include "kernels/tile-inl.h"

namespace {

// Rows and pairs in units of a tile.
struct TileProducts {
    static constexpr bool few_rows = false;
    static constexpr int64_t row_unit = 16, pair_unit = 16;
    static constexpr int max_vectors = 4;
    static constexpr int64_t parts_together = 4;
    static void begin() { configure_tiles(); }
    static void end() { release_tiles(); }
    template <int V>
    static void arrange(uint16_t*, int64_t) {}

    // Register-only rounds and their FLOPs.
    static double flops(int64_t rounds) {
        alignas(64) const uint16_t numbers[16 * 32] = {};
        configure_tiles();
        zero_tile<0>();
        zero_tile<1>();
        zero_tile<2>();
        zero_tile<3>();
        load_tile<4>(numbers, 64);
        load_tile<5>(numbers, 64);
        load_tile<6>(numbers, 64);
        load_tile<7>(numbers, 64);
        for (int64_t round = 0; round < rounds; ++round) {
            dot_tiles<0, 4, 6>();
            dot_tiles<1, 4, 7>();
            dot_tiles<2, 5, 6>();
            dot_tiles<3, 5, 7>();
        }
        release_tiles();
        return 4.0 * 2 * 16 * 16 * 32 * static_cast<double>(rounds);
    }

    // M x N tiles of c.
    template <int M, int N, typename Meanwhile>
    static ATTN4J_INLINE void block(const uint16_t* a, int64_t a_stride, const uint16_t* b, int64_t pairs, float* c,
                                    int64_t width, bool onto, const Meanwhile& meanwhile) {
        const int64_t a_bytes = 2 * a_stride, width_bytes = 4 * width;
        if (onto) {
            load_tile<0>(c, width_bytes);
            if constexpr (N > 1) load_tile<1>(c + 16, width_bytes);
            if constexpr (M > 1) load_tile<2>(c + 16 * width, width_bytes);
            if constexpr (M > 1 && N > 1) load_tile<3>(c + 16 * width + 16, width_bytes);
        } else {
            zero_tile<0>();
            if constexpr (N > 1) zero_tile<1>();
            if constexpr (M > 1) zero_tile<2>();
            if constexpr (M > 1 && N > 1) zero_tile<3>();
        }
        for (int64_t pair = 0; pair < pairs; pair += 16) {
            meanwhile();
            load_tile<4>(a + 2 * pair, a_bytes);
            load_tile<6>(b + 2 * pair * width, width_bytes);
            dot_tiles<0, 4, 6>();
            if constexpr (N > 1) {
                load_tile<7>(b + 2 * (pair * width + 16), width_bytes);
                dot_tiles<1, 4, 7>();
            }
            if constexpr (M > 1) {
                load_tile<5>(a + 16 * a_stride + 2 * pair, a_bytes);
                dot_tiles<2, 5, 6>();
            }
            if constexpr (M > 1 && N > 1) dot_tiles<3, 5, 7>();
        }
        store_tile<0>(c, width_bytes);
        if constexpr (N > 1) store_tile<1>(c + 16, width_bytes);
        if constexpr (M > 1) store_tile<2>(c + 16 * width, width_bytes);
        if constexpr (M > 1 && N > 1) store_tile<3>(c + 16 * width + 16, width_bytes);
    }

    template <int V, int M, typename Meanwhile>
    static ATTN4J_INLINE void rows_of_tiles(const uint16_t* a, int64_t a_stride, const uint16_t* b, int64_t pairs,
                                            float* c, bool onto, const Meanwhile& meanwhile) {
        constexpr int64_t width = V * F32::lanes;
#pragma GCC unroll 4
        for (int v = 0; v + 1 < V; v += 2)
            block<M, 2>(a, a_stride, b + 2 * v * F32::lanes, pairs, c + v * F32::lanes, width, onto, meanwhile);
        if constexpr (V % 2 == 1)
            block<M, 1>(a, a_stride, b + 2 * (V - 1) * F32::lanes, pairs, c + (V - 1) * F32::lanes, width, onto,
                        meanwhile);
    }

    // Steps of a product: `meanwhile` is called with each.
    template <int V>
    static int64_t steps(int64_t rows, int64_t pairs) {
        return (rows + 31) / 32 * ((V + 1) / 2) * (pairs / 16);
    }
    template <int V>
    static ATTN4J_APART void multiply(const uint16_t* a, int64_t a_stride, int64_t rows, const uint16_t* b,
                                      int64_t pairs, float* c, bool onto) {
        multiply<V>(a, a_stride, rows, b, pairs, c, onto, [] {});
    }
    template <int V, typename Meanwhile>
    static ATTN4J_INLINE void multiply(const uint16_t* a, int64_t a_stride, int64_t rows, const uint16_t* b,
                                       int64_t pairs, float* c, bool onto, const Meanwhile& meanwhile) {
        constexpr int64_t width = V * F32::lanes;
        int64_t row = 0;
        for (; rows - row >= 32; row += 32)
            rows_of_tiles<V, 2>(a + row * a_stride, a_stride, b, pairs, c + row * width, onto, meanwhile);
        if (row < rows) rows_of_tiles<V, 1>(a + row * a_stride, a_stride, b, pairs, c + row * width, onto, meanwhile);
    }
};

}  // namespace
