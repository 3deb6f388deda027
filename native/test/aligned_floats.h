// SPDX-License-Identifier: Apache-2.0
// Memory as kernels want it.
#pragma once

#include <cstdint>

#include "attn4j/attn4j.h"

// Zeros, aligned to 64 bytes.
struct AlignedFloats {
    float* const data;

    explicit AlignedFloats(int64_t n) : data(static_cast<float*>(attn4j_memory_allocate(n * 4))) {}
    AlignedFloats(const AlignedFloats&) = delete;
    AlignedFloats& operator=(const AlignedFloats&) = delete;
    ~AlignedFloats() { attn4j_memory_free(data); }
};
