/* SPDX-License-Identifier: Apache-2.0
 * What other libraries' masks come to in the terms of attention.h, over [batch, heads, queries, keys + extra]: the last
 * `extra` keys are ones no mask knows of, and every query sees them. a and b are [batch, heads, queries, keys] with
 * strides of the first three dimensions, 0 to repeat, and key stride 1; NULL for none. out has strides likewise, none
 * of which is 0 where the size is above 1, and overlaps neither. */
#ifndef ATTN4J_MASKS_H
#define ATTN4J_MASKS_H

#include "attn4j/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out = 1 where the query sees the key: neither a nor b hides it (nonzero hides, as in PyTorch), and, if causal != 0,
 * it is not after the query. */
ATTN4J_API attn4j_status attn4j_mask_keep(const uint8_t* a, int64_t a_batch, int64_t a_head, int64_t a_query,
                                          const uint8_t* b, int64_t b_batch, int64_t b_head, int64_t b_query,
                                          int32_t causal, uint8_t* out, int64_t out_batch, int64_t out_head,
                                          int64_t out_query, int64_t batch, int64_t heads, int64_t queries,
                                          int64_t keys, int64_t extra);

/* out = a + b, and 0 for the extra keys. */
ATTN4J_API attn4j_status attn4j_mask_bias(const float* a, int64_t a_batch, int64_t a_head, int64_t a_query,
                                          const float* b, int64_t b_batch, int64_t b_head, int64_t b_query, float* out,
                                          int64_t out_batch, int64_t out_head, int64_t out_query, int64_t batch,
                                          int64_t heads, int64_t queries, int64_t keys, int64_t extra);

#ifdef __cplusplus
}
#endif

#endif
