// SPDX-License-Identifier: Apache-2.0
// What attention is asked to do, in numbers that have been checked. Words and rules: attn4j/attention.h.
#pragma once

#include "attn4j/attn4j.h"
#include "kernels/attention/attention.h"
#include "kernels/decode/decode.h"
#include "kernels/small/small.h"

namespace attn4j {

struct Strides {
    int64_t batch, head, row;
};

// Of a bias, a mask or scores over (batch, head, query, key).
struct ScoreStrides {
    bool present;
    int64_t batch, head, query, key;
};

// Of scales [batch or pages, kv_heads, rows] of int8; the row stride is 1.
struct ScaleStrides {
    bool given;  // else contiguous
    int64_t batch, head;
};

// Keys and values in pages.
struct Pages {
    bool present;
    int64_t count, rows, table_stride;
};

// What a plan fixes.
struct AttentionProblem {
    int64_t batch, heads, kv_heads, queries, keys, head_dim, value_dim;  // batch, queries, keys: the most of a run
    Strides strides[4];                                                  // by attn4j_operand
    Element types[4];                                                    // likewise
    ScaleStrides scales_of[4];                                           // likewise; of keys and values
    Pages pages;
    double scale;
    bool causal, ragged;
    attn4j_alignment alignment;
    int64_t window_left, window_right;  // -1 where open
    double softcap;                     // 0 for none
    double dropout;                     // probability
    ScoreStrides bias, mask;
    attn4j_stage stage;
    ScoreStrides scores;
    bool averaged;  // scores over heads
};

// What a run gives. Pointers as in attn4j_plan_run.
struct AttentionOperands {
    int64_t batch, queries, keys;
    const void *q, *k, *v;
    void* out;
    float* lse;
    const int64_t *key_lengths, *offsets, *cu_queries, *cu_keys, *pages;
    const float *k_scales, *v_scales;
    const float* bias;
    const uint8_t* mask;
    const float *slopes, *sinks;
    float* scores;
    int64_t seed;
    const int32_t* cancelled;
};

// No option set, strides of contiguous operands.
AttentionProblem plain_problem(int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                               int64_t head_dim, int64_t value_dim);

// Keys and values in pages, contiguous.
void set_pages(AttentionProblem& problem, int64_t count, int64_t rows, int64_t table_stride);

// As they are given, or contiguous.
ScaleStrides scale_strides(const AttentionProblem& problem, attn4j_operand operand);

// Throw where a rule of attn4j/attention.h is broken: the values of options as they are set, the whole when a plan is
// built. A problem is checked once; operands at each run, against their problem.
void check_options(const AttentionProblem& problem);
void check_problem(const AttentionProblem& problem);
void check_operands(const AttentionProblem& problem, const AttentionOperands& operands);

}  // namespace attn4j
