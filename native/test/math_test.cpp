// SPDX-License-Identifier: Apache-2.0
// The accuracy of exp2 and log, seen through attention: with one query of 1 and chosen keys, weights are exponentials
// and lse is a logarithm. (erf is seen through GELU in kernels/pointwise/test.cpp.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "tensor.h"

namespace {

class MathTest : public IsaTest {
protected:
    // Queries of headDim 1 at scale 1: out [queries, 1] and lse [queries].
    void attend(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
                std::vector<float>& out, std::vector<float>& lse) const {
        out.assign(q.size(), 0);
        lse.assign(q.size(), 0);
        const int64_t queries = static_cast<int64_t>(q.size()), keys = static_cast<int64_t>(k.size());
        attn4j_plan plan = attn4j_plan_create(1, 1, 1, queries, keys, 1, 1);
        ASSERT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_set_scale(plan, 1), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_run(plan, 1, queries, keys, q.data(), k.data(), v.data(), out.data(), lse.data(), nullptr,
                                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                  nullptr, nullptr, 0, nullptr),
                  ATTN4J_OK);
        attn4j_plan_free(plan);
    }
};
ATTN4J_ON_EVERY_ISA(MathTest);

// Scores 0 and x = -q weigh 1 and e^x: with values 0 and 1 the result is e^x / (1 + e^x), to be right in relative
// terms.
TEST_P(MathTest, ExponentialsFarBelowTheMaximum) {
    std::vector<float> q, out, lse;
    for (int i = 0; i <= 100'000; ++i) q.push_back(static_cast<float>(i) * 8e-4f);
    attend(q, {0, -1}, {0, 1}, out, lse);
    double worst = 0, worst_lse = 0;
    for (size_t i = 0; i < q.size(); ++i) {
        const double x = -static_cast<double>(q[i]), expected = std::exp(x) / (1 + std::exp(x));
        // log2(e) x is rounded before its power is taken: half a unit of a product of that size, and of the factor
        // log2(e) itself.
        const double allowed = 1.6e-7 + 4 * 0x1p-24 + std::fabs(x) * 2 * 0x1p-24;
        worst = std::max(worst, std::fabs(out[i] - expected) / expected / allowed);
        worst_lse = std::max(worst_lse, std::fabs(lse[i] - std::log1p(std::exp(x))));
    }
    std::printf("exp2: largest relative error %.3f of what is allowed; log near 1: largest absolute error %.2e\n",
                worst, worst_lse);
    EXPECT_LE(worst, 1);
    EXPECT_LE(worst_lse, 2e-7);
}

TEST_P(MathTest, ExponentialsBecomeZeroAndNeverNegative) {
    std::vector<float> q = {80, 87, 88, 100, 103, 104, 105, 150, 1e3f, 1e10f, 1e37f}, out, lse;
    attend(q, {0, -1}, {0, 1}, out, lse);
    for (size_t i = 0; i < q.size(); ++i) {
        EXPECT_GE(out[i], 0) << q[i];
        EXPECT_NEAR(out[i], std::exp(-static_cast<double>(q[i])), 2e-38) << q[i];
        EXPECT_EQ(lse[i], 0) << q[i];
    }
}

// n equal scores: lse is log n.
TEST_P(MathTest, LogarithmsOfCounts) {
    std::vector<float> keys, values, out, lse;
    double worst = 0;
    for (int64_t n = 1; n <= 3000; n += n < 300 ? 1 : 37) {
        keys.assign(static_cast<size_t>(n), 0);
        values.assign(static_cast<size_t>(n), 1);
        attend({1}, keys, values, out, lse);
        EXPECT_NEAR(out[0], 1, 2e-7);
        const double expected = std::log(static_cast<double>(n));
        worst = std::max(worst, n == 1 ? std::fabs(lse[0]) : std::fabs(lse[0] - expected) / expected);
    }
    std::printf("log: largest relative error %.2e\n", worst);
    EXPECT_LE(worst, 2e-7);
}

TEST_P(MathTest, FmaFlopsCountsWhatItRuns) {
    EXPECT_GT(kernels().fma_flops(10), 0);
    EXPECT_EQ(kernels().fma_flops(1000), 100 * kernels().fma_flops(10));
}

}  // namespace
