// SPDX-License-Identifier: Apache-2.0
#include "problem.h"

#include <cmath>
#include <initializer_list>

#include "boxes.h"
#include "error.h"

namespace attn4j {
namespace {

using Long = long long;

// Vectors and workspaces of a row are counted in it; no row of 8 GiB is attended to.
constexpr int64_t kMostDim = INT32_MAX;

void require_dim(const char* name, int64_t value) {
    require_size(name, value, 1);
    if (value > kMostDim)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must not exceed %lld: %s=%lld", name, Long{kMostDim}, name, Long{value});
}

// Counts of tasks, rows and operations are formed of sizes alone: they must fit whatever the strides, also where an
// operand is empty.
void require_countable(const AttentionProblem& p) {
    int64_t product = 1;
    for (const int64_t size : {p.batch, p.heads, p.queries, p.head_dim + p.value_dim})
        if (__builtin_mul_overflow(product, size == 0 ? 1 : size, &product))
            fail(ATTN4J_INVALID_ARGUMENT,
                 "the sizes must fit into memory: batch=%lld heads=%lld queries=%lld headDim=%lld valueDim=%lld",
                 Long{p.batch}, Long{p.heads}, Long{p.queries}, Long{p.head_dim}, Long{p.value_dim});
}

Layout most(const AttentionProblem& p) { return {p.ragged ? 1 : p.batch, p.queries, p.keys}; }

void set_contiguous(AttentionProblem& p, attn4j_operand operand) {
    const Box sizes = box(p, operand, most(p));
    Strides& s = p.strides[operand];
    s.row = sizes.axes[3].size;
    if (__builtin_mul_overflow(s.row, sizes.axes[2].size, &s.head) ||
        __builtin_mul_overflow(s.head, sizes.axes[1].size, &s.batch))
        fail(ATTN4J_INVALID_ARGUMENT, "%s must fit into memory: rows=%lld row=%lld", kOperandNames[operand],
             Long{sizes.axes[2].size}, Long{s.row});
}

void check_score_strides(const char* name, const AttentionProblem& p, const ScoreStrides& s) {
    if (!s.present) return;
    if (s.batch < 0 || s.head < 0 || s.query < 0)
        fail(ATTN4J_INVALID_ARGUMENT, "strides of %s must not be negative: batch=%lld head=%lld query=%lld", name,
             Long{s.batch}, Long{s.head}, Long{s.query});
    if (s.key != 0 && s.key != 1)
        fail(ATTN4J_INVALID_ARGUMENT, "the key stride of %s must be 0 or 1: key=%lld", name, Long{s.key});
    extent(name, box(p, s, {p.batch, p.queries, p.keys}).axes, 4);
}

// int8 is for what scales can be given for, and their strides for int8.
void check_cache(const AttentionProblem& p) {
    for (const attn4j_operand operand : kOperands) {
        const bool cached = operand == ATTN4J_K || operand == ATTN4J_V, bytes = p.types[operand] == Element::i8;
        const ScaleStrides& s = p.scales_of[operand];
        if (bytes && !cached)
            fail(ATTN4J_INVALID_ARGUMENT, "int8 is a type of k and v: %s=int8", kOperandNames[operand]);
        if (s.given && !bytes)
            fail(ATTN4J_INVALID_ARGUMENT, "only int8 has scales: %s=%s", kOperandNames[operand],
                 p.types[operand] == Element::f32 ? "f32" : "16 bits");
        if (s.given && (s.batch < 0 || s.head < 0))
            fail(ATTN4J_INVALID_ARGUMENT, "strides of scales must not be negative: batch=%lld head=%lld", Long{s.batch},
                 Long{s.head});
    }
    if (!p.pages.present) return;
    const int64_t needed = (p.keys + p.pages.rows - 1) / p.pages.rows;
    if (p.pages.table_stride < needed)
        fail(ATTN4J_INVALID_ARGUMENT,
             "the page table must have a page for every key: tableStride=%lld keys=%lld pageRows=%lld",
             Long{p.pages.table_stride}, Long{p.keys}, Long{p.pages.rows});
}

}  // namespace

AttentionProblem plain_problem(int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                               int64_t head_dim, int64_t value_dim) {
    AttentionProblem p{};
    p.batch = batch;
    p.heads = heads;
    p.kv_heads = kv_heads;
    p.queries = queries;
    p.keys = keys;
    p.head_dim = head_dim;
    p.value_dim = value_dim;
    p.scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
    p.alignment = ATTN4J_BOTTOM_RIGHT;
    p.window_left = p.window_right = -1;
    p.stage = ATTN4J_STAGE_NONE;
    for (const attn4j_operand operand : kOperands) set_contiguous(p, operand);
    return p;
}

void set_pages(AttentionProblem& p, int64_t count, int64_t rows, int64_t table_stride) {
    require_size("pages", count, 0);
    require_size("pageRows", rows, 1);
    require_size("tableStride", table_stride, 0);
    AttentionProblem paged = p;
    paged.pages = {true, count, rows, table_stride};
    for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V}) set_contiguous(paged, operand);
    p = paged;
}

ScaleStrides scale_strides(const AttentionProblem& p, attn4j_operand operand) {
    const ScaleStrides& s = p.scales_of[operand];
    const int64_t rows = p.pages.present ? p.pages.rows : p.keys;
    return s.given ? s : ScaleStrides{false, p.kv_heads * rows, rows};
}

void check_options(const AttentionProblem& p) {
    require_size("windowLeft", p.window_left, -1);
    require_size("windowRight", p.window_right, -1);
    // The kernels compute with float32: what is finite as a double may not be there.
    if (!std::isfinite(static_cast<float>(p.scale)))
        fail(ATTN4J_INVALID_ARGUMENT, "scale must be finite: scale=%g", p.scale);
    if (!(p.softcap >= 0) || !std::isfinite(static_cast<float>(p.softcap)))
        fail(ATTN4J_INVALID_ARGUMENT, "softcap must be finite and not negative: softcap=%g", p.softcap);
    if (!(p.dropout >= 0 && p.dropout < 1))
        fail(ATTN4J_INVALID_ARGUMENT, "dropout must be at least 0 and below 1: dropout=%g", p.dropout);
}

void check_problem(const AttentionProblem& p) {
    require_size("batch", p.batch, 0);
    require_size("heads", p.heads, 1);
    require_size("kvHeads", p.kv_heads, 1);
    require_size("queries", p.queries, 0);
    require_size("keys", p.keys, 0);
    require_dim("headDim", p.head_dim);
    require_dim("valueDim", p.value_dim);
    require_countable(p);
    if (p.heads % p.kv_heads != 0)
        fail(ATTN4J_INVALID_ARGUMENT, "kvHeads must divide heads: heads=%lld kvHeads=%lld", Long{p.heads},
             Long{p.kv_heads});
    for (const attn4j_operand operand : kOperands) {
        const Strides& s = p.strides[operand];
        if (s.batch < 0 || s.head < 0 || s.row < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "strides of %s must not be negative: batch=%lld head=%lld row=%lld",
                 kOperandNames[operand], Long{s.batch}, Long{s.head}, Long{s.row});
        bytes(p, operand, most(p));
    }
    check_out(p, most(p));
    check_cache(p);
    for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V}) scale_bytes(p, operand, most(p));
    check_score_strides("bias", p, p.bias);
    check_score_strides("mask", p, p.mask);
    check_score_strides("scores", p, p.scores);
    const Box scores = box(p, p.scores, {p.batch, p.queries, p.keys});
    if (p.scores.present && extent("scores", scores.axes, 4) > 0) check_distinct("scores", scores.axes, 4);
}

}  // namespace attn4j
