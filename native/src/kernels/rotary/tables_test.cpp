// SPDX-License-Identifier: Apache-2.0
// The tables of every scaling against the reference, and against frequencies worked out by Hugging Face's formulas in
// NumPy.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "environment.h"
#include "expect_refused.h"
#include "kernels/rotary/reference.h"
#include "tensor.h"

namespace {

struct Scaling {
    attn4j_rotary_scaling scaling;
    int64_t rotary_dim;
    double base, factor;
    int64_t original_positions;
    double low, high, magnitude;
    std::vector<std::pair<int64_t, double>> frequencies;
};

// clang-format off
const std::vector<Scaling> kScalings = {
    {ATTN4J_ROTARY_UNSCALED, 64, 10000, 1, 0, 1, 4, 1,
     {{0, 1}, {5, 0.23713737056616555}, {17, 0.0074989420933245588}, {21, 0.0023713737056616554},
      {26, 0.0005623413251903491}, {31, 0.0001333521432163324}}},
    {ATTN4J_ROTARY_LINEAR, 64, 10000, 4, 0, 1, 4, 1,
     {{0, 0.25}, {5, 0.059284342641541386}, {17, 0.0018747355233311397}, {21, 0.00059284342641541385},
      {26, 0.00014058533129758727}, {31, 3.3338035804083099e-05}}},
    {ATTN4J_ROTARY_NTK, 64, 10000, 4, 0, 1, 4, 1,
     {{0, 1}, {5, 0.18962410753116651}, {17, 0.0035062111723950054}, {21, 0.00092715620483782568},
      {26, 0.00017581116788435608}, {31, 3.3338035804083106e-05}}},
    {ATTN4J_ROTARY_YARN, 64, 10000, 8, 4096, 1, 32, 1.2079441541679836,
     {{0, 1}, {5, 0.23713737056616555}, {17, 0.0039657866839697183}, {21, 0.00061564509666216054},
      {26, 7.0292665648793637e-05}, {31, 1.6669017902041549e-05}}},
    {ATTN4J_ROTARY_YARN_UNROUNDED, 64, 150000, 32, 4096, 1, 32, 1.3465735902799727,
     {{0, 1}, {5, 0.15532298948448497}, {17, 0.00012931870124506317}, {21, 1.2532569824095001e-05},
      {26, 1.9465962110014815e-06}, {31, 3.0235114281192144e-07}}},
    {ATTN4J_ROTARY_LLAMA3, 128, 500000, 8, 8192, 1, 4, 1,
     {{0, 1}, {5, 0.35873022375128993}, {33, 0.00031269375038406517}, {37, 6.3415143457776151e-05},
      {42, 2.2748928601828186e-05}, {63, 3.0689259889145111e-07}}},
};
// clang-format on

attn4j_status tables(const Scaling& s, const Tensor& cos, const Tensor& sin, int64_t first, double attention_factor = 0,
                     int32_t threads = 0) {
    return attn4j_rotary_tables(cos.data(), sin.data(), cos.strides[2], first, cos.sizes[2], s.rotary_dim, s.base,
                                s.scaling, s.factor, s.original_positions, s.low, s.high, attention_factor, threads);
}

TEST(RotaryTables, EveryScaling) {
    for (const Scaling& s : kScalings) {
        const int64_t half = s.rotary_dim / 2, positions = 40;
        for (const auto& [d, frequency] : s.frequencies)
            EXPECT_NEAR(rotary_frequency_reference(d, s.rotary_dim, s.base, s.scaling, s.factor,
                                                   static_cast<double>(s.original_positions), s.low, s.high) /
                            frequency,
                        1, 1e-13)
                << s.scaling << ", " << d;
        for (const int64_t first : {0, 100'000})
            for (const double given : {0.0, 0.75}) {
                const Tensor cos = Tensor::matrix(positions, half, half + 3),
                             sin = Tensor::matrix(positions, half, half + 3);
                ASSERT_EQ(tables(s, cos, sin, first, given), ATTN4J_OK) << attn4j_error_message();
                EXPECT_TRUE(cos.gaps_untouched() && sin.gaps_untouched());
                const double magnitude = given == 0 ? s.magnitude : given;
                for (int64_t p = 0; p < positions; ++p)
                    for (int64_t d = 0; d < half; ++d) {
                        const double angle =
                            static_cast<double>(first + p) *
                            rotary_frequency_reference(d, s.rotary_dim, s.base, s.scaling, s.factor,
                                                       static_cast<double>(s.original_positions), s.low, s.high);
                        // Half a unit of float32, and a few of double in the angle.
                        const double allowed = magnitude * (0x1p-24 + angle * 0x1p-50);
                        ASSERT_NEAR(cos.at(p, d), magnitude * std::cos(angle), allowed)
                            << s.scaling << ", " << p << ", " << d;
                        ASSERT_NEAR(sin.at(p, d), magnitude * std::sin(angle), allowed)
                            << s.scaling << ", " << p << ", " << d;
                    }
            }
    }
}

TEST(RotaryTables, PartsAreTheWhole) {
    const Scaling& s = kScalings.back();
    const int64_t half = s.rotary_dim / 2;
    const Tensor cos = Tensor::matrix(700, half, half), sin = Tensor::matrix(700, half, half);
    ASSERT_EQ(tables(s, cos, sin, 0), ATTN4J_OK);
    const Tensor part_cos = Tensor::matrix(200, half, half), part_sin = Tensor::matrix(200, half, half);
    ASSERT_EQ(tables(s, part_cos, part_sin, 500, 0, 1), ATTN4J_OK);
    for (int64_t p = 0; p < 200; ++p)
        for (int64_t d = 0; d < half; ++d) {
            ASSERT_EQ(part_cos.at(p, d), cos.at(500 + p, d));
            ASSERT_EQ(part_sin.at(p, d), sin.at(500 + p, d));
        }
}

TEST(RotaryTables, Errors) {
    const Tensor cos = Tensor::matrix(4, 4, 4), sin = Tensor::matrix(4, 4, 4);
    const auto call = [&](float* c, int64_t stride, int64_t first, int64_t positions, int64_t dim, double base,
                          int scaling, double factor, int64_t original, double low, double high, double attention) {
        return attn4j_rotary_tables(c, sin.data(), stride, first, positions, dim, base,
                                    static_cast<attn4j_rotary_scaling>(scaling), factor, original, low, high, attention,
                                    0);
    };
    const attn4j_status bad = ATTN4J_INVALID_ARGUMENT;
    float* const c = cos.data();
    EXPECT_REFUSED(call(c, 4, -1, 4, 8, 1e4, 0, 1, 1, 1, 4, 0), bad, {"firstPosition must be at least 0", "=-1"});
    EXPECT_REFUSED(call(c, 4, 0, -4, 8, 1e4, 0, 1, 1, 1, 4, 0), bad, {"positions must be at least 0", "=-4"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 7, 1e4, 0, 1, 1, 1, 4, 0), bad, {"rotaryDim must be even", "rotaryDim=7"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 0, 1e4, 0, 1, 1, 1, 4, 0), bad, {"at least 2", "rotaryDim=0"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 2, 1e4, 2, 1, 1, 1, 4, 0), bad, {"at least 4 with NTK", "rotaryDim=2"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1, 0, 1, 1, 1, 4, 0), bad, {"base must be finite and greater than 1", "base=1"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, NAN, 0, 1, 1, 1, 4, 0), bad, {"base must be finite", "base=nan"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1e4, 6, 1, 1, 1, 4, 0), bad, {"scaling must be 0 to 5", "scaling=6"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1e4, 1, 0.5, 1, 1, 4, 0), bad,
                   {"factor must be finite and at least 1", "factor=0.5"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1e4, 3, 2, 0, 1, 4, 0), bad, {"originalPositions must be at least 1", "=0"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1e4, 4, 2, 9, 4, 4, 0), bad,
                   {"lowRotations < highRotations", "lowRotations=4 highRotations=4"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1e4, 5, 2, 9, 0, 4, 0), bad, {"0 < lowRotations", "lowRotations=0"});
    EXPECT_REFUSED(call(c, 4, 0, 4, 8, 1e4, 3, 2, 9, 1, 4, -1), bad,
                   {"attentionFactor must be finite", "attentionFactor=-1"});
    EXPECT_REFUSED(call(c, 3, 0, 4, 8, 1e4, 0, 1, 1, 1, 4, 0), bad, {"row stride of", "stride=3", "width=4"});
    EXPECT_REFUSED(call(nullptr, 4, 0, 4, 8, 1e4, 0, 1, 1, 1, 4, 0), bad, {"cos must not be null"});
    EXPECT_REFUSED(call(sin.data(), 4, 0, 4, 8, 1e4, 0, 1, 1, 1, 4, 0), bad, {"cos must not overlap sin"});
    EXPECT_TRUE(cos.untouched() && sin.untouched());
    EXPECT_EQ(call(nullptr, 4, 0, 0, 8, 1e4, 0, 1, 1, 1, 4, 0), ATTN4J_OK);
}

}  // namespace
