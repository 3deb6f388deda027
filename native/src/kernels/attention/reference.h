// SPDX-License-Identifier: Apache-2.0
// What attention.h computes, in double precision and in the order of its definition: for tests, and for those who want
// to read it.
#pragma once

#include <cstdint>

// One head of one sequence. q [queries, head_dim], k [keys, head_dim], v [keys, value_dim] with row strides; out
// [queries, value_dim] and lse [queries] contiguous. Query i sees key j if not causal or j <= i + offset. The largest
// |score| that is seen raises *largest_score.
void attention_reference(const float* q, int64_t q_stride, const float* k, int64_t k_stride, const float* v,
                         int64_t v_stride, int64_t queries, int64_t keys, int64_t head_dim, int64_t value_dim,
                         double scale, bool causal, int64_t offset, double* out, double* lse, double* largest_score);
