/* SPDX-License-Identifier: Apache-2.0
 * The other layers around attention. Row-major float32 matrices with a row stride. Unless said otherwise out may be the
 * same matrix as x or residual (address and stride), and overlaps nothing else. */
#ifndef ATTN4J_LAYERS_H
#define ATTN4J_LAYERS_H

#include "attn4j/base.h"
#include "attn4j/linear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out = (y - mean(y)) / sqrt(var(y) + epsilon) * gamma + beta over each row of y = x + residual; the variance is the
 * mean of squares about the mean (biased), as PyTorch's. residual may be NULL. arXiv:1607.06450. */
ATTN4J_API attn4j_status attn4j_layer_norm(const float* x, int64_t x_stride, const float* residual,
                                           int64_t residual_stride, const float* gamma, const float* beta,
                                           double epsilon, float* out, int64_t out_stride, int64_t rows, int64_t width,
                                           attn4j_isa isa, int32_t threads);

/* out = activation(x) */
ATTN4J_API attn4j_status attn4j_activate(attn4j_activation activation, const float* x, int64_t x_stride, float* out,
                                         int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                         int32_t threads);

/* out = a + b */
ATTN4J_API attn4j_status attn4j_add(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* out,
                                    int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads);

/* out overlaps nothing. out[r] = table[ids[r]], or with accumulate != 0 out[r] += table[ids[r]]. ids in [0,
 * table_rows). */
ATTN4J_API attn4j_status attn4j_embed(const float* table, int64_t table_rows, int64_t table_stride, const int32_t* ids,
                                      float* out, int64_t out_stride, int64_t rows, int64_t width, int32_t accumulate,
                                      attn4j_isa isa, int32_t threads);

/* out[b] = the mean of rows cu[b] to cu[b+1] - 1 of x, 0 if there are none. cu [batch + 1]; out [batch, width]
 * overlaps nothing. */
ATTN4J_API attn4j_status attn4j_mean_pool(const float* x, int64_t x_stride, const int64_t* cu, int64_t batch,
                                          float* out, int64_t out_stride, int64_t width, attn4j_isa isa,
                                          int32_t threads);

/* out = x / max(|x|_2, epsilon) for each row; PyTorch's functional.normalize has epsilon = 1e-12. */
ATTN4J_API attn4j_status attn4j_normalize(const float* x, int64_t x_stride, double epsilon, float* out,
                                          int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                          int32_t threads);

/* out = x / sqrt(mean of x^2 + epsilon) * gamma for each row; gamma [width]. out may be x. arXiv:1910.07467. */
ATTN4J_API attn4j_status attn4j_rms_norm(const float* x, int64_t x_stride, const float* gamma, double epsilon,
                                         float* out, int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                         int32_t threads);

/* out[r, c] = x[r, c] * sigmoid(gate[r, c / group]), gate [rows, width / group]; group >= 1 divides width: 1 gates each
 * element, a head's width each head. out may be x, and where group is 1 also the gate. arXiv:2505.06708. */
ATTN4J_API attn4j_status attn4j_gate(const float* x, int64_t x_stride, const float* gate, int64_t gate_stride,
                                     int64_t group, float* out, int64_t out_stride, int64_t rows, int64_t width,
                                     attn4j_isa isa, int32_t threads);

/* out = silu(gate) * up, with silu(g) = g * sigmoid(g), all [rows, width]. out may be either. arXiv:2002.05202. */
ATTN4J_API attn4j_status attn4j_swiglu(const float* gate, int64_t gate_stride, const float* up, int64_t up_stride,
                                       float* out, int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                       int32_t threads);

#ifdef __cplusplus
}
#endif

#endif
