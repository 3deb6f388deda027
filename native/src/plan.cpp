// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

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
    int64_t number, queries, keys, key_length;
    int64_t offset;        // query i stands at key i + offset
    int64_t q, k, v, out;  // first elements of its operands
    int64_t lse, lse_head_stride;
};

Sequence sequence(const AttentionProblem& p, const AttentionOperands& o, int64_t b) {
    Sequence s;
    s.number = b;
    if (p.ragged) {
        s.queries = o.cu_queries[b + 1] - o.cu_queries[b];
        s.keys = s.key_length = o.cu_keys[b + 1] - o.cu_keys[b];
        s.q = o.cu_queries[b] * p.strides[ATTN4J_Q].row;
        s.k = o.cu_keys[b] * p.strides[ATTN4J_K].row;
        s.v = o.cu_keys[b] * p.strides[ATTN4J_V].row;
        s.out = o.cu_queries[b] * p.strides[ATTN4J_OUT].row;
        s.lse = o.cu_queries[b];
        s.lse_head_stride = o.cu_queries[o.batch];
    } else {
        s.queries = o.queries;
        s.keys = o.keys;
        s.key_length = o.key_lengths == nullptr ? o.keys : o.key_lengths[b];
        s.q = b * p.strides[ATTN4J_Q].batch;
        s.k = b * p.strides[ATTN4J_K].batch;
        s.v = b * p.strides[ATTN4J_V].batch;
        s.out = b * p.strides[ATTN4J_OUT].batch;
        s.lse = b * p.heads * o.queries;
        s.lse_head_stride = o.queries;
    }
    s.offset = o.offsets != nullptr ? o.offsets[b] : p.alignment == ATTN4J_TOP_LEFT ? 0 : s.key_length - s.queries;
    return s;
}

// The address of an element.
const void* at(const void* base, Element type, int64_t element) {
    return static_cast<const char*>(base) + element * bytes_of(type);
}

// a + b, or the end of the range that it passes.
int64_t saturated_sum(int64_t a, int64_t b) {
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

// offset + width + first with -1 for an open width; clamped only at the end, as a far offset and a wide window may meet
// again.
int64_t edge(int64_t offset, int64_t first, int64_t width, int64_t direction, int64_t open, int64_t least,
             int64_t most) {
    if (width < 0) return open;
    return std::clamp(saturated_sum(saturated_sum(offset, direction * width), first), least, most);
}

Dropout dropout_of(const AttentionProblem& p, int64_t seed) {
    const auto bits = static_cast<uint64_t>(seed);
    // At most 2^32 - 1: p below 1 never drops everything.
    const double threshold = std::min(std::ldexp(p.dropout, 32), 4294967295.0);
    return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(threshold),
            static_cast<float>(1 / (1 - p.dropout))};
}

// Queries [first, end) of a head of a sequence.
AttentionBlock make_block(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t head,
                          int64_t first, int64_t end) {
    const int64_t kv_head = head / (p.heads / p.kv_heads);
    const auto start = [&](attn4j_operand operand, int64_t sequence, int64_t h, int64_t row) {
        return sequence + h * p.strides[operand].head + row * p.strides[operand].row;
    };
    AttentionBlock block{};
    block.q_type = p.types[ATTN4J_Q];
    block.k_type = p.types[ATTN4J_K];
    block.v_type = p.types[ATTN4J_V];
    block.out_type = p.types[ATTN4J_OUT];
    block.q = at(o.q, block.q_type, start(ATTN4J_Q, s.q, head, first));
    block.k = at(o.k, block.k_type, start(ATTN4J_K, s.k, kv_head, 0));
    block.v = at(o.v, block.v_type, start(ATTN4J_V, s.v, kv_head, 0));
    block.out = const_cast<void*>(at(o.out, block.out_type, start(ATTN4J_OUT, s.out, head, first)));
    block.lse = o.lse == nullptr ? nullptr : o.lse + s.lse + head * s.lse_head_stride + first;
    block.q_stride = p.strides[ATTN4J_Q].row;
    block.k_stride = p.strides[ATTN4J_K].row;
    block.v_stride = p.strides[ATTN4J_V].row;
    block.out_stride = p.strides[ATTN4J_OUT].row;
    block.queries = end - first;
    block.keys = s.keys;
    block.key_length = s.key_length;
    block.head_dim = p.head_dim;
    block.value_dim = p.value_dim;

    // Beyond a row outside the keys an edge makes no difference to what is visible.
    const int64_t least = -(s.queries + 2), most = s.keys + s.queries + 2;
    const int64_t by_cause = edge(s.offset, first, p.causal ? 0 : -1, 1, s.key_length - 1, least, most);
    const int64_t by_window = edge(s.offset, first, p.window_right, 1, s.key_length - 1, least, most);
    block.last_key = std::min({by_cause, by_window, s.key_length - 1});
    block.first_key = edge(s.offset, first, p.window_left, -1, -s.queries, least, most);
    block.position = saturated_sum(s.offset, first);

    block.scale = static_cast<float>(p.scale);
    block.softcap = static_cast<float>(p.softcap);
    block.slope = o.slopes == nullptr ? 0.0f : o.slopes[head];
    block.has_sink = o.sinks != nullptr;
    block.sink = o.sinks == nullptr ? 0.0f : o.sinks[head];
    if (p.bias.present) {
        block.bias = o.bias + s.number * p.bias.batch + head * p.bias.head + first * p.bias.query;
        block.bias_query_stride = p.bias.query;
        block.bias_key_stride = p.bias.key;
    }
    if (p.mask.present) {
        block.keep = o.mask + s.number * p.mask.batch + head * p.mask.head + first * p.mask.query;
        block.keep_query_stride = p.mask.query;
        block.keep_key_stride = p.mask.key;
    }
    block.dropout = dropout_of(p, o.seed);
    block.row = static_cast<uint32_t>(s.number * p.heads + head);
    block.first_query = first;
    block.stage = static_cast<Stage>(p.stage);
    if (p.scores.present) {
        block.scores =
            o.scores + s.number * p.scores.batch + (p.averaged ? 0 : head * p.scores.head) + first * p.scores.query;
        block.scores_stride = p.scores.query;
        block.scores_factor = p.averaged ? static_cast<float>(1.0 / static_cast<double>(p.heads)) : 1.0f;
        block.scores_accumulate = p.averaged && head > 0;
    }
    block.cancelled = o.cancelled;
    return block;
}

bool all_bf16(const AttentionProblem& p) {
    return p.types[ATTN4J_Q] == Element::bf16 && p.types[ATTN4J_K] == Element::bf16 &&
           p.types[ATTN4J_V] == Element::bf16;
}

const AttentionKernel& kernel_for(const AttentionProblem& p, attn4j_isa isa) {
    const Bf16Kernels* const bf16 = bf16_kernels_of(isa);
    return bf16 != nullptr && all_bf16(p) && p.stage == ATTN4J_STAGE_NONE ? bf16->attention : kernels_of(isa).attention;
}

Blocks blocks_of(int64_t queries, const AttentionKernel& kernel) {
    return Blocks(queries, kernel.lanes, kernel.block_queries);
}

// Most blocks of queries of one head in a task, which read its keys and values once for all, and most heads, which
// look at their mask and transpose their bias once for all. More gain nothing.
constexpr int64_t kBlocksTogether = 4, kHeadsTogether = 4;
static_assert(kBlocksTogether * kHeadsTogether <= kTogether, "a kernel takes no more");

// Whether heads have a mask or a bias in common that differs from query to query, and so is worth sharing.
bool shares_mask(const AttentionProblem& p) {
    const auto shared = [](const ScoreStrides& s) { return s.present && s.head == 0 && s.query != 0; };
    return shared(p.bias) || shared(p.mask);
}

// What a task takes: so many heads of a sequence, so many blocks of queries of each. Results do not depend on it.
struct Share {
    int64_t heads, blocks;

    int64_t head_shares(const AttentionProblem& p) const { return (p.heads + heads - 1) / heads; }
    int64_t block_shares(const Blocks& all) const { return (all.count + blocks - 1) / blocks; }
    int64_t tasks(const AttentionProblem& p, const Blocks& all) const { return head_shares(p) * block_shares(all); }
};

// The largest share: blocks that have keys or a bias in common. Where scores are averaged a task takes all heads in turn.
Share largest_share(const AttentionProblem& p) {
    if (p.averaged) return {p.heads, 1};
    if (shares_mask(p)) return {std::min(p.heads, kHeadsTogether), kBlocksTogether};
    return {1, kBlocksTogether};
}

// Small enough to give every thread some tasks, of `blocks` of queries over all heads.
Share share_of(const AttentionProblem& p, int64_t blocks, int threads) {
    Share share = largest_share(p);
    if (p.averaged || threads == 1) return share;
    constexpr int64_t tasks_per_thread = 4;
    while (share.heads * share.blocks > 1 && blocks < tasks_per_thread * threads * share.heads * share.blocks) {
        share.heads = (share.heads + 1) / 2;
        share.blocks = (share.blocks + 1) / 2;
    }
    return share;
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
    forced_ = isa != ATTN4J_ISA_DEFAULT;
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
    const AttentionKernel& kernel = kernel_for(problem_, isa_);
    // Whole cache lines, so that what follows it is aligned as well.
    const int64_t line = kAlignment / static_cast<int64_t>(sizeof(float));
    const Share share = largest_share(problem_);
    const int64_t together = problem_.averaged ? 1 : share.heads * share.blocks;
    workspace_floats_ =
        (kernel.workspace_floats(problem_.head_dim, problem_.value_dim, together) + line - 1) / line * line;
    kernel_ = &kernel;
}

void Plan::require_built() const {
    if (kernel_ == nullptr) fail(ATTN4J_ILLEGAL_STATE, "a plan must be built before it runs: built=false");
}

int Plan::threads_for(double scores) const {
    const AttentionProblem& p = problem_;
    const double flops = 2.0 * scores * static_cast<double>(p.heads * (p.head_dim + p.value_dim));
    const int worth = static_cast<int>(std::min(flops / kFlopsPerThread, 1024.0)) + 1;
    return threads_ == 0 ? worth : std::min(threads_, worth);
}

void Plan::run(const AttentionOperands& operands) const {
    require_built();
    check_operands(problem_, operands);

    // Tasks are numbered sequence by sequence; where lengths differ, starts[b] is the first of sequence b. They share
    // the calling thread's scratch space with its own workspace, which comes first.
    const AttentionProblem& p = problem_;
    const AttentionKernel& kernel = *kernel_;
    const int64_t batch = operands.batch;
    const int64_t table_floats = p.ragged ? (batch + 1) * static_cast<int64_t>(sizeof(int64_t) / sizeof(float)) : 0;
    float* const mine = scratch(workspace_floats_ + table_floats);
    int64_t* const starts = reinterpret_cast<int64_t*>(mine + workspace_floats_);

    int64_t all_blocks = 0;
    double scores = 0;
    if (p.ragged) {
        for (int64_t b = 0; b < batch; ++b) {
            const Sequence s = sequence(p, operands, b);
            all_blocks += p.heads * blocks_of(s.queries, kernel).count;
            scores += static_cast<double>(s.queries) * static_cast<double>(s.keys);
        }
    } else {
        all_blocks = batch * p.heads * blocks_of(operands.queries, kernel).count;
        scores = static_cast<double>(batch * operands.queries) * static_cast<double>(operands.keys);
    }
    const int threads = threads_for(scores);
    const Share share = share_of(p, all_blocks, std::min(threads, pool_threads()));
    int64_t tasks = 0;
    if (p.ragged) {
        for (int64_t b = 0; b < batch; ++b) {
            starts[b] = tasks;
            tasks += share.tasks(p, blocks_of(sequence(p, operands, b).queries, kernel));
        }
        starts[batch] = tasks;
    } else {
        tasks = batch * share.tasks(p, blocks_of(operands.queries, kernel));
    }

    const int64_t workspace_floats = workspace_floats_;
    parallel_for(tasks, threads, [&](int64_t task) {
        if (is_set(operands.cancelled)) return;
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
        const Blocks blocks = blocks_of(s.queries, kernel);
        const int64_t block_shares = share.block_shares(blocks);
        const int64_t first_head = within / block_shares * share.heads, first = within % block_shares * share.blocks;
        const int64_t end_head = std::min(first_head + share.heads, p.heads);
        const int64_t end = std::min(first + share.blocks, blocks.count);
        float* const workspace = scratch(workspace_floats);
        AttentionBlock together[kTogether];
        int64_t count = 0;
        // Heads of the same queries follow each other: a bias transposed for one serves the next.
        for (int64_t i = first; i < end; ++i)
            for (int64_t head = first_head; head < end_head; ++head) {
                together[count++] = make_block(p, operands, s, head, blocks.begin(i), blocks.end(i));
                if (!p.averaged) continue;
                kernel.run(together, count, workspace);
                count = 0;
            }
        if (count > 0) kernel.run(together, count, workspace);
    });
    if (is_set(operands.cancelled)) fail(ATTN4J_CANCELLED, "the run was cancelled: cancelled=%d", *operands.cancelled);
}

void Plan::explain(char* text, int64_t capacity) const {
    require_built();
    const AttentionProblem& p = problem_;
    const Blocks blocks = blocks_of(p.queries, *kernel_);
    const double scores = static_cast<double>(p.batch * p.queries) * static_cast<double>(p.keys);
    const int64_t sequences = p.ragged ? 1 : p.batch;
    const int threads = std::min(threads_for(scores), pool_threads());
    const int64_t tasks = sequences * share_of(p, sequences * p.heads * blocks.count, threads).tasks(p, blocks);
    std::snprintf(
        text, static_cast<size_t>(capacity),
        "kernel=fused-forward%s isa=%s (%s) lanes=%lld block=%lldx%lld (queries x keys) tasks=%lld (%s) threads<=%d "
        "workspace=%lld bytes a thread",
        kernel_ == &kernels_of(isa_).attention ? "" : " (bfloat16 products)", isa_name(isa_), forced_ ? "as asked" : "the widest this CPU runs, or ATTN4J_ISA",
        static_cast<long long>(kernel_->lanes), static_cast<long long>(kernel_->block_queries),
        static_cast<long long>(kernel_->key_block), static_cast<long long>(tasks),
        p.ragged ? "if all queries were one sequence" : "batch x heads x blocks of queries", threads,
        static_cast<long long>(workspace_floats_ * 4));
}

}  // namespace attn4j
