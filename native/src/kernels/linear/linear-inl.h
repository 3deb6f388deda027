// SPDX-License-Identifier: Apache-2.0
// The body of linear.h, written once over the vector type. With a weight [out, in] lanes are rows: strips of up to V
// vectors of them are transposed once, and the weight is read as it lies, with nothing packed. Outputs are made a panel
// of features at a time for one strip after the other, transposed, and finished in registers on their way back.
#pragma once

#include "kernels/linear/few_rows-inl.h"
#include "kernels/linear/in_out-inl.h"
#include "kernels/linear/linear.h"
#include "kernels/pointwise/pointwise-inl.h"
#include "kernels/tile-inl.h"

namespace {

// Output features of a panel, whole tiles of every size: its transposed sums (48 rows of 256 bytes at four vectors of
// sixteen) stay in the first cache.
constexpr int64_t kPanel = 48;

// Vectors of rows of a block, and inputs that are transposed at a time: 12 vectors of 16 rows by 768 inputs take 0.6 MB
// of the second cache, and a panel of the weight 0.15 MB. Three or four strips read a panel from there for each time
// that it comes from further away.
constexpr int64_t kBlockVectors = 12, kChunk = 768;

// Floats of a cache line, how far ahead rows of x are called for while they are transposed, and how much of a weight's
// row before the hardware foresees the rest.
constexpr int64_t kLine = kLineBytes / static_cast<int64_t>(sizeof(float)), kAhead = 4 * kLine, kRowStart = 2 * kLine;

// Rows of a block that are transposed together, in V vectors.
struct Strip {
    int64_t row, rows;
    float* x;     // xT [inputs of the chunk][V * lanes]
    float* sums;  // [kPanel][V * lanes]
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
        const float* const weight = block.weight + (panel + o) * block.weight_stride + first;
        if (panel + o + 2 * R <= block.out_features) call_for_rows<R>(weight + R * block.weight_stride);
        t.add_rows(weight, block.weight_stride, x, n);
        t.store(sums);
    }

    // A tile's share of the lines of `out` that the panel will fill.
    template <int R>
    ATTN4J_INLINE void call_for_out(int64_t o) const {
        for (int64_t row = strip.rows * o / kPanel; row < strip.rows * (o + R) / kPanel; ++row)
            for (int64_t c = panel; c < panel + kPanel && c < block.out_features; c += kLine)
                __builtin_prefetch(block.out + (strip.row + row) * block.out_stride + c, 1);
    }

    // The starts of the next tile's rows. To call for all of them costs more than it gains.
    template <int R>
    ATTN4J_INLINE void call_for_rows(const float* rows) const {
        for (int r = 0; r < R; ++r)
            for (int64_t c = 0; c < kRowStart; c += kLine) __builtin_prefetch(rows + r * block.weight_stride + c);
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
    constexpr int64_t lanes = F32::lanes, V = Tiles::linear_vectors;
    static_assert(kBlockVectors % V == 0, "a block is whole strips");
    // Of more inputs than a chunk's, all panels' sums are kept until the last chunk.
    const bool whole = block.in_features <= kChunk;
    const int64_t chunk = whole ? block.in_features : kChunk;
    const int64_t vectors = (block.rows + lanes - 1) / lanes;
    const int64_t strips = (vectors + V - 1) / V;
    float* const sums = block.workspace + vectors * lanes * chunk;
    for (int64_t first = 0; first < block.in_features; first += chunk) {
        const int64_t n = block.in_features - first < chunk ? block.in_features - first : chunk;
        Strip all[kBlockVectors / V];
        for (int64_t s = 0; s < strips; ++s) {
            const int64_t begin = s * vectors / strips * lanes, end = (s + 1) * vectors / strips * lanes;
            const int64_t rows = (end < block.rows ? end : block.rows) - begin;
            all[s] = {begin, rows, block.workspace + begin * chunk, nullptr};
            run_strip<V>(rows, TakeStrip{block, all[s], first, n});
        }
        for (int64_t panel = 0; panel < block.out_features; panel += kPanel)
            for (int64_t s = 0; s < strips; ++s) {
                all[s].sums = sums + (whole ? 0 : panel * vectors * lanes + kPanel * all[s].row);
                run_strip<V>(all[s].rows, MultiplyStrip<Tiles>{block, all[s], panel, first, n});
            }
    }
}

template <typename Tiles>
inline int64_t linear_workspace_floats(bool out_in, int64_t rows, int64_t in_features, int64_t out_features) {
    if (rows < F32::lanes) return few_rows_workspace_floats(out_in, out_features);
    if (!out_in) return in_out_workspace_floats<Tiles>(rows);
    const bool whole = in_features <= kChunk;
    const int64_t sums = whole ? kPanel : round_up(out_features, kPanel);
    return round_up(rows, F32::lanes) * ((whole ? in_features : kChunk) + sums);
}

template <typename Tiles>
inline void linear(const LinearBlock& block) {
    const auto finish_vector = [&](int64_t row, int64_t o, int64_t n, F32 y) { finish(block, row, o, n, y); };
    if (block.rows < F32::lanes) return few_rows<Tiles>(block, finish_vector);
    if (block.out_in) return linear_rows<Tiles>(block);
    in_out<Tiles>(block, [&](int64_t row, int64_t o, int64_t features, const float* sums) {
        for (int64_t c = 0; c < features; c += F32::lanes)
            finish_vector(row, o + c, features - c < F32::lanes ? features - c : F32::lanes, F32::load(sums + c));
    });
}

template <typename Tiles>
constexpr attn4j::LinearKernel linear_kernel() {
    return {F32::lanes, kBlockVectors * F32::lanes, kChunk, linear_workspace_floats<Tiles>, linear<Tiles>};
}

}  // namespace
