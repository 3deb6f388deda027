// SPDX-License-Identifier: Apache-2.0
// NaN and infinity: what is hidden has no influence, what is seen is never lost, and rows do not infect each other.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "attention_case.h"
#include "environment.h"
#include "isas.h"

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kPoisons[] = {kNan, -kNan, kInfinity, -kInfinity};

class AttentionPoison : public IsaTypeTest {
protected:
    AttentionCase sized(int64_t queries, int64_t keys) const {
        AttentionCase c;
        c.isa = isa();
        c.dtype = dtype();
        c.queries = queries;
        c.keys = keys;
        c.head_dim = 9;
        c.value_dim = 11;
        return c;
    }
    static bool same_row(const AttentionData& a, const AttentionData& b, int64_t i) {
        for (int64_t d = 0; d < a.out.sizes[3]; ++d)
            if (bits_of(a.out.at(i, d)) != bits_of(b.out.at(i, d))) return false;
        return bits_of(a.lse.at(i, 0)) == bits_of(b.lse.at(i, 0));
    }
    // A copy with row j of the given operand replaced.
    static AttentionData poisoned(const AttentionCase& c, const AttentionData& clean, bool of_keys, int64_t j,
                                  float with) {
        AttentionData data = with_fresh_output(c, clean);
        Tensor& operand = of_keys ? data.k : data.v;
        operand = operand.copy();
        for (int64_t d = 0; d < operand.sizes[3]; ++d) operand.at(j, d) = with;
        return data;
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(AttentionPoison);

// Every key of a causal problem poisoned in turn: rows that do not see it keep their bits, rows that do become NaN with
// a NaN.
TEST_P(AttentionPoison, CausalRowsDoNotInfectEachOther) {
    for (const int64_t offset : {0, 5, -7, 64}) {
        AttentionCase c = sized(3 * lanes() + 2, 140);
        c.causal = true;
        c.offsets = {offset};
        Random random(test_seed());
        const AttentionData clean = make_data(c, random);
        run(c, clean);
        for (int64_t j = 0; j < c.keys; j += j < 70 ? 1 : 13)
            for (const bool of_keys : {true, false})
                for (const float poison : kPoisons) {
                    const AttentionData data = poisoned(c, clean, of_keys, j, poison);
                    run(c, data);
                    for (int64_t i = 0; i < c.queries; ++i) {
                        if (j > i + offset) {
                            ASSERT_TRUE(same_row(clean, data, i))
                                << "key " << j << " hidden from row " << i << ", poison " << poison << " in "
                                << (of_keys ? "k" : "v");
                        } else if (std::isnan(poison)) {
                            for (int64_t d = 0; d < c.value_dim; ++d)
                                ASSERT_TRUE(std::isnan(data.out.at(i, d))) << "key " << j << " seen by row " << i;
                            ASSERT_EQ(std::isnan(data.lse.at(i, 0)), of_keys) << "key " << j << " seen by row " << i;
                        }
                    }
                }
    }
}

TEST_P(AttentionPoison, ANanInOneValueColumnStaysThere) {
    AttentionCase c = sized(lanes() + 1, 70);
    c.causal = true;
    Random random(test_seed());
    const AttentionData clean = make_data(c, random);
    run(c, clean);
    AttentionData data = with_fresh_output(c, clean);
    data.v = clean.v.copy();
    data.v.at(66, 4) = kNan;
    run(c, data);
    expect_correct(c, data);
    for (int64_t i = 0; i < c.queries; ++i)
        for (int64_t d = 0; d < c.value_dim; ++d) {
            const bool seen = 66 <= i + c.keys - c.queries;
            if (seen && d == 4) {
                EXPECT_TRUE(std::isnan(data.out.at(i, d)));
            } else {
                EXPECT_EQ(bits_of(data.out.at(i, d)), bits_of(clean.out.at(i, d))) << i << ", " << d;
            }
        }
}

TEST_P(AttentionPoison, ANanQueryIsItsOwnAffair) {
    for (const bool causal : {false, true}) {
        AttentionCase c = sized(2 * lanes() + 1, 70);
        c.causal = causal;
        Random random(test_seed());
        const AttentionData clean = make_data(c, random);
        run(c, clean);
        for (const int64_t row : {int64_t{0}, lanes(), c.queries - 1}) {
            AttentionData data = with_fresh_output(c, clean);
            data.q = clean.q.copy();
            data.q.at(row, 3) = kNan;
            run(c, data);
            for (int64_t i = 0; i < c.queries; ++i) {
                if (i != row) {
                    EXPECT_TRUE(same_row(clean, data, i)) << i;
                } else {
                    for (int64_t d = 0; d < c.value_dim; ++d) EXPECT_TRUE(std::isnan(data.out.at(i, d)));
                    EXPECT_TRUE(std::isnan(data.lse.at(i, 0)));
                }
            }
        }
    }
}

TEST_P(AttentionPoison, BeyondKeyLengths) {
    for (const bool causal : {false, true})
        for (const int64_t length : {0, 1, 15, 16, 63, 64, 65, 99}) {
            AttentionCase c = sized(20, 100);
            c.causal = causal;
            c.key_lengths = {length};
            Random random(test_seed());
            const AttentionData clean = make_data(c, random);
            run(c, clean);
            for (const float poison : kPoisons) {
                AttentionData data = with_fresh_output(c, clean);
                data.k = clean.k.copy();
                data.v = clean.v.copy();
                for (int64_t j = length; j < c.keys; ++j) {
                    for (int64_t d = 0; d < c.head_dim; ++d) data.k.at(j, d) = poison;
                    for (int64_t d = 0; d < c.value_dim; ++d) data.v.at(j, d) = poison;
                }
                run(c, data);
                EXPECT_EQ(difference(clean.out.values(), data.out.values()), "") << c.describe();
                EXPECT_EQ(difference(clean.lse.values(), data.lse.values()), "") << c.describe();
            }
        }
}

// Gaps of padded operands hold a NaN canary already; here the neighbours of a ragged sequence do.
TEST_P(AttentionPoison, NeighboursOfARaggedSequence) {
    AttentionCase c = sized(0, 0);
    c.cu_queries = {0, 20, 37, 60};
    c.cu_keys = {0, 30, 99, 120};
    Random random(test_seed());
    const AttentionData clean = make_data(c, random);
    run(c, clean);
    AttentionData data = with_fresh_output(c, clean);
    data.q = clean.q.copy();
    data.k = clean.k.copy();
    data.v = clean.v.copy();
    for (const auto& [operand, cu] :
         {std::pair(data.q, c.cu_queries), std::pair(data.k, c.cu_keys), std::pair(data.v, c.cu_keys)})
        for (int64_t row = 0; row < cu.back(); ++row)
            if (row < cu[1] || row >= cu[2])
                for (int64_t d = 0; d < operand.sizes[3]; ++d) operand.at(row, d) = kNan;
    run(c, data);
    for (int64_t i = 0; i < c.cu_queries.back(); ++i) {
        const bool middle = i >= c.cu_queries[1] && i < c.cu_queries[2];
        EXPECT_EQ(same_row(clean, data, i), middle) << i;
        EXPECT_EQ(std::isnan(data.out.at(i, 0)), !middle) << i;
    }
}

TEST_P(AttentionPoison, InfiniteScores) {
    for (const bool causal : {false, true}) {
        AttentionCase c = sized(lanes() + 2, 80);
        c.causal = causal;
        Random random(test_seed());
        AttentionData data = make_data(c, random);
        for (int64_t i = 0; i < c.queries; ++i) data.q.at(i, 0) = 1;
        // A visible score of -inf weighs nothing ...
        data.k.at(3, 0) = -kInfinity;
        run(c, data);
        expect_correct(c, data);
        data.out.each([](float& x) { EXPECT_TRUE(std::isfinite(x)); });
        // ... and one of +inf makes the row NaN, as inf - inf does.
        data = with_fresh_output(c, data);
        data.k.at(3, 0) = kInfinity;
        run(c, data);
        data.out.each([](float& x) { EXPECT_TRUE(std::isnan(x)); });
        data.lse.each([](float& x) { EXPECT_TRUE(std::isnan(x)); });
    }
}

TEST_P(AttentionPoison, AnInfinityInAVisibleValue) {
    for (const bool causal : {false, true}) {
        AttentionCase c = sized(lanes() + 2, 80);
        c.causal = causal;
        Random random(test_seed());
        AttentionData data = make_data(c, random);
        data.v.at(70, 2) = kInfinity;
        data.v.at(71, 3) = -kInfinity;
        run(c, data);
        expect_correct(c, data);
    }
}

TEST_P(AttentionPoison, ScoresAllMinusInfinity) {
    AttentionCase c = sized(lanes() + 2, 70);
    Random random(test_seed());
    AttentionData data = make_data(c, random);
    for (int64_t i = 0; i < c.queries; ++i) data.q.at(i, 0) = 1;
    for (int64_t j = 0; j < c.keys; ++j) data.k.at(j, 0) = -kInfinity;
    run(c, data);
    expect_correct(c, data);
}

}  // namespace
