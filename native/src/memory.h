// SPDX-License-Identifier: Apache-2.0
// Memory for tensors, and scratch space for kernels.
#pragma once

#include <cstdint>

namespace attn4j {

constexpr int64_t kAlignment = 64;  // a cache line, and the widest vector

// Zeroed and aligned; null where there is none. Zero bytes give an address of nothing.
void* allocate(int64_t bytes) noexcept;
void release(void* address) noexcept;
int64_t allocated_bytes() noexcept;

// This thread's scratch space: at least `floats` floats, aligned, contents of no meaning, valid until the next call on
// this thread. It grows to the largest size asked for and is freed when the thread ends.
float* scratch(int64_t floats);

}  // namespace attn4j
