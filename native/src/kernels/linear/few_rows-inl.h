// SPDX-License-Identifier: Apache-2.0
// The body of linear.h for fewer rows than a vector has lanes, where reading the weight once is what counts. Lanes are
// output features. A weight [in, out] is read along its rows; one [out, in] by few_rows_out_in-inl.h. Each sum runs
// over the inputs in ascending order, so its bits are those of linear-inl.h.
#pragma once

#include "kernels/linear/few_rows_out_in-inl.h"
#include "kernels/linear/linear.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::LinearBlock;

// Inputs taken at once of a weight [in, out]: enough that the sums, which are loaded and stored for them, do not count.
constexpr int64_t kStripInputs = 8;

// Sums of rows from r on over n inputs from `first` on, of V vectors of features, onto what earlier inputs left.
template <int V>
struct FewRowsTiles {
    const LinearBlock& block;
    const float* weight;  // [n][V * lanes], rows weight_stride apart
    int64_t weight_stride;
    float* sums;  // [rows][V * lanes], rows sums_stride apart
    int64_t sums_stride, first, n;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t r) const {
        Tile<R, V> t;
        if (first == 0) {
            t.zero();
        } else {
            t.load(sums + r * sums_stride, sums_stride);
        }
        t.add_rows(block.x + r * block.x_stride + first, block.x_stride, weight, n, weight_stride);
        t.store(sums + r * sums_stride, sums_stride);
    }
};

// Features [o, o + V * lanes) over inputs [first, first + n) of a weight [in, out].
template <typename Tiles, int V>
ATTN4J_INLINE void add_strip(const LinearBlock& block, int64_t o, int64_t first, int64_t n, float* sums,
                             int64_t sums_stride) {
    constexpr int64_t line = 16;  // floats
    const float* const weight = block.weight + first * block.weight_stride + o;
    // The same features of the next inputs, each a row of memory away.
    for (int64_t i = n; i < 2 * n; ++i)
        for (int64_t c = 0; c < V * F32::lanes; c += line)
            __builtin_prefetch(weight + i * block.weight_stride + c, 0, 2);
    cover<Tiles::rows(V)>(block.rows, 0,
                          FewRowsTiles<V>{block, weight, block.weight_stride, sums + o, sums_stride, first, n});
}

// A weight [in, out].
template <typename Tiles, typename Finish>
ATTN4J_APART void few_rows_in_out(const LinearBlock& block, const Finish& finish) {
    constexpr int V = Tiles::max_vectors;
    constexpr int64_t lanes = F32::lanes;
    const int64_t whole = block.out_features / lanes * lanes, stride = round_up(block.out_features, lanes);
    float* const sums = block.workspace;             // [rows][stride]
    float* const rest = sums + block.rows * stride;  // [kStripInputs][lanes], of the features that are no whole vector
    for (int64_t first = 0; first < block.in_features; first += kStripInputs) {
        const int64_t n = block.in_features - first < kStripInputs ? block.in_features - first : kStripInputs;
        int64_t o = 0;
        for (; whole - o >= V * lanes; o += V * lanes) add_strip<Tiles, V>(block, o, first, n, sums, stride);
        for (; o < whole; o += lanes) add_strip<Tiles, 1>(block, o, first, n, sums, stride);
        if (o == block.out_features) continue;
        for (int64_t i = 0; i < n; ++i)
            F32::load_first(block.weight + (first + i) * block.weight_stride + o, block.out_features - o)
                .store(rest + i * lanes);
        cover<Tiles::rows(1)>(block.rows, 0, FewRowsTiles<1>{block, rest, lanes, sums + o, stride, first, n});
    }
    for (int64_t row = 0; row < block.rows; ++row)
        for (int64_t o = 0; o < block.out_features; o += lanes)
            finish(row, o, block.out_features - o < lanes ? block.out_features - o : lanes,
                   F32::load(sums + row * stride + o));
}

// finish(row, o, n, y) takes sums of features from o on, up to `lanes`, of a row.
template <typename Tiles, typename Finish>
inline void few_rows(const LinearBlock& block, const Finish& finish) {
    if (!block.out_in) return few_rows_in_out<Tiles>(block, finish);
    if constexpr (F32::lanes > 1) {
        const auto take = [&](int64_t row, int64_t first, int64_t n, float* to) {
            __builtin_memcpy(to, block.x + row * block.x_stride + first, static_cast<size_t>(n) * sizeof *to);
        };
        few_rows_out_in<WideCells, F32::lanes - 1>(
            FewRows<WideCells>{block.weight, block.weight_stride, block.in_features, block.out_features,
                               block.workspace},
            block.rows, take, finish);
    }
}

// For fewer rows than lanes.
inline int64_t few_rows_workspace_floats(bool out_in, int64_t out_features) {
    if (out_in) return few_rows_out_in_floats(out_features);
    return (round_up(out_features, F32::lanes) + kStripInputs) * F32::lanes;
}

}  // namespace
