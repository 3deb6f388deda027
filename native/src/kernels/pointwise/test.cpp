// SPDX-License-Identifier: Apache-2.0
// Bias, GELU and residual against the double precision reference; the error of GELU over the whole range that matters.
#include "kernels/pointwise/pointwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "kernels/pointwise/reference.h"
#include "tensor.h"
#include "tolerance.h"

namespace {

class PointwiseTest : public IsaTest {
protected:
    void expect_correct(const Tensor& x, const Tensor* bias, const Tensor* residual, bool gelu,
                        const Tensor& out) const {
        x.each([](float& value) { ASSERT_TRUE(std::isfinite(value)); });
        for (int64_t row = 0; row < x.sizes[2]; ++row)
            for (int64_t c = 0; c < x.sizes[3]; ++c) {
                const double b = bias == nullptr ? 0 : bias->at(0, c),
                             r = residual == nullptr ? 0 : residual->at(row, c);
                const double expected = pointwise_reference(x.at(row, c), b, r, gelu);
                // One rounding of each sum on top of the activation's own error.
                const double sums = 0x1p-24 * (std::fabs(x.at(row, c) + b) * 1.2 + std::fabs(expected));
                ASSERT_NEAR(out.at(row, c), expected, sums + (gelu ? gelu_tolerance(x.at(row, c) + b) : 0))
                    << "row=" << row << " c=" << c << " width=" << x.sizes[3] << " gelu=" << gelu;
            }
        EXPECT_TRUE(out.gaps_untouched());
    }
};
ATTN4J_ON_EVERY_ISA(PointwiseTest);

TEST_P(PointwiseTest, WidthsStridesAndParts) {
    Random random(test_seed());
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 3})
            for (int parts = 0; parts < 8; ++parts) {
                const Tensor x = Tensor::matrix(4, width, width + gap), bias = Tensor::vector(width),
                             residual = Tensor::matrix(4, width, width + 2 * gap),
                             out = Tensor::matrix(4, width, width + 3 * gap, GuardedFloats::Flush::AT_BEGIN);
                for (const Tensor& t : {x, bias, residual}) t.fill_normal(random);
                const bool gelu = parts & 1, with_bias = parts & 2, with_residual = parts & 4;
                kernels().pointwise({x.data(), with_bias ? bias.data() : nullptr,
                                     with_residual ? residual.data() : nullptr, out.data(), x.strides[2],
                                     residual.strides[2], out.strides[2], 4, width, gelu});
                expect_correct(x, with_bias ? &bias : nullptr, with_residual ? &residual : nullptr, gelu, out);
            }
}

TEST_P(PointwiseTest, ActivateAndAdd) {
    Random random(test_seed());
    const int64_t width = 2 * lanes() + 1;
    const Tensor a = Tensor::matrix(9, width, width + 1), b = Tensor::matrix(9, width, width);
    a.fill_normal(random);
    b.fill_normal(random);
    for (const attn4j_activation activation : {ATTN4J_IDENTITY, ATTN4J_GELU}) {
        const Tensor out = Tensor::matrix(9, width, width), over = a.copy();
        ASSERT_EQ(attn4j_activate(activation, a.data(), width + 1, out.data(), width, 9, width, isa(), 0), ATTN4J_OK);
        expect_correct(a, nullptr, nullptr, activation == ATTN4J_GELU, out);
        ASSERT_EQ(attn4j_activate(activation, over.data(), width + 1, over.data(), width + 1, 9, width, isa(), 0),
                  ATTN4J_OK);
        EXPECT_EQ(difference(out.values(), over.values()), "");
    }
    const Tensor sum = Tensor::matrix(9, width, width), over_a = a.copy(), over_b = b.copy();
    ASSERT_EQ(attn4j_add(a.data(), width + 1, b.data(), width, sum.data(), width, 9, width, isa(), 0), ATTN4J_OK);
    for (int64_t row = 0; row < 9; ++row)
        for (int64_t c = 0; c < width; ++c) ASSERT_EQ(sum.at(row, c), a.at(row, c) + b.at(row, c));
    ASSERT_EQ(attn4j_add(over_a.data(), width + 1, b.data(), width, over_a.data(), width + 1, 9, width, isa(), 0),
              ATTN4J_OK);
    ASSERT_EQ(attn4j_add(a.data(), width + 1, over_b.data(), width, over_b.data(), width, 9, width, isa(), 0),
              ATTN4J_OK);
    EXPECT_EQ(difference(sum.values(), over_a.values()), "");
    EXPECT_EQ(difference(sum.values(), over_b.values()), "");
    EXPECT_TRUE(over_a.gaps_untouched());
}

TEST_P(PointwiseTest, GeluOverItsRange) {
    constexpr int64_t width = 1001;
    const Tensor x = Tensor::vector(width), out = Tensor::vector(width);
    double worst = 0, worst_at = 0;
    // Steps of 1e-4 from -16 to 16, then powers of two to the ends of the range.
    const auto measure = [&] {
        kernels().pointwise({x.data(), nullptr, nullptr, out.data(), width, 0, width, 1, width, true});
        for (int64_t c = 0; c < width; ++c) {
            const double at = x.at(0, c), share = std::fabs(out.at(0, c) - gelu_reference(at)) / gelu_tolerance(at);
            if (!(share <= worst)) {
                worst = share;
                worst_at = at;
            }
        }
    };
    for (int64_t block = -160; block < 160; ++block) {
        for (int64_t c = 0; c < width; ++c)
            x.at(0, c) = static_cast<float>(static_cast<double>(block * 1000 + c) * 1e-4);
        measure();
    }
    for (int64_t c = 0; c < width; ++c)
        x.at(0, c) = std::ldexp(c % 2 == 0 ? 1.0f : -1.0f, static_cast<int>(c / 2 % 250) - 149) * 1.3f;
    measure();
    std::printf("gelu: largest error %.3f of the tolerance, at %.9g\n", worst, worst_at);
    EXPECT_LE(worst, 1.0) << worst_at;
}

TEST_P(PointwiseTest, GeluOfSpecialNumbers) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    float x[] = {0.0f, -0.0f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e30f, -1e30f, 1.0f};
    float out[8];
    ASSERT_EQ(attn4j_activate(ATTN4J_GELU, x, 8, out, 8, 1, 8, isa(), 1), ATTN4J_OK);
    EXPECT_EQ(out[0], 0);
    EXPECT_EQ(out[1], 0);
    EXPECT_EQ(out[2], infinity);
    EXPECT_TRUE(std::isnan(out[4]));
    EXPECT_NEAR(out[5] / 1e30f, 1, 4e-7);
    EXPECT_NEAR(out[6] / 1e30f, 0, 4e-7);
    EXPECT_NEAR(out[7], 0.84134475, 4e-7);
}

TEST_P(PointwiseTest, SameBitsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Tensor x = Tensor::matrix(300, 401, 401), alone = Tensor::matrix(300, 401, 401);
    x.fill_normal(random);
    ASSERT_EQ(attn4j_activate(ATTN4J_GELU, x.data(), 401, alone.data(), 401, 300, 401, isa(), 1), ATTN4J_OK);
    for (const int32_t threads : {2, 3, 8, 0}) {
        const Tensor out = Tensor::matrix(300, 401, 401);
        ASSERT_EQ(attn4j_activate(ATTN4J_GELU, x.data(), 401, out.data(), 401, 300, 401, isa(), threads), ATTN4J_OK);
        EXPECT_EQ(difference(alone.values(), out.values()), "") << threads;
    }
}

}  // namespace
