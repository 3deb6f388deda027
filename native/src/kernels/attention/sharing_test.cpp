// SPDX-License-Identifier: Apache-2.0
// What blocks of queries share must be what each would have had alone: a bias transposed for several heads, what a mask
// leaves of each block of keys, keys and values widened for several blocks of one head.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "attn4j/attn4j.h"
#include "environment.h"
#include "isas.h"
#include "random.h"

namespace {

constexpr int64_t kHeads = 6, kQueries = 360, kKeys = 273, kHeadDim = 20;
constexpr float kInfinity = INFINITY;

std::vector<float> normal(Random& random, int64_t n) {
    std::vector<float> values(static_cast<size_t>(n));
    for (float& value : values) value = random.normal();
    return values;
}

// The upper halves of float32 numbers.
std::vector<uint16_t> bf16(const std::vector<float>& values) {
    std::vector<uint16_t> halves;
    for (const float value : values) {
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        halves.push_back(static_cast<uint16_t>(bits >> 16));
    }
    return halves;
}

// The float32 numbers of which these are the upper halves.
std::vector<float> widened(const std::vector<uint16_t>& halves) {
    std::vector<float> values;
    for (const uint16_t half : halves) {
        const uint32_t bits = static_cast<uint32_t>(half) << 16;
        values.push_back(0);
        std::memcpy(&values.back(), &bits, sizeof bits);
    }
    return values;
}

// What is added to scores or hides them: [heads, queries, keys], or the same for all heads if head_stride is 0. Null
// for none.
struct Added {
    const float* bias = nullptr;
    const uint8_t* mask = nullptr;
    int64_t head_stride = 0;
    bool causal = false;
};

class AttentionSharing : public IsaTest {
protected:
    // The result over queries [first, first + queries) of keys of the given type; `added` begins at the first of them.
    std::vector<float> run(const float* q, const void* k, const void* v, attn4j_dtype type, int64_t first,
                           int64_t queries, const Added& added, int32_t threads) const {
        attn4j_plan plan = attn4j_plan_create(1, kHeads, kHeads, queries, kKeys, kHeadDim, kHeadDim);
        EXPECT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_threads(plan, threads), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_K, type), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_V, type), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_strides(plan, ATTN4J_Q, kHeads * kQueries * kHeadDim, kQueries * kHeadDim, kHeadDim),
                  ATTN4J_OK);
        if (added.bias != nullptr) {
            EXPECT_EQ(attn4j_plan_set_bias(plan, 0, added.head_stride, kKeys, 1), ATTN4J_OK);
        }
        if (added.mask != nullptr) {
            EXPECT_EQ(attn4j_plan_set_mask(plan, 0, added.head_stride, kKeys, 1), ATTN4J_OK);
        }
        if (added.causal) {
            EXPECT_EQ(attn4j_plan_set_causal(plan), ATTN4J_OK);
        }
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        std::vector<float> out(static_cast<size_t>(kHeads * queries * kHeadDim));
        EXPECT_EQ(attn4j_plan_run(plan, 1, queries, kKeys, q + first * kHeadDim, k, v, out.data(), nullptr, nullptr,
                                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, added.bias, added.mask, nullptr,
                                  nullptr, nullptr, 0, nullptr),
                  ATTN4J_OK)
            << attn4j_error_message();
        attn4j_plan_free(plan);
        return out;
    }

    // That all heads with one bias or mask, on any threads, give what each with a copy of it gives: the latter.
    std::vector<float> each_or_all(const float* q, const void* k, const void* v, attn4j_dtype type, const Added& each,
                                   const Added& all) const {
        const ScopedThreads pool(8);
        const std::vector<float> expected = run(q, k, v, type, 0, kQueries, each, 1);
        for (const int32_t threads : {1, 2, 8}) {
            const std::vector<float> one = run(q, k, v, type, 0, kQueries, all, threads);
            EXPECT_TRUE(same_bits(expected.data(), one.data(), static_cast<int64_t>(one.size())))
                << "threads=" << threads;
        }
        return expected;
    }

    static bool same_bits(const float* a, const float* b, int64_t n) {
        return std::memcmp(a, b, static_cast<size_t>(n) * sizeof(float)) == 0;
    }
};
ATTN4J_ON_EVERY_ISA(AttentionSharing);

TEST_P(AttentionSharing, ABiasOfAllHeadsOrOneEach) {
    Random random(test_seed());
    const std::vector<float> q = normal(random, kHeads * kQueries * kHeadDim);
    const std::vector<float> k = normal(random, kHeads * kKeys * kHeadDim);
    const std::vector<float> v = normal(random, kHeads * kKeys * kHeadDim);
    std::vector<float> bias = normal(random, kQueries * kKeys);
    // The second block of keys of the first queries holds what must be handled apart.
    bias[150] = -kInfinity;
    bias[kKeys + 151] = 3e38f;
    bias[2 * kKeys + 152] = -3e38f;
    std::vector<float> copies;
    for (int64_t head = 0; head < kHeads; ++head) copies.insert(copies.end(), bias.begin(), bias.end());

    each_or_all(q.data(), k.data(), v.data(), ATTN4J_F32, {copies.data(), nullptr, kQueries * kKeys},
                {bias.data(), nullptr, 0});
}

TEST_P(AttentionSharing, AMaskOfAllHeadsOrOneEach) {
    Random random(test_seed());
    const std::vector<float> q = normal(random, kHeads * kQueries * kHeadDim);
    const std::vector<uint16_t> k = bf16(normal(random, kHeads * kKeys * kHeadDim));
    const std::vector<uint16_t> v = bf16(normal(random, kHeads * kKeys * kHeadDim));
    // Blocks that are hidden, blocks that are seen, and blocks with a few holes.
    std::vector<uint8_t> mask(kQueries * kKeys, 1);
    for (int64_t query = 0; query < kQueries; ++query)
        for (int64_t key = 0; key < kKeys; ++key) {
            const bool away = query < 130 && key >= 128, hole = query >= 250 && (7 * query + key) % 31 == 0;
            if (away || hole) mask[static_cast<size_t>(query * kKeys + key)] = 0;
        }
    std::vector<uint8_t> copies;
    for (int64_t head = 0; head < kHeads; ++head) copies.insert(copies.end(), mask.begin(), mask.end());

    const std::vector<float> masked =
        each_or_all(q.data(), k.data(), v.data(), ATTN4J_BF16, {nullptr, copies.data(), kQueries * kKeys},
                    {nullptr, mask.data(), 0});
    const std::vector<float> unmasked = run(q.data(), k.data(), v.data(), ATTN4J_BF16, 0, kQueries, {}, 1);
    EXPECT_FALSE(same_bits(masked.data(), unmasked.data(), kHeadDim));
}

TEST_P(AttentionSharing, KeysOfSixteenBitsForAllQueriesOrAFew) {
    Random random(test_seed());
    const std::vector<float> q = normal(random, kHeads * kQueries * kHeadDim);
    const std::vector<uint16_t> k = bf16(normal(random, kHeads * kKeys * kHeadDim));
    const std::vector<uint16_t> v = bf16(normal(random, kHeads * kKeys * kHeadDim));
    const std::vector<float> all = run(q.data(), k.data(), v.data(), ATTN4J_BF16, 0, kQueries, {}, 1);
    for (int64_t first = 0; first < kQueries; first += 40) {
        constexpr int64_t n = 40;
        const std::vector<float> few = run(q.data(), k.data(), v.data(), ATTN4J_BF16, first, n, {}, 1);
        for (int64_t head = 0; head < kHeads; ++head)
            EXPECT_TRUE(same_bits(all.data() + (head * kQueries + first) * kHeadDim, few.data() + head * n * kHeadDim,
                                  n * kHeadDim))
                << "first=" << first << " head=" << head;
    }
}

// Blocks of queries that see more and more keys of a block of keys: what they have widened is what lies there.
TEST_P(AttentionSharing, KeysOfSixteenBitsAreWidenedAsFarAsEachBlockSees) {
    Random random(test_seed());
    const std::vector<float> q = normal(random, kHeads * kQueries * kHeadDim);
    const std::vector<uint16_t> k = bf16(normal(random, kHeads * kKeys * kHeadDim));
    const std::vector<uint16_t> v = bf16(normal(random, kHeads * kKeys * kHeadDim));
    const std::vector<float> wide_k = widened(k), wide_v = widened(v);
    const ScopedThreads pool(8);
    const Added causal{nullptr, nullptr, 0, true};
    const std::vector<float> expected = run(q.data(), wide_k.data(), wide_v.data(), ATTN4J_F32, 0, kQueries, causal, 1);
    for (const int32_t threads : {1, 2, 8}) {
        const std::vector<float> halves = run(q.data(), k.data(), v.data(), ATTN4J_BF16, 0, kQueries, causal, threads);
        EXPECT_TRUE(same_bits(expected.data(), halves.data(), static_cast<int64_t>(halves.size())))
            << "threads=" << threads;
    }
}

}  // namespace
