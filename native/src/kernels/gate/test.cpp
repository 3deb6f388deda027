// SPDX-License-Identifier: Apache-2.0
// The sigmoid gate and SwiGLU against the double precision reference: awkward widths and groups, strides, in place, the
// whole range.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "kernels/gate/reference.h"
#include "tensor.h"

namespace {

class GateTest : public IsaTest {
protected:
    attn4j_status gate(const Tensor& x, const Tensor& gate, int64_t group, const Tensor& out,
                       int32_t threads = 0) const {
        return attn4j_gate(x.data(), x.strides[2], gate.data(), gate.strides[2], group, out.data(), out.strides[2],
                           x.sizes[2], x.sizes[3], isa(), threads);
    }
    static void expect_correct(const Tensor& x, const Tensor& gate, int64_t group, const Tensor& out) {
        for (int64_t row = 0; row < x.sizes[2]; ++row)
            for (int64_t c = 0; c < x.sizes[3]; ++c) {
                const double expected = gate_reference(x.at(row, c), gate.at(row, c / group));
                ASSERT_NEAR(out.at(row, c), expected, 3e-7 * std::fabs(x.at(row, c)) + 0x1p-24 * std::fabs(expected))
                    << "row=" << row << " c=" << c << " width=" << x.sizes[3] << " group=" << group;
            }
        EXPECT_TRUE(out.gaps_untouched());
    }
};
ATTN4J_ON_EVERY_ISA(GateTest);

class SwigluTest : public IsaTest {
protected:
    attn4j_status swiglu(const Tensor& gate, const Tensor& up, const Tensor& out, int32_t threads = 0) const {
        return attn4j_swiglu(gate.data(), gate.strides[2], up.data(), up.strides[2], out.data(), out.strides[2],
                             up.sizes[2], up.sizes[3], isa(), threads);
    }
    static void expect_correct(const Tensor& gate, const Tensor& up, const Tensor& out) {
        for (int64_t row = 0; row < up.sizes[2]; ++row)
            for (int64_t c = 0; c < up.sizes[3]; ++c) {
                const double expected = swiglu_reference(gate.at(row, c), up.at(row, c));
                ASSERT_NEAR(out.at(row, c), expected,
                            3e-7 * std::fabs(gate.at(row, c) * up.at(row, c)) + 0x1p-23 * std::fabs(expected))
                    << "row=" << row << " c=" << c << " gate=" << gate.at(row, c);
            }
        EXPECT_TRUE(out.gaps_untouched());
    }
};
ATTN4J_ON_EVERY_ISA(SwigluTest);

TEST_P(SwigluTest, WidthsStridesAndInPlace) {
    Random random(test_seed());
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 3}) {
            const Tensor gate = Tensor::matrix(4, width, width + gap), up = Tensor::matrix(4, width, width + 2 * gap),
                         out = Tensor::matrix(4, width, width + gap + 1, GuardedFloats::Flush::AT_BEGIN);
            for (const Tensor& t : {gate, up}) t.fill_normal(random);
            ASSERT_EQ(swiglu(gate, up, out), ATTN4J_OK) << attn4j_error_message();
            expect_correct(gate, up, out);
            const Tensor over_gate = gate.copy(), over_up = up.copy();
            ASSERT_EQ(swiglu(over_gate, up, over_gate), ATTN4J_OK) << attn4j_error_message();
            EXPECT_EQ(difference(over_gate.values(), out.values()), "");
            ASSERT_EQ(swiglu(gate, over_up, over_up), ATTN4J_OK) << attn4j_error_message();
            EXPECT_EQ(difference(over_up.values(), out.values()), "");
        }
}

TEST_P(SwigluTest, TheWholeRange) {
    constexpr int64_t width = 2001;
    const Tensor gate = Tensor::vector(width), up = Tensor::vector(width), out = Tensor::vector(width);
    up.fill(-2);
    for (int64_t c = 0; c < width; ++c) gate.at(0, c) = static_cast<float>(c - 1000) * 0.11f;
    ASSERT_EQ(swiglu(gate, up, out), ATTN4J_OK) << attn4j_error_message();
    expect_correct(gate, up, out);
    constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const float ends[] = {infinity, nan, 0, 1e30f, -1e30f, -infinity}, twos[] = {2, 2, 2, 2, 2, 2};
    float result[6];
    ASSERT_EQ(attn4j_swiglu(ends, 6, twos, 6, result, 6, 1, 6, isa(), 1), ATTN4J_OK);
    EXPECT_EQ(result[0], infinity);
    EXPECT_TRUE(std::isnan(result[1]));
    EXPECT_EQ(result[2], 0);
    EXPECT_EQ(result[3], 2e30f);
    EXPECT_EQ(result[4], 0);
    EXPECT_TRUE(std::isnan(result[5]));
}

TEST_P(SwigluTest, SameBitsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Tensor gate = Tensor::matrix(300, 402, 402), up = Tensor::matrix(300, 402, 402),
                 alone = Tensor::matrix(300, 402, 402);
    for (const Tensor& t : {gate, up}) t.fill_normal(random);
    ASSERT_EQ(swiglu(gate, up, alone, 1), ATTN4J_OK);
    for (const int32_t threads : {2, 3, 8, 0}) {
        const Tensor out = Tensor::matrix(300, 402, 402);
        ASSERT_EQ(swiglu(gate, up, out, threads), ATTN4J_OK);
        EXPECT_EQ(difference(alone.values(), out.values()), "") << threads;
    }
}

TEST_P(GateTest, WidthsGroupsAndStrides) {
    Random random(test_seed());
    for (const int64_t run : widths())
        for (const int64_t groups : {1, 3})
            for (const bool elementwise : {false, true})
                for (const int64_t gap : {0, 3}) {
                    const int64_t width = run * groups, group = elementwise ? 1 : run;
                    const Tensor x = Tensor::matrix(4, width, width + gap),
                                 g = Tensor::matrix(4, width / group, width / group + 2 * gap),
                                 out = Tensor::matrix(4, width, width + gap + 1, GuardedFloats::Flush::AT_BEGIN);
                    for (const Tensor& t : {x, g}) t.fill_normal(random);
                    ASSERT_EQ(gate(x, g, group, out), ATTN4J_OK) << attn4j_error_message();
                    expect_correct(x, g, group, out);
                }
}

TEST_P(GateTest, InPlace) {
    Random random(test_seed());
    const int64_t width = 2 * (lanes() + 3);
    const Tensor x = Tensor::matrix(7, width, width + 2), g = Tensor::matrix(7, width, width),
                 heads = Tensor::matrix(7, 2, 2);
    for (const Tensor& t : {x, g, heads}) t.fill_normal(random);
    const Tensor over_x = x.copy(), over_gate = g.copy(), by_head = x.copy();
    ASSERT_EQ(gate(over_x, g, 1, over_x), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, g, 1, over_x);
    ASSERT_EQ(gate(x, over_gate, 1, over_gate), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, g, 1, over_gate);
    ASSERT_EQ(gate(by_head, heads, width / 2, by_head), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, heads, width / 2, by_head);
}

TEST_P(GateTest, TheWholeRange) {
    constexpr int64_t width = 2001;
    const Tensor x = Tensor::vector(width), g = Tensor::vector(width), out = Tensor::vector(width);
    x.fill(1);
    for (int64_t c = 0; c < width; ++c) g.at(0, c) = static_cast<float>(c - 1000) * 0.11f;
    ASSERT_EQ(gate(x, g, 1, out), ATTN4J_OK) << attn4j_error_message();
    expect_correct(x, g, 1, out);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const float ends[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 0, 1e30f, -1e30f},
                twos[] = {2, 2, 2, 2, 2, 2};
    float gated[6];
    ASSERT_EQ(attn4j_gate(twos, 6, ends, 6, 1, gated, 6, 1, 6, isa(), 1), ATTN4J_OK);
    EXPECT_EQ(gated[0], 2);
    EXPECT_EQ(gated[1], 0);
    EXPECT_TRUE(std::isnan(gated[2]));
    EXPECT_EQ(gated[3], 1);
    EXPECT_EQ(gated[4], 2);
    EXPECT_EQ(gated[5], 0);
}

TEST_P(GateTest, SameBitsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Tensor x = Tensor::matrix(300, 402, 402), g = Tensor::matrix(300, 6, 6),
                 alone = Tensor::matrix(300, 402, 402);
    for (const Tensor& t : {x, g}) t.fill_normal(random);
    ASSERT_EQ(gate(x, g, 67, alone, 1), ATTN4J_OK);
    for (const int32_t threads : {2, 3, 8, 0}) {
        const Tensor out = Tensor::matrix(300, 402, 402);
        ASSERT_EQ(gate(x, g, 67, out, threads), ATTN4J_OK);
        EXPECT_EQ(difference(alone.values(), out.values()), "") << threads;
    }
}

}  // namespace
