// SPDX-License-Identifier: Apache-2.0
// What merge.h computes of one row, in double precision.
#pragma once

#include <cstdint>

// outs: count of [width]; lses [count]; sink -inf for none. out [width].
void merge_reference(const float* const* outs, const float* lses, int64_t count, double sink, int64_t width,
                     double* out, double* lse);
