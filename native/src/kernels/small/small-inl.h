// SPDX-License-Identifier: Apache-2.0
// The body of small.h, written once over the vector type. Up to a vector of rows at a time: their scores are formed for
// all keys, softened, and multiplied with the values, lanes along value_dim, straight into the result.
#pragma once

#include "kernels/attention/attention-inl.h"
#include "kernels/small/scores-inl.h"
#include "kernels/small/soften-inl.h"
#include "kernels/small/small.h"

namespace {

using attn4j::SmallHeads;

// out[row][d] = sum_key p[key][row] v[key][d] / sum[row]. kHidden: a weight of -0 marks a value that must not be
// touched (0 * NaN is NaN); all else is formed as without.
template <int C, bool kHidden>
struct SmallValues {
    const Rows& values;
    const SmallRows& rows;
    const attn4j::DecodeMerge& to;
    int64_t d, n;  // C vectors from d on; where C is 1, n elements

    template <int R>
    ATTN4J_INLINE void operator()(int64_t row) const {
        F32 o[R][C];
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) o[r][c] = F32::zero();
        const float* p = rows.scores + row;
        const float* from = values.data + d;
        for (int64_t key = 0; key < rows.keys; ++key, p += rows.width, from += values.stride) {
            F32 v[C];
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) v[c] = load_some(from + c * F32::lanes, n);
#pragma GCC unroll 64
            for (int r = 0; r < R; ++r) {
                if (kHidden && __builtin_signbit(p[r])) continue;
                const Splat weight = Splat::load(p + r);
#pragma GCC unroll 64
                for (int c = 0; c < C; ++c) o[r][c] = fma(weight, v[c], o[r][c]);
            }
        }
#pragma GCC unroll 64
        for (int r = 0; r < R; ++r) {
            const F32 inverse = F32::set(rows.inverse[row + r]);
            const int64_t at = rows.element_of(row + r, to.out_head_stride, to.out_stride) + d;
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) store_elements(to.out_type, o[r][c] * inverse, to.out, at + c * F32::lanes, n);
        }
    }
};

template <bool kHidden>
ATTN4J_APART void weigh_small(const Rows& values, const SmallRows& rows, const attn4j::DecodeMerge& to) {
    constexpr int sums = kSums, C = sums / 4 < 2 ? 2 : sums / 4;
    constexpr int64_t lanes = F32::lanes;
    int64_t d = 0;
    for (; to.value_dim - d >= C * lanes; d += C * lanes)
        cover<4>(rows.count, 0, SmallValues<C, kHidden>{values, rows, to, d, lanes});
    if constexpr (C > 2) {
        if (to.value_dim - d >= 2 * lanes) {
            cover<8>(rows.count, 0, SmallValues<2, kHidden>{values, rows, to, d, lanes});
            d += 2 * lanes;
        }
    }
    for (; d < to.value_dim; d += lanes)
        cover<8>(rows.count, 0,
                 SmallValues<1, kHidden>{values, rows, to, d, to.value_dim - d < lanes ? to.value_dim - d : lanes});
}

// The queries of a key-value head.
template <typename Tiles>
inline void attend_small(const DecodeChunk& c, const attn4j::DecodeMerge& to, SmallMemory& memory) {
    // Nobody sees what is before the first query's window or after the last query's edge.
    const int64_t last = c.last_key + c.queries;
    const int64_t begin = c.first_key > c.begin ? c.first_key : c.begin, end = last < c.end ? last : c.end;
    const int64_t keys = begin < end ? end - begin : 0, all = c.group * c.queries;
    const Rows k = widen(c.k, begin, keys, c.head_dim, memory.keys);
    const Rows v = widen(c.v, begin, keys, c.value_dim, memory.values);
    for (int64_t first = 0; first < all; first += F32::lanes) {
        SmallRows rows{c, begin, keys, first, all - first < F32::lanes ? all - first : F32::lanes, memory.scores};
        const bool hides = form_weights<Tiles, F32::lanes>(rows, k, memory, to);
        hides && !finite(v, 0, keys, c.value_dim) ? weigh_small<true>(v, rows, to) : weigh_small<false>(v, rows, to);
    }
}

template <typename Tiles>
inline void attend_few(const DecodeChunk& first, const attn4j::DecodeMerge& result, const SmallHeads& heads) {
    DecodeChunk c = first;
    attn4j::DecodeMerge to = result;
    SmallMemory memory(c.workspace, c.head_dim);
    for (int64_t i = 0; i < heads.count; ++i) {
        if (attn4j::is_set(c.cancelled)) return;
        attend_small<Tiles>(c, to, memory);
        advance_rows(c.k, heads.k_stride, heads.k_scale_stride);
        advance_rows(c.v, heads.v_stride, heads.v_scale_stride);
        c.q = static_cast<const char*>(c.q) + c.group * c.q_head_stride * attn4j::bytes_of(c.q_type);
        to.out = static_cast<char*>(to.out) + c.group * to.out_head_stride * attn4j::bytes_of(to.out_type);
        if (c.slopes != nullptr) c.slopes += c.group;
        if (c.bias != nullptr) c.bias += c.group * c.bias_head_stride;
        if (c.keep != nullptr) c.keep += c.group * c.keep_head_stride;
        if (to.sinks != nullptr) to.sinks += c.group;
        if (to.lse != nullptr) to.lse += c.group * to.lse_head_stride;
    }
}

template <typename Tiles>
constexpr attn4j::SmallKernel small_kernel() {
    return {kSmallKeys, Tiles::most_small_rows, SmallMemory::floats, attend_few<Tiles>};
}

}  // namespace
