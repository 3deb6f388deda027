// SPDX-License-Identifier: Apache-2.0
// The C interface of attention.
#include <cmath>

#include "api.h"
#include "plan.h"

struct attn4j_plan_s {
    attn4j::Plan plan;
};

using namespace attn4j;

namespace {

Plan& plan_of(attn4j_plan plan) {
    if (plan == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "a plan must not be null: plan=null");
    return plan->plan;
}

// Changes an open plan's problem by set(problem), or throws and changes nothing.
template <typename Set>
attn4j_status set_option(attn4j_plan plan, const Set& set) {
    return guard([&] {
        AttentionProblem& problem = plan_of(plan).open_problem();
        AttentionProblem changed = problem;
        set(changed);
        check_options(changed);
        problem = changed;
    });
}

}  // namespace

extern "C" {

attn4j_plan attn4j_plan_create(int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                               int64_t head_dim, int64_t value_dim) {
    attn4j_plan plan = nullptr;
    guard([&] {
        const AttentionProblem problem = plain_problem(batch, heads, kv_heads, queries, keys, head_dim, value_dim);
        check_problem(problem);
        plan = new attn4j_plan_s{Plan(problem)};
    });
    return plan;
}

attn4j_status attn4j_plan_set_strides(attn4j_plan plan, attn4j_operand operand, int64_t batch, int64_t head,
                                      int64_t row) {
    return guard([&] {
        require_enum("operand", operand, ATTN4J_OUT);
        plan_of(plan).open_problem().strides[operand] = {batch, head, row};
    });
}

attn4j_status attn4j_plan_set_scale(attn4j_plan plan, double scale) {
    return set_option(plan, [&](AttentionProblem& problem) { problem.scale = scale; });
}

attn4j_status attn4j_plan_set_dtype(attn4j_plan plan, attn4j_operand operand, attn4j_dtype dtype) {
    return guard([&] {
        require_enum("operand", operand, ATTN4J_OUT);
        require_enum("dtype", dtype, ATTN4J_INT8);
        plan_of(plan).open_problem().types[operand] = static_cast<Element>(dtype);
    });
}

attn4j_status attn4j_plan_set_scales(attn4j_plan plan, attn4j_operand operand, int64_t batch, int64_t head) {
    return guard([&] {
        if (operand != ATTN4J_K && operand != ATTN4J_V)
            fail(ATTN4J_INVALID_ARGUMENT, "k and v have scales, operands %d and %d: operand=%d", ATTN4J_K, ATTN4J_V,
                 operand);
        plan_of(plan).open_problem().scales_of[operand] = {true, batch, head};
    });
}

attn4j_status attn4j_plan_set_pages(attn4j_plan plan, int64_t count, int64_t rows, int64_t table_stride) {
    return guard([&] { set_pages(plan_of(plan).open_problem(), count, rows, table_stride); });
}

attn4j_status attn4j_plan_set_window(attn4j_plan plan, int64_t left, int64_t right) {
    return set_option(plan, [&](AttentionProblem& problem) {
        problem.window_left = left;
        problem.window_right = right;
    });
}

attn4j_status attn4j_plan_set_softcap(attn4j_plan plan, double softcap) {
    return set_option(plan, [&](AttentionProblem& problem) { problem.softcap = softcap; });
}

attn4j_status attn4j_plan_set_bias(attn4j_plan plan, int64_t batch, int64_t head, int64_t query, int64_t key) {
    return guard([&] { plan_of(plan).open_problem().bias = {true, batch, head, query, key}; });
}

attn4j_status attn4j_plan_set_mask(attn4j_plan plan, int64_t batch, int64_t head, int64_t query, int64_t key) {
    return guard([&] { plan_of(plan).open_problem().mask = {true, batch, head, query, key}; });
}

attn4j_status attn4j_plan_set_dropout(attn4j_plan plan, double p) {
    return set_option(plan, [&](AttentionProblem& problem) { problem.dropout = p; });
}

attn4j_status attn4j_plan_set_stage(attn4j_plan plan, attn4j_stage stage, int32_t averaged, int64_t batch, int64_t head,
                                    int64_t query) {
    return guard([&] {
        require_enum("stage", stage, ATTN4J_STAGE_WEIGHTS);
        AttentionProblem& problem = plan_of(plan).open_problem();
        problem.stage = stage;
        problem.averaged = averaged != 0;
        problem.scores = {stage != ATTN4J_STAGE_NONE, batch, averaged != 0 ? 0 : head, query, 1};
    });
}

attn4j_status attn4j_plan_set_causal(attn4j_plan plan) {
    return guard([&] { plan_of(plan).open_problem().causal = true; });
}

attn4j_status attn4j_plan_set_alignment(attn4j_plan plan, attn4j_alignment alignment) {
    return guard([&] {
        require_enum("alignment", alignment, ATTN4J_TOP_LEFT);
        plan_of(plan).open_problem().alignment = alignment;
    });
}

attn4j_status attn4j_plan_set_ragged(attn4j_plan plan) {
    return guard([&] { plan_of(plan).open_problem().ragged = true; });
}

attn4j_status attn4j_plan_set_isa(attn4j_plan plan, attn4j_isa isa) {
    return guard([&] { plan_of(plan).set_isa(isa); });
}

attn4j_status attn4j_plan_set_threads(attn4j_plan plan, int32_t threads) {
    return guard([&] { plan_of(plan).set_threads(threads); });
}

attn4j_status attn4j_plan_build(attn4j_plan plan) {
    return guard([&] { plan_of(plan).build(); });
}

attn4j_status attn4j_plan_run(attn4j_plan plan, int64_t batch, int64_t queries, int64_t keys, const void* q,
                              const void* k, const void* v, void* out, float* lse, const int64_t* key_lengths,
                              const int64_t* offsets, const int64_t* cu_queries, const int64_t* cu_keys,
                              const int64_t* pages, const float* k_scales, const float* v_scales, const float* bias,
                              const uint8_t* mask, const float* slopes, const float* sinks, float* scores, int64_t seed,
                              const int32_t* cancelled) {
    return guard([&] {
        plan_of(plan).run({batch,       queries, keys,       q,       k,     v,        out,      lse,
                           key_lengths, offsets, cu_queries, cu_keys, pages, k_scales, v_scales, bias,
                           mask,        slopes,  sinks,      scores,  seed,  cancelled});
    });
}

attn4j_status attn4j_plan_explain(attn4j_plan plan, char* text, int64_t capacity) {
    return guard([&] {
        if (text == nullptr || capacity < 1)
            fail(ATTN4J_INVALID_ARGUMENT, "an explanation needs a buffer: capacity=%lld",
                 static_cast<long long>(capacity));
        plan_of(plan).explain(text, capacity);
    });
}

attn4j_isa attn4j_plan_isa(attn4j_plan plan) { return plan == nullptr ? ATTN4J_ISA_DEFAULT : plan->plan.isa(); }

void attn4j_plan_free(attn4j_plan plan) { delete plan; }

}  // extern "C"
