// SPDX-License-Identifier: Apache-2.0
// The body of linear.h, written once over the vector type. With a weight [out, in] lanes are rows: strips of up to V
// vectors of them are transposed once, and the weight is read as it lies, with nothing packed. Outputs are made a panel
// of features at a time for one strip after the other, transposed, and finished in registers on their way back.
// Meanwhile the weight of the next panel comes into the second cache, so that its size does not matter.
#pragma once

#include "kernels/linear/few_rows-inl.h"
#include "kernels/linear/in_out-inl.h"
#include "kernels/linear/linear.h"
#include "kernels/pointwise/pointwise-inl.h"
#include "kernels/tile-inl.h"

namespace {

// Output features of a panel: its transposed sums (64 rows of 192 bytes at three vectors of sixteen) stay in the first
// cache.
constexpr int64_t kPanel = 64;

// Strips of a block, and inputs that are transposed at a time: 4 strips of 48 rows by 768 inputs take 0.6 MB of the
// second cache, and two panels of the weight 0.4 MB. Four strips read a panel from there for each time that it comes
// from further away.
constexpr int64_t kStrips = 4, kChunk = 768;

// Floats of a cache line, and how far ahead rows of x are called for while they are transposed.
constexpr int64_t kLine = 16, kAhead = 4 * kLine;

// Rows of a block that are transposed together, in V vectors.
struct Strip {
    int64_t row, rows;
    float* x;            // xT [inputs of the chunk][V * lanes]
    float* sums;         // [kPanel][V * lanes]
    int64_t number, of;  // of the block's strips
};

// Sums of the panel's features over inputs [first, first + n), onto what earlier inputs left.
template <int V>
struct LinearTiles {
    const LinearBlock& block;
    const Strip& strip;
    const float* x;  // xT of input `first`
    int64_t panel, first, n;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t o) const {
        float* const sums = strip.sums + o * V * F32::lanes;
        Tile<R, V> t;
        if (first == 0) {
            t.zero();
        } else {
            t.load(sums);
        }
        if (first + n == block.in_features) call_for_out<R>(o);
        add(t, o);
        t.store(sums);
    }

    // A tile's share of the lines of `out` that the panel will fill.
    template <int R>
    ATTN4J_INLINE void call_for_out(int64_t o) const {
        for (int64_t row = strip.rows * o / kPanel; row < strip.rows * (o + R) / kPanel; ++row)
            for (int64_t c = panel; c < panel + kPanel && c < block.out_features; c += kLine)
                __builtin_prefetch(block.out + (strip.row + row) * block.out_stride + c, 1);
    }

    // Meanwhile calls for the strip's share of the next panel's weight, a line of each row at a time: all at once would
    // wait for each other.
    template <int R>
    ATTN4J_INLINE void add(Tile<R, V>& t, int64_t o) const {
        const int64_t stride = block.weight_stride;
        const float* const weight = block.weight + (panel + o) * stride + first;
        const float* const next = weight + kPanel * stride + strip.number * kLine;
        const bool more = panel + kPanel + o + R <= block.out_features;
        const int64_t step = more ? strip.of * kLine : n;
        for (int64_t i = 0; i < n; i += step) {
            for (int r = 0; more && r < R; ++r) __builtin_prefetch(next + r * stride + i, 0, 2);
            t.add_rows(weight + i, stride, x + i * t.width, n - i < step ? n - i : step);
        }
    }
};

inline void finish(const LinearBlock& block, int64_t row, int64_t o, int64_t n, F32 y) {
    if (block.bias != nullptr) y = y + load_some(block.bias + o, n);
    if (block.gelu) y = gelu(y);
    if (block.residual != nullptr) y = y + load_some(block.residual + row * block.residual_stride + o, n);
    store_some(y, block.out + row * block.out_stride + o, n);
}

// Inputs [first, first + n) of a strip, transposed.
struct TakeStrip {
    const LinearBlock& block;
    const Strip& strip;
    int64_t first, n;

    template <int V>
    void run() const {
        transpose_in<V>(strip.rows, n, F32::set(1.0f), strip.x, [&](int64_t row, int64_t c, int64_t count) {
            const float* const from = block.x + (strip.row + row) * block.x_stride + first + c;
            __builtin_prefetch(from + kAhead);
            return load_some(from, count);
        });
    }
};

// Its sums of a panel over those inputs, and the outputs once they are the last.
template <typename Tiles>
struct MultiplyStrip {
    const LinearBlock& block;
    const Strip& strip;
    int64_t panel, first, n;

    template <int V>
    ATTN4J_APART void run() const {
        const int64_t features = block.out_features - panel < kPanel ? block.out_features - panel : kPanel;
        for (int64_t i = 0; i < n; i += Tiles::input_block) {
            const int64_t inputs = n - i < Tiles::input_block ? n - i : Tiles::input_block;
            cover<Tiles::rows(V)>(features, 0,
                                  LinearTiles<V>{block, strip, strip.x + i * V * F32::lanes, panel, first + i, inputs});
        }
        if (first + n < block.in_features) return;
        F32 one[V];
        for (int v = 0; v < V; ++v) one[v] = F32::set(1.0f);
        transpose_out(strip.sums, strip.rows, features, one, [&](int64_t row, int64_t o, int64_t count, F32 y) {
            finish(block, strip.row + row, panel + o, count, y);
        });
    }
};

// For as few vectors as the rows need.
template <int V, typename Work>
inline void run_strip(int64_t rows, const Work& work) {
    if constexpr (V > 1) {
        if (rows <= (V - 1) * F32::lanes) return run_strip<V - 1>(rows, work);
    }
    work.template run<V>();
}

template <typename Tiles>
inline void linear_rows(const LinearBlock& block) {
    constexpr int64_t lanes = F32::lanes;
    // Of more inputs than a chunk's, all panels' sums are kept until the last chunk.
    const bool whole = block.in_features <= kChunk;
    const int64_t chunk = whole ? block.in_features : kChunk;
    const int64_t vectors = (block.rows + lanes - 1) / lanes;
    const int64_t strips = (vectors + Tiles::max_vectors - 1) / Tiles::max_vectors;
    float* const sums = block.workspace + vectors * lanes * chunk;
    for (int64_t first = 0; first < block.in_features; first += chunk) {
        const int64_t n = block.in_features - first < chunk ? block.in_features - first : chunk;
        Strip all[kStrips];
        for (int64_t s = 0; s < strips; ++s) {
            const int64_t begin = s * vectors / strips * lanes, end = (s + 1) * vectors / strips * lanes;
            const int64_t rows = (end < block.rows ? end : block.rows) - begin;
            all[s] = {begin, rows, block.workspace + begin * chunk, nullptr, s, strips};
            run_strip<Tiles::max_vectors>(rows, TakeStrip{block, all[s], first, n});
        }
        for (int64_t panel = 0; panel < block.out_features; panel += kPanel)
            for (int64_t s = 0; s < strips; ++s) {
                all[s].sums = sums + (whole ? 0 : panel * vectors * lanes + kPanel * all[s].row);
                run_strip<Tiles::max_vectors>(all[s].rows, MultiplyStrip<Tiles>{block, all[s], panel, first, n});
            }
    }
}

template <typename Tiles>
inline int64_t linear_workspace_floats(bool out_in, int64_t rows, int64_t in_features, int64_t out_features) {
    if (rows < F32::lanes) return few_rows_workspace_floats(out_features);
    if (!out_in) return in_out_workspace_floats<Tiles>(rows);
    const bool whole = in_features <= kChunk;
    const int64_t sums = whole ? kPanel : round_up(out_features, kPanel);
    return round_up(rows, F32::lanes) * ((whole ? in_features : kChunk) + sums);
}

template <typename Tiles>
inline void linear(const LinearBlock& block) {
    const auto finish_features = [&](int64_t row, int64_t o, int64_t features, const float* sums) {
        for (int64_t c = 0; c < features; c += F32::lanes)
            finish(block, row, o + c, features - c < F32::lanes ? features - c : F32::lanes, F32::load(sums + c));
    };
    if (block.rows < F32::lanes) return few_rows<Tiles>(block, finish_features);
    if (!block.out_in) return in_out<Tiles>(block, finish_features);
    linear_rows<Tiles>(block);
}

template <typename Tiles>
constexpr attn4j::LinearKernel linear_kernel() {
    return {F32::lanes, kStrips * Tiles::max_vectors * F32::lanes, linear_workspace_floats<Tiles>, linear<Tiles>};
}

}  // namespace
