// SPDX-License-Identifier: Apache-2.0
// RMS normalisation against the double precision reference: awkward widths, strides, in place, threads, NaN.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "environment.h"
#include "isas.h"
#include "kernels/rms_norm/reference.h"
#include "tensor.h"

namespace {

class RmsNormTest : public IsaTest {
protected:
    attn4j_status rms_norm(const Tensor& x, const Tensor& gamma, double epsilon, const Tensor& out,
                           int32_t threads = 0) const {
        return attn4j_rms_norm(x.data(), x.strides[2], gamma.data(), epsilon, out.data(), out.strides[2], x.sizes[2],
                               x.sizes[3], isa(), threads);
    }
    // Every step but the sum is a relative rounding; the sum of so many squares is a random walk of them.
    static void expect_correct(const Tensor& x, const Tensor& gamma, double epsilon, const Tensor& out) {
        std::vector<double> expected(static_cast<size_t>(x.sizes[3]));
        const double walk = 4 + std::sqrt(static_cast<double>(x.sizes[3])) / 8;
        for (int64_t row = 0; row < x.sizes[2]; ++row) {
            rms_norm_reference(&x.at(row, 0), gamma.data(), epsilon, x.sizes[3], expected.data());
            for (int64_t c = 0; c < x.sizes[3]; ++c) {
                const double value = expected[static_cast<size_t>(c)];
                ASSERT_NEAR(out.at(row, c), value, 0x1p-23 * walk * std::fabs(value))
                    << "row=" << row << " c=" << c << " width=" << x.sizes[3];
            }
        }
        EXPECT_TRUE(out.gaps_untouched());
    }
};
ATTN4J_ON_EVERY_ISA(RmsNormTest);

TEST_P(RmsNormTest, WidthsAndStrides) {
    Random random(test_seed());
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 3})
            for (const double epsilon : {0.0, 1e-6, 0.5}) {
                const Tensor x = Tensor::matrix(5, width, width + gap), gamma = Tensor::vector(width),
                             out = Tensor::matrix(5, width, width + gap + 1, GuardedFloats::Flush::AT_BEGIN);
                for (const Tensor& t : {x, gamma}) t.fill_normal(random);
                ASSERT_EQ(rms_norm(x, gamma, epsilon, out), ATTN4J_OK) << attn4j_error_message();
                expect_correct(x, gamma, epsilon, out);
                const Tensor over = x.copy();
                ASSERT_EQ(rms_norm(over, gamma, epsilon, over), ATTN4J_OK) << attn4j_error_message();
                EXPECT_EQ(difference(out.values(), over.values()), "");
            }
}

TEST_P(RmsNormTest, SameBitsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Tensor x = Tensor::matrix(601, 384, 384), gamma = Tensor::vector(384), alone = Tensor::matrix(601, 384, 384);
    for (const Tensor& t : {x, gamma}) t.fill_normal(random);
    ASSERT_EQ(rms_norm(x, gamma, 1e-6, alone, 1), ATTN4J_OK);
    for (const int32_t threads : {2, 3, 8, 0}) {
        const Tensor out = Tensor::matrix(601, 384, 384);
        ASSERT_EQ(rms_norm(x, gamma, 1e-6, out, threads), ATTN4J_OK);
        EXPECT_EQ(difference(alone.values(), out.values()), "") << threads;
    }
}

TEST_P(RmsNormTest, NanStaysInItsRowAndZerosStayZero) {
    const int64_t width = lanes() + 3;
    const Tensor x = Tensor::matrix(3, width, width), gamma = Tensor::vector(width),
                 out = Tensor::matrix(3, width, width);
    x.fill(0);
    gamma.fill(1);
    x.at(1, width - 1) = std::numeric_limits<float>::quiet_NaN();
    ASSERT_EQ(rms_norm(x, gamma, 1e-6, out), ATTN4J_OK);
    for (int64_t row = 0; row < 3; ++row)
        for (int64_t c = 0; c < width; ++c) {
            EXPECT_EQ(std::isnan(out.at(row, c)), row == 1);
            EXPECT_TRUE(row == 1 || out.at(row, c) == 0);
        }
}

}  // namespace
