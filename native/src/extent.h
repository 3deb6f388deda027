// SPDX-License-Identifier: Apache-2.0
// How large operands are, where they lie in memory, and that they do not lie upon each other.
#pragma once

#include <cstdint>

namespace attn4j {

// Throws where it is less.
void require_size(const char* name, int64_t value, int64_t least);

struct Axis {
    int64_t size, stride;
};

// 1 + the distance from a strided box's first element to its last, in elements; 0 if any size is 0. Throws where that
// does not fit.
int64_t extent(const char* name, const Axis* axes, int count);

// Throws unless no two elements share an address. count <= 4.
void check_distinct(const char* name, const Axis* axes, int count);

// Cumulative lengths [batch + 1]: begin with 0, never decrease, no length above `most`. Returns the last.
int64_t check_cumulative(const char* name, const int64_t* cu, int64_t batch, int64_t most);

// Throws where the two ranges have an address in common.
void check_apart(const char* a_name, const void* a, int64_t a_bytes, const char* b_name, const void* b,
                 int64_t b_bytes);

}  // namespace attn4j
