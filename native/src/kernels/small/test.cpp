// SPDX-License-Identifier: Apache-2.0
// Few queries and few keys: around every width of rows, what must not change a bit, and where it is chosen. Options in
// all combinations: attention/options_test.cpp; what is hidden: decode/test.cpp and attention/poison_test.cpp.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "attention_case.h"
#include "environment.h"
#include "isas.h"

namespace {

class SmallTest : public IsaTest {
protected:
    const attn4j::SmallKernel& kernel() const { return kernels().small; }

    AttentionCase sized(int64_t group, int64_t queries, int64_t keys) const {
        AttentionCase c;
        c.isa = isa();
        c.kv_heads = 3;
        c.heads = 3 * group;
        c.queries = queries;
        c.keys = keys;
        c.head_dim = 37;
        c.value_dim = 53;
        return c;
    }

    static std::string explain(const AttentionCase& c, const AttentionData& data) {
        const attn4j_plan plan = make_plan(c, data);
        char text[400];
        EXPECT_EQ(attn4j_plan_explain(plan, text, sizeof text), ATTN4J_OK);
        attn4j_plan_free(plan);
        return text;
    }

    // Sequence b of `data`, whose keys are padded, alone and without padding.
    static AttentionData alone(const AttentionCase& c, const AttentionData& data, int64_t b, AttentionCase& one,
                               Random& random) {
        one = c;
        one.batch = 1;
        one.keys = c.keys_of(b);
        one.key_lengths.clear();
        const AttentionData part = make_data(one, random);
        for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < c.queries; ++i)
                for (int64_t d = 0; d < c.head_dim; ++d) part.q.at(0, h, i, d) = data.q.at(b, h, i, d);
        for (int64_t h = 0; h < c.kv_heads; ++h)
            for (int64_t j = 0; j < one.keys; ++j) {
                for (int64_t d = 0; d < c.head_dim; ++d) part.k.at(0, h, j, d) = data.k.at(b, h, j, d);
                for (int64_t d = 0; d < c.value_dim; ++d) part.v.at(0, h, j, d) = data.v.at(b, h, j, d);
            }
        return part;
    }
};
ATTN4J_ON_EVERY_ISA(SmallTest);

TEST_P(SmallTest, AroundWholeVectorsOfRowsAndKeys) {
    for (const int64_t group : {1, 3})
        for (int64_t queries = 1; queries <= 2 * lanes() + 1; queries += queries < lanes() ? 1 : lanes())
            for (const int64_t keys : {1, 2, 3, 5, 8, 9, 15, 16, 17, 31, 63, 64})
                for (const Layout layout : {Layout::BHSD, Layout::PADDED}) {
                    AttentionCase c = sized(group, queries, keys);
                    c.layout = layout;
                    c.causal = keys % 2 == 1;
                    c.flush = queries % 2 == 0 ? GuardedFloats::Flush::AT_END : GuardedFloats::Flush::AT_BEGIN;
                    check(c, test_seed());
                }
}

TEST_P(SmallTest, AroundWholeVectorsOfDimensions) {
    for (const int64_t head_dim : widths())
        for (const int64_t value_dim : {head_dim, int64_t{5}, 4 * lanes(), 7 * lanes() + 1})
            for (const int64_t queries : {1, 5}) {
                AttentionCase c = sized(1, queries, 11);
                c.head_dim = head_dim;
                c.value_dim = value_dim;
                check(c, test_seed());
            }
}

TEST_P(SmallTest, IsChosenForFewRowsAndFewKeys) {
    for (const int64_t keys : {int64_t{1}, kernel().most_keys, kernel().most_keys + 1})
        for (const int64_t group : {1, 2, 5})
            for (int64_t queries = 1; queries <= kernel().most_rows + 1; ++queries) {
                const AttentionCase c = sized(group, queries, keys);
                Random random(test_seed());
                const AttentionData data = make_data(c, random);
                const bool few = keys <= kernel().most_keys && group * queries <= kernel().most_rows;
                ASSERT_EQ(explain(c, data).find("kernel=small") == 0, few) << group << " " << queries << " " << keys;
            }
}

TEST_P(SmallTest, SameBitsOnAnyNumberOfThreads) {
    AttentionCase c = sized(2, 3, 20);
    c.batch = 40;
    c.head_dim = 256;  // work enough for several threads
    check_threads(c, test_seed());
}

// Of a padded batch some sequences are small, one is not, one is empty; each is as it is alone, with lse or without.
TEST_P(SmallTest, SameBitsAloneOrInABatch) {
    AttentionCase c = sized(1, 4, kernel().most_keys + 40);
    c.causal = true;
    c.batch = 5;
    c.key_lengths = {9, c.keys, 0, kernel().most_keys, 1};
    Random random(test_seed());
    const AttentionData data = make_data(c, random);
    run(c, data);
    expect_correct(c, data);
    c.lse = false;
    for (int64_t b = 0; b < c.batch; ++b) {
        AttentionCase one;
        const AttentionData part = alone(c, data, b, one, random);
        run(one, part);
        for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < c.queries; ++i)
                for (int64_t d = 0; d < c.value_dim; ++d)
                    ASSERT_EQ(bits_of(part.out.at(0, h, i, d)), bits_of(data.out.at(b, h, i, d)))
                        << "sequence " << b << " head " << h << " row " << i;
    }
}

// The weights are formed of the lse that the run found, whether or not it was asked for.
TEST_P(SmallTest, WeightsBesideTheResult) {
    for (const bool averaged : {false, true}) {
        AttentionCase c = sized(2, 3, 19);
        c.batch = 2;
        c.key_lengths = {19, 7};
        Random random(test_seed());
        const AttentionData data = make_data(c, random);
        run(c, data);
        const AttentionData beside = with_fresh_output(c, data);
        const int64_t rows = (averaged ? 1 : c.heads) * c.queries;
        std::vector<float> weights(static_cast<size_t>(c.batch * rows * c.keys));
        const attn4j_plan plan =
            attn4j_plan_create(c.batch, c.heads, c.kv_heads, c.queries, c.keys, c.head_dim, c.value_dim);
        ASSERT_EQ(attn4j_plan_set_isa(plan, c.isa), ATTN4J_OK);
        ASSERT_EQ(
            attn4j_plan_set_stage(plan, ATTN4J_STAGE_WEIGHTS, averaged, rows * c.keys, c.queries * c.keys, c.keys),
            ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        EXPECT_EQ(attn4j_plan_run(plan, c.batch, c.queries, c.keys, data.q.data(), data.k.data(), data.v.data(),
                                  beside.out.data(), nullptr, c.key_lengths.data(), nullptr, nullptr, nullptr, nullptr,
                                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, weights.data(), 0, nullptr),
                  ATTN4J_OK)
            << attn4j_error_message();
        attn4j_plan_free(plan);
        EXPECT_EQ(difference(data.out.values(), beside.out.values()), "");
        for (size_t row = 0; row < weights.size() / static_cast<size_t>(c.keys); ++row) {
            double total = 0;
            for (int64_t j = 0; j < c.keys; ++j)
                total += weights[row * static_cast<size_t>(c.keys) + static_cast<size_t>(j)];
            EXPECT_NEAR(total, 1, 1e-5);
        }
    }
}

}  // namespace
