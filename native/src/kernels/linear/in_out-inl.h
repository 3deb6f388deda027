// SPDX-License-Identifier: Apache-2.0
// The body of linear.h for a weight [in, out] and at least as many rows as a vector has lanes. Lanes are output
// features, so that neither x nor the result is transposed. A panel of features is copied, a chunk of inputs at a time,
// while its first rows are multiplied, and the lines of the next chunk, which lie a row of memory apart, are called for
// meanwhile: the hardware foresees few of them. Each sum runs over the inputs in ascending order.
#pragma once

#include "kernels/linear/linear.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::LinearBlock;

// Floats of a cache line.
constexpr int64_t kWeightLine = 16;

// A chunk: so many inputs of so many panels of features side by side. It takes 24 KiB at three vectors of sixteen.
// (Measured from 16 to 192 rows: the same as 32 inputs of 4 panels, 2 to 10 % faster than 16 of 8 and 128 of 1.)
constexpr int64_t kChunkInputs = 64, kPanels = 2;

// The chunk's inputs of one panel, V vectors of features.
template <int V>
struct InOutPanel {
    const float* weight;  // [inputs][V * lanes], rows weight_stride apart
    int64_t weight_stride;
    const float* next;  // the chunk that follows, rows as far apart
    float* copy;        // [inputs][V * lanes]
    float* sums;        // [rows][V * lanes]
    int64_t feature, first, inputs;
    int64_t tile, lines;  // tiles of the chunk before this panel; lines of a row of the next chunk
};

// Sums of rows from r on, onto what earlier inputs left; finished after the last.
template <int V, int kTileRows, bool kCopied, typename Finish>
struct InOutTiles {
    static constexpr int64_t width = V * F32::lanes;

    const LinearBlock& block;
    const InOutPanel<V>& panel;
    const Finish& finish;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t r) const {
        float* const sums = panel.sums + r * width;
        const bool last = panel.first + panel.inputs == block.in_features;
        if (last) call_for_rows<R>(r);
        Tile<R, V> t;
        if (panel.first == 0) {
            t.zero();
        } else {
            t.load(sums);
        }
        if (!kCopied && r == 0) {
            add<R, false>(t, r);
        } else {
            add<R, true>(t, r);
        }
        t.store(sums);
        if (!last) return;
        for (int i = 0; i < R; ++i) finish(r + i, panel.feature, width, sums + i * width);
    }

    template <int R>
    ATTN4J_INLINE void call_for_rows(int64_t r) const {
        for (int i = 0; i < R; ++i)
            for (int64_t c = 0; c < width; c += kWeightLine) {
                __builtin_prefetch(block.out + (r + i) * block.out_stride + panel.feature + c, 1);
                if (block.residual != nullptr)
                    __builtin_prefetch(block.residual + (r + i) * block.residual_stride + panel.feature + c);
            }
    }

    // Each of the first tiles calls for one line of every input that follows.
    template <int R, bool kFromCopy>
    ATTN4J_INLINE void add(Tile<R, V>& t, int64_t r) const {
        const int64_t line = panel.tile + r / kTileRows, ahead_stride = line < panel.lines ? panel.weight_stride : 0;
        const float* const ahead = line < panel.lines ? panel.next + line * kWeightLine : panel.copy;
        const float* const x = block.x + r * block.x_stride + panel.first;
        // Every third row, as in Tile::add_rows.
        const float* third[(R + 2) / 3];
        for (int i = 0; i < R; i += 3) third[i / 3] = x + i * block.x_stride;
#pragma GCC unroll 2
        for (int64_t k = 0; k < panel.inputs; ++k) {
            __builtin_prefetch(ahead + k * ahead_stride, 0, 2);
            F32 w[V];
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) {
                float* const copy = panel.copy + k * width + v * F32::lanes;
                w[v] = F32::load(kFromCopy ? copy : panel.weight + k * panel.weight_stride + v * F32::lanes);
                if (!kFromCopy) w[v].store(copy);
            }
#pragma GCC unroll 64
            for (int i = 0; i < R; ++i) {
                const Splat s = Splat::load(third[i / 3] + i % 3 * block.x_stride + k);
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) t.at[i][v] = fma(s, w[v], t.at[i][v]);
            }
        }
    }
};

// Features [o, o + panels * width) for all rows; fewer than a vector are copied before, so that nothing behind them is
// read.
template <typename Tiles, int V, typename Finish>
ATTN4J_APART void in_out_panels(const LinearBlock& block, int64_t o, int64_t panels, int64_t features,
                                const Finish& finish) {
    constexpr int64_t width = V * F32::lanes;
    float* const copy = block.workspace;
    float* const sums = copy + kChunkInputs * width;
    const float* const weight = block.weight + o;
    const auto finish_some = [&](int64_t row, int64_t feature, int64_t, const float* from) {
        finish(row, feature, features, from);
    };
    const int64_t tiles = (block.rows + Tiles::rows(V) - 1) / Tiles::rows(V);
    for (int64_t first = 0; first < block.in_features; first += kChunkInputs) {
        const int64_t left = block.in_features - first;
        const int64_t n = left < kChunkInputs ? left : kChunkInputs;
        const float* const next = n < left ? weight + (first + n) * block.weight_stride : weight + panels * width;
        for (int64_t p = 0; p < panels; ++p) {
            const InOutPanel<V> panel{weight + first * block.weight_stride + p * width,
                                      block.weight_stride,
                                      next,
                                      copy,
                                      sums + p * block.rows * width,
                                      o + p * width,
                                      first,
                                      n,
                                      p * tiles,
                                      (panels * width + kWeightLine - 1) / kWeightLine};
            if (features == width) {
                cover<Tiles::rows(V)>(block.rows, 0,
                                      InOutTiles<V, Tiles::rows(V), false, Finish>{block, panel, finish});
                continue;
            }
            for (int64_t i = 0; i < n; ++i)
                F32::load_first(panel.weight + i * block.weight_stride, features).store(copy + i * width);
            cover<Tiles::rows(V)>(
                block.rows, 0, InOutTiles<V, Tiles::rows(V), true, decltype(finish_some)>{block, panel, finish_some});
        }
    }
}

// finish(row, o, n, sums) takes the n sums of features from o on of a row.
template <typename Tiles, typename Finish>
inline void in_out(const LinearBlock& block, const Finish& finish) {
    constexpr int V = Tiles::max_vectors;
    constexpr int64_t lanes = F32::lanes;
    int64_t o = 0;
    while (block.out_features - o >= V * lanes) {
        const int64_t whole = (block.out_features - o) / (V * lanes), panels = whole < kPanels ? whole : kPanels;
        in_out_panels<Tiles, V>(block, o, panels, V * lanes, finish);
        o += panels * V * lanes;
    }
    for (; o < block.out_features; o += lanes)
        in_out_panels<Tiles, 1>(block, o, 1, block.out_features - o < lanes ? block.out_features - o : lanes, finish);
}

template <typename Tiles>
inline int64_t in_out_workspace_floats(int64_t rows) {
    return (kChunkInputs + kPanels * rows) * Tiles::max_vectors * F32::lanes;
}

}  // namespace
