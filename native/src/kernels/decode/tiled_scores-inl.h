// SPDX-License-Identifier: Apache-2.0
// Scores of a block of keys by tiles of cells, for tiled-inl.h: keys are multiplied as they lie, sixteen at a time by
// sixteen lanes of query rows or their parts:
//     s[key][lane] = sum_d k[key][d] q[lane][d]
#pragma once

#include "kernels/decode/cells-inl.h"
#include "kernels/decode/pace-inl.h"

namespace {

template <typename Kind, typename Products>
class TiledScores {
public:
    static constexpr int64_t most_keys = Kind::per_cell * kTile * Kind::most_steps;

    static int64_t floats(int64_t head_dim) {
        const int64_t cells = cells_of(head_dim);
        return most_tiles * cells * kTile + kTogether * kTile * cells + most_tiles * most_keys * kTile +
               kMostRows * most_keys + kMostRows;
    }

    TiledScores(const DecodeChunk& chunk, Workspace& memory) : c_(chunk) {
        rows_ = c_.group * c_.queries;
        tiles_ = (rows_ + Kind::query_rows - 1) / Kind::query_rows;
        cells_ = cells_of(c_.head_dim);
        in_place_ = c_.head_dim == cells_ * Kind::per_cell && (c_.k.pages == nullptr || c_.k.page_rows % kTile == 0);
        queries_ = reinterpret_cast<char*>(memory.take(most_tiles * cells_ * kTile));
        copy_ = reinterpret_cast<char*>(memory.take(kTogether * kTile * cells_));
        products_ = memory.take(most_tiles * most_keys * kTile);
        scores_ = memory.take(kMostRows * most_keys);
        units_ = memory.take(kMostRows);
        for (int64_t tile = 0; tile < tiles_; ++tile)
            Kind::pack_queries(c_, tile * Kind::query_rows, rows_, cells_, queries_ + tile * cells_ * 64, units_,
                               reinterpret_cast<float*>(copy_));
    }

    // [rows][most_keys]
    float* scores() const { return scores_; }

    // What a block of n keys takes, in cycles or so.
    int64_t units(int64_t n) const { return tiles_ * groups_of(n) * (cells_ + kFinishUnits); }

    // Products with a block of keys, which begins at a multiple of kTile.
    ATTN4J_APART void multiply(const RowAddresses& keys, Pace& pace) const {
        const int64_t groups = groups_of(keys.n), whole = in_place_ ? keys.n / kTile : 0;
        for (int64_t group = 0, count; group < groups; group += count) {
            const int64_t left = (group < whole ? whole : groups) - group;
            count = left < kTogether ? left : kTogether;
            for (int64_t tile = 0; tile < tiles_; ++tile) multiply(keys, tile, group, count, group < whole, pace);
        }
    }

    // Scores of what was multiplied: [key][lane] to [row][key].
    ATTN4J_APART void finish(int64_t n, Pace& pace) const {
        for (int64_t tile = 0; tile < tiles_; ++tile)
            for (int64_t group = 0; group < groups_of(n); ++group) {
                const float* const from = products_ + (tile * most_keys + group * kTile) * kTile;
                F32 lanes[kTile];
                for (int64_t i = 0; i < kTile; ++i) lanes[i] = F32::load(from + i * kTile);
                transpose(lanes);
                const int64_t first = tile * Kind::query_rows;
                for (int64_t r = 0; r < Kind::query_rows && first + r < rows_; ++r)
                    Kind::score(lanes, r, Kind::product_factor(c_, units_, first + r))
                        .store(scores_ + (first + r) * most_keys + group * kTile);
                pace.step(kFinishUnits);
            }
    }

private:
    static constexpr int64_t most_tiles = (kMostRows + Kind::query_rows - 1) / Kind::query_rows;
    static constexpr int64_t kTogether = 4;      // groups of kTile keys
    static constexpr int64_t kFinishUnits = 40;  // of a group

    static int64_t cells_of(int64_t dim) { return round_up(dim, Kind::per_cell * kTile) / Kind::per_cell; }

    static int64_t groups_of(int64_t keys) { return (keys + kTile - 1) / kTile; }

    // `count` groups of keys by a tile of query rows.
    void multiply(const RowAddresses& keys, int64_t tile, int64_t group, int64_t count, bool whole, Pace& pace) const {
        const char* at[kTogether];
        for (int64_t i = 0; i < count; ++i)
            at[i] = whole ? keys.at[(group + i) * kTile] : copy_ + i * kTile * cells_ * 4;
        if (!whole) copy_keys(keys, group * kTile, count * kTile);
        const int64_t stride = whole ? c_.k.stride * attn4j::bytes_of(Kind::element) : cells_ * 4;
        const char* const lanes = queries_ + tile * cells_ * 64;
        float* const to = products_ + (tile * most_keys + group * kTile) * kTile;
        const auto meanwhile = [&] { pace.step(count * kTile); };
        switch (count) {
            case 1:
                return Products::template scores<1>(at, stride, lanes, cells_, to, meanwhile);
            case 2:
                return Products::template scores<2>(at, stride, lanes, cells_, to, meanwhile);
            case 3:
                return Products::template scores<3>(at, stride, lanes, cells_, to, meanwhile);
            default:
                return Products::template scores<4>(at, stride, lanes, cells_, to, meanwhile);
        }
    }

    void copy_keys(const RowAddresses& keys, int64_t first, int64_t count) const {
        const int64_t key_bytes = c_.head_dim * attn4j::bytes_of(Kind::element);
        for (int64_t i = 0; i < count; ++i)
            for (int64_t cell = 0; cell < cells_; cell += kTile) {
                const int64_t left = first + i < keys.n ? key_bytes - cell * 4 : 0;
                (left <= 0 ? Cells::zero() : Cells::load_first(keys.at[first + i] + cell * 4, left < 64 ? left : 64))
                    .store(copy_ + (i * cells_ + cell) * 4);
            }
    }

    const DecodeChunk& c_;
    int64_t rows_, tiles_, cells_;
    bool in_place_;    // keys lie as the product takes them, but for the last of them
    char* queries_;    // tiles of [cells][kTile] cells
    char* copy_;       // [kTogether * kTile][cells] cells
    float* products_;  // tiles of [most_keys][kTile]
    float* scores_;    // [rows][most_keys]
    float* units_;     // [rows]
};

}  // namespace
