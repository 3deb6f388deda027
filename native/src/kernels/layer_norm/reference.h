// SPDX-License-Identifier: Apache-2.0
// What layer_norm.h computes, in double precision.
#pragma once

#include <cstdint>

// x, residual (or null) and out of one row, [width].
void layer_norm_reference(const float* x, const float* residual, const float* gamma, const float* beta, double epsilon,
                          int64_t width, double* out);
