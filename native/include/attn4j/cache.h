/* SPDX-License-Identifier: Apache-2.0
 * What key-value caches need: other types, new rows, and the results over each part put together. */
#ifndef ATTN4J_CACHE_H
#define ATTN4J_CACHE_H

#include "attn4j/base.h"
#include "attn4j/rotary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out = x, both [rows, width] with row strides, from one type to another: rounded to the nearest, ties to even; too
 * large becomes infinity, subnormals are kept, a NaN stays one. out overlaps nothing. */
ATTN4J_API attn4j_status attn4j_cast(const void* x, attn4j_dtype x_dtype, int64_t x_stride, void* out,
                                     attn4j_dtype out_dtype, int64_t out_stride, int64_t rows, int64_t width,
                                     attn4j_isa isa, int32_t threads);

/* New rows of keys or values into a cache, in one pass: turned as attn4j_rotary does (keys; rotary_dim 0 for rows that
 * are not turned, and no word of it is looked at), and stored in the cache's type. x [batch, heads, rows, head_dim] of
 * x_dtype, F32, BF16 or F16; cache likewise of cache_dtype, which may be INT8, its first row that of the first new row.
 * INT8: scales [batch, heads, rows] with strides of batch and head, not looked at for other types. scale = max|x| / 127
 * over a row of head_dim numbers, q = x / scale rounded to the nearest, ties to even. Where the scale would be below
 * 2^-126, the smallest normal number, it is 0 and so is every q; where a number is NaN or infinite, the scale is NaN
 * and every q 0, so that the row reads as NaN. Other types: rounded as attn4j_cast does. cache and scales overlap
 * nothing. */
ATTN4J_API attn4j_status attn4j_append(const void* x, int64_t x_batch, int64_t x_head, int64_t x_row,
                                       attn4j_dtype x_dtype, void* cache, int64_t cache_batch, int64_t cache_head,
                                       int64_t cache_row, attn4j_dtype cache_dtype, float* scales, int64_t scales_batch,
                                       int64_t scales_head, int64_t batch, int64_t heads, int64_t rows,
                                       int64_t head_dim, int64_t rotary_dim, attn4j_rotary_layout layout,
                                       const float* cos, const float* sin, int64_t positions, int64_t table_stride,
                                       const int64_t* position_ids, int64_t position_stride, const int64_t* start,
                                       attn4j_isa isa, int32_t threads);

/* Attention over disjoint sets of keys, `count` >= 0 of them, from the result over each: for every row
 *     lse = log(exp(sink) + sum_p exp(lses[p]))        out = sum_p exp(lses[p] - lse) outs[p]
 * outs[p] [rows, width] with row stride out_strides[p], lses[p] [rows]. A partial of lse -inf is not looked at; where
 * there is nothing else, out = 0 and lse = -inf, or the sink. sinks [heads]: row r belongs to head r / queries % heads
 * (rows of [batch, heads, queries]), and partials must not have had the sink already; NULL: none, and heads and queries
 * are not looked at. lse may be NULL. out and lse may be outs[0] and lses[0], and overlap nothing else. */
ATTN4J_API attn4j_status attn4j_merge(const float* const* outs, const int64_t* out_strides, const float* const* lses,
                                      int64_t count, const float* sinks, int64_t heads, int64_t queries, float* out,
                                      int64_t out_stride, float* lse, int64_t rows, int64_t width, attn4j_isa isa,
                                      int32_t threads);

#ifdef __cplusplus
}
#endif

#endif
