// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication by OpenBLAS, which is opened late, at the first linear layer that goes through it.
#pragma once

#include <cstdint>

namespace attn4j {

// `path`, or the usual name if null. Sets it to one thread, process-wide: our pool shares out the work. Throws
// UNSUPPORTED.
void open_openblas(const char* path);

// OpenBLAS's own description and the core it chose; "" before it is open.
const char* openblas_config();

// c [m, n] = a [m, k] * b, with b [k, n], or [n, k] if b_transposed; row strides a_stride, b_stride, c_stride. On the
// calling thread. OpenBLAS must be open.
void sgemm(bool b_transposed, int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b,
           int64_t b_stride, float* c, int64_t c_stride);

// Opens it by its usual name if it is not open.
void require_openblas();

}  // namespace attn4j
