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
#include "run.h"

namespace attn4j {
namespace {

// Below this many floating-point operations another thread is not worth asking (about 10 us of work).
constexpr double kFlopsPerThread = 2e6;

// Floating-point operations in a nanosecond, about what one core manages: of blocks of queries, and of a few queries,
// for which it reads memory.
constexpr double kBlockSpeed = 60, kDecodeSpeed = 10;

}  // namespace

void Plan::require_open() const {
    if (kernels_.blocks != nullptr) fail(ATTN4J_ILLEGAL_STATE, "a built plan cannot be changed: built=true");
}

AttentionProblem& Plan::open_problem() {
    require_open();
    return problem_;
}

void Plan::set_isa(attn4j_isa isa) {
    require_open();
    isa_ = resolve_isa(isa);
    isa_reason_ = isa == ATTN4J_ISA_DEFAULT ? default_isa_reason() : "as asked";
}

void Plan::set_threads(int32_t threads) {
    require_open();
    if (threads < 0) fail(ATTN4J_INVALID_ARGUMENT, "threads must not be negative: threads=%d", threads);
    threads_ = threads;
}

void Plan::build() {
    require_open();
    check_problem(problem_);
    if (isa_ == ATTN4J_ISA_DEFAULT) set_isa(isa_);
    kernels_ = choose_kernels(problem_, isa_);
}

void Plan::require_built() const {
    if (kernels_.blocks == nullptr) fail(ATTN4J_ILLEGAL_STATE, "a plan must be built before it runs: built=false");
}

double Plan::flops_of(double scores) const {
    return 2.0 * scores * static_cast<double>(problem_.heads * (problem_.head_dim + problem_.value_dim));
}

int Plan::threads_for(double scores) const {
    const int worth = static_cast<int>(std::min(flops_of(scores) / kFlopsPerThread, 1024.0)) + 1;
    return threads_ == 0 ? worth : std::min(threads_, worth);
}

void Plan::run(const AttentionOperands& operands) const {
    require_built();
    check_operands(problem_, operands);

    // A run's memory is the calling thread's, after its own workspace.
    float* const mine = scratch(kernels_.workspace_floats + run_floats(problem_, kernels_, operands.queries));
    Run run(problem_, operands, kernels_, mine + kernels_.workspace_floats);
    const int threads = threads_for(run.scores());
    run.cut(threads_of(threads));
    // Later blocks see more keys when causal: they go first, so that no thread is left with a long one at the end.
    const double speed = operands.queries > kernels_.chunks->most_queries ? kBlockSpeed : kDecodeSpeed;
    parallel_for(run.tasks(), threads, flops_of(run.scores()) / speed,
                 [&](int64_t task) { run.task(problem_.causal ? run.tasks() - 1 - task : task); });
    parallel_for(run.stage_tasks(), threads, [&](int64_t task) { run.stage_task(task); });
    if (is_set(operands.cancelled)) fail(ATTN4J_CANCELLED, "the run was cancelled: cancelled=%d", *operands.cancelled);
}

void Plan::explain(char* text, int64_t capacity) const {
    require_built();
    const AttentionProblem& p = problem_;
    const Way way = way_of(p, kernels_, p.queries, p.keys);
    const AttentionKernel& blocks = *kernels_.blocks;
    const int64_t sequences = p.ragged ? 1 : p.batch;
    const double scores = static_cast<double>(p.batch * p.queries) * static_cast<double>(p.keys);
    const int threads = threads_of(threads_for(scores));
    const Share share =
        share_of(p, sequences * blocks_of(p, kernels_, p.queries), sequences * chunks_of(p, kernels_, p.keys), threads);
    const int64_t tasks = sequences * tasks_of(p, kernels_, share, p.queries, p.keys);
    const bool apart = p.stage != ATTN4J_STAGE_NONE && way != Way::blocks;
    std::snprintf(
        text, static_cast<size_t>(capacity),
        "kernel=%s (%s) isa=%s (%s) lanes=%lld block=%lldx%lld (queries x keys) tasks=%lld (%s%s) threads<=%d "
        "workspace=%lld bytes a thread, %lld more for a run",
        kernel_name(way), kernel_reason(way), isa_name(isa_), isa_reason_, static_cast<long long>(blocks.lanes),
        static_cast<long long>(way == Way::blocks ? blocks.block_queries : p.queries),
        static_cast<long long>(way == Way::small    ? p.keys
                               : way == Way::chunks ? chunk_keys(p, *kernels_.chunks, p.keys)
                                                    : blocks.key_block),
        static_cast<long long>(tasks),
        p.ragged             ? "if all queries were one sequence"
        : way == Way::small  ? "batch x shares of kvHeads"
        : way == Way::chunks ? "batch x shares of kvHeads x chunks of keys"
                             : "batch x heads x blocks of queries",
        apart ? "; the scores are written after them, head by head" : "", threads,
        static_cast<long long>(kernels_.workspace_floats * 4),
        static_cast<long long>(run_floats(p, kernels_, p.queries) * 4));
}

const char* Plan::kernel_name(Way way) const {
    switch (way) {
        case Way::small:
            return "small";
        case Way::chunks:
            return kernels_.chunks == &kernels_of(isa_).decode ? "decode"
                   : problem_.types[ATTN4J_K] == Element::i8   ? "decode-int8"
                                                               : "decode-bf16";
        case Way::blocks:
            break;
    }
    return kernels_.bf16 ? "fused-forward-bf16" : "fused-forward";
}

const char* Plan::kernel_reason(Way way) const {
    if (problem_.queries == 0) return "no queries";
    if (way == Way::small) return "few queries a kvHead, few keys";
    if (way == Way::chunks)
        return kernels_.chunks == &kernels_of(isa_).decode ? "few queries a kvHead"
               : isa_ == ATTN4J_ISA_AMX ? "few queries a kvHead; by the matrix unit where they are enough"
               : problem_.types[ATTN4J_K] == Element::i8
                   ? "few queries a kvHead; by products of bytes where they are enough"
                   : "few queries a kvHead, all of bfloat16";
    if (problem_.dropout != 0) return "dropout";
    if (kernels_.bf16) return "many queries a kvHead, all of bfloat16";
    if (bf16_kernels_of(isa_) == nullptr || !all_bf16(problem_)) return "many queries a kvHead";
    return problem_.pages.present ? "many queries a kvHead; pages are read as float32"
                                  : "many queries a kvHead; scores are float32";
}

}  // namespace attn4j
