/* SPDX-License-Identifier: Apache-2.0
 * Rotary position embedding, and the tables of its angles. */
#ifndef ATTN4J_ROTARY_H
#define ATTN4J_ROTARY_H

#include "attn4j/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which of a row's numbers turn together, for d < rotary_dim / 2. */
typedef enum attn4j_rotary_layout {
    ATTN4J_ROTARY_HALVES = 0, /* d and d + rotary_dim / 2: GPT-NeoX, Llama in Hugging Face's form */
    ATTN4J_ROTARY_PAIRS = 1   /* 2d and 2d + 1, interleaved: the paper, GPT-J, Meta's Llama */
} attn4j_rotary_layout;

/* Rotary position embedding, arXiv:2104.09864: the pairs (a, b) of each row become
 *     a cos[p][d] - b sin[p][d],  b cos[p][d] + a sin[p][d]
 * and numbers from rotary_dim on stay. x and out: [batch, heads, rows, head_dim] of dtype, with strides; out may be x
 * with the same strides, and overlaps nothing else. rotary_dim is even, 2 to head_dim. cos, sin: float32 [positions,
 * rotary_dim / 2] with row stride table_stride. A row's position p, from 0 to positions - 1, is position_ids[b *
 * position_stride + row] (position_stride 0: the same for all); or, where position_ids is NULL, start[b] + row, with
 * start [batch], NULL for 0. */
ATTN4J_API attn4j_status attn4j_rotary(const void* x, int64_t x_batch, int64_t x_head, int64_t x_row, void* out,
                                       int64_t out_batch, int64_t out_head, int64_t out_row, attn4j_dtype dtype,
                                       int64_t batch, int64_t heads, int64_t rows, int64_t head_dim, int64_t rotary_dim,
                                       attn4j_rotary_layout layout, const float* cos, const float* sin,
                                       int64_t positions, int64_t table_stride, const int64_t* position_ids,
                                       int64_t position_stride, const int64_t* start, attn4j_isa isa, int32_t threads);

/* How pair d's frequency f = base^(-2 d / rotary_dim) is changed for more positions than a model was trained with. It
 * makes original_positions * f / (2 pi) rotations within those. */
typedef enum attn4j_rotary_scaling {
    ATTN4J_ROTARY_UNSCALED = 0,
    ATTN4J_ROTARY_LINEAR = 1, /* f / factor */
    ATTN4J_ROTARY_NTK = 2,    /* base * factor^(rotary_dim / (rotary_dim - 2)) in place of base */
    /* arXiv:2309.00071: f from high_rotations up, f / factor from low_rotations down, between them linear in d, from
     * pair to pair rounded outwards. Usual: low 1, high 32 */
    ATTN4J_ROTARY_YARN = 3,
    ATTN4J_ROTARY_LLAMA3 = 4,        /* likewise, but linear in the rotations. Usual: low 1, high 4 */
    ATTN4J_ROTARY_YARN_UNROUNDED = 5 /* YARN, but the ramp begins and ends between pairs ("truncate": false) */
} attn4j_rotary_scaling;

/* cos[p][d] = cos(q f) * attention_factor with q = first_position + p, for p < positions, d < rotary_dim / 2; sin
 * likewise; rows table_stride apart. Angles are double precision. base > 1, factor >= 1. original_positions and 0 <
 * low_rotations < high_rotations are looked at for YARN and LLAMA3 only, factor not for UNSCALED. attention_factor 0:
 * 0.1 ln(factor) + 1 for YARN, else 1. */
ATTN4J_API attn4j_status attn4j_rotary_tables(float* cos, float* sin, int64_t table_stride, int64_t first_position,
                                              int64_t positions, int64_t rotary_dim, double base,
                                              attn4j_rotary_scaling scaling, double factor, int64_t original_positions,
                                              double low_rotations, double high_rotations, double attention_factor,
                                              int32_t threads);

#ifdef __cplusplus
}
#endif

#endif
