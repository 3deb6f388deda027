// SPDX-License-Identifier: Apache-2.0
// What pool.h computes, in double precision.
#pragma once

#include <cstdint>

// x [rows, width], out [width]
void mean_pool_reference(const float* x, int64_t x_stride, int64_t rows, int64_t width, double* out);

// x and out of one row, [width]
void normalize_reference(const float* x, double epsilon, int64_t width, double* out);
