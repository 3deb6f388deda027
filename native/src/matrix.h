// SPDX-License-Identifier: Apache-2.0
// Row-major matrices as the layers take them, and the rules they share.
#pragma once

#include "attn4j/attn4j.h"
#include "extent.h"

namespace attn4j {

// Where and on how many threads a layer runs.
struct Execution {
    attn4j_isa isa;
    int32_t threads;
};

// Null data where the operand is absent.
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

// All throw where the rule is broken.
void require_threads(int32_t threads);
void require_activation(attn4j_activation activation);
void require_epsilon(double epsilon);

// Elements from the first of [rows, width] to the last; checks that data is there and that rows do not overlap.
int64_t span(const char* name, const void* data, int64_t stride, int64_t rows, int64_t width);
int64_t span(const Matrix& matrix, int64_t rows, int64_t width);
int64_t span(const MutableMatrix& matrix, int64_t rows, int64_t width);

// out may be the operand itself, or lie apart from it; both are [rows, width].
void require_same_or_apart(const Matrix& operand, const MutableMatrix& out, int64_t rows, int64_t width);

// Nothing of `data` is overwritten; null data is apart from everything.
void require_apart(const MutableMatrix& out, int64_t out_floats, const char* name, const float* data, int64_t floats);

}  // namespace attn4j
