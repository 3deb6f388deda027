/* SPDX-License-Identifier: Apache-2.0
 * attn4j: fused multi-head attention on CPUs, and the kernels an encoder needs around it.
 *
 * Conventions. Sizes, strides and lengths are int64_t and count elements, never bytes; the innermost stride is 1.
 * A function that can fail returns attn4j_status (or NULL) and leaves a message for attn4j_error_message(); when it
 * fails it has written nothing. Every function may be called from any number of threads at once. isa and threads are
 * those of a plan (attn4j_plan_set_isa, attn4j_plan_set_threads).
 */
#ifndef ATTN4J_ATTN4J_H
#define ATTN4J_ATTN4J_H

#include "attn4j/base.h"      /* outcomes, types of numbers, instruction sets */
#include "attn4j/library.h"   /* version, errors, threads, memory */
#include "attn4j/attention.h" /* attention: plans, and what they compute */
#include "attn4j/linear.h"    /* linear layers, activations, OpenBLAS */
#include "attn4j/layers.h"    /* norms, gates, sums, embedding, pooling */
#include "attn4j/masks.h"     /* masks of other libraries */
#include "attn4j/rotary.h"    /* rotary position embedding and its tables */
#include "attn4j/cache.h"     /* rows into caches, casts, partial results */
#include "attn4j/sampling.h"  /* tokens from logits */

#endif
