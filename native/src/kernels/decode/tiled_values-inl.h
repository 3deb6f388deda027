// SPDX-License-Identifier: Apache-2.0
// Weights of a block of keys times its values by tiles of cells, for tiled-inl.h, once cells of several keys are put
// together:
//     o[part][d] = sum_key p[part][key] v[key][d]
#pragma once

#include "kernels/decode/cells-inl.h"
#include "kernels/decode/infinite-inl.h"
#include "kernels/decode/pace-inl.h"
#include "kernels/decode/tiled_scores-inl.h"

namespace {

template <typename Kind, typename Products>
class TiledValues {
public:
    static int64_t floats(int64_t value_dim) {
        const int64_t wide = round_up(value_dim, Kind::dims);
        return most_tiles * (tile_bytes / 4 + kTile * kTogether) + Kind::most_steps * step_bytes / 4 +
               kMostRows * wide + kMostRows;
    }

    TiledValues(const DecodeChunk& chunk, bool with_infinite, Workspace& memory) : c_(chunk), careful_(with_infinite) {
        rows_ = c_.group * c_.queries;
        tiles_ = (rows_ + Kind::weight_rows - 1) / Kind::weight_rows;
        columns_ = round_up(c_.value_dim, Kind::dims);
        weights_ = reinterpret_cast<char*>(memory.take(most_tiles * tile_bytes / 4));
        values_ = reinterpret_cast<char*>(memory.take(Kind::most_steps * step_bytes / 4));
        weighted_ = memory.take(most_tiles * kTile * kTogether);
        out_ = memory.take(kMostRows * columns_);
        sizes_ = memory.take(kMostRows);
        for (int64_t tile = 0; tile < tiles_; ++tile) {
            char* const to = weights_ + tile * tile_bytes;
            for (int64_t i = 0; i < tile_bytes; i += 64) Cells::zero().store(to + i);
            Kind::pack_ones(to);
        }
    }

    // What a block of n keys takes, in cycles or so.
    int64_t units(int64_t n) const { return columns_ * (steps_of(n) * (2 + tiles_) + rows_ / 2); }

    // Weights of a row and n keys, 0 up to the end of a step.
    void pack_weights(int64_t row, const float* weights, int64_t n) const {
        Kind::pack_weights(weights, steps_of(n), row % Kind::weight_rows,
                           weights_ + row / Kind::weight_rows * tile_bytes, sizes_[row]);
    }

    // Adds the packed weights times the values of their block to each row's sums, which are first multiplied by rescale
    // [rows]. A few columns at a time, so that what is put together is still near when it is multiplied.
    ATTN4J_APART void add(const RowAddresses& rows, const float* rescale, Pace& pace) {
        for (int64_t column = 0; column < columns_; column += kTogether)
            if (columns_ - column >= kTogether) {
                add_columns<4>(rows, column, rescale, pace);
            } else {
                add_columns<2>(rows, column, rescale, pace);
            }
        fresh_ = false;
    }

    // What infinities and NaN among the values of n keys from `first` on add, row by row that sees them; weights
    // [rows][stride].
    ATTN4J_APART void add_infinite(int64_t first, int64_t n, const float* weights, int64_t stride) const {
        if constexpr (Kind::element != Element::bf16) return;
        ::add_infinite(RowRuns(c_, &DecodeChunk::v, c_.value_dim, CacheBlock{first, n, 0, 0}), n, c_.value_dim, weights,
                       stride, rows_, out_, columns_, Kind::position);
    }

    // Whether the result is right: no value that was infinite or NaN took part.
    bool finite() const { return fresh_ || all_finite(out_, rows_ * columns_); }

    // The sums in order, rows `width` apart.
    void finish(float* to, int64_t width) const {
        for (int64_t row = 0; row < rows_; ++row)
            for (int64_t d = 0; d < width && !fresh_; d += Kind::dims) {
                constexpr int vectors = Kind::dims / kTile;
                F32 x[vectors];
                for (int i = 0; i < vectors; ++i) x[i] = F32::load(out_ + row * columns_ + d + i * kTile);
                Kind::straighten(x);
                for (int i = 0; i < vectors && d + i * kTile < width; ++i) x[i].store(to + row * width + d + i * kTile);
            }
    }

private:
    static constexpr int64_t most_tiles = (kMostRows + Kind::weight_rows - 1) / Kind::weight_rows;
    static constexpr int64_t tile_bytes = kTile * Kind::most_steps * 64;
    static constexpr int64_t kTogether = 4 * kTile;               // columns
    static constexpr int64_t step_bytes = kTile * kTogether * 4;  // of values
    static constexpr int64_t step_keys = Kind::per_cell * kTile;

    static int64_t steps_of(int64_t keys) { return (keys + step_keys - 1) / step_keys; }

    template <int kColumns>
    ATTN4J_INLINE void add_columns(const RowAddresses& rows, int64_t column, const float* rescale, Pace& pace) {
        const int64_t steps = steps_of(rows.n);
        for (int64_t step = 0; step < steps; ++step) pack<kColumns>(rows, step, column, pace);
        for (int64_t tile = 0; tile < tiles_; ++tile)
            Products::template values<kColumns>(weights_ + tile * tile_bytes, values_, steps,
                                                weighted_ + tile * kTile * kTogether, kTogether,
                                                [&] { pace.step(kColumns * kTile); });
        for (int64_t row = 0; row < rows_; ++row) {
            const float* const from = weighted_ + row / Kind::weight_rows * kTile * kTogether;
            float* const to = out_ + row * columns_ + column;
            const F32 factor = F32::set(rescale[row]), size = F32::set(sizes_[row]);
#pragma GCC unroll 4
            for (int64_t d = 0; d < kColumns * kTile; d += kTile) {
                const F32 x = Kind::sum(from + d, kTogether, row % Kind::weight_rows, size);
                (fresh_ ? x : fma(F32::load(to + d), factor, x)).store(to + d);
            }
            pace.step(kColumns * kTile / 2);
        }
    }

    template <int kColumns>
    ATTN4J_INLINE void pack(const RowAddresses& rows, int64_t step, int64_t column, Pace& pace) const {
        char* const to = values_ + step * step_bytes;
        const int64_t left = rows.n - step * step_keys, columns = c_.value_dim - column;
        const char* const* const keys = rows.at + step * step_keys;
        if (left >= step_keys && columns >= kColumns * kTile) {
            pack<kColumns, true>(keys, left, column, to, pace);
        } else {
            pack<kColumns, false>(keys, left, column, to, pace);
        }
        // 0 times an infinity or a NaN would be NaN, and not every row sees each key.
        if constexpr (Kind::element == Element::bf16)
            for (int64_t i = 0; careful_ && i < step_bytes; i += 64) {
                auto* const pairs = reinterpret_cast<uint16_t*>(to + i);
                finite_or_zero(Pairs::load(pairs)).store(pairs);
            }
    }
    template <int kColumns, bool kWhole>
    ATTN4J_INLINE void pack(const char* const* keys, int64_t n, int64_t column, char* to, Pace& pace) const {
        const int64_t element_bytes = attn4j::bytes_of(Kind::element);
        for (int64_t i = 0; i < kTile; ++i) {
#pragma GCC unroll 4
            for (int64_t d = 0; d < kColumns * kTile; d += Kind::dims)
                Kind::template pack_values<kWhole>(keys, n, i, column + d, (c_.value_dim - column - d) * element_bytes,
                                                   to + (i * kTogether + d) * 4);
            pace.step(2 * kColumns);
        }
    }

    const DecodeChunk& c_;
    const bool careful_;  // values may be infinite or NaN
    int64_t rows_, tiles_, columns_;
    char* weights_;      // tiles of [kTile][Kind::most_steps][kTile] cells
    char* values_;       // of kTogether columns, Kind::most_steps of [kTile][kTogether] cells
    float* weighted_;    // tiles of [kTile][kTogether]
    float* out_;         // [rows][columns], in the order of position()
    float* sizes_;       // [rows]
    bool fresh_ = true;  // out holds nothing yet
};

}  // namespace
