// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attn4j {

// Copies a strided view element by element to another of the same sizes. Contract: attn4j_memory_copy_strided.
void copy_strided(void* to, const int64_t* to_strides, const void* from, const int64_t* from_strides,
                  const int64_t* sizes, int rank, int element_bytes);

}  // namespace attn4j
