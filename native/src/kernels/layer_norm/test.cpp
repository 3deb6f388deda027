// SPDX-License-Identifier: Apache-2.0
// Layer normalisation against the double precision reference: awkward widths, strides, in place, threads, NaN.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "kernels/layer_norm/reference.h"
#include "tensor.h"

namespace {

// What is left of y after its mean has gone keeps the rounding of y itself, and is then divided by the deviation; that
// is a sum of so many squares, whose roundings are a random walk.
double tolerance(const std::vector<double>& y, double epsilon, double gamma, double expected) {
    double mean = 0, variance = 0, largest = 0;
    for (const double value : y) mean += value / static_cast<double>(y.size());
    for (const double value : y) variance += (value - mean) * (value - mean) / static_cast<double>(y.size());
    for (const double value : y) largest = std::max(largest, std::fabs(value));
    const double walk = 1 + std::sqrt(static_cast<double>(y.size())) / 8;
    return 0x1p-23 * (4 * largest / std::sqrt(variance + epsilon) * std::fabs(gamma) + walk * std::fabs(expected) + 1);
}

class LayerNormTest : public IsaTest {
protected:
    attn4j_status layer_norm(const Tensor& x, const Tensor* residual, const Tensor& gamma, const Tensor& beta,
                             double epsilon, const Tensor& out, int32_t threads = 0) const {
        return attn4j_layer_norm(x.data(), x.strides[2], residual == nullptr ? nullptr : residual->data(),
                                 residual == nullptr ? 0 : residual->strides[2], gamma.data(), beta.data(), epsilon,
                                 out.data(), out.strides[2], x.sizes[2], x.sizes[3], isa(), threads);
    }
    static void expect_correct(const Tensor& x, const Tensor* residual, const Tensor& gamma, const Tensor& beta,
                               double epsilon, const Tensor& out) {
        std::vector<double> expected(static_cast<size_t>(x.sizes[3]));
        for (int64_t row = 0; row < x.sizes[2]; ++row) {
            layer_norm_reference(&x.at(row, 0), residual == nullptr ? nullptr : &residual->at(row, 0), gamma.data(),
                                 beta.data(), epsilon, x.sizes[3], expected.data());
            std::vector<double> y(expected.size());
            for (int64_t c = 0; c < x.sizes[3]; ++c)
                y[static_cast<size_t>(c)] =
                    static_cast<double>(x.at(row, c)) + (residual == nullptr ? 0 : residual->at(row, c));
            for (int64_t c = 0; c < x.sizes[3]; ++c)
                ASSERT_NEAR(out.at(row, c), expected[static_cast<size_t>(c)],
                            tolerance(y, epsilon, gamma.at(0, c), expected[static_cast<size_t>(c)]))
                    << "row=" << row << " c=" << c << " width=" << x.sizes[3];
        }
        EXPECT_TRUE(out.gaps_untouched());
    }
};
ATTN4J_ON_EVERY_ISA(LayerNormTest);

TEST_P(LayerNormTest, WidthsAndStrides) {
    Random random(test_seed());
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 3})
            for (const bool with_residual : {false, true}) {
                const Tensor x = Tensor::matrix(5, width, width + gap),
                             residual = Tensor::matrix(5, width, width + 2 * gap), gamma = Tensor::vector(width),
                             beta = Tensor::vector(width),
                             out = Tensor::matrix(5, width, width + gap + 1, GuardedFloats::Flush::AT_BEGIN);
                for (const Tensor& t : {x, residual, gamma, beta}) t.fill_normal(random);
                const Tensor* other = with_residual ? &residual : nullptr;
                // At width 1 every y equals its mean: what is left is epsilon and beta.
                ASSERT_EQ(layer_norm(x, other, gamma, beta, 1e-5, out), ATTN4J_OK) << attn4j_error_message();
                expect_correct(x, other, gamma, beta, 1e-5, out);
            }
}

TEST_P(LayerNormTest, InPlace) {
    Random random(test_seed());
    const int64_t width = 2 * lanes() + 5;
    const Tensor x = Tensor::matrix(7, width, width + 2), residual = Tensor::matrix(7, width, width),
                 gamma = Tensor::vector(width), beta = Tensor::vector(width);
    for (const Tensor& t : {x, residual, gamma, beta}) t.fill_normal(random);
    const Tensor over_x = x.copy();
    ASSERT_EQ(layer_norm(over_x, &residual, gamma, beta, 1e-12, over_x), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, &residual, gamma, beta, 1e-12, over_x);
    const Tensor over_residual = residual.copy();
    ASSERT_EQ(layer_norm(x, &over_residual, gamma, beta, 1e-12, over_residual), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, &residual, gamma, beta, 1e-12, over_residual);
    const Tensor all = x.copy();
    ASSERT_EQ(layer_norm(all, &all, gamma, beta, 1e-12, all), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, &x, gamma, beta, 1e-12, all);
}

TEST_P(LayerNormTest, SameBitsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Tensor x = Tensor::matrix(601, 384, 384), gamma = Tensor::vector(384), beta = Tensor::vector(384);
    for (const Tensor& t : {x, gamma, beta}) t.fill_normal(random);
    const Tensor alone = Tensor::matrix(601, 384, 384);
    ASSERT_EQ(layer_norm(x, nullptr, gamma, beta, 1e-12, alone, 1), ATTN4J_OK);
    for (const int32_t threads : {2, 3, 8, 0}) {
        const Tensor out = Tensor::matrix(601, 384, 384);
        ASSERT_EQ(layer_norm(x, nullptr, gamma, beta, 1e-12, out, threads), ATTN4J_OK);
        EXPECT_EQ(difference(alone.values(), out.values()), "") << threads;
    }
}

TEST_P(LayerNormTest, NanStaysInItsRow) {
    Random random(test_seed());
    const int64_t width = lanes() + 3;
    const Tensor x = Tensor::matrix(3, width, width), gamma = Tensor::vector(width), beta = Tensor::vector(width),
                 out = Tensor::matrix(3, width, width);
    for (const Tensor& t : {x, gamma, beta}) t.fill_normal(random);
    x.at(1, width - 1) = std::numeric_limits<float>::quiet_NaN();
    ASSERT_EQ(layer_norm(x, nullptr, gamma, beta, 1e-12, out), ATTN4J_OK);
    for (int64_t row = 0; row < 3; ++row)
        for (int64_t c = 0; c < width; ++c) EXPECT_EQ(std::isnan(out.at(row, c)), row == 1);
}

}  // namespace
