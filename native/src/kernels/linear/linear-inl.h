// SPDX-License-Identifier: Apache-2.0
// The body of linear.h, written once over the vector type. With a weight [out, in] lanes are rows: a block of V vectors
// of them is transposed once, and the weight is read as it lies, with nothing packed. Outputs are made a panel at a
// time, transposed, and finished in registers on their way back.
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

// Floats of a cache line, and how far ahead rows of x are called for while they are transposed.
constexpr int64_t kLine = 16, kAhead = 4 * kLine;

// Sums of the panel's features over inputs [first, first + n), onto what earlier inputs left.
template <int V>
struct LinearTiles {
    const LinearBlock& block;
    const float* x;  // xT [in_features][V * lanes]
    float* sums;     // [kPanel][V * lanes]
    int64_t panel, first, n;

    template <int R>
    void operator()(int64_t o) const {
        Tile<R, V> t;
        if (first == 0) {
            t.zero();
        } else {
            t.load(sums + o * t.width);
        }
        const float* const inputs = x + first * t.width;
        t.add_rows(block.weight + (panel + o) * block.weight_stride + first, block.weight_stride, inputs, n);
        t.store(sums + o * t.width);
    }
};

inline void finish(const LinearBlock& block, int64_t row, int64_t o, int64_t n, F32 y) {
    if (block.bias != nullptr) y = y + load_some(block.bias + o, n);
    if (block.gelu) y = gelu(y);
    if (block.residual != nullptr) y = y + load_some(block.residual + row * block.residual_stride + o, n);
    store_some(y, block.out + row * block.out_stride + o, n);
}

template <typename Tiles, int V>
inline void linear_rows(const LinearBlock& block) {
    constexpr int64_t width = V * F32::lanes;
    float* const sums = block.workspace;
    float* const x = sums + kPanel * width;
    F32 one[V];
    for (int v = 0; v < V; ++v) one[v] = F32::set(1.0f);
    transpose_in<V>(block.rows, block.in_features, one[0], x, [&](int64_t row, int64_t c, int64_t n) {
        const float* const from = block.x + row * block.x_stride + c;
        __builtin_prefetch(from + kAhead);
        return load_some(from, n);
    });
    for (int64_t panel = 0; panel < block.out_features; panel += kPanel) {
        const int64_t features = block.out_features - panel < kPanel ? block.out_features - panel : kPanel;
        for (int64_t row = 0; row < block.rows; ++row)
            for (int64_t o = 0; o < features; o += kLine)
                __builtin_prefetch(block.out + row * block.out_stride + panel + o, 1);
        for (int64_t first = 0; first < block.in_features; first += Tiles::input_block) {
            const int64_t left = block.in_features - first;
            cover<Tiles::rows(V)>(
                features, 0,
                LinearTiles<V>{block, x, sums, panel, first, left < Tiles::input_block ? left : Tiles::input_block});
        }
        transpose_out(sums, block.rows, features, one,
                      [&](int64_t row, int64_t o, int64_t n, F32 y) { finish(block, row, panel + o, n, y); });
    }
}

template <typename Tiles>
inline int64_t linear_workspace_floats(bool out_in, int64_t rows, int64_t in_features, int64_t out_features) {
    if (rows < F32::lanes) return few_rows_workspace_floats(out_features);
    return out_in ? (kPanel + in_features) * Tiles::max_vectors * F32::lanes : in_out_workspace_floats<Tiles>(rows);
}

// As few vectors as the rows need.
template <typename Tiles>
inline void linear(const LinearBlock& block) {
    const auto finish_features = [&](int64_t row, int64_t o, int64_t features, const float* sums) {
        for (int64_t c = 0; c < features; c += F32::lanes)
            finish(block, row, o + c, features - c < F32::lanes ? features - c : F32::lanes, F32::load(sums + c));
    };
    if (block.rows < F32::lanes) return few_rows<Tiles>(block, finish_features);
    if (!block.out_in) return in_out<Tiles>(block, finish_features);
    const int64_t vectors = (block.rows + F32::lanes - 1) / F32::lanes;
    if constexpr (Tiles::max_vectors >= 3) {
        if (vectors >= 3) return linear_rows<Tiles, 3>(block);
    }
    if constexpr (Tiles::max_vectors >= 2) {
        if (vectors >= 2) return linear_rows<Tiles, 2>(block);
    }
    linear_rows<Tiles, 1>(block);
}

template <typename Tiles>
constexpr attn4j::LinearKernel linear_kernel() {
    return {F32::lanes, Tiles::max_vectors * F32::lanes, linear_workspace_floats<Tiles>, linear<Tiles>};
}

}  // namespace
