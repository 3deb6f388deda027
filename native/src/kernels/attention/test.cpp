// SPDX-License-Identifier: Apache-2.0
// Attention against the double precision reference, on every ISA of this machine: edge sizes, layouts, masks, scales,
// random cases.
#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>

#include "attention_case.h"
#include "environment.h"
#include "isas.h"

namespace {

class AttentionTest : public IsaTypeTest {
protected:
    AttentionCase sized(int64_t queries, int64_t keys, int64_t head_dim, int64_t value_dim) const {
        AttentionCase c;
        c.isa = isa();
        c.dtype = dtype();
        c.queries = queries;
        c.keys = keys;
        c.head_dim = head_dim;
        c.value_dim = value_dim;
        return c;
    }
    // Around whole vectors and whole blocks of queries of this ISA.
    std::vector<int64_t> query_edges() const {
        const int64_t block = kernel().block_queries;
        std::vector<int64_t> edges = {0, 1, 2, 7, 13};
        for (const int64_t edge : {lanes(), 2 * lanes(), block, block + lanes(), 2 * block})
            for (const int64_t n : {edge - 1, edge, edge + 1}) edges.push_back(n);
        std::sort(edges.begin(), edges.end());
        edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
        return edges;
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(AttentionTest);

TEST_P(AttentionTest, BlockEdges) {
    for (const int64_t queries : query_edges())
        for (const int64_t keys : {0, 1, 2, 3, 8, 13, 16, 17, 63, 64, 65, 127, 128, 129, 257})
            for (const bool causal : {false, true}) {
                AttentionCase c = sized(queries, keys, 5, 3);
                c.causal = causal;
                c.flush = (queries + keys) % 2 == 0 ? GuardedFloats::Flush::AT_END : GuardedFloats::Flush::AT_BEGIN;
                check(c, test_seed());
            }
}

TEST_P(AttentionTest, HeadDims) {
    for (const int64_t head_dim : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 80, 96, 127, 128, 256})
        for (const int64_t value_dim : {head_dim, int64_t{1}, int64_t{19}, head_dim + 1})
            for (const auto flush : {GuardedFloats::Flush::AT_END, GuardedFloats::Flush::AT_BEGIN}) {
                AttentionCase c = sized(lanes() + 3, 67, head_dim, value_dim);
                c.causal = value_dim == 19;
                c.flush = flush;
                check(c, test_seed());
            }
}

TEST_P(AttentionTest, LayoutsAndGroups) {
    for (const Layout layout : {Layout::BHSD, Layout::BSHD, Layout::PACKED, Layout::PADDED, Layout::SHARED_KV})
        for (const int64_t kv_heads : {1, 2, 3, 6})
            for (const int64_t queries : {5, 50}) {
                AttentionCase c = sized(queries, 37, 16, 12);
                c.batch = 3;
                c.heads = 6;
                c.kv_heads = kv_heads;
                c.layout = layout;
                check(c, test_seed());
            }
}

TEST_P(AttentionTest, EmptySizes) {
    for (const int64_t batch : {0, 2})
        for (const int64_t queries : {0, 3})
            for (const int64_t keys : {0, 3})
                for (const bool causal : {false, true}) {
                    AttentionCase c = sized(queries, keys, 4, 4);
                    c.batch = batch;
                    c.causal = causal;
                    check(c, test_seed());
                }
}

TEST_P(AttentionTest, NullOperandsOfNoElements) {
    attn4j_plan plan = attn4j_plan_create(2, 3, 3, 4, 0, 5, 6);
    ASSERT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
    ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
    const Tensor q = Tensor::vector(2 * 3 * 4 * 5), out = Tensor::vector(2 * 3 * 4 * 6);
    q.fill(1);
    ASSERT_EQ(
        attn4j_plan_run(plan, 2, 4, 0, q.data(), nullptr, nullptr, out.data(), nullptr, nullptr, nullptr, nullptr,
                        nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0, nullptr),
        ATTN4J_OK)
        << attn4j_error_message();
    out.each([](float& x) { EXPECT_EQ(bits_of(x), 0u); });
    EXPECT_EQ(
        attn4j_plan_run(plan, 0, 4, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                        nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0, nullptr),
        ATTN4J_OK)
        << attn4j_error_message();
    attn4j_plan_free(plan);
}

TEST_P(AttentionTest, CausalAlignments) {
    for (const attn4j_alignment alignment : {ATTN4J_BOTTOM_RIGHT, ATTN4J_TOP_LEFT})
        for (const int64_t queries : {1, 16, 47, 48, 49, 130})
            for (const int64_t keys : {1, 16, 64, 65, 130, 300}) {
                AttentionCase c = sized(queries, keys, 8, 8);
                c.causal = true;
                c.alignment = alignment;
                check(c, test_seed());
            }
}

TEST_P(AttentionTest, OffsetsOfEachBatchEntry) {
    for (const bool causal : {false, true})
        for (const int64_t queries : {1, 20, 60}) {
            AttentionCase c = sized(queries, 70, 8, 8);
            c.causal = causal;
            c.heads = 2;
            c.offsets = {0, 1, -1, 69, 70, 71, 63, 64, -64, -30, -queries, 1 - queries, -queries - 1, 1'000'000};
            for (const int64_t far : {INT64_MAX, INT64_MAX - 5, INT64_MIN, INT64_MIN + 2 * queries})
                c.offsets.push_back(far);
            c.batch = static_cast<int64_t>(c.offsets.size());
            check(c, test_seed());
        }
}

TEST_P(AttentionTest, KeyLengthsOfEachBatchEntry) {
    for (const bool causal : {false, true})
        for (const Layout layout : {Layout::BHSD, Layout::BSHD, Layout::SHARED_KV}) {
            AttentionCase c = sized(21, 140, 8, 8);
            c.causal = causal;
            c.layout = layout;
            c.key_lengths = {0, 1, 20, 21, 22, 63, 64, 65, 127, 128, 129, 140};
            c.batch = static_cast<int64_t>(c.key_lengths.size());
            check(c, test_seed());
        }
}

TEST_P(AttentionTest, RaggedSequences) {
    for (const bool causal : {false, true})
        for (const Layout layout : {Layout::BHSD, Layout::BSHD, Layout::PACKED, Layout::PADDED}) {
            AttentionCase c = sized(0, 0, 12, 7);
            c.heads = 4;
            c.kv_heads = 2;
            c.causal = causal;
            c.layout = layout;
            c.cu_queries = {0, 0, 1, 17, 17, 66, 67, 67, 100, 100};
            c.cu_keys = {0, 3, 3, 19, 24, 73, 74, 74, 207, 207};
            check(c, test_seed());
            c.cu_queries = c.cu_keys;
            check(c, test_seed());
            c.offsets = {-1, 0, 1, 2, -40, 1000, INT64_MIN, INT64_MAX, 5};
            check(c, test_seed());
        }
}

TEST_P(AttentionTest, ARunMayBeSmallerThanThePlan) {
    AttentionCase c = sized(50, 90, 8, 8);
    c.batch = 3;
    c.heads = 2;
    c.causal = true;
    c.layout = Layout::PADDED;
    Random random(test_seed());
    const AttentionData data = make_data(c, random);
    attn4j_plan plan = make_plan(c, data);
    for (const int64_t batch : {3, 1})
        for (const int64_t queries : {50, 33, 1, 0})
            for (const int64_t keys : {90, 64, 1, 0}) {
                AttentionCase smaller = c;
                smaller.batch = batch;
                smaller.queries = queries;
                smaller.keys = keys;
                AttentionData part = with_fresh_output(c, data);
                part.lse = Tensor({batch, 2, queries, 1}, {2 * queries, queries, 1, 1});
                ASSERT_EQ(run_plan(plan, smaller, part), ATTN4J_OK) << attn4j_error_message();
                expect_correct(smaller, part);
            }
    attn4j_plan_free(plan);
}

TEST_P(AttentionTest, Scales) {
    // Scores reach some 4.5 scale sqrt(headDim): hundreds at the end of the list. One fixed draw: see tolerance.h.
    double worst = 0;
    for (const double scale : {0.0, -0.0, 1e-30, 0.01, 1.0, -1.0, -0.125, 3.0, 20.0, -20.0})
        for (const int64_t head_dim : {8, 32})
            for (const bool causal : {false, true}) {
                AttentionCase c = sized(33, 150, head_dim, 16);
                c.scale = scale;
                c.causal = causal;
                worst = std::max(worst, check(c, 1));
            }
    std::printf("largest error: %.3f of the tolerance\n", worst);
}

TEST_P(AttentionTest, ScoresThatRiseAndFallByThousands) {
    for (const float step : {100.0f, -100.0f, 1000.0f}) {
        AttentionCase c = sized(18, 200, 4, 5);
        c.scale = 1;
        Random random(test_seed());
        const AttentionData data = make_data(c, random);
        // Only the first dimension counts: score j is step * (j / 10), so almost every weight is exactly 0.
        data.q.each([](float& x) { x = 0; });
        for (int64_t i = 0; i < c.queries; ++i) data.q.at(i, 0) = 1;
        for (int64_t j = 0; j < c.keys; ++j) data.k.at(j, 0) = step * static_cast<float>(j / 10);
        run(c, data);
        expect_correct(c, data);
    }
}

TEST_P(AttentionTest, WithoutLse) {
    AttentionCase c = sized(20, 30, 8, 8);
    c.lse = false;
    check(c, test_seed());
}

// Any combination, its size bounded by the multiply-adds it costs.
AttentionCase random_case(Random& random, attn4j_isa isa, attn4j_dtype dtype) {
    AttentionCase c;
    c.isa = isa;
    c.dtype = dtype;
    c.kv_heads = random.between(1, 3);
    c.heads = c.kv_heads * random.between(1, 3);
    c.head_dim = random.chance(3) ? random.pick<int64_t>({1, 8, 16, 32, 64, 128}) : random.between(1, 70);
    c.value_dim = random.chance(2) ? c.head_dim : random.between(1, 70);
    c.layout = random.pick({Layout::BHSD, Layout::BSHD, Layout::PACKED, Layout::PADDED, Layout::SHARED_KV});
    c.causal = random.chance(2);
    c.alignment = random.pick({ATTN4J_BOTTOM_RIGHT, ATTN4J_TOP_LEFT});
    c.lse = !random.chance(4);
    c.threads = static_cast<int32_t>(random.between(0, 4));
    c.flush = random.pick({GuardedFloats::Flush::AT_END, GuardedFloats::Flush::AT_BEGIN});
    if (random.chance(3)) c.scale = (2 * random.uniform() - 1) / std::sqrt(static_cast<double>(c.head_dim));
    c.batch = random.between(1, 4);
    const int64_t each = 1'000'000 / (c.batch * c.heads * (c.head_dim + c.value_dim));
    const auto size = [&](int64_t most) {
        return random.chance(12) ? 0 : random.between(1, std::max<int64_t>(1, std::min<int64_t>(most, 300)));
    };
    c.queries = size(each);
    c.keys = size(each / std::max<int64_t>(1, c.queries));
    if (random.chance(3)) {
        if (c.layout == Layout::SHARED_KV) c.layout = Layout::BHSD;
        c.cu_queries = c.cu_keys = {0};
        for (int64_t b = 0; b < c.batch; ++b) {
            c.cu_queries.push_back(c.cu_queries.back() + random.between(0, c.queries));
            c.cu_keys.push_back(c.cu_keys.back() + random.between(0, c.keys));
        }
    } else if (random.chance(2)) {
        for (int64_t b = 0; b < c.batch; ++b) c.key_lengths.push_back(random.between(0, c.keys));
    }
    if (random.chance(3))
        for (int64_t b = 0; b < c.batch; ++b)
            c.offsets.push_back(random.chance(8) ? random.pick({INT64_MIN, INT64_MAX})
                                                 : random.between(-c.queries - 2, c.keys + 2));
    return c;
}

TEST_P(AttentionTest, RandomCases) {
    double worst = 0;
    for (int64_t i = 0; i < test_cases() && !HasFailure(); ++i) {
        const uint64_t seed = test_seed() + static_cast<uint64_t>(i);
        SCOPED_TRACE("ATTN4J_TEST_SEED=" + std::to_string(seed) + " ATTN4J_TEST_CASES=1 repeats this case");
        Random random(seed);
        const AttentionCase c = random_case(random, isa(), dtype());
        worst = std::max(worst, check(c, random.next()));
    }
    std::printf("largest error: %.3f of the tolerance, %" PRId64 " cases\n", worst, test_cases());
}

}  // namespace
