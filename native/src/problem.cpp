// SPDX-License-Identifier: Apache-2.0
#include "problem.h"

#include <cmath>
#include <initializer_list>

#include "error.h"
#include "extent.h"

namespace attn4j {
namespace {

using Long = long long;

constexpr const char* kOperandNames[] = {"q", "k", "v", "out"};
constexpr attn4j_operand kOperands[] = {ATTN4J_Q, ATTN4J_K, ATTN4J_V, ATTN4J_OUT};

void require_at_least(const char* name, int64_t value, int64_t least) {
    if (value < least)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must be at least %lld: %s=%lld", name, Long{least}, name, Long{value});
}

// Vectors and workspaces of a row are counted in it; no row of 8 GiB is attended to.
constexpr int64_t kMostDim = INT32_MAX;

void require_dim(const char* name, int64_t value) {
    require_at_least(name, value, 1);
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

void require_at_most(const char* name, int64_t value, int64_t most) {
    if (value > most)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must not exceed the plan's: %s=%lld plan=%lld", name, name, Long{value},
             Long{most});
}

// How many sequences and rows are laid out one behind the other. A ragged batch is one long sequence.
struct Layout {
    int64_t batch, queries, keys;
};

struct Box {
    Axis axes[4];
};

Box box(const AttentionProblem& p, attn4j_operand operand, const Layout& layout) {
    const bool of_queries = operand == ATTN4J_Q || operand == ATTN4J_OUT;
    const bool of_values = operand == ATTN4J_V || operand == ATTN4J_OUT;
    const Strides& s = p.strides[operand];
    if (p.pages.present && !of_queries)
        return {{{p.pages.count, s.batch},
                 {p.kv_heads, s.head},
                 {p.pages.rows, s.row},
                 {of_values ? p.value_dim : p.head_dim, 1}}};
    return {{{layout.batch, s.batch},
             {of_queries ? p.heads : p.kv_heads, s.head},
             {of_queries ? layout.queries : layout.keys, s.row},
             {of_values ? p.value_dim : p.head_dim, 1}}};
}

int64_t bytes(const AttentionProblem& p, attn4j_operand operand, const Layout& layout) {
    return extent(kOperandNames[operand], box(p, operand, layout).axes, 4) * bytes_of(p.types[operand]);
}

// Of an operand's scales, 0 where it has none.
int64_t scale_bytes(const AttentionProblem& p, attn4j_operand operand, const Layout& layout) {
    if (p.types[operand] != Element::i8) return 0;
    const ScaleStrides s = scale_strides(p, operand);
    const Axis axes[] = {{p.pages.present ? p.pages.count : layout.batch, s.batch},
                         {p.kv_heads, s.head},
                         {p.pages.present ? p.pages.rows : layout.keys, 1}};
    return extent(operand == ATTN4J_K ? "kScales" : "vScales", axes, 3) * static_cast<int64_t>(sizeof(float));
}

Box box(const AttentionProblem& p, const ScoreStrides& s, const Layout& layout) {
    return {{{layout.batch, s.batch},
             {p.averaged && &s == &p.scores ? 1 : p.heads, s.head},
             {layout.queries, s.query},
             {layout.keys, s.key}}};
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

// Throws where two elements of out share an address.
void check_out(const AttentionProblem& p, const Layout& layout) {
    const Box out = box(p, ATTN4J_OUT, layout);
    if (extent("out", out.axes, 4) > 0) check_distinct("out", out.axes, 4);
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

// Of the keys that are looked at; a stage is of all.
void check_pages(const AttentionProblem& p, const AttentionOperands& o) {
    for (int64_t b = 0; p.pages.present && b < o.batch; ++b) {
        const int64_t all = p.ragged ? o.cu_keys[b + 1] - o.cu_keys[b] : o.keys;
        const int64_t keys = o.key_lengths == nullptr || p.stage != ATTN4J_STAGE_NONE ? all : o.key_lengths[b];
        for (int64_t i = 0; i * p.pages.rows < keys; ++i) {
            const int64_t page = o.pages[b * p.pages.table_stride + i];
            if (page < 0 || page >= p.pages.count)
                fail(ATTN4J_INVALID_ARGUMENT, "pages must lie between 0 and %lld: pages[%lld, %lld]=%lld",
                     Long{p.pages.count - 1}, Long{b}, Long{i}, Long{page});
        }
    }
}

// Of the table that so many keys are found by, from the first to the last.
int64_t page_entries(const AttentionProblem& p, int64_t batch, int64_t keys) {
    if (!p.pages.present) return 0;
    const Axis axes[] = {{batch, p.pages.table_stride}, {(keys + p.pages.rows - 1) / p.pages.rows, 1}};
    return extent("pages", axes, 2);
}

void require_given(const char* name, const void* address, bool wanted) {
    if ((address != nullptr) != wanted)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must be given exactly where the plan has it: %s=%s plan=%s", name, name,
             address == nullptr ? "null" : "given", wanted ? "with" : "without");
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
    require_at_least("pages", count, 0);
    require_at_least("pageRows", rows, 1);
    require_at_least("tableStride", table_stride, 0);
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
    require_at_least("windowLeft", p.window_left, -1);
    require_at_least("windowRight", p.window_right, -1);
    // The kernels compute with float32: what is finite as a double may not be there.
    if (!std::isfinite(static_cast<float>(p.scale)))
        fail(ATTN4J_INVALID_ARGUMENT, "scale must be finite: scale=%g", p.scale);
    if (!(p.softcap >= 0) || !std::isfinite(static_cast<float>(p.softcap)))
        fail(ATTN4J_INVALID_ARGUMENT, "softcap must be finite and not negative: softcap=%g", p.softcap);
    if (!(p.dropout >= 0 && p.dropout < 1))
        fail(ATTN4J_INVALID_ARGUMENT, "dropout must be at least 0 and below 1: dropout=%g", p.dropout);
}

void check_problem(const AttentionProblem& p) {
    require_at_least("batch", p.batch, 0);
    require_at_least("heads", p.heads, 1);
    require_at_least("kvHeads", p.kv_heads, 1);
    require_at_least("queries", p.queries, 0);
    require_at_least("keys", p.keys, 0);
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

void check_operands(const AttentionProblem& p, const AttentionOperands& o) {
    require_at_least("batch", o.batch, 0);
    require_at_most("batch", o.batch, p.batch);
    Layout layout{o.batch, o.queries, o.keys};
    int64_t longest_queries = o.queries, longest_keys = o.keys;
    if (p.ragged) {
        if (o.key_lengths != nullptr)
            fail(ATTN4J_INVALID_ARGUMENT, "a ragged run takes key lengths from cuKeys: keyLengths=%p",
                 static_cast<const void*>(o.key_lengths));
        layout = {1, check_cumulative("cuQueries", o.cu_queries, o.batch, p.queries),
                  check_cumulative("cuKeys", o.cu_keys, o.batch, p.keys)};
        // More rows than a plan's sequence has may reach those of the next head.
        check_out(p, layout);
        longest_queries = p.queries;
        longest_keys = p.keys;
    } else {
        require_at_least("queries", o.queries, 0);
        require_at_most("queries", o.queries, p.queries);
        require_at_least("keys", o.keys, 0);
        require_at_most("keys", o.keys, p.keys);
        for (int64_t b = 0; o.key_lengths != nullptr && b < o.batch; ++b)
            if (o.key_lengths[b] < 0 || o.key_lengths[b] > o.keys)
                fail(ATTN4J_INVALID_ARGUMENT, "keyLengths must lie between 0 and keys: keyLengths[%lld]=%lld keys=%lld",
                     Long{b}, Long{o.key_lengths[b]}, Long{o.keys});
    }
    require_given("bias", o.bias, p.bias.present);
    require_given("mask", o.mask, p.mask.present);
    require_given("scores", o.scores, p.scores.present);
    require_given("kScales", o.k_scales, p.types[ATTN4J_K] == Element::i8);
    require_given("vScales", o.v_scales, p.types[ATTN4J_V] == Element::i8);
    require_given("pages", o.pages, p.pages.present);
    check_pages(p, o);

    const void* const addresses[] = {o.q, o.k, o.v, o.out};
    int64_t sizes[4];
    for (const attn4j_operand operand : kOperands) {
        sizes[operand] = bytes(p, operand, layout);
        if (addresses[operand] == nullptr && sizes[operand] > 0)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null bytes=%lld", kOperandNames[operand],
                 kOperandNames[operand], Long{sizes[operand]});
    }
    const int64_t f32 = static_cast<int64_t>(sizeof(float));
    const int64_t lse_bytes = o.lse == nullptr ? 0 : layout.batch * p.heads * layout.queries * f32;
    const Layout scored{o.batch, longest_queries, longest_keys};
    const int64_t scores_bytes = o.scores == nullptr ? 0 : extent("scores", box(p, p.scores, scored).axes, 4) * f32;
    const int64_t bias_bytes = o.bias == nullptr ? 0 : extent("bias", box(p, p.bias, scored).axes, 4) * f32;
    const int64_t mask_bytes = o.mask == nullptr ? 0 : extent("mask", box(p, p.mask, scored).axes, 4);
    const int64_t i64 = static_cast<int64_t>(sizeof(int64_t));
    struct Range {
        const char* name;
        const void* address;
        int64_t size;
    };
    const Range written[] = {
        {"out", o.out, sizes[ATTN4J_OUT]}, {"lse", o.lse, lse_bytes}, {"scores", o.scores, scores_bytes}};
    const Range read[] = {{"q", o.q, sizes[ATTN4J_Q]},
                          {"k", o.k, sizes[ATTN4J_K]},
                          {"v", o.v, sizes[ATTN4J_V]},
                          {"bias", o.bias, bias_bytes},
                          {"mask", o.mask, mask_bytes},
                          {"kScales", o.k_scales, scale_bytes(p, ATTN4J_K, layout)},
                          {"vScales", o.v_scales, scale_bytes(p, ATTN4J_V, layout)},
                          {"keyLengths", o.key_lengths, o.batch * i64},
                          {"offsets", o.offsets, o.batch * i64},
                          {"cuQueries", o.cu_queries, (o.batch + 1) * i64},
                          {"cuKeys", o.cu_keys, (o.batch + 1) * i64},
                          {"pages", o.pages, page_entries(p, o.batch, longest_keys) * i64},
                          {"slopes", o.slopes, p.heads * f32},
                          {"sinks", o.sinks, p.heads * f32}};
    for (const Range& w : written)
        for (const Range& r : read)
            if (w.size > 0 && r.address != nullptr) check_apart(w.name, w.address, w.size, r.name, r.address, r.size);
    check_apart("lse", o.lse, lse_bytes, "out", o.out, sizes[ATTN4J_OUT]);
    check_apart("scores", o.scores, scores_bytes, "out", o.out, sizes[ATTN4J_OUT]);
    check_apart("scores", o.scores, scores_bytes, "lse", o.lse, lse_bytes);
}

}  // namespace attn4j
