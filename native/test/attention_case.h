// SPDX-License-Identifier: Apache-2.0
// One call of attention as the tests think of it: sizes and options, operands in guarded memory, the double precision
// result, and the comparison of the two. Every run also checks which ISA ran and that nothing but out and lse was
// written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attn4j/attn4j.h"
#include "tensor.h"

enum class Layout {
    BHSD,       // contiguous [batch, heads, rows, dim]
    BSHD,       // contiguous [batch, rows, heads, dim]
    PACKED,     // q, k and v side by side in each row of one matrix
    PADDED,     // gaps after each row, head and batch entry
    SHARED_KV,  // keys and values of the one batch entry serve all: batch stride 0
};

struct AttentionCase {
    attn4j_isa isa = ATTN4J_ISA_SCALAR;
    attn4j_dtype dtype = ATTN4J_F32;  // as which q, k and v are stored
    int64_t batch = 1, heads = 1, kv_heads = 1, queries = 1, keys = 1, head_dim = 8, value_dim = 8;
    Layout layout = Layout::BHSD;
    bool causal = false;
    attn4j_alignment alignment = ATTN4J_BOTTOM_RIGHT;
    std::vector<int64_t> key_lengths, offsets;  // none if empty
    std::vector<int64_t> cu_queries, cu_keys;   // ragged if not empty; batch, queries and keys are then not looked at
    std::optional<double> scale;
    bool lse = true;
    int32_t threads = 0;
    GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END;

    bool ragged() const { return !cu_queries.empty(); }
    int64_t sequences() const { return ragged() ? static_cast<int64_t>(cu_queries.size()) - 1 : batch; }
    int64_t queries_of(int64_t b) const { return ragged() ? cu_queries[b + 1] - cu_queries[b] : queries; }
    int64_t keys_of(int64_t b) const {
        return ragged() ? cu_keys[b + 1] - cu_keys[b] : key_lengths.empty() ? keys : key_lengths[b];
    }
    int64_t offset_of(int64_t b) const {
        return !offsets.empty() ? offsets[b] : alignment == ATTN4J_TOP_LEFT ? 0 : keys_of(b) - queries_of(b);
    }
    double scale_or_default() const;
    std::string describe() const;
};

// [batch, heads, rows, dim] each; lse [batch, heads, queries, 1]. Ragged: batch 1, the rows of all sequences.
struct AttentionData {
    Tensor q, k, v, out, lse;

    // The row of sequence b, and its place in the batch dimension.
    static int64_t batch_of(const AttentionCase& c, int64_t b) { return c.ragged() ? 0 : b; }
    static int64_t query_row(const AttentionCase& c, int64_t b) { return c.ragged() ? c.cu_queries[b] : 0; }
    static int64_t key_row(const AttentionCase& c, int64_t b) { return c.ragged() ? c.cu_keys[b] : 0; }
};

// Unit-normal q, k and v; out and lse hold the canary.
AttentionData make_data(const AttentionCase& c, Random& random);

// New out and lse for the same q, k and v.
AttentionData with_fresh_output(const AttentionCase& c, const AttentionData& data);

// A built plan for the case; it is the caller's to free.
attn4j_plan make_plan(const AttentionCase& c, const AttentionData& data);

attn4j_status run_plan(attn4j_plan plan, const AttentionCase& c, const AttentionData& data,
                       const int32_t* cancelled = nullptr);

// Rounds q, k and v to their type, plans and runs. Failures are GoogleTest's.
void run(const AttentionCase& c, const AttentionData& data);

// Compares out and lse with the double precision reference. Returns the largest error as a share of the tolerance.
double expect_correct(const AttentionCase& c, const AttentionData& data);

// All three: operands from the seed, run, compare.
double check(const AttentionCase& c, uint64_t seed);

// The same, and that a pool of 8 gives the same bits on any number of threads.
void check_threads(AttentionCase c, uint64_t seed);
