// SPDX-License-Identifier: Apache-2.0
// The C interface of what stands around attention: layers, sampling, masks, casts, partial results, positions.
#include "api.h"
#include "append.h"
#include "cast.h"
#include "layers.h"
#include "linear.h"
#include "linear_bf16.h"
#include "masks.h"
#include "merge.h"
#include "rotary.h"
#include "sample.h"

using namespace attn4j;

namespace {

// [heads, rows, head_dim] of each batch entry.
struct HeadRows {
    const void* data;
    int64_t head, row;  // strides
    attn4j_dtype dtype;
};

Rotary turn(const HeadRows& x, const HeadRows& out, int64_t heads, int64_t rows, int64_t head_dim, int64_t rotary_dim,
            attn4j_rotary_layout layout, const float* cos, const float* sin, int64_t table_stride) {
    require_enum("layout", layout, ATTN4J_ROTARY_PAIRS);
    Rotary entry{};
    entry.x = x.data;
    entry.out = const_cast<void*>(out.data);
    entry.x_type = static_cast<Element>(x.dtype);
    entry.out_type = static_cast<Element>(out.dtype);
    entry.x_head_stride = x.head;
    entry.x_row_stride = x.row;
    entry.out_head_stride = out.head;
    entry.out_row_stride = out.row;
    entry.cos = cos;
    entry.sin = sin;
    entry.table_stride = table_stride;
    entry.heads = heads;
    entry.rows = rows;
    entry.head_dim = head_dim;
    entry.rotary_dim = rotary_dim;
    entry.interleaved = layout == ATTN4J_ROTARY_PAIRS;
    return entry;
}

}  // namespace

extern "C" {

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
        const Rotary entry = turn({x, x_head, x_row, dtype}, {out, out_head, out_row, dtype}, heads, rows, head_dim,
                                  rotary_dim, layout, cos, sin, table_stride);
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
        const bool turned = rotary_dim != 0;
        const Rotary entry = turn({x, x_head, x_row, x_dtype}, {cache, cache_head, cache_row, cache_dtype}, heads, rows,
                                  head_dim, rotary_dim, layout, cos, sin, table_stride);
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
