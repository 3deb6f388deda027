// SPDX-License-Identifier: Apache-2.0
// Fused attention of few queries over many keys: all query heads of one key-value head at once over a chunk of its
// keys, so that each byte of the cache is read once; then the chunks of a head merged, in order. Steps, options and
// exceptional values are those of attention.h but for dropout, and for int8, where a query or a scale that is infinite
// may give NaN; error bounds likewise. Where bytes are multiplied as they are, a query is rounded to 2^-16 of its largest
// number and a weight to 2^-17 of the largest of its block; of float32 to 2^-23 and 2^-24. Split keys: arXiv:2307.08691;
// merge: arXiv:2205.14135, 3.1.
#pragma once

#include <cstdint>

#include "kernels/cache_rows.h"

namespace attn4j {

// A row is a pair of query head g and query i, row g * queries + i.
struct DecodeChunk {
    const void* q;  // [group, queries, head_dim]
    Element q_type;
    int64_t q_head_stride, q_stride;
    CacheRows k, v;
    int64_t group, queries;  // group * queries: 1 to most_rows of the kernel
    int64_t head_dim, value_dim;

    int64_t begin, end;            // keys of the chunk; all of them exist
    int64_t first_key, last_key;   // query i sees key j of [begin, end) if first_key + i <= j <= last_key + i
    int64_t position;              // the key at which query 0 stands
    const DecodeChunk* following;  // taken by the same thread after this one, or null: its first keys are fetched
    bool short_blocks;  // of as many pages as are read together; chunks of several heads may be taken at once
    // The CPU's own fetching brings too little: every line ahead is fetched, and several places are read by turns where
    // that brings more.
    bool every_line;

    float scale;
    float softcap;        // 0 for none
    const float* slopes;  // [group], of ALiBi, or null
    // [group, queries, keys] with key stride 0 or 1, other strides any; null where there is none.
    const float* bias;    // added; -inf hides
    const uint8_t* keep;  // 0 hides
    int64_t bias_head_stride, bias_query_stride, bias_key_stride;
    int64_t keep_head_stride, keep_query_stride, keep_key_stride;

    // Polled once a block of keys, of all heads that are taken at once; where it is set the chunk is abandoned. Null: never.
    const int32_t* cancelled;
    float* partial;    // partial_floats(rows, value_dim) floats, aligned to 64 bytes; only written
    float* workspace;  // workspace_floats(head_dim, value_dim) floats, aligned to 64 bytes, contents of no meaning
};

// Puts the chunks of a key-value head together.
struct DecodeMerge {
    float* partials;  // of `count` >= 1 chunks, each partial_floats after the one before; destroyed
    int64_t count;
    int64_t group, queries, value_dim;
    const float* sinks;  // [group], or null
    void* out;           // [group, queries, value_dim]; aliases nothing
    Element out_type;
    int64_t out_head_stride, out_stride;
    float* lse;  // [group, queries], or null
    int64_t lse_head_stride;
};

// Most chunks that are taken at once, of as many heads.
constexpr int64_t kMostHeadsTogether = 8;

// One ISA's way of doing it. A chunk begins at a multiple of `chunk` keys, so a row's result depends on its own
// sequence alone.
struct DecodeKernel {
    int64_t most_rows;     // heads of a group times queries
    int64_t most_queries;  // from here on vectors of queries are full enough to be faster
    int64_t chunk;
    int64_t most_heads;  // 1 to kMostHeadsTogether
    int64_t (*partial_floats)(int64_t rows, int64_t value_dim);
    int64_t (*workspace_floats)(int64_t head_dim, int64_t value_dim);
    // One chunk; or where their blocks are short, those of the same keys of up to most_heads key-value heads, without a
    // bias and a mask, each with a workspace of its own; only the last one's `following` is looked at. Their results are
    // those of each by itself.
    void (*run)(const DecodeChunk* chunks, int64_t count);
    void (*merge)(const DecodeMerge& work);
};

}  // namespace attn4j
