// SPDX-License-Identifier: Apache-2.0
#include "sequence.h"

#include <algorithm>
#include <cmath>

#include "dispatch.h"

namespace attn4j {
namespace {

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

// Keys or values of a head of a sequence.
CacheRows cache_rows(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, attn4j_operand operand,
                     int64_t kv_head) {
    const bool keys = operand == ATTN4J_K;
    const float* const scales = keys ? o.k_scales : o.v_scales;
    const Strides& strides = p.strides[operand];
    const ScaleStrides of_scales = scale_strides(p, operand);
    CacheRows rows{};
    rows.type = p.types[operand];
    rows.data = at(keys ? o.k : o.v, rows.type, (keys ? s.k : s.v) + kv_head * strides.head);
    rows.stride = strides.row;
    if (scales != nullptr)
        rows.scales = scales +
                      (p.pages.present ? 0
                       : p.ragged      ? o.cu_keys[s.number]
                                       : s.number * of_scales.batch) +
                      kv_head * of_scales.head;
    if (p.pages.present) {
        rows.pages = o.pages + s.number * p.pages.table_stride;
        rows.page_rows = p.pages.rows;
        rows.page_stride = strides.batch;
        rows.scale_page_stride = of_scales.batch;
    }
    return rows;
}

Dropout dropout_of(const AttentionProblem& p, int64_t seed) {
    const auto bits = static_cast<uint64_t>(seed);
    // At most 2^32 - 1: p below 1 never drops everything.
    const double threshold = std::min(std::ldexp(p.dropout, 32), 4294967295.0);
    return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(threshold),
            static_cast<float>(1 / (1 - p.dropout))};
}

}  // namespace

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
    if (p.pages.present) s.k = s.v = 0;
    s.offset = o.offsets != nullptr ? o.offsets[b] : p.alignment == ATTN4J_TOP_LEFT ? 0 : s.key_length - s.queries;
    return s;
}

AttentionBlock make_block(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t head,
                          int64_t first, int64_t end) {
    const int64_t kv_head = head / (p.heads / p.kv_heads);
    const auto start = [&](attn4j_operand operand, int64_t sequence, int64_t h, int64_t row) {
        return sequence + h * p.strides[operand].head + row * p.strides[operand].row;
    };
    AttentionBlock block{};
    block.q_type = p.types[ATTN4J_Q];
    block.out_type = p.types[ATTN4J_OUT];
    block.q = at(o.q, block.q_type, start(ATTN4J_Q, s.q, head, first));
    block.k = cache_rows(p, o, s, ATTN4J_K, kv_head);
    block.v = cache_rows(p, o, s, ATTN4J_V, kv_head);
    block.out = const_cast<void*>(at(o.out, block.out_type, start(ATTN4J_OUT, s.out, head, first)));
    block.lse = o.lse == nullptr ? nullptr : o.lse + s.lse + head * s.lse_head_stride + first;
    block.q_stride = p.strides[ATTN4J_Q].row;
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

DecodeChunk make_chunk(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t kv_head,
                       int64_t begin, int64_t end) {
    const int64_t group = p.heads / p.kv_heads, head = kv_head * group;
    const AttentionBlock block = make_block(p, o, s, head, 0, s.queries);
    DecodeChunk chunk{};
    chunk.q = block.q;
    chunk.q_type = block.q_type;
    chunk.q_head_stride = p.strides[ATTN4J_Q].head;
    chunk.q_stride = block.q_stride;
    chunk.k = block.k;
    chunk.v = block.v;
    chunk.group = group;
    chunk.queries = s.queries;
    chunk.head_dim = p.head_dim;
    chunk.value_dim = p.value_dim;
    chunk.begin = begin;
    chunk.end = std::min(end, s.key_length);
    chunk.first_key = std::min(block.first_key, chunk.end);  // where it stands beyond makes no difference
    chunk.last_key = block.last_key;
    chunk.position = block.position;
    chunk.every_line = wants_every_line();
    chunk.scale = block.scale;
    chunk.softcap = block.softcap;
    chunk.slopes = o.slopes == nullptr ? nullptr : o.slopes + head;
    chunk.bias = block.bias;
    chunk.bias_head_stride = p.bias.head;
    chunk.bias_query_stride = block.bias_query_stride;
    chunk.bias_key_stride = block.bias_key_stride;
    chunk.keep = block.keep;
    chunk.keep_head_stride = p.mask.head;
    chunk.keep_query_stride = block.keep_query_stride;
    chunk.keep_key_stride = block.keep_key_stride;
    chunk.cancelled = o.cancelled;
    return chunk;
}

DecodeMerge make_merge(const AttentionProblem& p, const AttentionOperands& o, const Sequence& s, int64_t kv_head) {
    const int64_t group = p.heads / p.kv_heads, head = kv_head * group;
    const AttentionBlock block = make_block(p, o, s, head, 0, s.queries);
    DecodeMerge merge{};
    merge.group = group;
    merge.queries = s.queries;
    merge.value_dim = p.value_dim;
    merge.sinks = o.sinks == nullptr ? nullptr : o.sinks + head;
    merge.out = block.out;
    merge.out_type = block.out_type;
    merge.out_head_stride = p.strides[ATTN4J_OUT].head;
    merge.out_stride = block.out_stride;
    merge.lse = block.lse;
    merge.lse_head_stride = s.lse_head_stride;
    return merge;
}

SmallHeads make_heads(const AttentionProblem& p, int64_t count) {
    return {count, p.strides[ATTN4J_K].head, p.strides[ATTN4J_V].head, scale_strides(p, ATTN4J_K).head,
            scale_strides(p, ATTN4J_V).head};
}

}  // namespace attn4j
