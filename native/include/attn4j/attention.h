/* SPDX-License-Identifier: Apache-2.0
 * Attention, in plans that are made once and run many times. */
#ifndef ATTN4J_ATTENTION_H
#define ATTN4J_ATTENTION_H

#include "attn4j/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The four operands of attention, for attn4j_plan_set_strides. */
typedef enum attn4j_operand { ATTN4J_Q = 0, ATTN4J_K = 1, ATTN4J_V = 2, ATTN4J_OUT = 3 } attn4j_operand;

/* Where query 0 stands among the keys when a run gives no offsets. */
typedef enum attn4j_alignment {
    ATTN4J_BOTTOM_RIGHT = 0, /* offset = keys - queries: the last query sees the last key */
    ATTN4J_TOP_LEFT = 1      /* offset = 0 */
} attn4j_alignment;

/* What a run writes into `scores`, step numbers as in the definition of attention below. */
typedef enum attn4j_stage {
    ATTN4J_STAGE_NONE = 0,
    ATTN4J_STAGE_SCALED = 1, /* after step 1, of all keys */
    ATTN4J_STAGE_CAPPED = 2, /* after step 2, of all keys */
    ATTN4J_STAGE_HIDDEN = 3, /* after step 5, -inf where hidden */
    ATTN4J_STAGE_WEIGHTS = 4 /* after step 7 */
} attn4j_stage;

typedef struct attn4j_plan_s* attn4j_plan;

/* For query i and key j of each batch entry b and head h (with kv head h / (heads / kv_heads)), in this order:
 *   1  s = scale * q_i . k_j
 *   2  s = softcap * tanh(s / softcap)                     if softcap > 0
 *   3  s -= slope[h] * |i + offset[b] - j|                 with ALiBi
 *   4  s += bias[b, h, i, j]                               with a bias; -inf hides
 *   5  visible(i, j) = j < key_length[b]  and  (not causal or j <= i + offset[b])
 *                      and (window_left < 0 or j >= i + offset[b] - window_left)
 *                      and (window_right < 0 or j <= i + offset[b] + window_right)
 *                      and (no mask or mask[b, h, i, j] != 0)
 *   6  w_i = softmax over the visible keys; a sink adds exp(sink[h]) to the denominator and nothing to the numerator
 *   7  dropout: w_ij is kept with probability 1 - p and divided by it; the draw for (seed, b, h, i, j) depends on
 * nothing else
 *   8  out_i = sum_j w_ij v_j         lse_i = log of the denominator, sink included
 *   q   [batch, heads,    queries, head_dim]      k [batch, kv_heads, keys, head_dim]
 *   out [batch, heads,    queries, value_dim]     v [batch, kv_heads, keys, value_dim]
 *   lse [batch, heads, queries], contiguous, natural logarithm
 * A row that sees no key gives out = 0 and lse = -inf (the sink, if there is one). A key or value that a row does not
 * see has no influence on it, whatever is stored there. NaN that is seen comes out as NaN. The result does not depend
 * on the number of threads, nor on the rest of the batch. Nothing of size queries x keys is ever stored, unless
 * `scores` is asked for. Papers: online softmax arXiv:1805.02867, FlashAttention-2 arXiv:2307.08691, grouped queries
 * arXiv:2305.13245, ALiBi arXiv:2108.12409, sinks arXiv:2309.17453, Philox (Salmon and others, SC 2011).
 *
 * A plan is made once (create, set..., build) and run many times, from any thread. It holds what does not change from
 * call to call; a run gives lengths and addresses and allocates nothing once each thread has run the plan once. */

/* A plan for up to batch, queries and keys. Every size >= 0, heads, kv_heads, head_dim, value_dim >= 1, and kv_heads
 * divides heads. In a ragged plan batch bounds the sequences, queries and keys bound each sequence. NULL on failure. */
ATTN4J_API attn4j_plan attn4j_plan_create(int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                                          int64_t head_dim, int64_t value_dim);

/* Strides of an operand; contiguous [batch, heads, rows, dim] if not set. Ragged: the batch stride is not used. */
ATTN4J_API attn4j_status attn4j_plan_set_strides(attn4j_plan plan, attn4j_operand operand, int64_t batch, int64_t head,
                                                 int64_t row);
/* 1/sqrt(head_dim) if not set. Finite. */
ATTN4J_API attn4j_status attn4j_plan_set_scale(attn4j_plan plan, double scale);
ATTN4J_API attn4j_status attn4j_plan_set_causal(attn4j_plan plan);
/* BOTTOM_RIGHT if not set. For causal attention, windows and ALiBi, where a run gives no offsets. */
ATTN4J_API attn4j_status attn4j_plan_set_alignment(attn4j_plan plan, attn4j_alignment alignment);
/* F32 if not set. Arithmetic is float32 in any case. */
ATTN4J_API attn4j_status attn4j_plan_set_dtype(attn4j_plan plan, attn4j_operand operand, attn4j_dtype dtype);
/* Strides of the scales of K or V where that is INT8, [batch, kv_heads, keys]; the key stride is 1. Contiguous if not
 * set. Ragged: the batch stride is not used. */
ATTN4J_API attn4j_status attn4j_plan_set_scales(attn4j_plan plan, attn4j_operand operand, int64_t batch, int64_t head);
/* Keys and values lie in `count` >= 0 pages of `rows` >= 1 rows: runs give a table of page numbers [batch,
 * table_stride], and key j of sequence b is row j % rows of page table[b, j / rows]. The batch strides of k, v and
 * their scales are then those from page to page; those of k and v become contiguous [count, kv_heads, rows, dim] here.
 */
ATTN4J_API attn4j_status attn4j_plan_set_pages(attn4j_plan plan, int64_t count, int64_t rows, int64_t table_stride);
/* Keys before i + offset - left and after i + offset + right are hidden; -1 leaves a side open. */
ATTN4J_API attn4j_status attn4j_plan_set_window(attn4j_plan plan, int64_t left, int64_t right);
/* >= 0; 0 for none. */
ATTN4J_API attn4j_status attn4j_plan_set_softcap(attn4j_plan plan, double softcap);
/* Runs give a float32 bias, or a byte mask (0 hides), with these strides; 0 repeats a dimension, and the key stride is
 * 0 or 1. In a ragged plan its rows and keys are counted within each sequence. */
ATTN4J_API attn4j_status attn4j_plan_set_bias(attn4j_plan plan, int64_t batch, int64_t head, int64_t query,
                                              int64_t key);
ATTN4J_API attn4j_status attn4j_plan_set_mask(attn4j_plan plan, int64_t batch, int64_t head, int64_t query,
                                              int64_t key);
/* 0 <= p < 1. */
ATTN4J_API attn4j_status attn4j_plan_set_dropout(attn4j_plan plan, double p);
/* Runs write a stage into `scores` [batch, heads, queries, keys] with these strides; the key stride is 1. averaged !=
 * 0: the mean over heads, [batch, queries, keys], and the head stride is not used. */
ATTN4J_API attn4j_status attn4j_plan_set_stage(attn4j_plan plan, attn4j_stage stage, int32_t averaged, int64_t batch,
                                               int64_t head, int64_t query);
/* Sequences lie end to end, rows given by cumulative lengths at run. */
ATTN4J_API attn4j_status attn4j_plan_set_ragged(attn4j_plan plan);
ATTN4J_API attn4j_status attn4j_plan_set_isa(attn4j_plan plan, attn4j_isa isa);
/* At most this many threads work on a run, 0 for all of the pool; 1 never leaves the calling thread. */
ATTN4J_API attn4j_status attn4j_plan_set_threads(attn4j_plan plan, int32_t threads);

/* Checks the whole and chooses the kernel; nothing can be set afterwards. */
ATTN4J_API attn4j_status attn4j_plan_build(attn4j_plan plan);

/* batch, queries, keys: this run's sizes, within the plan's. q, k, v and out have the plan's types.
 * lse, key_lengths [batch] and offsets [batch] may be NULL: no lse, `keys` for each, the plan's alignment. A ragged
 * plan takes cu_queries and cu_keys [batch + 1] instead of queries and keys (which are then ignored): sequence b has
 * rows cu[b] to cu[b+1] - 1 (of keys in pages, so many); its lse is [heads, cu_queries[batch]].
 * pages, k_scales and v_scales (see set_pages, set_scales), bias, mask and scores: exactly where the plan has them.
 * slopes [heads] (ALiBi) and sinks [heads]: NULL for none. seed: of the dropout. cancelled: NULL, or a flag that
 * another thread may set to nonzero; the run then ends within a tile. out, lse and scores overlap nothing; what is read
 * may overlap. */
ATTN4J_API attn4j_status attn4j_plan_run(attn4j_plan plan, int64_t batch, int64_t queries, int64_t keys, const void* q,
                                         const void* k, const void* v, void* out, float* lse,
                                         const int64_t* key_lengths, const int64_t* offsets, const int64_t* cu_queries,
                                         const int64_t* cu_keys, const int64_t* pages, const float* k_scales,
                                         const float* v_scales, const float* bias, const uint8_t* mask,
                                         const float* slopes, const float* sinks, float* scores, int64_t seed,
                                         const int32_t* cancelled);

/* One line on a run of the plan's largest sizes: kernel, ISA, block sizes, tasks, threads, workspace, and why these. */
ATTN4J_API attn4j_status attn4j_plan_explain(attn4j_plan plan, char* text, int64_t capacity);

/* The ISA a built plan runs on. */
ATTN4J_API attn4j_isa attn4j_plan_isa(attn4j_plan plan);

/* No run may be under way. NULL is allowed. */
ATTN4J_API void attn4j_plan_free(attn4j_plan plan);

#ifdef __cplusplus
}
#endif

#endif
