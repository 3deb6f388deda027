// SPDX-License-Identifier: Apache-2.0
// What append.h stores of a row, in double precision.
#pragma once

#include <cstdint>

// y [head_dim] holds float32 numbers.
float scale_reference(const double* y, int64_t head_dim);
int quantized_reference(double y, float scale);
