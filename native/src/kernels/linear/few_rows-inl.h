// SPDX-License-Identifier: Apache-2.0
// The body of linear.h for fewer rows than a vector has lanes, where reading the weight once is what counts. Lanes are
// output features. A weight [in, out] is read along its rows; one [out, in] as many rows side by side as there are
// lanes, transposed in registers. Each sum runs over the inputs in ascending order, so its bits are those of
// linear-inl.h.
#pragma once

#include "kernels/linear/linear.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::LinearBlock;

// Numbers of x that are laid out anew at a time: 16 KiB of the smallest first cache, 32 KiB.
constexpr int64_t kPackedFloats = 4096;

// Inputs taken at once of a weight [in, out]: enough that the sums, which are loaded and stored for them, do not count.
constexpr int64_t kStripInputs = 16;

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

// sums[r] += x[i][r] * weight[feature][i], features in lanes, for the inputs of one vector; or fewer, n, and fewer
// features. x [inputs][R].
template <int R>
ATTN4J_INLINE void add_inputs(const float* weight, int64_t weight_stride, const float* x, F32 (&sums)[R]) {
    // Four lines ahead: as many streams as lanes are more than the hardware foresees all of. (Measured: 0 to 3 % below
    // the speed of reading with 4 or 8 lines, 9 % with none, and more with 64, at 1 and 2 rows.)
    constexpr int64_t ahead = 64;
    constexpr int lanes = F32::lanes;
    F32 w[lanes];
#pragma GCC unroll 16
    for (int k = 0; k < lanes; ++k) {
        __builtin_prefetch(weight + k * weight_stride + ahead);
        w[k] = F32::load(weight + k * weight_stride);
    }
    transpose(w);
#pragma GCC unroll 16
    for (int k = 0; k < lanes; ++k)
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r] = fma(Splat::load(x + k * R + r), w[k], sums[r]);
}

template <int R>
inline void add_some_inputs(const float* weight, int64_t weight_stride, int64_t features, int64_t n, const float* x,
                            F32 (&sums)[R]) {
    constexpr int lanes = F32::lanes;
    F32 w[lanes];
    for (int k = 0; k < lanes; ++k) w[k] = k < features ? F32::load_first(weight + k * weight_stride, n) : F32::zero();
    transpose(w);
    for (int64_t k = 0; k < n; ++k)
        for (int r = 0; r < R; ++r) sums[r] = fma(Splat::load(x + k * R + r), w[k], sums[r]);
}

// A weight [out, in], R rows.
template <int R, typename Finish>
ATTN4J_APART void rows_out_in(const LinearBlock& block, const Finish& finish) {
    constexpr int64_t lanes = F32::lanes, inputs = kPackedFloats / R / lanes * lanes;
    float* const x = block.workspace;       // [inputs][R]
    float* const sums = x + kPackedFloats;  // [features / lanes, rounded up][R][lanes]
    for (int64_t first = 0; first < block.in_features; first += inputs) {
        const int64_t n = block.in_features - first < inputs ? block.in_features - first : inputs;
        for (int r = 0; r < R; ++r)
            for (int64_t i = 0; i < n; ++i) x[i * R + r] = block.x[r * block.x_stride + first + i];
        for (int64_t o = 0; o < block.out_features; o += lanes) {
            const int64_t features = block.out_features - o < lanes ? block.out_features - o : lanes;
            const int64_t whole = features == lanes ? n / lanes * lanes : 0;
            const float* const weight = block.weight + o * block.weight_stride + first;
            float* const left = sums + o * R;
            F32 s[R];
            for (int r = 0; r < R; ++r) s[r] = first == 0 ? F32::zero() : F32::load(left + r * lanes);
            for (int64_t i = 0; i < whole; i += lanes) add_inputs<R>(weight + i, block.weight_stride, x + i * R, s);
            for (int64_t i = whole; i < n; i += lanes)
                add_some_inputs<R>(weight + i, block.weight_stride, features, n - i < lanes ? n - i : lanes, x + i * R,
                                   s);
            for (int r = 0; r < R; ++r) s[r].store(left + r * lanes);
            if (first + n < block.in_features) continue;
            for (int r = 0; r < R; ++r) finish(r, o, features, left + r * lanes);
        }
    }
}

template <int R, typename Finish>
inline void few_rows_out_in(const LinearBlock& block, const Finish& finish) {
    if constexpr (R > 1) {
        if (block.rows < R) return few_rows_out_in<R - 1>(block, finish);
    }
    rows_out_in<R>(block, finish);
}

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
    for (int64_t row = 0; row < block.rows; ++row) finish(row, 0, block.out_features, sums + row * stride);
}

// finish(row, o, n, sums) takes the n sums of features from o on of a row.
template <typename Tiles, typename Finish>
inline void few_rows(const LinearBlock& block, const Finish& finish) {
    if (!block.out_in) return few_rows_in_out<Tiles>(block, finish);
    few_rows_out_in<F32::lanes == 1 ? 1 : F32::lanes - 1>(block, finish);
}

// For fewer rows than lanes.
inline int64_t few_rows_workspace_floats(int64_t out_features) {
    return kPackedFloats + (round_up(out_features, F32::lanes) + kStripInputs) * F32::lanes;
}

}  // namespace
