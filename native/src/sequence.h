// SPDX-License-Identifier: Apache-2.0
// One sequence of a run, and what the kernels are told of it.
#pragma once

#include "problem.h"

namespace attn4j {

// One sequence of a run.
struct Sequence {
    int64_t number, queries, keys, key_length;
    int64_t offset;        // query i stands at key i + offset
    int64_t q, k, v, out;  // first elements of its operands
    int64_t lse, lse_head_stride;
};

Sequence sequence(const AttentionProblem& p, const AttentionOperands& o, int64_t b);

// Queries [first, end) of a head of a sequence.
AttentionBlock make_block(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t head,
                          int64_t first, int64_t end);

// All queries of the heads of a key-value head, over keys [begin, end).
DecodeChunk make_chunk(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t kv_head,
                       int64_t begin, int64_t end);

// The same heads' chunks merged into the result.
DecodeMerge make_merge(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t kv_head);

// How far apart all key-value heads of a sequence lie.
SmallHeads make_heads(const AttentionProblem& p, int64_t count);

}  // namespace attn4j
