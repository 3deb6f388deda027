// SPDX-License-Identifier: Apache-2.0
// Attention's rules, each broken once: the status, a message that holds the values and the rule, and nothing written.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "attn4j/attn4j.h"
#include "expect_refused.h"
#include "tensor.h"

namespace {

using Status = attn4j_status;

void expect_no_plan(int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys, int64_t head_dim,
                    int64_t value_dim, std::initializer_list<const char*> parts) {
    attn4j_plan plan = attn4j_plan_create(batch, heads, kv_heads, queries, keys, head_dim, value_dim);
    EXPECT_EQ(plan, nullptr);
    expect_message(parts);
    attn4j_plan_free(plan);
}

TEST(PlanErrors, Sizes) {
    expect_no_plan(-1, 1, 1, 1, 1, 1, 1, {"batch must be at least 0", "batch=-1"});
    expect_no_plan(1, 0, 1, 1, 1, 1, 1, {"heads must be at least 1", "heads=0"});
    expect_no_plan(1, 1, 0, 1, 1, 1, 1, {"kvHeads must be at least 1", "kvHeads=0"});
    expect_no_plan(1, 1, -3, 1, 1, 1, 1, {"kvHeads must be at least 1", "kvHeads=-3"});
    expect_no_plan(1, 1, 1, -1, 1, 1, 1, {"queries must be at least 0", "queries=-1"});
    expect_no_plan(1, 1, 1, 1, -1, 1, 1, {"keys must be at least 0", "keys=-1"});
    expect_no_plan(1, 1, 1, 1, 1, 0, 1, {"headDim must be at least 1", "headDim=0"});
    expect_no_plan(1, 1, 1, 1, 1, 1, 0, {"valueDim must be at least 1", "valueDim=0"});
    expect_no_plan(1, 12, 5, 1, 1, 1, 1, {"kvHeads must divide heads", "heads=12", "kvHeads=5"});
    expect_no_plan(1, 4, 8, 1, 1, 1, 1, {"kvHeads must divide heads", "heads=4", "kvHeads=8"});
}

TEST(PlanErrors, SizesThatOverflow) {
    const int64_t huge = INT64_MAX, large = int64_t{1} << 40;
    expect_no_plan(1, 1, 1, huge, 1, 64, 64, {"must fit into memory"});
    expect_no_plan(1, 1, 1, 1, huge, 64, 64, {"must fit into memory"});
    expect_no_plan(large, large, large, 1, 1, 1, 1, {"must fit into memory"});
    expect_no_plan(1, 1, 1, large, large, large, 1, {"must fit into memory"});
    // Also where an operand is empty: workspaces and counts are formed all the same.
    expect_no_plan(1, 1, 1, 0, 0, large, 1, {"headDim must not exceed 2147483647", "headDim=1099511627776"});
    expect_no_plan(1, 1, 1, 0, 0, 1, large, {"valueDim must not exceed 2147483647", "valueDim=1099511627776"});
    expect_no_plan(4, huge, huge, 0, 0, 1, 1, {"must fit into memory"});
    expect_no_plan(0, huge, huge, huge, 0, 1, 1, {"must fit into memory"});
}

// A plan of [2, 4 over 2, 6, 5, 8, 8], with operands to match.
class PlanTest : public testing::Test {
protected:
    void SetUp() override {
        plan = attn4j_plan_create(2, 4, 2, 6, 5, 8, 8);
        ASSERT_NE(plan, nullptr) << attn4j_error_message();
        for (const Tensor& t : {q, k, v}) t.fill(1);
    }
    void TearDown() override {
        EXPECT_TRUE(out.untouched());
        EXPECT_TRUE(lse.untouched());
        attn4j_plan_free(plan);
    }
    void build() { ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message(); }

    struct Run {
        int64_t batch = 2, queries = 6, keys = 5;
        const float *q, *k, *v;
        float *out, *lse;
        const int64_t *key_lengths = nullptr, *offsets = nullptr, *cu_queries = nullptr, *cu_keys = nullptr;
        const float *slopes = nullptr, *sinks = nullptr;
    };
    Run good() const {
        Run r;
        r.q = q.data();
        r.k = k.data();
        r.v = v.data();
        r.out = out.data();
        r.lse = lse.data();
        return r;
    }
    Status run(const Run& r) const {
        return attn4j_plan_run(plan, r.batch, r.queries, r.keys, r.q, r.k, r.v, r.out, r.lse, r.key_lengths, r.offsets,
                               r.cu_queries, r.cu_keys, nullptr, nullptr, nullptr, nullptr, nullptr, r.slopes, r.sinks,
                               nullptr, 0, nullptr);
    }
    void expect_refused(const Run& r, std::initializer_list<const char*> parts) const {
        EXPECT_REFUSED(run(r), ATTN4J_INVALID_ARGUMENT, parts);
    }

    attn4j_plan plan = nullptr;
    const Tensor q = Tensor::vector(2 * 4 * 6 * 8), k = Tensor::vector(2 * 2 * 5 * 8),
                 v = Tensor::vector(2 * 2 * 5 * 8), out = Tensor::vector(2 * 4 * 6 * 8),
                 lse = Tensor::vector(2 * 4 * 6);
};

TEST_F(PlanTest, Options) {
    EXPECT_REFUSED(attn4j_plan_set_strides(plan, static_cast<attn4j_operand>(4), 1, 1, 1), ATTN4J_INVALID_ARGUMENT,
                   {"operand must be 0 to 3", "operand=4"});
    EXPECT_REFUSED(attn4j_plan_set_strides(plan, static_cast<attn4j_operand>(-1), 1, 1, 1), ATTN4J_INVALID_ARGUMENT,
                   {"operand=-1"});
    EXPECT_REFUSED(attn4j_plan_set_scale(plan, NAN), ATTN4J_INVALID_ARGUMENT,
                   {"scale must be finite", "scale=", "nan"});
    EXPECT_REFUSED(attn4j_plan_set_scale(plan, -INFINITY), ATTN4J_INVALID_ARGUMENT, {"scale=-inf"});
    EXPECT_REFUSED(attn4j_plan_set_scale(plan, 1e39), ATTN4J_INVALID_ARGUMENT, {"scale=1e+39"});
    EXPECT_REFUSED(attn4j_plan_set_alignment(plan, static_cast<attn4j_alignment>(2)), ATTN4J_INVALID_ARGUMENT,
                   {"alignment must be 0 to 1", "alignment=2"});
    EXPECT_REFUSED(attn4j_plan_set_isa(plan, static_cast<attn4j_isa>(8)), ATTN4J_INVALID_ARGUMENT,
                   {"isa must be 0 to 7", "isa=8"});
    EXPECT_REFUSED(attn4j_plan_set_threads(plan, -1), ATTN4J_INVALID_ARGUMENT,
                   {"threads must not be negative", "threads=-1"});
}

TEST_F(PlanTest, StridesAreCheckedWhenBuilt) {
    const struct {
        attn4j_operand operand;
        int64_t batch, head, row;
        std::initializer_list<const char*> parts;
    } cases[] = {
        {ATTN4J_Q, -1, 48, 8, {"strides of q must not be negative", "batch=-1", "head=48", "row=8"}},
        {ATTN4J_K, 80, -40, 8, {"strides of k must not be negative", "head=-40"}},
        {ATTN4J_V, 80, 40, -8, {"strides of v must not be negative", "row=-8"}},
        {ATTN4J_Q, INT64_MAX, 48, 8, {"q must fit into memory", "stride=9223372036854775807"}},
        {ATTN4J_K, 80, 40, INT64_MAX / 4, {"k must fit into memory"}},
        {ATTN4J_OUT, 192, 48, 7, {"elements of out must not share memory", "stride=7", "it=8"}},
        {ATTN4J_OUT, 192, 47, 8, {"elements of out must not share memory", "stride=47", "it=48"}},
        {ATTN4J_OUT, 0, 48, 8, {"elements of out must not share memory", "stride=0"}},
        {ATTN4J_OUT, 191, 48, 8, {"elements of out must not share memory", "stride=191", "it=192"}},
        {ATTN4J_OUT, 192, 8, 31, {"elements of out must not share memory", "stride=31", "it=32"}},
    };
    const Tensor::Numbers right[] = {{192, 48, 8}, {80, 40, 8}, {80, 40, 8}, {192, 48, 8}};
    for (const auto& c : cases) {
        ASSERT_EQ(attn4j_plan_set_strides(plan, c.operand, c.batch, c.head, c.row), ATTN4J_OK);
        EXPECT_REFUSED(attn4j_plan_build(plan), ATTN4J_INVALID_ARGUMENT, c.parts);
        EXPECT_REFUSED(run(good()), ATTN4J_ILLEGAL_STATE, {"built=false"});
        const Tensor::Numbers& r = right[c.operand];
        ASSERT_EQ(attn4j_plan_set_strides(plan, c.operand, r[0], r[1], r[2]), ATTN4J_OK);
    }
    build();
}

TEST_F(PlanTest, InputsMayShareMemory) {
    ASSERT_EQ(attn4j_plan_set_strides(plan, ATTN4J_Q, 0, 0, 0), ATTN4J_OK);
    ASSERT_EQ(attn4j_plan_set_strides(plan, ATTN4J_K, 0, 8, 1), ATTN4J_OK);
    build();
}

TEST_F(PlanTest, IllegalStates) {
    EXPECT_EQ(attn4j_plan_isa(plan), ATTN4J_ISA_DEFAULT);
    EXPECT_REFUSED(run(good()), ATTN4J_ILLEGAL_STATE, {"a plan must be built before it runs", "built=false"});
    build();
    EXPECT_NE(attn4j_plan_isa(plan), ATTN4J_ISA_DEFAULT);
    for (const Status status :
         {attn4j_plan_build(plan), attn4j_plan_set_strides(plan, ATTN4J_Q, 192, 48, 8), attn4j_plan_set_scale(plan, 1),
          attn4j_plan_set_causal(plan), attn4j_plan_set_alignment(plan, ATTN4J_TOP_LEFT), attn4j_plan_set_ragged(plan),
          attn4j_plan_set_isa(plan, ATTN4J_ISA_SCALAR), attn4j_plan_set_threads(plan, 1)})
        EXPECT_EQ(status, ATTN4J_ILLEGAL_STATE);
    expect_message({"a built plan cannot be changed", "built=true"});
}

TEST_F(PlanTest, RunSizes) {
    build();
    Run r = good();
    r.batch = 3;
    expect_refused(r, {"batch must not exceed the plan's", "batch=3", "plan=2"});
    r.batch = -1;
    expect_refused(r, {"batch must be at least 0", "batch=-1"});
    r = good();
    r.queries = 7;
    expect_refused(r, {"queries must not exceed the plan's", "queries=7", "plan=6"});
    r.queries = -1;
    expect_refused(r, {"queries=-1"});
    r = good();
    r.keys = 6;
    expect_refused(r, {"keys must not exceed the plan's", "keys=6", "plan=5"});
    r.keys = INT64_MIN;
    expect_refused(r, {"keys must be at least 0", "keys=-9223372036854775808"});
    r = good();
    const int64_t long_key[] = {5, 6}, negative_key[] = {-1, 0};
    r.key_lengths = long_key;
    expect_refused(r, {"keyLengths must lie between 0 and keys", "keyLengths[1]=6", "keys=5"});
    r.keys = 4;
    expect_refused(r, {"keyLengths[0]=5", "keys=4"});
    r.key_lengths = negative_key;
    expect_refused(r, {"keyLengths[0]=-1"});
}

TEST_F(PlanTest, RunAddresses) {
    build();
    Run r = good();
    r.q = nullptr;
    expect_refused(r, {"q must not be null", "q=null", "bytes=1536"});
    r = good();
    r.k = nullptr;
    expect_refused(r, {"k must not be null", "bytes=640"});
    r = good();
    r.v = nullptr;
    expect_refused(r, {"v must not be null"});
    r = good();
    r.out = nullptr;
    expect_refused(r, {"out must not be null", "bytes=1536"});
    for (const auto& [name, operand] : {std::pair("q", &q), std::pair("k", &k), std::pair("v", &v)}) {
        const std::string rule = std::string("must not overlap ") + name;
        r = good();
        r.out = operand->data() + operand->elements() - 1;
        expect_refused(r, {"out", rule.c_str(), "bytes"});
        r = good();
        r.lse = operand->data();
        expect_refused(r, {"lse", rule.c_str()});
    }
    r = good();
    r.lse = out.data() + 383;
    expect_refused(r, {"lse must not overlap out"});
    r = good();
    r.q = out.data();
    r.keys = 0;
    expect_refused(r, {"out must not overlap q"});
}

// Whatever is read.
TEST_F(PlanTest, WhatIsWrittenOverlapsNothing) {
    build();
    // The last numbers of out, as whole ones.
    const auto* const integers = reinterpret_cast<const int64_t*>(out.data() + out.elements() - 4);
    Run r = good();
    r.offsets = integers;
    expect_refused(r, {"out must not overlap offsets", "+16 bytes"});
    r = good();
    r.slopes = out.data() + 380;
    expect_refused(r, {"out must not overlap slopes", "+16 bytes"});
    r = good();
    r.sinks = lse.data();
    expect_refused(r, {"lse must not overlap sinks"});
}

TEST_F(PlanTest, RaggedRuns) {
    ASSERT_EQ(attn4j_plan_set_ragged(plan), ATTN4J_OK);
    // Rows of heads side by side, as many as it takes.
    ASSERT_EQ(attn4j_plan_set_strides(plan, ATTN4J_OUT, 0, 8, 32), ATTN4J_OK);
    ASSERT_EQ(attn4j_plan_set_strides(plan, ATTN4J_Q, 0, 8, 32), ATTN4J_OK);
    ASSERT_EQ(attn4j_plan_set_strides(plan, ATTN4J_K, 0, 8, 16), ATTN4J_OK);
    ASSERT_EQ(attn4j_plan_set_strides(plan, ATTN4J_V, 0, 8, 16), ATTN4J_OK);
    build();
    const int64_t queries[] = {0, 6, 12}, keys[] = {0, 5, 10};
    Run ragged = good();
    ragged.queries = ragged.keys = -7;  // not looked at
    ragged.cu_queries = queries;
    ragged.cu_keys = keys;
    Run r = ragged;
    r.cu_queries = nullptr;
    expect_refused(r, {"cumulative lengths must be given", "cuQueries=null"});
    r = ragged;
    r.cu_keys = nullptr;
    expect_refused(r, {"cuKeys=null"});
    r = ragged;
    const int64_t late[] = {1, 2, 3}, falling[] = {0, 3, 2}, longer[] = {0, 1, 8},
                  overflowing[] = {0, INT64_MIN, INT64_MAX};
    r.cu_queries = late;
    expect_refused(r, {"cuQueries must begin with 0", "cuQueries[0]=1"});
    r.cu_queries = falling;
    expect_refused(r, {"cuQueries must not decrease", "cuQueries[1]=3", "cuQueries[2]=2"});
    r.cu_queries = longer;
    expect_refused(r, {"no length of cuQueries may exceed the plan's", "length[1]=7", "plan=6"});
    r.cu_queries = overflowing;
    expect_refused(r, {"cuQueries must not decrease"});
    r = ragged;
    r.cu_keys = longer;
    expect_refused(r, {"no length of cuKeys may exceed the plan's", "length[1]=7", "plan=5"});
    r = ragged;
    r.key_lengths = keys;
    expect_refused(r, {"a ragged run takes key lengths from cuKeys", "keyLengths="});
    r = ragged;
    r.batch = 3;
    expect_refused(r, {"batch=3", "plan=2"});
    r = ragged;
    r.lse = out.data() + 12 * 32 - 1;
    expect_refused(r, {"lse must not overlap out"});
}

// The default strides hold the rows of one sequence a head: with those of two the heads would write over each other.
TEST_F(PlanTest, RaggedRowsMustNotReachTheNextHead) {
    ASSERT_EQ(attn4j_plan_set_ragged(plan), ATTN4J_OK);
    build();
    const int64_t queries[] = {0, 6, 12}, keys[] = {0, 3, 5};
    Run r = good();
    r.cu_queries = queries;
    r.cu_keys = keys;
    expect_refused(r, {"elements of out must not share memory", "stride=48", "it=96"});
}

TEST(NullErrors, Plans) {
    EXPECT_REFUSED(attn4j_plan_set_strides(nullptr, ATTN4J_Q, 1, 1, 1), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(attn4j_plan_set_scale(nullptr, 1), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(attn4j_plan_set_causal(nullptr), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(attn4j_plan_set_ragged(nullptr), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(attn4j_plan_set_isa(nullptr, ATTN4J_ISA_SCALAR), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(attn4j_plan_set_threads(nullptr, 1), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(attn4j_plan_build(nullptr), ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_REFUSED(
        attn4j_plan_run(nullptr, 0, 0, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                        nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0, nullptr),
        ATTN4J_INVALID_ARGUMENT, {"plan=null"});
    EXPECT_EQ(attn4j_plan_isa(nullptr), ATTN4J_ISA_DEFAULT);
    attn4j_plan_free(nullptr);
}

}  // namespace
