// SPDX-License-Identifier: Apache-2.0
// The layers around attention: checks, the split into tasks of fixed size, and the kernel of each. Contracts: attn4j.h.
#pragma once

#include "attn4j/attn4j.h"

namespace attn4j {

// Where and on how many threads a layer runs.
struct Execution {
    attn4j_isa isa;
    int32_t threads;
};

// A row-major matrix; null data where the operand is absent.
struct Matrix {
    const char* name;
    const float* data;
    int64_t stride;
};

struct MutableMatrix {
    const char* name;
    float* data;
    int64_t stride;
};

void linear(const Matrix& x, const Matrix& weight, attn4j_weight_layout layout, const float* bias,
            const Matrix& residual, const MutableMatrix& out, int64_t rows, int64_t in_features, int64_t out_features,
            attn4j_activation activation, const Execution& execution);

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

}  // namespace attn4j
