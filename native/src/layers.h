// SPDX-License-Identifier: Apache-2.0
// The layers between attention and linear ones: checks, the split into tasks of fixed size, and the kernel of each.
// Contracts: attn4j/layers.h.
#pragma once

#include "matrix.h"

namespace attn4j {

void layer_norm(const Matrix& x, const Matrix& residual, const float* gamma, const float* beta, double epsilon,
                const MutableMatrix& out, int64_t rows, int64_t width, const Execution& execution);

// out = activation(x) + residual
void pointwise(const Matrix& x, attn4j_activation activation, const Matrix& residual, const MutableMatrix& out,
               int64_t rows, int64_t width, const Execution& execution);

void embed(const Matrix& table, int64_t table_rows, const int32_t* ids, const MutableMatrix& out, int64_t rows,
           int64_t width, bool accumulate, const Execution& execution);

void mean_pool(const Matrix& x, const int64_t* cu, int64_t batch, const MutableMatrix& out, int64_t width,
               const Execution& execution);

void normalize(const Matrix& x, double epsilon, const MutableMatrix& out, int64_t rows, int64_t width,
               const Execution& execution);

void rms_norm(const Matrix& x, const float* gamma, double epsilon, const MutableMatrix& out, int64_t rows,
              int64_t width, const Execution& execution);

// silu: the gate times its sigmoid, with group = 1.
void gate(const Matrix& x, const Matrix& gate, int64_t group, bool silu, const MutableMatrix& out, int64_t rows,
          int64_t width, const Execution& execution);

}  // namespace attn4j
