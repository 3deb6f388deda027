// SPDX-License-Identifier: Apache-2.0
// The body of linear_bf16.h where bfloat16 is widened to be multiplied: that of linear-inl.h, with a panel of the
// weight widened at a time; for fewer rows than lanes that of few_rows_out_in-inl.h, which widens in registers.
#pragma once

#include "kernels/linear/few_rows_out_in-inl.h"
#include "kernels/linear/finish_bf16-inl.h"
#include "kernels/tile-inl.h"

namespace {

// Features and inputs of what is widened: 64 KiB.
constexpr int64_t kWidenedFeatures = 64, kWidenedInputs = 256;

inline F32 rounded_to_bf16(F32 x) {
    uint16_t halves[F32::lanes];
    x.store_bf16(halves);
    return F32::load_bf16(halves);
}

// As WideCells: pairs of bfloat16.
struct WidenedCells {
    using Cells = F32;
    using Number = uint16_t;
    using X = float;
    static constexpr int64_t numbers = 2, x_numbers = 2, rows_at_once = 32;

    static F32 load(const uint16_t* p) { return F32::load_pairs(p); }
    static F32 load_first(const uint16_t* p, int64_t n) { return F32::load_pairs_first(p, n); }
    template <int R>
    static ATTN4J_INLINE void add(F32 cells, const float* x, F32 (&sums)[R]) {
        const F32 first = even(cells), second = odd(cells);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r] = fma(Splat::load(x + 2 * r), first, sums[r]);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r] = fma(Splat::load(x + 2 * r + 1), second, sums[r]);
    }
    template <int R>
    static void add_first(F32 cells, const float* x, int64_t n, F32 (&sums)[R]) {
        if (n > 1) return add<R>(cells, x, sums);
        for (int r = 0; r < R; ++r) sums[r] = fma(Splat::load(x + 2 * r), even(cells), sums[r]);
    }
};

template <int V>
struct WidenedTiles {
    const float* weight;  // [kWidenedFeatures][n]
    const float* x;       // xT [n][V * lanes]
    float* sums;          // [kWidenedFeatures][V * lanes]
    int64_t n;
    bool onto;

    template <int R>
    ATTN4J_INLINE void operator()(int64_t o) const {
        Tile<R, V> t;
        if (onto) {
            t.load(sums + o * t.width);
        } else {
            t.zero();
        }
        t.add_rows(weight + o * n, n, x, n);
        t.store(sums + o * t.width);
    }
};

template <int R, int V>
ATTN4J_APART void add_widened(const WidenedTiles<V>& tiles, int64_t features) {
    cover<R>(features, 0, tiles);
}

// n <= lanes numbers of a row of x, the others 0.
inline F32 load_x(const Bf16LinearBlock& block, int64_t row, int64_t first, int64_t n) {
    const F32 numbers = load_elements(block.x_type, block.x, row * block.x_stride + first, n);
    return block.x_type == Element::f32 ? rounded_to_bf16(numbers) : numbers;
}

template <typename Tiles, int V>
inline void widened_linear_rows(const Bf16LinearBlock& block) {
    constexpr int64_t width = V * F32::lanes;
    float* const sums = block.workspace;
    float* const buffer = sums + kWidenedFeatures * width;
    float* const x = buffer + kWidenedFeatures * kWidenedInputs;
    transpose_in<V>(block.rows, block.in_features, F32::set(1.0f), x,
                    [&](int64_t row, int64_t c, int64_t n) { return load_x(block, row, c, n); });
    for (int64_t panel = 0; panel < block.out_features; panel += kWidenedFeatures) {
        const int64_t left = block.out_features - panel, features = left < kWidenedFeatures ? left : kWidenedFeatures;
        for (int64_t first = 0; first < block.in_features; first += kWidenedInputs) {
            const int64_t rest = block.in_features - first, n = rest < kWidenedInputs ? rest : kWidenedInputs;
            const attn4j::CacheRows weight{
                block.weight + first, Element::bf16, block.weight_stride, nullptr, nullptr, 0, 0, 0};
            widen(weight, panel, features, n, buffer);
            add_widened<Tiles::rows(V)>(WidenedTiles<V>{buffer, x + first * width, sums, n, first > 0}, features);
        }
        finish_panel<V>(block, sums, 0, block.rows, panel, features);
    }
}

template <typename Tiles>
inline void widened_few_rows(const Bf16LinearBlock& block) {
    constexpr int64_t lanes = F32::lanes;
    const auto take = [&](int64_t row, int64_t first, int64_t n, float* to) {
        load_x(block, row, first, n < lanes ? n : lanes).store(to);
        (n > lanes ? load_x(block, row, first + lanes, n - lanes) : F32::zero()).store(to + lanes);
    };
    few_rows_bf16<WidenedCells>(block, take);
}

template <typename Tiles>
inline void widened_linear(const Bf16LinearBlock& block) {
    if constexpr (F32::lanes > 1) {
        if (block.rows < F32::lanes) return widened_few_rows<Tiles>(block);
    }
    with_vectors<Tiles::max_vectors>(
        block.rows, [&](auto vectors) { widened_linear_rows<Tiles, decltype(vectors)::count>(block); });
}

template <typename Tiles>
inline int64_t widened_linear_workspace_floats(int64_t rows, int64_t in_features, int64_t out_features) {
    if (rows < F32::lanes) return few_rows_out_in_floats(out_features);
    return (kWidenedFeatures + in_features) * Tiles::max_vectors * F32::lanes + kWidenedFeatures * kWidenedInputs;
}

template <typename Tiles>
constexpr attn4j::Bf16LinearKernel widened_linear_kernel() {
    return {F32::lanes, Tiles::max_vectors * F32::lanes, F32::lanes, widened_linear_workspace_floats<Tiles>,
            widened_linear<Tiles>};
}

}  // namespace
