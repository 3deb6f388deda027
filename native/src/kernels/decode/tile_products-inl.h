// SPDX-License-Identifier: Apache-2.0
// The products of tiled-inl.h in the matrix unit.
#pragma once

#include "kernels/decode/cells-inl.h"

namespace {

template <typename Kind>
struct CellTiles {
    static void begin() { configure_tiles(); }
    static void end() { release_tiles(); }

    // Up to four tiles of keys, each kTile rows `stride` bytes apart, by the queries of one: to
    // [groups * kTile][kTile]. Calls `meanwhile` after each tile of queries' cells.
    template <int kGroups, typename Meanwhile>
    static ATTN4J_INLINE void scores(const char* const* keys, int64_t stride, const char* queries, int64_t cells,
                                     float* to, const Meanwhile& meanwhile) {
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
            meanwhile();
        }
        constexpr int64_t tile = kTile * kTile;
        store_tile<0>(to, 64);
        if constexpr (kGroups > 1) store_tile<1>(to + tile, 64);
        if constexpr (kGroups > 2) store_tile<2>(to + 2 * tile, 64);
        if constexpr (kGroups > 3) store_tile<3>(to + 3 * tile, 64);
    }

    // The weights of `steps` steps of keys, rows Kind::most_steps * 64 bytes apart, by kColumns tiles of their values
    // [steps * kTile][4 * kTile] cells: to [kTile][stride]. Calls `meanwhile` after each step.
    template <int kColumns, typename Meanwhile>
    static ATTN4J_INLINE void values(const char* weights, const char* values, int64_t steps, float* to, int64_t stride,
                                     const Meanwhile& meanwhile) {
        zero_tile<0>();
        zero_tile<1>();
        if constexpr (kColumns > 2) zero_tile<2>();
        if constexpr (kColumns > 2) zero_tile<3>();
        for (int64_t step = 0; step < steps; ++step) {
            const char* const from = values + step * kTile * value_stride;
            load_tile<4>(weights + step * 64, Kind::most_steps * 64);
            add_values<0>(from);
            add_values<1>(from);
            if constexpr (kColumns > 2) add_values<2>(from);
            if constexpr (kColumns > 2) add_values<3>(from);
            meanwhile();
        }
        store_tile<0>(to, stride * 4);
        store_tile<1>(to + kTile, stride * 4);
        if constexpr (kColumns > 2) store_tile<2>(to + 2 * kTile, stride * 4);
        if constexpr (kColumns > 2) store_tile<3>(to + 3 * kTile, stride * 4);
    }

private:
    static constexpr int64_t value_stride = 4 * kTile * 4;

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
    static ATTN4J_INLINE void add_values(const char* values) {
        constexpr int column = 5 + kTo % 3;
        load_tile<column>(values + kTo * kTile * 4, value_stride);
        if constexpr (Kind::element == Element::i8) {
            dot_unsigned_tiles<kTo, 4, column>();
        } else {
            dot_tiles<kTo, 4, column>();
        }
    }
};

}  // namespace
