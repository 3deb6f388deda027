// SPDX-License-Identifier: Apache-2.0
// What attention is asked to do, in numbers that have been checked. Words and rules: attn4j.h.
#pragma once

#include "attn4j/attn4j.h"

namespace attn4j {

struct Strides {
    int64_t batch, head, row;
};

// What a plan fixes.
struct AttentionProblem {
    int64_t batch, heads, kv_heads, queries, keys, head_dim, value_dim;  // batch, queries, keys: the most of a run
    Strides strides[4];                                                  // by attn4j_operand
    double scale;
    bool causal, ragged;
    attn4j_alignment alignment;
};

// What a run gives. Pointers as in attn4j_plan_run.
struct AttentionOperands {
    int64_t batch, queries, keys;
    const float *q, *k, *v;
    float *out, *lse;
    const int64_t *key_lengths, *offsets, *cu_queries, *cu_keys;
};

// Strides of contiguous operands.
void set_contiguous(AttentionProblem& problem);

// Throw where a rule of attn4j.h is broken. A problem is checked once; operands at each run, against their problem.
void check_problem(const AttentionProblem& problem);
void check_operands(const AttentionProblem& problem, const AttentionOperands& operands);

// A strided box of floats: 1 + the distance from its first element to its last. 0 if any size is 0; throws where that does not fit.
struct Axis {
    int64_t size, stride;
};
int64_t extent(const char* name, const Axis* axes, int count);

// Throws unless no two elements share an address. count <= 4.
void check_distinct(const char* name, const Axis* axes, int count);

// Cumulative lengths [batch + 1]: begin with 0, never decrease, no length above `most`. Returns the last.
int64_t check_cumulative(const char* name, const int64_t* cu, int64_t batch, int64_t most);

// Throws where the two ranges of floats have an address in common.
void check_apart(const char* a_name, const float* a, int64_t a_floats, const char* b_name, const float* b,
                 int64_t b_floats);

}  // namespace attn4j
