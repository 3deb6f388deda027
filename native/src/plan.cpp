// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <algorithm>

#include "blocks.h"
#include "dispatch.h"
#include "error.h"
#include "memory.h"
#include "parallel.h"

namespace attn4j {
namespace {

// Below this many floating-point operations a thread is not worth waking (about 10 us of work).
constexpr double kFlopsPerThread = 2e6;

// One sequence of a run.
struct Sequence {
    int64_t queries, keys;
    int64_t offset;  // query i stands at key i + offset
    const float *q, *k, *v;
    float *out, *lse;
    int64_t lse_head_stride;
};

Sequence sequence(const AttentionProblem& p, const AttentionOperands& o, int64_t b) {
    Sequence s;
    int64_t q = 0, k = 0, v = 0, out = 0;  // distances of the first rows
    if (p.ragged) {
        s.queries = o.cu_queries[b + 1] - o.cu_queries[b];
        s.keys = o.cu_keys[b + 1] - o.cu_keys[b];
        q = o.cu_queries[b] * p.strides[ATTN4J_Q].row;
        k = o.cu_keys[b] * p.strides[ATTN4J_K].row;
        v = o.cu_keys[b] * p.strides[ATTN4J_V].row;
        out = o.cu_queries[b] * p.strides[ATTN4J_OUT].row;
        s.lse = o.lse == nullptr ? nullptr : o.lse + o.cu_queries[b];
        s.lse_head_stride = o.cu_queries[o.batch];
    } else {
        s.queries = o.queries;
        s.keys = o.key_lengths == nullptr ? o.keys : o.key_lengths[b];
        q = b * p.strides[ATTN4J_Q].batch;
        k = b * p.strides[ATTN4J_K].batch;
        v = b * p.strides[ATTN4J_V].batch;
        out = b * p.strides[ATTN4J_OUT].batch;
        s.lse = o.lse == nullptr ? nullptr : o.lse + b * p.heads * o.queries;
        s.lse_head_stride = o.queries;
    }
    s.q = o.q + q;
    s.k = o.k + k;
    s.v = o.v + v;
    s.out = o.out + out;
    s.offset = o.offsets != nullptr ? o.offsets[b] : p.alignment == ATTN4J_TOP_LEFT ? 0 : s.keys - s.queries;
    return s;
}

Blocks blocks_of(const Sequence& s, const AttentionKernel& kernel) {
    return Blocks(s.queries, kernel.lanes, kernel.block_queries);
}

void run_block(const AttentionProblem& p, const AttentionKernel& kernel, const Sequence& s, int64_t head, int64_t first,
               int64_t queries, float* workspace) {
    const int64_t kv_head = head / (p.heads / p.kv_heads);
    AttentionBlock block;
    block.q_stride = p.strides[ATTN4J_Q].row;
    block.k_stride = p.strides[ATTN4J_K].row;
    block.v_stride = p.strides[ATTN4J_V].row;
    block.out_stride = p.strides[ATTN4J_OUT].row;
    block.q = s.q + head * p.strides[ATTN4J_Q].head + first * block.q_stride;
    block.k = s.k + kv_head * p.strides[ATTN4J_K].head;
    block.v = s.v + kv_head * p.strides[ATTN4J_V].head;
    block.out = s.out + head * p.strides[ATTN4J_OUT].head + first * block.out_stride;
    block.lse = s.lse == nullptr ? nullptr : s.lse + head * s.lse_head_stride + first;
    block.queries = queries;
    block.keys = s.keys;
    block.head_dim = p.head_dim;
    block.value_dim = p.value_dim;
    // Clamped to where it stops making a difference, so that no offset overflows.
    const int64_t offset = std::clamp(s.offset, -(s.queries + 1), s.keys);
    block.last_key = p.causal ? std::min(offset + first, s.keys - 1) : s.keys - 1;
    block.scale = static_cast<float>(p.scale);
    block.workspace = workspace;
    kernel.run(block);
}

}  // namespace

void Plan::require_open() const {
    if (kernel_ != nullptr) fail(ATTN4J_ILLEGAL_STATE, "a built plan cannot be changed: built=true");
}

AttentionProblem& Plan::open_problem() {
    require_open();
    return problem_;
}

void Plan::set_isa(attn4j_isa isa) {
    require_open();
    isa_ = resolve_isa(isa);
}

void Plan::set_threads(int32_t threads) {
    require_open();
    if (threads < 0) fail(ATTN4J_INVALID_ARGUMENT, "threads must not be negative: threads=%d", threads);
    threads_ = threads;
}

void Plan::build() {
    require_open();
    check_problem(problem_);
    isa_ = resolve_isa(isa_);
    const AttentionKernel& kernel = kernels_of(isa_).attention;
    // Whole cache lines, so that what follows it is aligned as well.
    const int64_t line = kAlignment / static_cast<int64_t>(sizeof(float));
    workspace_floats_ = (kernel.workspace_floats(problem_.head_dim, problem_.value_dim) + line - 1) / line * line;
    kernel_ = &kernel;
}

void Plan::run(const AttentionOperands& operands) const {
    if (kernel_ == nullptr) fail(ATTN4J_ILLEGAL_STATE, "a plan must be built before it runs: built=false");
    check_operands(problem_, operands);

    // Tasks are numbered sequence by sequence; where lengths differ, starts[b] is the first of sequence b. They share the calling
    // thread's scratch space with its own workspace, which comes first.
    const AttentionProblem& p = problem_;
    const AttentionKernel& kernel = *kernel_;
    const int64_t batch = operands.batch;
    const int64_t table_floats = p.ragged ? (batch + 1) * static_cast<int64_t>(sizeof(int64_t) / sizeof(float)) : 0;
    float* const mine = scratch(workspace_floats_ + table_floats);
    int64_t* const starts = reinterpret_cast<int64_t*>(mine + workspace_floats_);

    int64_t tasks = 0;
    double flops = 0;
    if (p.ragged) {
        for (int64_t b = 0; b < batch; ++b) {
            starts[b] = tasks;
            const Sequence s = sequence(p, operands, b);
            tasks += p.heads * blocks_of(s, kernel).count;
            flops += static_cast<double>(s.queries) * static_cast<double>(s.keys);
        }
        starts[batch] = tasks;
    } else {
        tasks = batch * p.heads * Blocks(operands.queries, kernel.lanes, kernel.block_queries).count;
        flops = static_cast<double>(batch * operands.queries) * static_cast<double>(operands.keys);
    }
    flops *= 2.0 * static_cast<double>(p.heads * (p.head_dim + p.value_dim));
    const int worth = static_cast<int>(std::min(flops / kFlopsPerThread, 1024.0)) + 1;
    const int threads = threads_ == 0 ? worth : std::min(threads_, worth);

    const int64_t workspace_floats = workspace_floats_;
    parallel_for(tasks, threads, [&](int64_t task) {
        // Later blocks see more keys when causal: they go first, so that no thread is left with a long one at the end.
        const int64_t number = p.causal ? tasks - 1 - task : task;
        int64_t b, within;
        if (p.ragged) {
            b = std::upper_bound(starts, starts + batch + 1, number) - starts - 1;
            within = number - starts[b];
        } else {
            const int64_t each = tasks / batch;
            b = number / each;
            within = number % each;
        }
        const Sequence s = sequence(p, operands, b);
        const Blocks blocks = blocks_of(s, kernel);
        const int64_t head = within / blocks.count, block = within % blocks.count;
        run_block(p, kernel, s, head, blocks.begin(block), blocks.end(block) - blocks.begin(block),
                  scratch(workspace_floats));
    });
}

}  // namespace attn4j
