// SPDX-License-Identifier: Apache-2.0
#include "problem.h"

#include <cmath>
#include <initializer_list>

#include "error.h"

namespace attn4j {
namespace {

using Long = long long;

constexpr const char* kOperandNames[] = {"q", "k", "v", "out"};

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

struct Box {
    Axis axes[4];
    int64_t floats(attn4j_operand operand) const { return extent(kOperandNames[operand], axes, 4); }
};

// The elements of an operand for the given numbers of sequences and rows.
Box box(const AttentionProblem& p, attn4j_operand operand, int64_t batch, int64_t queries, int64_t keys) {
    const bool of_queries = operand == ATTN4J_Q || operand == ATTN4J_OUT;
    const bool of_values = operand == ATTN4J_V || operand == ATTN4J_OUT;
    const Strides& s = p.strides[operand];
    return {{{batch, s.batch},
             {of_queries ? p.heads : p.kv_heads, s.head},
             {of_queries ? queries : keys, s.row},
             {of_values ? p.value_dim : p.head_dim, 1}}};
}

// Throws where two elements of out share an address.
void check_out(const AttentionProblem& p, int64_t batch, int64_t queries) {
    const Box out = box(p, ATTN4J_OUT, batch, queries, 0);
    if (out.floats(ATTN4J_OUT) > 0) check_distinct("out", out.axes, 4);
}

}  // namespace

void set_contiguous(AttentionProblem& p) {
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V, ATTN4J_OUT}) {
        const Box sizes = box(p, operand, p.batch, p.queries, p.keys);
        Strides& s = p.strides[operand];
        s.row = sizes.axes[3].size;
        if (__builtin_mul_overflow(s.row, sizes.axes[2].size, &s.head) ||
            __builtin_mul_overflow(s.head, sizes.axes[1].size, &s.batch))
            fail(ATTN4J_INVALID_ARGUMENT, "%s must fit into memory: rows=%lld row=%lld", kOperandNames[operand],
                 Long{sizes.axes[2].size}, Long{s.row});
    }
}

int64_t extent(const char* name, const Axis* axes, int count) {
    int64_t last = 0;
    for (int i = 0; i < count; ++i) {
        if (axes[i].size == 0) return 0;
        int64_t distance;
        if (__builtin_mul_overflow(axes[i].size - 1, axes[i].stride, &distance) ||
            __builtin_add_overflow(last, distance, &last) || last > INT64_MAX / 8)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must fit into memory: size=%lld stride=%lld", name, Long{axes[i].size},
                 Long{axes[i].stride});
    }
    return last + 1;
}

void check_distinct(const char* name, const Axis* axes, int count) {
    Axis sorted[4];  // by stride, by insertion
    int used = 0;
    for (int i = 0; i < count; ++i) {
        if (axes[i].size < 2) continue;
        int at = used++;
        for (; at > 0 && sorted[at - 1].stride > axes[i].stride; --at) sorted[at] = sorted[at - 1];
        sorted[at] = axes[i];
    }
    for (int i = 0; i < used; ++i) {
        const int64_t inner = extent(name, sorted, i);
        if (sorted[i].stride < inner)
            fail(ATTN4J_INVALID_ARGUMENT, "elements of %s must not share memory: stride=%lld elements below it=%lld", name,
                 Long{sorted[i].stride}, Long{inner});
    }
}

void check_apart(const char* a_name, const float* a, int64_t a_floats, const char* b_name, const float* b,
                 int64_t b_floats) {
    const auto a_begin = reinterpret_cast<uintptr_t>(a), b_begin = reinterpret_cast<uintptr_t>(b);
    const auto a_bytes = static_cast<uintptr_t>(a_floats) * sizeof(float),
               b_bytes = static_cast<uintptr_t>(b_floats) * sizeof(float);
    if (a_bytes == 0 || b_bytes == 0) return;
    if (a_begin < b_begin + b_bytes && b_begin < a_begin + a_bytes)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must not overlap %s: %s=0x%llx+%llu bytes %s=0x%llx+%llu bytes", a_name, b_name,
             a_name, static_cast<unsigned long long>(a_begin), static_cast<unsigned long long>(a_bytes), b_name,
             static_cast<unsigned long long>(b_begin), static_cast<unsigned long long>(b_bytes));
}

int64_t check_cumulative(const char* name, const int64_t* cu, int64_t batch, int64_t most) {
    if (cu == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "cumulative lengths must be given: %s=null", name);
    if (cu[0] != 0) fail(ATTN4J_INVALID_ARGUMENT, "%s must begin with 0: %s[0]=%lld", name, name, Long{cu[0]});
    for (int64_t b = 0; b < batch; ++b) {
        if (cu[b + 1] < cu[b])
            fail(ATTN4J_INVALID_ARGUMENT, "%s must not decrease: %s[%lld]=%lld %s[%lld]=%lld", name, name, Long{b},
                 Long{cu[b]}, name, Long{b + 1}, Long{cu[b + 1]});
        if (cu[b + 1] - cu[b] > most)
            fail(ATTN4J_INVALID_ARGUMENT, "no length of %s may exceed the plan's: length[%lld]=%lld plan=%lld",
                 name, Long{b}, Long{cu[b + 1] - cu[b]}, Long{most});
    }
    return cu[batch];
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
    if (!std::isfinite(p.scale)) fail(ATTN4J_INVALID_ARGUMENT, "scale must be finite: scale=%g", p.scale);
    for (int operand = ATTN4J_Q; operand <= ATTN4J_OUT; ++operand) {
        const Strides& s = p.strides[operand];
        if (s.batch < 0 || s.head < 0 || s.row < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "strides of %s must not be negative: batch=%lld head=%lld row=%lld",
                 kOperandNames[operand], Long{s.batch}, Long{s.head}, Long{s.row});
        box(p, static_cast<attn4j_operand>(operand), p.ragged ? 1 : p.batch, p.queries, p.keys)
            .floats(static_cast<attn4j_operand>(operand));
    }
    check_out(p, p.ragged ? 1 : p.batch, p.queries);
}

void check_operands(const AttentionProblem& p, const AttentionOperands& o) {
    require_at_least("batch", o.batch, 0);
    require_at_most("batch", o.batch, p.batch);
    int64_t batch = o.batch, queries = o.queries, keys = o.keys;
    if (p.ragged) {
        if (o.key_lengths != nullptr)
            fail(ATTN4J_INVALID_ARGUMENT, "a ragged run takes key lengths from cuKeys: keyLengths=%p", static_cast<const void*>(o.key_lengths));
        queries = check_cumulative("cuQueries", o.cu_queries, batch, p.queries);
        keys = check_cumulative("cuKeys", o.cu_keys, batch, p.keys);
        batch = 1;
        // More rows than a plan's sequence has may reach those of the next head.
        check_out(p, batch, queries);
    } else {
        require_at_least("queries", queries, 0);
        require_at_most("queries", queries, p.queries);
        require_at_least("keys", keys, 0);
        require_at_most("keys", keys, p.keys);
        for (int64_t b = 0; o.key_lengths != nullptr && b < batch; ++b)
            if (o.key_lengths[b] < 0 || o.key_lengths[b] > keys)
                fail(ATTN4J_INVALID_ARGUMENT, "keyLengths must lie between 0 and keys: keyLengths[%lld]=%lld keys=%lld",
                     Long{b}, Long{o.key_lengths[b]}, Long{keys});
    }
    const float* const addresses[] = {o.q, o.k, o.v, o.out};
    int64_t floats[4];
    for (int operand = ATTN4J_Q; operand <= ATTN4J_OUT; ++operand) {
        floats[operand] = box(p, static_cast<attn4j_operand>(operand), batch, queries, keys)
                              .floats(static_cast<attn4j_operand>(operand));
        if (addresses[operand] == nullptr && floats[operand] > 0)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null elements=%lld", kOperandNames[operand],
                 kOperandNames[operand], Long{floats[operand]});
    }
    const int64_t lse_floats = o.lse == nullptr ? 0 : batch * p.heads * queries;
    for (int operand = ATTN4J_Q; operand <= ATTN4J_V; ++operand) {
        check_apart("out", o.out, floats[ATTN4J_OUT], kOperandNames[operand], addresses[operand], floats[operand]);
        check_apart("lse", o.lse, lse_floats, kOperandNames[operand], addresses[operand], floats[operand]);
    }
    check_apart("lse", o.lse, lse_floats, "out", o.out, floats[ATTN4J_OUT]);
}

}  // namespace attn4j
