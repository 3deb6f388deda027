// SPDX-License-Identifier: Apache-2.0
// One run of a plan as tasks that are defined without regard to threads. Each sequence takes the kernel that its own
// sizes ask for: blocks of queries of a head over all keys; where queries are few, the queries of all heads of a
// key-value head over a chunk of keys (whoever finishes a head's last chunk merges them); where keys are few as well,
// several key-value heads at once.
#pragma once

#include "kernel_table.h"
#include "sequence.h"

namespace attn4j {

// What a plan chose, by choose_kernels.
struct AttentionKernels {
    const AttentionKernel* blocks;
    const DecodeKernel* chunks;
    const SmallKernel* small;
    bool bf16;                 // blocks multiply bfloat16
    int64_t heads_together;    // key-value heads of which chunks of the same keys are decoded at once; 1 for each alone
    int64_t workspace_floats;  // of one task: whole cache lines
};

// Whether queries, keys and values are bfloat16.
bool all_bf16(const AttentionProblem& p);

AttentionKernels choose_kernels(const AttentionProblem& p, attn4j_isa isa);

// How a sequence is attended to.
enum class Way { blocks, chunks, small };

// That of a sequence of so many queries and keys. Of what a run may ask for beside the result nothing counts here, or
// its bits would depend on it.
Way way_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries, int64_t keys);

// What a task takes: so many heads of a sequence, so many blocks of queries of each; or so many key-value heads of a
// small one; or so many chunks, one key-value head after the other or, where heads are decoded together, by turns.
// Results do not depend on it.
struct Share {
    int64_t heads, blocks, kv_heads, chunks;
};

// Small enough to give every thread some tasks, of `blocks` of queries over all heads, of `chunks` over all key-value
// heads.
Share share_of(const AttentionProblem& p, int64_t blocks, int64_t chunks, int threads);
// Tasks of a sequence of so many queries and keys.
int64_t tasks_of(const AttentionProblem& p, const AttentionKernels& kernels, const Share& share, int64_t queries,
                 int64_t keys);
// Keys of a chunk of such a sequence.
int64_t chunk_keys(const AttentionProblem& p, const DecodeKernel& kernel, int64_t keys);
// Chunks over all key-value heads.
int64_t chunks_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t keys);
// Blocks of queries over all heads.
int64_t blocks_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries);

// Floats of the own memory of a run with so many queries (of no account where the plan is ragged), for the plan's most
// keys: a run that is a token longer takes no more.
int64_t run_floats(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries);

class Run {
public:
    // memory: run_floats of them, aligned to cache lines.
    Run(const AttentionProblem& problem, const AttentionOperands& operands, const AttentionKernels& kernels,
        float* memory);

    double scores() const { return scores_; }
    // Cuts the run into tasks.
    void cut(int threads);
    int64_t tasks() const { return tasks_; }
    void task(int64_t number) const;

    // The stage of sequences that are not taken in blocks.
    int64_t stage_tasks() const;
    void stage_task(int64_t number) const;

private:
    int64_t task_heads() const { return p_.averaged ? p_.heads : 1; }
    void attend(const Sequence& s, int64_t within) const;
    void decode(const Sequence& s, int64_t within) const;
    // Chunks that are decoded together.
    struct ChunkGroup {
        DecodeChunk chunks[kMostHeadsTogether];
        int64_t count;
    };
    struct ChunkPlace {
        int64_t kv_head, number;  // of the head's chunks
    };
    // Those of a task from the one numbered `first` on, as many as go together.
    void find_group(const Sequence& s, int64_t first, int64_t end, ChunkGroup& group) const;
    ChunkPlace place_of(const Sequence& s, int64_t number) const;
    DecodeChunk chunk_of(const Sequence& s, int64_t number) const;
    void finish_chunk(const Sequence& s, int64_t kv_head) const;
    float* partials_of(const Sequence& s, int64_t kv_head) const;
    void attend_small(const Sequence& s, int64_t within) const;
    Way way_of_sequence(const Sequence& s) const { return way_of(p_, kernels_, s.queries, s.key_length); }

    const AttentionProblem& p_;
    const AttentionOperands& o_;
    const AttentionKernels& kernels_;
    int64_t tasks_ = 0, blocks_ = 0, chunks_ = 0;
    Share share_{1, 1, 1, 1};
    double scores_ = 0;
    int64_t* starts_;      // [batch + 1], the first task of each sequence
    int32_t* unfinished_;  // [batch, kv_heads], chunks
    Seen* seen_;           // [batch, blocks of queries, blocks of keys], where heads have a mask in common
    int64_t seen_each_;    // of a sequence; 0 where there is none
    float* partials_;      // [batch, kv_heads, most chunks] of partial_floats
};

}  // namespace attn4j
