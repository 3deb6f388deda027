/* SPDX-License-Identifier: Apache-2.0
 * From logits to tokens. Row-major float32 logits with a row stride. */
#ifndef ATTN4J_SAMPLING_H
#define ATTN4J_SAMPLING_H

#include "attn4j/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tokens[r] = a token drawn by row r of logits [rows, vocabulary]: of the top_k largest logits (0: of all), those of
 * the least number whose weights exp(logit / temperature) come to top_p of the sum (1: all; one at least); of equal
 * logits those of lower tokens come first. A token is drawn by its weight. temperature 0: the token of the largest
 * logit, whatever else is given. The draw of (seed, step, r) is a Philox number that depends on nothing else.
 * temperature >= 0 and finite, 0 < top_p <= 1, top_k, step >= 0, 1 <= vocabulary < 2^31. A logit may be -inf (never
 * drawn), but neither NaN nor inf, and not all of a row -inf. tokens [rows] overlaps nothing. arXiv:1904.09751. */
ATTN4J_API attn4j_status attn4j_sample(const float* logits, int64_t logits_stride, int64_t rows, int64_t vocabulary,
                                       double temperature, int64_t top_k, double top_p, int64_t seed, int64_t step,
                                       int32_t* tokens, attn4j_isa isa, int32_t threads);

#ifdef __cplusplus
}
#endif

#endif
