// SPDX-License-Identifier: Apache-2.0
// What rms_norm.h computes, in double precision.
#pragma once

#include <cstdint>

// x and out of one row, [width].
void rms_norm_reference(const float* x, const float* gamma, double epsilon, int64_t width, double* out);
