// SPDX-License-Identifier: Apache-2.0
// Fused forward attention of one block of queries of one head over all of its keys, in the order of attn4j.h:
//     s = scale * q . k    s = softcap tanh(s / softcap)    s -= slope |position + i - j|    s += bias    hidden keys
// -inf
//     w = softmax(s), a sink in the denominator    dropout    out_i = sum_j w_ij v_j    lse_i = log of the denominator
// Online softmax arXiv:1805.02867, tiling arXiv:2205.14135, ALiBi arXiv:2108.12409, sinks arXiv:2309.17453.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cache_rows.h"

namespace attn4j {

// What is written beside the result, if anything: scores after a step, or the weights.
enum class Stage : int32_t { none = 0, scaled = 1, capped = 2, hidden = 3, weights = 4 };

// Weights are kept where a 32-bit counter-based random number is at least `threshold`, and then multiplied by
// `keep_scale`.
struct Dropout {
    uint32_t seed_low, seed_high;
    uint32_t threshold;  // p * 2^32; 0 for no dropout
    float keep_scale;    // 1 / (1 - p)
};

// Whether a flag that another thread may set is set; never where there is none. static: an ISA file must not export it.
static inline bool is_set(const int32_t* flag) {
    return flag != nullptr && __atomic_load_n(flag, __ATOMIC_RELAXED) != 0;
}

// How much of a block of keys a mask leaves; none is known yet at first.
enum class Seen : uint8_t { unknown, none, some, all };

struct AttentionBlock {
    const void* q;                 // [queries, head_dim]
    void* out;                     // [queries, value_dim]; aliases nothing
    float* lse;                    // [queries], or null
    int64_t q_stride, out_stride;  // of rows, in elements
    Element q_type, out_type;
    CacheRows k;      // [keys, head_dim]
    CacheRows v;      // [keys, value_dim]
    int64_t queries;  // 1 to block_queries of the kernel
    int64_t keys;     // >= 0; all of them exist
    int64_t head_dim, value_dim;

    // Query i of the block sees key j if first_key + i <= j <= last_key + i and j < key_length. The two are clamped to
    // where they stop making a difference.
    int64_t first_key, last_key, key_length;
    int64_t position;  // the key at which the block's first query stands

    float scale;
    float softcap;  // 0 for none
    float slope;    // of ALiBi, 0 for none
    bool has_sink;
    float sink;

    // Of the block's first query; row stride in elements, 0 to repeat a row; key stride 0 or 1. Null where there is
    // none.
    const float* bias;    // added; -inf hides
    const uint8_t* keep;  // 0 hides
    int64_t bias_query_stride, bias_key_stride, keep_query_stride, keep_key_stride;
    // What `keep` leaves of each block of keys, [keys / key_block, rounded up], once the block of any head has looked,
    // on whatever thread; null where each head has its own mask.
    Seen* seen;

    Dropout dropout;
    uint32_t row;         // batch entry * heads + head: part of the random counter
    int64_t first_query;  // of the block in its sequence: likewise

    Stage stage;
    bool stage_alone;  // no result: another kernel forms it
    float* scores;     // [queries, keys], row stride scores_stride; null for Stage::none
    int64_t scores_stride;
    float scores_factor;     // what is written is multiplied by this, 1 unless averaged over heads
    bool scores_accumulate;  // added to what is there

    const int32_t* cancelled;  // polled once a block of keys; where it is set the block is abandoned. Null: never
};

// One ISA's way of doing it. Keys are taken key_block at a time from the first one that the block sees, so a row's
// result depends on its own sequence alone. Blocks of one call take turns, a block of keys each, so that what they have
// in common (keys and values of one head, a bias of several) is fetched, widened or transposed once; a result does not
// depend on what else is in the call.
struct AttentionKernel {
    int64_t lanes;          // queries of one vector
    int64_t block_queries;  // most queries of a block
    int64_t key_block;      // most keys taken at a time
    int64_t (*workspace_floats)(int64_t head_dim, int64_t value_dim, int64_t blocks);
    // blocks [count], 1 to kTogether, of one head_dim and value_dim. workspace: workspace_floats(...) floats, aligned
    // to 64 bytes, contents of no meaning.
    void (*run)(const AttentionBlock* blocks, int64_t count, float* workspace);
};

// Most blocks of a call: their queries and sums, 24 KB each at a head_dim of 64, stay in the second cache.
constexpr int64_t kTogether = 16;
// Most of them that are of one head, and so for how many the kernel keeps a transposed bias. More gain nothing.
constexpr int64_t kBlocksTogether = 4;

}  // namespace attn4j
