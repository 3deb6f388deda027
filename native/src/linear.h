// SPDX-License-Identifier: Apache-2.0
// Linear layers: checks, the split into tasks, and the choice between our own tile and OpenBLAS. Contract:
// attn4j/linear.h.
#pragma once

#include "matrix.h"

namespace attn4j {

void linear(const Matrix& x, const Matrix& weight, attn4j_weight_layout layout, const float* bias,
            const Matrix& residual, const MutableMatrix& out, int64_t rows, int64_t in_features, int64_t out_features,
            attn4j_activation activation, const Execution& execution);

// Process-wide. DEFAULT: ATTN4J_GEMM, or else by ISA.
void set_gemm(attn4j_gemm gemm);
bool uses_openblas(attn4j_isa resolved);

}  // namespace attn4j
