// SPDX-License-Identifier: Apache-2.0
// Fused forward attention of one block of queries of one head over all of its keys:
//     s_j = scale * q . k_j     w = softmax over the visible j     out = sum_j w_j v_j     lse = log sum_j exp(s_j)
// Query i of the block sees key j if j < keys and j <= last_key + i. Online softmax arXiv:1805.02867, tiling
// arXiv:2205.14135. Error against double arithmetic: see the tolerances in native/test/tolerance.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace attn4j {

struct AttentionBlock {
    const float* q;  // [queries, head_dim], row stride q_stride
    const float* k;  // [keys, head_dim], row stride k_stride
    const float* v;  // [keys, value_dim], row stride v_stride
    float* out;      // [queries, value_dim], row stride out_stride; aliases nothing
    float* lse;      // [queries], or null
    int64_t q_stride, k_stride, v_stride, out_stride;
    int64_t queries;  // 1 to block_queries of the kernel
    int64_t keys;     // >= 0
    int64_t head_dim, value_dim;
    // The last key that the block's first query sees; each further query sees one more. At least keys - 1 where all is visible.
    int64_t last_key;
    float scale;
    float* workspace;  // workspace_floats(head_dim, value_dim) floats, aligned to 64 bytes, contents of no meaning
};

// One ISA's way of doing it. Keys are taken key_block at a time, always from key 0, so a row's result depends on
// nothing but its own operands.
struct AttentionKernel {
    int64_t lanes;          // queries of one vector
    int64_t block_queries;  // most queries of a block
    int64_t (*workspace_floats)(int64_t head_dim, int64_t value_dim);
    void (*run)(const AttentionBlock& block);
};

}  // namespace attn4j
