// SPDX-License-Identifier: Apache-2.0
// The products of tiled-inl.h in the matrix unit.
#pragma once

#include "kernels/decode/cells-inl.h"

namespace {

template <typename Kind>
struct CellTiles {
    static void begin() { configure_tiles(); }
    static void end() { release_tiles(); }

    // Up to four tiles of keys, each kTile rows `stride` bytes apart, by the queries of one: to [groups * kTile][kTile].
    template <int kGroups>
    static ATTN4J_INLINE void scores(const char* const* keys, int64_t stride, const char* queries, int64_t cells,
                                     float* to) {
        zero_tile<0>();
        if constexpr (kGroups > 1) zero_tile<1>();
        if constexpr (kGroups > 2) zero_tile<2>();
        if constexpr (kGroups > 3) zero_tile<3>();
        for (int64_t cell = 0; cell < cells; cell += kTile) {
            load_tile<7>(queries + cell * 64, 64);
            add_scores<0>(keys[0] + cell * 4, stride);
            if constexpr (kGroups > 1) add_scores<1>(keys[1] + cell * 4, stride);
            if constexpr (kGroups > 2) add_scores<2>(keys[2] + cell * 4, stride);
            if constexpr (kGroups > 3) add_scores<3>(keys[3] + cell * 4, stride);
        }
        constexpr int64_t tile = kTile * kTile;
        store_tile<0>(to, 64);
        if constexpr (kGroups > 1) store_tile<1>(to + tile, 64);
        if constexpr (kGroups > 2) store_tile<2>(to + 2 * tile, 64);
        if constexpr (kGroups > 3) store_tile<3>(to + 3 * tile, 64);
    }

    // The weights of a block of keys [kTile][steps][kTile] by `columns` of its values: to [kTile][stride]. Two tiles at
    // least at once, as each waits long for the one before it in the same place.
    static ATTN4J_INLINE void values(const char* weights, const char* values, int64_t columns, int64_t stride,
                                     float* to) {
        int64_t column = 0;
        for (; columns - column >= 4 * kTile; column += 4 * kTile)
            columns_of<4>(weights, values + column * 4, stride, to + column);
        for (; column < columns; column += 2 * kTile) columns_of<2>(weights, values + column * 4, stride, to + column);
    }

private:
    template <int kColumns>
    static ATTN4J_INLINE void columns_of(const char* weights, const char* values, int64_t stride, float* to) {
        zero_tile<0>();
        zero_tile<1>();
        if constexpr (kColumns > 2) zero_tile<2>();
        if constexpr (kColumns > 2) zero_tile<3>();
#pragma GCC unroll 2
        for (int64_t step = 0; step < Kind::steps; ++step) {
            const char* const from = values + step * kTile * stride * 4;
            load_tile<4>(weights + step * 64, Kind::steps * 64);
            add_values<0>(from, stride);
            add_values<1>(from, stride);
            if constexpr (kColumns > 2) add_values<2>(from, stride);
            if constexpr (kColumns > 2) add_values<3>(from, stride);
        }
        store_tile<0>(to, stride * 4);
        store_tile<1>(to + kTile, stride * 4);
        if constexpr (kColumns > 2) store_tile<2>(to + 2 * kTile, stride * 4);
        if constexpr (kColumns > 2) store_tile<3>(to + 3 * kTile, stride * 4);
    }
    template <int kGroup>
    static ATTN4J_INLINE void add_scores(const char* keys, int64_t stride) {
        constexpr int row = 4 + kGroup % 3;
        load_tile<row>(keys, stride);
        if constexpr (Kind::element == Element::i8) {
            dot_signed_tiles<kGroup, row, 7>();
        } else {
            dot_tiles<kGroup, row, 7>();
        }
    }
    template <int kTo>
    static ATTN4J_INLINE void add_values(const char* values, int64_t stride) {
        constexpr int column = 5 + kTo % 3;
        load_tile<column>(values + kTo * kTile * 4, stride * 4);
        if constexpr (Kind::element == Element::i8) {
            dot_unsigned_tiles<kTo, 4, column>();
        } else {
            dot_tiles<kTo, 4, column>();
        }
    }
};

}  // namespace
