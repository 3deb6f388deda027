/* SPDX-License-Identifier: Apache-2.0
 * Linear layers, by our own tile or by OpenBLAS, which is opened late. Row-major matrices with a row stride. */
#ifndef ATTN4J_LINEAR_H
#define ATTN4J_LINEAR_H

#include "attn4j/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a linear layer's weight lies in memory. */
typedef enum attn4j_weight_layout {
    ATTN4J_OUT_IN = 0, /* [out, in], PyTorch's nn.Linear */
    ATTN4J_IN_OUT = 1  /* [in, out], the right-hand side of an ONNX MatMul */
} attn4j_weight_layout;

typedef enum attn4j_activation {
    ATTN4J_IDENTITY = 0,
    ATTN4J_GELU = 1 /* x/2 * (1 + erf(x / sqrt 2)), exact to float32, not the tanh approximation */
} attn4j_activation;

/* Who multiplies in attn4j_linear. DEFAULT is the environment variable ATTN4J_GEMM (tiles, openblas) if set, else our
 * own tile wherever it has vectors to work with, and OpenBLAS for the scalar instruction set. */
typedef enum attn4j_gemm { ATTN4J_GEMM_DEFAULT = 0, ATTN4J_GEMM_TILES = 1, ATTN4J_GEMM_OPENBLAS = 2 } attn4j_gemm;

/* Opens OpenBLAS from `path`, or by its usual name if path is NULL; it is then set to one thread, process-wide, and
 * attn4j's own pool shares out the work. Calling again after success does nothing. */
ATTN4J_API attn4j_status attn4j_openblas_open(const char* path);

/* Process-wide, for calls that start later. */
ATTN4J_API attn4j_status attn4j_gemm_set(attn4j_gemm gemm);

/* Whether linear layers on this ISA go through OpenBLAS (1) or our tile (0); -1 if the ISA or ATTN4J_GEMM is bad. */
ATTN4J_API int32_t attn4j_gemm_uses_openblas(attn4j_isa isa);

/* Its own description with the core it chose, "" before it is open. */
ATTN4J_API const char* attn4j_openblas_config(void);

/* out[r, o] = activation(sum_i x[r, i] * weight[o, i] + bias[o]) + residual[r, o]; bias and residual may be NULL.
 * out overlaps nothing. With our own tile a row's result depends on that row alone, to the last bit; with OpenBLAS it
 * is the same for any number of threads. UNSUPPORTED if it needs OpenBLAS and that cannot be opened. */
ATTN4J_API attn4j_status attn4j_linear(const float* x, int64_t x_stride, const float* weight, int64_t weight_stride,
                                       attn4j_weight_layout layout, const float* bias, const float* residual,
                                       int64_t residual_stride, float* out, int64_t out_stride, int64_t rows,
                                       int64_t in_features, int64_t out_features, attn4j_activation activation,
                                       attn4j_isa isa, int32_t threads);

/* The same with a weight [out, in] of BF16 and x rounded to BF16; x and out are F32 or BF16, bias and residual float32.
 * Sums are float32 in an order of the ISA's own; one that multiplies bfloat16 treats subnormal numbers as 0. Always our
 * own tile: a row's result depends on that row alone, to the last bit. */
ATTN4J_API attn4j_status attn4j_linear_bf16(const void* x, attn4j_dtype x_dtype, int64_t x_stride, const void* weight,
                                            int64_t weight_stride, const float* bias, const float* residual,
                                            int64_t residual_stride, void* out, attn4j_dtype out_dtype,
                                            int64_t out_stride, int64_t rows, int64_t in_features, int64_t out_features,
                                            attn4j_activation activation, attn4j_isa isa, int32_t threads);

#ifdef __cplusplus
}
#endif

#endif
