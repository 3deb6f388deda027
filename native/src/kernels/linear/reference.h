// SPDX-License-Identifier: Apache-2.0
// What linear.h computes, in double precision, one row at a time.
#pragma once

#include <cstdint>

// x [in_features]; weight [out_features, in_features] if out_in, else [in_features, out_features]; bias and residual
// [out_features] or null; out [out_features].
void linear_reference(const float* x, const float* weight, int64_t weight_stride, bool out_in, const float* bias,
                      const float* residual, int64_t in_features, int64_t out_features, bool gelu, double* out);
