// SPDX-License-Identifier: Apache-2.0
// New rows into a cache: checks and tasks. Contract: attn4j_append.
#pragma once

#include "rotary.h"

namespace attn4j {

struct AppendBatch {
    RotaryBatch turn;  // out is the cache
    float* scales;     // [batch, heads, rows], for a cache of 8-bit numbers
    int64_t scales_stride, scales_head_stride;
};

void append(const AppendBatch& batch, const Execution& execution);

}  // namespace attn4j
