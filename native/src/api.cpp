// SPDX-License-Identifier: Apache-2.0
// The C interface: check what cannot be checked deeper, call, turn what is thrown into a status and a message.
#include "attn4j/attn4j.h"

#include <cmath>
#include <cstring>
#include <new>

#include "append.h"
#include "cast.h"
#include "copy.h"
#include "dispatch.h"
#include "error.h"
#include "gemm.h"
#include "layers.h"
#include "linear.h"
#include "linear_bf16.h"
#include "masks.h"
#include "memory.h"
#include "merge.h"
#include "parallel.h"
#include "plan.h"
#include "rotary.h"
#include "sample.h"

#define ATTN4J_STRING_OF(x) #x
#define ATTN4J_STRING(x) ATTN4J_STRING_OF(x)

struct attn4j_plan_s {
    attn4j::Plan plan;
};

namespace {

using namespace attn4j;

template <typename Body>
attn4j_status guard(const Body& body) {
    try {
        body();
        return ATTN4J_OK;
    } catch (const Error& error) {
        remember(error);
        return error.status;
    } catch (const std::bad_alloc&) {
        remember({ATTN4J_OUT_OF_MEMORY, "no memory"});
        return ATTN4J_OUT_OF_MEMORY;
    } catch (const std::exception& unexpected) {
        Error error{ATTN4J_INTERNAL, {}};
        std::strncpy(error.message, unexpected.what(), sizeof error.message - 1);
        remember(error);
        return ATTN4J_INTERNAL;
    }
}

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

void require_enum(const char* name, int value, int most) {
    if (value < 0 || value > most) fail(ATTN4J_INVALID_ARGUMENT, "%s must be 0 to %d: %s=%d", name, most, name, value);
}

}  // namespace

extern "C" {

const char* attn4j_version(void) { return ATTN4J_STRING(ATTN4J_VERSION); }

const char* attn4j_error_message(void) { return last_message(); }

int32_t attn4j_isa_supported(attn4j_isa isa) {
    if (isa != ATTN4J_ISA_DEFAULT) return isa_supported(isa) ? 1 : 0;
    return guard([&] { resolve_isa(isa); }) == ATTN4J_OK ? 1 : 0;
}

attn4j_status attn4j_isa_resolve(attn4j_isa isa, int32_t* resolved) {
    return guard([&] {
        if (resolved == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "resolved must not be null: resolved=null");
        *resolved = resolve_isa(isa);
    });
}

const char* attn4j_isa_name(attn4j_isa isa) { return isa_name(isa); }

attn4j_status attn4j_threads_set(int32_t threads) {
    return guard([&] {
        if (threads < 1) fail(ATTN4J_INVALID_ARGUMENT, "threads must be at least 1: threads=%d", threads);
        set_pool_threads(threads);
    });
}

int32_t attn4j_threads(void) { return pool_threads(); }

void attn4j_threads_shutdown(void) { shutdown_pool(); }

attn4j_status attn4j_gemm_set(attn4j_gemm gemm) {
    return guard([&] { set_gemm(gemm); });
}

int32_t attn4j_gemm_uses_openblas(attn4j_isa isa) {
    int32_t answer = -1;
    guard([&] { answer = uses_openblas(resolve_isa(isa)) ? 1 : 0; });
    return answer;
}

attn4j_status attn4j_openblas_open(const char* path) {
    return guard([&] { open_openblas(path); });
}

const char* attn4j_openblas_config(void) { return openblas_config(); }

void* attn4j_memory_allocate(int64_t bytes) {
    void* address = nullptr;
    guard([&] {
        if (bytes < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "bytes must be at least 0: bytes=%lld", static_cast<long long>(bytes));
        address = allocate(bytes);
        if (address == nullptr) fail(ATTN4J_OUT_OF_MEMORY, "no memory: bytes=%lld", static_cast<long long>(bytes));
    });
    return address;
}

void attn4j_memory_free(void* address) { release(address); }

int64_t attn4j_memory_allocated(void) { return allocated_bytes(); }

void attn4j_memory_copy(void* to, int64_t to_offset, const void* from, int64_t from_offset, int64_t bytes) {
    if (bytes > 0)
        std::memcpy(static_cast<char*>(to) + to_offset, static_cast<const char*>(from) + from_offset,
                    static_cast<size_t>(bytes));
}

attn4j_status attn4j_memory_copy_strided(void* to, const int64_t* to_strides, const void* from,
                                         const int64_t* from_strides, const int64_t* sizes, int32_t rank,
                                         int32_t element_bytes) {
    return guard([&] { copy_strided(to, to_strides, from, from_strides, sizes, rank, element_bytes); });
}

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

attn4j_status attn4j_linear(const float* x, int64_t x_stride, const float* weight, int64_t weight_stride,
                            attn4j_weight_layout layout, const float* bias, const float* residual,
                            int64_t residual_stride, float* out, int64_t out_stride, int64_t rows, int64_t in_features,
                            int64_t out_features, attn4j_activation activation, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        linear({"x", x, x_stride}, {"weight", weight, weight_stride}, layout, bias,
               {"residual", residual, residual_stride}, {"out", out, out_stride}, rows, in_features, out_features,
               activation, {isa, threads});
    });
}

attn4j_status attn4j_linear_bf16(const void* x, attn4j_dtype x_dtype, int64_t x_stride, const void* weight,
                                 int64_t weight_stride, const float* bias, const float* residual,
                                 int64_t residual_stride, void* out, attn4j_dtype out_dtype, int64_t out_stride,
                                 int64_t rows, int64_t in_features, int64_t out_features, attn4j_activation activation,
                                 attn4j_isa isa, int32_t threads) {
    return guard([&] {
        require_activation(activation);
        linear_bf16({x, static_cast<const uint16_t*>(weight), bias, residual, out, x_stride, weight_stride,
                     residual_stride, out_stride, static_cast<Element>(x_dtype), static_cast<Element>(out_dtype), rows,
                     in_features, out_features, activation == ATTN4J_GELU, nullptr},
                    {isa, threads});
    });
}

attn4j_status attn4j_layer_norm(const float* x, int64_t x_stride, const float* residual, int64_t residual_stride,
                                const float* gamma, const float* beta, double epsilon, float* out, int64_t out_stride,
                                int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        layer_norm({"x", x, x_stride}, {"residual", residual, residual_stride}, gamma, beta, epsilon,
                   {"out", out, out_stride}, rows, width, {isa, threads});
    });
}

attn4j_status attn4j_activate(attn4j_activation activation, const float* x, int64_t x_stride, float* out,
                              int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        pointwise({"x", x, x_stride}, activation, {"residual", nullptr, 0}, {"out", out, out_stride}, rows, width,
                  {isa, threads});
    });
}

attn4j_status attn4j_add(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* out,
                         int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        if (b == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "b must not be null: b=null");
        pointwise({"a", a, a_stride}, ATTN4J_IDENTITY, {"b", b, b_stride}, {"out", out, out_stride}, rows, width,
                  {isa, threads});
    });
}

attn4j_status attn4j_embed(const float* table, int64_t table_rows, int64_t table_stride, const int32_t* ids, float* out,
                           int64_t out_stride, int64_t rows, int64_t width, int32_t accumulate, attn4j_isa isa,
                           int32_t threads) {
    return guard([&] {
        embed({"table", table, table_stride}, table_rows, ids, {"out", out, out_stride}, rows, width, accumulate != 0,
              {isa, threads});
    });
}

attn4j_status attn4j_mean_pool(const float* x, int64_t x_stride, const int64_t* cu, int64_t batch, float* out,
                               int64_t out_stride, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] { mean_pool({"x", x, x_stride}, cu, batch, {"out", out, out_stride}, width, {isa, threads}); });
}

attn4j_status attn4j_normalize(const float* x, int64_t x_stride, double epsilon, float* out, int64_t out_stride,
                               int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        normalize({"x", x, x_stride}, epsilon, {"out", out, out_stride}, rows, width, {isa, threads});
    });
}

attn4j_status attn4j_rms_norm(const float* x, int64_t x_stride, const float* gamma, double epsilon, float* out,
                              int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        rms_norm({"x", x, x_stride}, gamma, epsilon, {"out", out, out_stride}, rows, width, {isa, threads});
    });
}

attn4j_status attn4j_gate(const float* x, int64_t x_stride, const float* gate, int64_t gate_stride, int64_t group,
                          float* out, int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                          int32_t threads) {
    return guard([&] {
        attn4j::gate({"x", x, x_stride}, {"gate", gate, gate_stride}, group, false, {"out", out, out_stride}, rows,
                     width, {isa, threads});
    });
}

attn4j_status attn4j_swiglu(const float* gate, int64_t gate_stride, const float* up, int64_t up_stride, float* out,
                            int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        attn4j::gate({"up", up, up_stride}, {"gate", gate, gate_stride}, 1, true, {"out", out, out_stride}, rows, width,
                     {isa, threads});
    });
}

attn4j_status attn4j_sample(const float* logits, int64_t logits_stride, int64_t rows, int64_t vocabulary,
                            double temperature, int64_t top_k, double top_p, int64_t seed, int64_t step,
                            int32_t* tokens, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        sample({"logits", logits, logits_stride}, rows, vocabulary, {temperature, top_k, top_p, seed, step}, tokens,
               {isa, threads});
    });
}

attn4j_status attn4j_mask_keep(const uint8_t* a, int64_t a_batch, int64_t a_head, int64_t a_query, const uint8_t* b,
                               int64_t b_batch, int64_t b_head, int64_t b_query, int32_t causal, uint8_t* out,
                               int64_t out_batch, int64_t out_head, int64_t out_query, int64_t batch, int64_t heads,
                               int64_t queries, int64_t keys, int64_t extra) {
    return guard([&] {
        keep_unhidden({"a", a, a_batch, a_head, a_query}, {"b", b, b_batch, b_head, b_query}, causal != 0,
                      {"out", out, out_batch, out_head, out_query}, {batch, heads, queries, keys, extra});
    });
}

attn4j_status attn4j_mask_bias(const float* a, int64_t a_batch, int64_t a_head, int64_t a_query, const float* b,
                               int64_t b_batch, int64_t b_head, int64_t b_query, float* out, int64_t out_batch,
                               int64_t out_head, int64_t out_query, int64_t batch, int64_t heads, int64_t queries,
                               int64_t keys, int64_t extra) {
    return guard([&] {
        add_biases({"a", a, a_batch, a_head, a_query}, {"b", b, b_batch, b_head, b_query},
                   {"out", out, out_batch, out_head, out_query}, {batch, heads, queries, keys, extra});
    });
}

attn4j_status attn4j_cast(const void* x, attn4j_dtype x_dtype, int64_t x_stride, void* out, attn4j_dtype out_dtype,
                          int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        require_enum("xDtype", x_dtype, ATTN4J_F16);
        require_enum("outDtype", out_dtype, ATTN4J_F16);
        cast(
            {x, out, static_cast<Element>(x_dtype), static_cast<Element>(out_dtype), x_stride, out_stride, rows, width},
            {isa, threads});
    });
}

attn4j_status attn4j_merge(const float* const* outs, const int64_t* out_strides, const float* const* lses,
                           int64_t count, const float* sinks, int64_t heads, int64_t queries, float* out,
                           int64_t out_stride, float* lse, int64_t rows, int64_t width, attn4j_isa isa,
                           int32_t threads) {
    return guard([&] {
        merge({outs, out_strides, lses, sinks, out, lse, out_stride, count, width, heads, queries, 0, rows},
              {isa, threads});
    });
}

attn4j_status attn4j_rotary(const void* x, int64_t x_batch, int64_t x_head, int64_t x_row, void* out, int64_t out_batch,
                            int64_t out_head, int64_t out_row, attn4j_dtype dtype, int64_t batch, int64_t heads,
                            int64_t rows, int64_t head_dim, int64_t rotary_dim, attn4j_rotary_layout layout,
                            const float* cos, const float* sin, int64_t positions, int64_t table_stride,
                            const int64_t* position_ids, int64_t position_stride, const int64_t* start, attn4j_isa isa,
                            int32_t threads) {
    return guard([&] {
        require_enum("dtype", dtype, ATTN4J_F16);
        require_enum("layout", layout, ATTN4J_ROTARY_PAIRS);
        const Rotary entry = {x,
                              out,
                              static_cast<Element>(dtype),
                              static_cast<Element>(dtype),
                              x_head,
                              x_row,
                              out_head,
                              out_row,
                              cos,
                              sin,
                              nullptr,
                              table_stride,
                              0,
                              heads,
                              rows,
                              head_dim,
                              rotary_dim,
                              layout == ATTN4J_ROTARY_PAIRS};
        rotary({entry, batch, x_batch, out_batch, positions, position_ids, start, position_stride, "out", true, false},
               {isa, threads});
    });
}

attn4j_status attn4j_append(const void* x, int64_t x_batch, int64_t x_head, int64_t x_row, attn4j_dtype x_dtype,
                            void* cache, int64_t cache_batch, int64_t cache_head, int64_t cache_row,
                            attn4j_dtype cache_dtype, float* scales, int64_t scales_batch, int64_t scales_head,
                            int64_t batch, int64_t heads, int64_t rows, int64_t head_dim, int64_t rotary_dim,
                            attn4j_rotary_layout layout, const float* cos, const float* sin, int64_t positions,
                            int64_t table_stride, const int64_t* position_ids, int64_t position_stride,
                            const int64_t* start, attn4j_isa isa, int32_t threads) {
    return guard([&] {
        require_enum("xDtype", x_dtype, ATTN4J_F16);
        require_enum("cacheDtype", cache_dtype, ATTN4J_INT8);
        require_enum("layout", layout, ATTN4J_ROTARY_PAIRS);
        const bool turned = rotary_dim != 0;
        const Rotary entry = {x,
                              cache,
                              static_cast<Element>(x_dtype),
                              static_cast<Element>(cache_dtype),
                              x_head,
                              x_row,
                              cache_head,
                              cache_row,
                              cos,
                              sin,
                              nullptr,
                              table_stride,
                              0,
                              heads,
                              rows,
                              head_dim,
                              rotary_dim,
                              layout == ATTN4J_ROTARY_PAIRS};
        append({{entry, batch, x_batch, cache_batch, positions, turned ? position_ids : nullptr,
                 turned ? start : nullptr, position_stride, "cache", false, true},
                scales,
                scales_batch,
                scales_head},
               {isa, threads});
    });
}

attn4j_status attn4j_rotary_tables(float* cos, float* sin, int64_t table_stride, int64_t first_position,
                                   int64_t positions, int64_t rotary_dim, double base, attn4j_rotary_scaling scaling,
                                   double factor, int64_t original_positions, double low_rotations,
                                   double high_rotations, double attention_factor, int32_t threads) {
    return guard([&] {
        require_enum("scaling", scaling, ATTN4J_ROTARY_YARN_UNROUNDED);
        rotary_tables({table_stride, first_position, positions, rotary_dim, base, scaling, factor, original_positions,
                       low_rotations, high_rotations, attention_factor},
                      cos, sin, threads);
    });
}

}  // extern "C"
