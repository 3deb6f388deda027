// SPDX-License-Identifier: Apache-2.0
// The chunks of a key-value head to its result, in the order of the keys.
#pragma once

#include "kernels/attention/scores-inl.h"
#include "kernels/decode/decode.h"
#include "kernels/elements-inl.h"

namespace {

// out [rows][value_dim, up to a multiple of lanes], not divided by the sum; maximum [rows], in units of log2; sum
// [rows].
inline int64_t decode_partial_floats(int64_t rows, int64_t value_dim) {
    constexpr int64_t line = 16;
    return round_up(rows * (round_up(value_dim, F32::lanes) + 2), line);
}

struct MergedRow {
    F32 sum, lse;  // in all lanes
};

// The row of the merged result, not divided by its sum, into that of the first chunk.
inline MergedRow merge_row(const attn4j::DecodeMerge& w, int64_t row) {
    const int64_t rows = w.group * w.queries, stride = decode_partial_floats(rows, w.value_dim);
    const int64_t width = round_up(w.value_dim, F32::lanes);
    const float* const maximum = w.partials + rows * width + row;
    const float* const sums = maximum + rows;
    const F32 hidden = F32::set(-kInfinity);
    // A sink is a score that is there from the start and has no value.
    const F32 sink = F32::set(w.sinks == nullptr ? -kInfinity : w.sinks[row / w.queries] * kLog2E);
    F32 most = sink;
    for (int64_t i = 0; i < w.count; ++i) most = max(F32::set(maximum[i * stride]), most);
    const F32 base = select(most == hidden, F32::zero(), most);
    F32 total = exp2(sink - base);
    float* const out = w.partials + row * width;
    bool fresh = true;
    for (int64_t i = 0; i < w.count; ++i) {
        // Of a chunk that saw nothing the rest is not even written.
        if (sums[i * stride] == 0) continue;
        const F32 share = exp2(F32::set(maximum[i * stride]) - base);
        total = fma(F32::set(sums[i * stride]), share, total);
        for (int64_t d = 0; d < width; d += F32::lanes) {
            const F32 x = F32::load(out + i * stride + d) * share;
            (fresh ? x : F32::load(out + d) + x).store(out + d);
        }
        fresh = false;
    }
    for (int64_t d = 0; d < width && fresh; d += F32::lanes) F32::zero().store(out + d);
    const F32 natural = fma(base, F32::set(kLn2), log(total));
    return {total, select(total == F32::zero(), hidden, select(total == total, natural, total))};
}

inline void merge_chunks(const attn4j::DecodeMerge& w) {
    const int64_t width = round_up(w.value_dim, F32::lanes);
    for (int64_t row = 0; row < w.group * w.queries; ++row) {
        const int64_t head = row / w.queries, query = row % w.queries;
        const MergedRow merged = merge_row(w, row);
        const F32 inverse = select(merged.sum == F32::zero(), F32::zero(), F32::set(1.0f) / merged.sum);
        const float* const from = w.partials + row * width;
        for (int64_t d = 0; d < w.value_dim; d += F32::lanes) {
            const int64_t n = w.value_dim - d < F32::lanes ? w.value_dim - d : F32::lanes;
            store_elements(w.out_type, F32::load(from + d) * inverse, w.out,
                           head * w.out_head_stride + query * w.out_stride + d, n);
        }
        if (w.lse != nullptr) merged.lse.store_first(w.lse + head * w.lse_head_stride + query, 1);
    }
}

}  // namespace
