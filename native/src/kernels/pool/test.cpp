// SPDX-License-Identifier: Apache-2.0
// Mean pooling and normalisation against the double precision references.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "kernels/pool/reference.h"
#include "tensor.h"

namespace {

class PoolTest : public IsaTest {};
ATTN4J_ON_EVERY_ISA(PoolTest);

const std::vector<int64_t> kCumulative = {0, 0, 1, 3, 3, 40, 41, 168};

TEST_P(PoolTest, MeanOfRaggedRows) {
    Random random(test_seed());
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 5}) {
            const int64_t batch = static_cast<int64_t>(kCumulative.size()) - 1;
            const Tensor x = Tensor::matrix(kCumulative.back(), width, width + gap),
                         out = Tensor::matrix(batch, width, width + gap, GuardedFloats::Flush::AT_BEGIN);
            x.fill_normal(random);
            ASSERT_EQ(attn4j_mean_pool(x.data(), width + gap, kCumulative.data(), batch, out.data(), width + gap, width,
                                       isa(), 0),
                      ATTN4J_OK)
                << attn4j_error_message();
            EXPECT_TRUE(out.gaps_untouched());
            std::vector<double> expected(static_cast<size_t>(width));
            for (int64_t b = 0; b < batch; ++b) {
                mean_pool_reference(&x.at(kCumulative[b], 0), width + gap, kCumulative[b + 1] - kCumulative[b], width,
                                    expected.data());
                for (int64_t c = 0; c < width; ++c)
                    ASSERT_NEAR(out.at(b, c), expected[static_cast<size_t>(c)], 1e-6)
                        << b << ", " << c << " of " << width;
            }
        }
}

TEST_P(PoolTest, MeanOfNothingIsZero) {
    const int64_t cu[] = {0, 0, 0};
    const Tensor out = Tensor::matrix(2, 3, 3);
    ASSERT_EQ(attn4j_mean_pool(nullptr, 3, cu, 2, out.data(), 3, 3, isa(), 0), ATTN4J_OK) << attn4j_error_message();
    out.each([](float& x) { EXPECT_EQ(bits_of(x), 0u); });
}

TEST_P(PoolTest, MeanDoesNotReadItsNeighbours) {
    const int64_t cu[] = {0, 2, 4};
    const Tensor x = Tensor::matrix(4, 5, 5), out = Tensor::matrix(2, 5, 5);
    x.fill(1);
    x.at(2, 3) = std::numeric_limits<float>::quiet_NaN();
    ASSERT_EQ(attn4j_mean_pool(x.data(), 5, cu, 2, out.data(), 5, 5, isa(), 0), ATTN4J_OK);
    for (int64_t b = 0; b < 2; ++b)
        for (int64_t c = 0; c < 5; ++c) EXPECT_EQ(std::isnan(out.at(b, c)), b == 1 && c == 3);
}

TEST_P(PoolTest, NormalizedRows) {
    Random random(test_seed());
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 5}) {
            const Tensor x = Tensor::matrix(6, width, width + gap),
                         out = Tensor::matrix(6, width, width, GuardedFloats::Flush::AT_BEGIN);
            x.fill_normal(random);
            ASSERT_EQ(attn4j_normalize(x.data(), width + gap, 1e-12, out.data(), width, 6, width, isa(), 0), ATTN4J_OK);
            EXPECT_TRUE(out.gaps_untouched());
            std::vector<double> expected(static_cast<size_t>(width));
            for (int64_t row = 0; row < 6; ++row) {
                normalize_reference(&x.at(row, 0), 1e-12, width, expected.data());
                for (int64_t c = 0; c < width; ++c)
                    ASSERT_NEAR(out.at(row, c), expected[static_cast<size_t>(c)], 5e-7)
                        << row << ", " << c << " of " << width;
            }
            const Tensor over = x.copy();
            ASSERT_EQ(attn4j_normalize(over.data(), width + gap, 1e-12, over.data(), width + gap, 6, width, isa(), 0),
                      ATTN4J_OK);
            EXPECT_EQ(difference(out.values(), over.values()), "");
            EXPECT_TRUE(over.gaps_untouched());
        }
}

TEST_P(PoolTest, NormalizedZerosAndNan) {
    const Tensor x = Tensor::matrix(3, 5, 5);
    x.fill(0);
    x.at(1, 4) = std::numeric_limits<float>::quiet_NaN();
    x.at(2, 0) = 1e-20f;
    ASSERT_EQ(attn4j_normalize(x.data(), 5, 1e-12, x.data(), 5, 3, 5, isa(), 0), ATTN4J_OK);
    for (int64_t c = 0; c < 5; ++c) {
        EXPECT_EQ(x.at(0, c), 0);
        EXPECT_TRUE(std::isnan(x.at(1, c)));
    }
    EXPECT_NEAR(x.at(2, 0), 1e-8, 1e-14);
}

}  // namespace
