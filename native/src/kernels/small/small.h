// SPDX-License-Identifier: Apache-2.0
// Fused attention where both queries and keys are few: of one key-value head after the other all query heads, over all
// keys at once, so that what a head costs beside its arithmetic is paid once a sequence. Steps, options, exceptional
// values and error bounds are those of decode.h.
#pragma once

#include <cstdint>

#include "kernels/decode/decode.h"

namespace attn4j {

// Key-value heads of a sequence, and how far their keys and values, and the scales of those, lie apart, in elements.
// Their queries, results and all else that belongs to query heads lie a group of those apart.
struct SmallHeads {
    int64_t count;
    int64_t k_stride, v_stride, k_scale_stride, v_scale_stride;
};

// One ISA's way of doing it. A row's result depends on its own sequence alone.
struct SmallKernel {
    int64_t most_keys;
    int64_t most_rows;  // heads of a group times queries: beyond, the larger tiles of attention.h are faster
    int64_t (*workspace_floats)(int64_t head_dim, int64_t value_dim);
    // Of the first head keys and queries (all keys, at most most_keys; `following` and `partial` have no meaning) and
    // where the result goes (`partials` and `count` have none). workspace: that of `first`.
    void (*run)(const DecodeChunk& first, const DecodeMerge& result, const SmallHeads& heads);
};

}  // namespace attn4j
