// SPDX-License-Identifier: Apache-2.0
// What only the lengths and addresses of a run can break.
#include "boxes.h"
#include "error.h"

namespace attn4j {
namespace {

using Long = long long;

constexpr int64_t kF32 = sizeof(float), kI64 = sizeof(int64_t);

void require_at_most(const char* name, int64_t value, int64_t most) {
    if (value > most)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must not exceed the plan's: %s=%lld plan=%lld", name, name, Long{value},
             Long{most});
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

// How a run's operands lie, and of what sizes a bias, a mask and scores are.
struct Layouts {
    Layout operands, scores;
};

Layouts ragged_layouts(const AttentionProblem& p, const AttentionOperands& o) {
    if (o.key_lengths != nullptr)
        fail(ATTN4J_INVALID_ARGUMENT, "a ragged run takes key lengths from cuKeys: keyLengths=%p",
             static_cast<const void*>(o.key_lengths));
    const Layout layout{1, check_cumulative("cuQueries", o.cu_queries, o.batch, p.queries),
                        check_cumulative("cuKeys", o.cu_keys, o.batch, p.keys)};
    // More rows than a plan's sequence has may reach those of the next head.
    check_out(p, layout);
    return {layout, {o.batch, p.queries, p.keys}};
}

Layouts layouts_of(const AttentionProblem& p, const AttentionOperands& o) {
    require_size("batch", o.batch, 0);
    require_at_most("batch", o.batch, p.batch);
    if (p.ragged) return ragged_layouts(p, o);
    require_size("queries", o.queries, 0);
    require_at_most("queries", o.queries, p.queries);
    require_size("keys", o.keys, 0);
    require_at_most("keys", o.keys, p.keys);
    for (int64_t b = 0; o.key_lengths != nullptr && b < o.batch; ++b)
        if (o.key_lengths[b] < 0 || o.key_lengths[b] > o.keys)
            fail(ATTN4J_INVALID_ARGUMENT, "keyLengths must lie between 0 and keys: keyLengths[%lld]=%lld keys=%lld",
                 Long{b}, Long{o.key_lengths[b]}, Long{o.keys});
    const Layout layout{o.batch, o.queries, o.keys};
    return {layout, layout};
}

// Of a bias, a mask or scores, where they are given.
int64_t score_bytes(const char* name, const AttentionProblem& p, const ScoreStrides& s, const void* address,
                    const Layout& layout, int64_t each) {
    return address == nullptr ? 0 : extent(name, box(p, s, layout).axes, 4) * each;
}

// What is written overlaps nothing, neither what is read nor each other.
void check_overlaps(const AttentionProblem& p, const AttentionOperands& o, const Layouts& layouts,
                    const int64_t (&sizes)[4]) {
    struct Range {
        const char* name;
        const void* address;
        int64_t size;
    };
    const auto& [layout, scored] = layouts;
    const Range written[] = {{"out", o.out, sizes[ATTN4J_OUT]},
                             {"lse", o.lse, o.lse == nullptr ? 0 : layout.batch * p.heads * layout.queries * kF32},
                             {"scores", o.scores, score_bytes("scores", p, p.scores, o.scores, scored, kF32)}};
    const Range read[] = {{"q", o.q, sizes[ATTN4J_Q]},
                          {"k", o.k, sizes[ATTN4J_K]},
                          {"v", o.v, sizes[ATTN4J_V]},
                          {"bias", o.bias, score_bytes("bias", p, p.bias, o.bias, scored, kF32)},
                          {"mask", o.mask, score_bytes("mask", p, p.mask, o.mask, scored, 1)},
                          {"kScales", o.k_scales, scale_bytes(p, ATTN4J_K, layout)},
                          {"vScales", o.v_scales, scale_bytes(p, ATTN4J_V, layout)},
                          {"keyLengths", o.key_lengths, o.batch * kI64},
                          {"offsets", o.offsets, o.batch * kI64},
                          {"cuQueries", o.cu_queries, (o.batch + 1) * kI64},
                          {"cuKeys", o.cu_keys, (o.batch + 1) * kI64},
                          {"pages", o.pages, page_entries(p, o.batch, scored.keys) * kI64},
                          {"slopes", o.slopes, p.heads * kF32},
                          {"sinks", o.sinks, p.heads * kF32}};
    for (const Range& w : written) {
        if (w.size == 0) continue;
        for (const Range& r : read)
            if (r.address != nullptr) check_apart(w.name, w.address, w.size, r.name, r.address, r.size);
    }
    for (int i = 1; i < 3; ++i)
        for (int j = 0; j < i; ++j)
            check_apart(written[i].name, written[i].address, written[i].size, written[j].name, written[j].address,
                        written[j].size);
}

}  // namespace

void check_operands(const AttentionProblem& p, const AttentionOperands& o) {
    const Layouts layouts = layouts_of(p, o);
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
        sizes[operand] = bytes(p, operand, layouts.operands);
        if (addresses[operand] == nullptr && sizes[operand] > 0)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null bytes=%lld", kOperandNames[operand],
                 kOperandNames[operand], Long{sizes[operand]});
    }
    check_overlaps(p, o, layouts, sizes);
}

}  // namespace attn4j
