// SPDX-License-Identifier: Apache-2.0
// The register tile that every product here is: R broadcast values by V vectors, summed over n steps.
//     tile[r][v] += sum_i a(r, i) * b[i][v]        b [n][V * lanes], rows `width` apart unless said
// `a` is read as it lies: R rows (attention's keys, a linear layer's outputs) or R columns (attention's value
// dimensions).
#pragma once

#include <cstdint>

// A tile's loops belong inside the function that runs many tiles (called as functions they cost 3 to 5 %), and that
// function apart from all others, or the registers that addresses need are taken by what is around it.
#define ATTN4J_INLINE inline __attribute__((always_inline))
#define ATTN4J_APART __attribute__((noinline))

namespace {

constexpr int64_t kLineBytes = 64;  // of the caches

constexpr int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

inline F32 load_some(const float* p, int64_t n) { return n == F32::lanes ? F32::load(p) : F32::load_first(p, n); }

inline void store_some(F32 x, float* p, int64_t n) {
    if (n == F32::lanes) {
        x.store(p);
    } else {
        x.store_first(p, n);
    }
}

template <int R, int V, int64_t kWidth = V* F32::lanes>
struct Tile {
    static constexpr int64_t width = kWidth;
    F32 at[R][V];

    ATTN4J_INLINE void zero() {
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) at[r][v] = F32::zero();
    }
    // from [R][V * lanes], rows `stride` apart
    ATTN4J_INLINE void load(const float* from, int64_t stride = width) {
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) at[r][v] = F32::load(from + r * stride + v * F32::lanes);
    }
    ATTN4J_INLINE void store(float* to, int64_t stride = width) const {
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) at[r][v].store(to + r * stride + v * F32::lanes);
    }
    // a(r, i) = a[r * stride + i]; b's rows are b_stride apart
    ATTN4J_INLINE void add_rows(const float* a, int64_t stride, const float* b, int64_t n, int64_t b_stride = width) {
        // Every third row: the two after it are reached by indexing, so that R rows do not take R address registers.
        const float* third[(R + 2) / 3];
        for (int r = 0; r < R; r += 3) third[r / 3] = a + r * stride;
#pragma GCC unroll 4
        for (int64_t i = 0; i < n; ++i) {
            F32 x[V];
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) x[v] = F32::load(b + i * b_stride + v * F32::lanes);
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) {
                const Splat s = Splat::load(third[r / 3] + r % 3 * stride + i);
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) at[r][v] = fma(s, x[v], at[r][v]);
            }
        }
    }
    // a(r, i) = a[i * stride + r]. With kHidden, a factor of -0 in b marks a value of `a` that must not be touched (0 *
    // NaN is NaN); the sums of the other lanes are formed exactly as without.
    template <bool kHidden>
    ATTN4J_INLINE void add_columns(const float* a, int64_t stride, const float* b, int64_t n) {
#pragma GCC unroll 2
        for (int64_t i = 0; i < n; ++i) {
            F32 x[V];
#pragma GCC unroll 64
            for (int v = 0; v < V; ++v) x[v] = F32::load(b + i * width + v * F32::lanes);
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) {
                const Splat s = Splat::load(a + i * stride + r);
#pragma GCC unroll 64
                for (int v = 0; v < V; ++v) {
                    const F32 added = fma(s, x[v], at[r][v]);
                    at[r][v] = kHidden ? select(sign(x[v]), at[r][v], added) : added;
                }
            }
        }
    }
};

// Calls tile.operator()<count>(first) so that the counts, R at a time and then halves, cover [first, n).
template <int R, typename Work>
ATTN4J_INLINE void cover(int64_t n, int64_t first, const Work& work) {
    for (; n - first >= R; first += R) work.template operator()<R>(first);
    if constexpr (R > 1) cover<(R + 1) / 2>(n, first, work);
}

// So many vectors, as a type.
template <int V>
struct Vectors {
    static constexpr int count = V;
};

// Calls work(Vectors<V>) with as few vectors as `count` rows or queries need, at most kMost.
template <int kMost, typename Work>
inline void with_vectors(int64_t count, const Work& work) {
    if constexpr (kMost > 1) {
        if (count <= (kMost - 1) * F32::lanes) return with_vectors<kMost - 1>(count, work);
    }
    work(Vectors<kMost>());
}

// to[c][i] = load(i, c) * factor for `count` <= V * lanes rows of `columns`; lanes beyond `count` are 0. load(row,
// column, n) gives n consecutive columns of a row.
template <int V, typename Load>
inline void transpose_in(int64_t count, int64_t columns, F32 factor, float* to, const Load& load) {
    constexpr int64_t lanes = F32::lanes, width = V * lanes;
    for (int v = 0; v < V; ++v) {
        for (int64_t c = 0; c < columns; c += lanes) {
            const int64_t n = columns - c < lanes ? columns - c : lanes;
            F32 block[lanes];
            for (int64_t i = 0; i < lanes; ++i) {
                const int64_t row = v * lanes + i;
                block[i] = row < count ? load(row, c, n) : F32::zero();
            }
            transpose(block);
            for (int64_t i = 0; i < n; ++i) (block[i] * factor).store(to + (c + i) * width + v * lanes);
        }
    }
}

// Takes [columns, up to a multiple of lanes][V * lanes] back: calls finish(row, column, n, vector) with up to `lanes`
// consecutive columns of each of the `count` rows. scale[v] multiplies first.
template <int V, typename Finish>
inline void transpose_out(const float* from, int64_t count, int64_t columns, const F32 (&scale)[V],
                          const Finish& finish) {
    constexpr int64_t lanes = F32::lanes, width = V * lanes;
    for (int v = 0; v < V; ++v) {
        const int64_t first = v * lanes;
        const int64_t rows = count - first < lanes ? count - first : lanes;
        for (int64_t c = 0; c < columns && rows > 0; c += lanes) {
            F32 block[lanes];
            for (int64_t i = 0; i < lanes; ++i) block[i] = F32::load(from + (c + i) * width + first) * scale[v];
            transpose(block);
            const int64_t n = columns - c < lanes ? columns - c : lanes;
            for (int64_t i = 0; i < rows; ++i) finish(first + i, c, n, block[i]);
        }
    }
}

}  // namespace
