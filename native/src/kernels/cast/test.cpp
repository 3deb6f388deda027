// SPDX-License-Identifier: Apache-2.0
// Every 16-bit number widened, every rounding boundary narrowed, and matrices of every pair of types.
#include "kernels/cast/cast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "elements.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"
#include "kernels/cast/reference.h"

namespace {

constexpr attn4j_dtype kTypes[] = {ATTN4J_F32, ATTN4J_BF16, ATTN4J_F16}, kHalves[] = {ATTN4J_BF16, ATTN4J_F16};

float float_of(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

class CastTest : public IsaTest {
protected:
    std::vector<uint16_t> narrowed(attn4j_dtype dtype, const std::vector<float>& x) const {
        std::vector<uint16_t> out(x.size());
        const int64_t n = static_cast<int64_t>(x.size());
        EXPECT_EQ(attn4j_cast(x.data(), ATTN4J_F32, n, out.data(), dtype, n, 1, n, isa(), 1), ATTN4J_OK);
        return out;
    }

    void expect_nearest(attn4j_dtype dtype, const std::vector<float>& x) const {
        const std::vector<uint16_t> out = narrowed(dtype, x);
        for (size_t i = 0; i < x.size(); ++i) {
            if (std::isnan(x[i])) {
                ASSERT_TRUE(std::isnan(value_reference(dtype, out[i])))
                    << std::hex << bits_of(x[i]) << " to " << out[i];
            } else {
                ASSERT_EQ(out[i], bits_reference(dtype, x[i])) << std::hex << bits_of(x[i]) << " to type " << dtype;
            }
        }
    }
};
ATTN4J_ON_EVERY_ISA(CastTest);

TEST_P(CastTest, EveryHalfThereAndBack) {
    for (const attn4j_dtype dtype : kHalves) {
        std::vector<uint16_t> halves;
        for (uint32_t bits = 0; bits <= 0xffff; ++bits) halves.push_back(static_cast<uint16_t>(bits));
        std::vector<float> wide(halves.size());
        const int64_t n = static_cast<int64_t>(halves.size());
        ASSERT_EQ(attn4j_cast(halves.data(), dtype, n, wide.data(), ATTN4J_F32, n, 1, n, isa(), 1), ATTN4J_OK);
        const std::vector<uint16_t> back = narrowed(dtype, wide);
        const uint16_t quiet = dtype == ATTN4J_BF16 ? 0x40 : 0x200;
        for (size_t i = 0; i < halves.size(); ++i) {
            const double expected = value_reference(dtype, halves[i]);
            if (std::isnan(expected)) {
                ASSERT_TRUE(std::isnan(wide[i])) << std::hex << i;
                ASSERT_EQ(back[i], halves[i] | quiet);
            } else {
                ASSERT_EQ(wide[i], expected) << std::hex << i;
                ASSERT_EQ(std::signbit(wide[i]), std::signbit(expected)) << std::hex << i;
                ASSERT_EQ(back[i], halves[i]);
            }
        }
    }
}

// Half way between each two neighbours, and the floats beside that; the ends of the range; NaNs of all kinds.
TEST_P(CastTest, RoundsToTheNearest) {
    for (const attn4j_dtype dtype : kHalves) {
        std::vector<float> x;
        for (uint32_t bits = 0; bits < 0x7fff; ++bits) {
            const double a = value_reference(dtype, bits), b = value_reference(dtype, bits + 1);
            if (std::isnan(b) || std::isinf(a)) continue;
            // Beyond the largest number, the next would be as far as its neighbour is.
            const double next = std::isinf(b) ? 2 * a - value_reference(dtype, bits - 1) : b;
            const float middle = static_cast<float>((a + next) / 2);
            for (const float y : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, INFINITY)}) {
                x.push_back(y);
                x.push_back(-y);
            }
        }
        for (const uint32_t bits :
             {0u, 1u, 0x80000001u, 0x007fffffu, 0x7f7fffffu, 0xff7fffffu, 0x7f800000u, 0xff800000u, 0x7f800001u,
              0xff800001u, 0x7fbfffffu, 0x7fc00000u, 0x7fffffffu, 0xffffffffu})
            x.push_back(float_of(bits));
        expect_nearest(dtype, x);
    }
}

TEST_P(CastTest, RandomBits) {
    Random random(test_seed());
    std::vector<float> x(200'000);
    for (float& y : x) y = float_of(static_cast<uint32_t>(random.next()));
    for (const attn4j_dtype dtype : kHalves) expect_nearest(dtype, x);
}

TEST_P(CastTest, TypesWidthsAndStrides) {
    Random random(test_seed());
    std::vector<int64_t> all = widths();
    for (int64_t width = 1; width <= 2 * lanes() + 1; ++width) all.push_back(width);
    for (const attn4j_dtype from : kTypes)
        for (const attn4j_dtype to : kTypes)
            for (const int64_t width : all)
                for (const int64_t gap : {0, 3})
                    for (const auto flush : {GuardedFloats::Flush::AT_END, GuardedFloats::Flush::AT_BEGIN}) {
                        const Elements x = Elements::matrix(from, 3, width, width + gap, flush),
                                       out = Elements::matrix(to, 3, width, width + 2 * gap, flush);
                        x.fill_normal(random);
                        ASSERT_EQ(attn4j_cast(x.data(), from, width + gap, out.data(), to, width + 2 * gap, 3, width,
                                              isa(), 0),
                                  ATTN4J_OK);
                        x.each([&](const Elements::Index& at) {
                            ASSERT_EQ(out.bits(at), bits_reference(to, x.value(at)))
                                << from << " to " << to << ", " << width;
                        });
                        ASSERT_TRUE(out.gaps_untouched()) << from << " to " << to << ", " << width;
                        ASSERT_TRUE(x.gaps_untouched());
                    }
}

TEST_P(CastTest, ManyRowsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Elements x = Elements::matrix(ATTN4J_F32, 500, 101, 103);
    x.fill_normal(random);
    for (const int32_t threads : {1, 2, 3, 8, 0}) {
        const Elements out = Elements::matrix(ATTN4J_BF16, 500, 101, 102);
        ASSERT_EQ(attn4j_cast(x.data(), ATTN4J_F32, 103, out.data(), ATTN4J_BF16, 102, 500, 101, isa(), threads),
                  ATTN4J_OK);
        x.each([&](const Elements::Index& at) { ASSERT_EQ(out.bits(at), bits_reference(ATTN4J_BF16, x.value(at))); });
        EXPECT_TRUE(out.gaps_untouched());
    }
}

TEST(CastErrors, RefusedAndNothingWritten) {
    const Elements x = Elements::matrix(ATTN4J_F32, 4, 6, 6), out = Elements::matrix(ATTN4J_F16, 4, 6, 6);
    x.each([&](const Elements::Index& at) { x.put(at, 1); });
    const auto call = [&](const void* from, int x_dtype, int64_t x_stride, void* to, int out_dtype, int64_t out_stride,
                          int64_t rows, int64_t width, int32_t threads) {
        return attn4j_cast(from, static_cast<attn4j_dtype>(x_dtype), x_stride, to, static_cast<attn4j_dtype>(out_dtype),
                           out_stride, rows, width, ATTN4J_ISA_DEFAULT, threads);
    };
    const attn4j_status bad = ATTN4J_INVALID_ARGUMENT;
    EXPECT_REFUSED(call(x.data(), 3, 6, out.data(), 2, 6, 4, 6, 0), bad, {"xDtype must be 0 to 2", "xDtype=3"});
    EXPECT_REFUSED(call(x.data(), 0, 6, out.data(), -1, 6, 4, 6, 0), bad, {"outDtype must be 0 to 2", "outDtype=-1"});
    EXPECT_REFUSED(call(x.data(), 0, 5, out.data(), 2, 6, 4, 6, 0), bad, {"row stride of x", "stride=5", "width=6"});
    EXPECT_REFUSED(call(x.data(), 0, 6, out.data(), 2, 5, 4, 6, 0), bad, {"row stride of out", "stride=5", "width=6"});
    EXPECT_REFUSED(call(nullptr, 0, 6, out.data(), 2, 6, 4, 6, 0), bad, {"x must not be null"});
    EXPECT_REFUSED(call(x.data(), 0, 6, nullptr, 2, 6, 4, 6, 0), bad, {"out must not be null"});
    EXPECT_REFUSED(call(x.data(), 0, 6, out.data(), 2, 6, -4, 6, 0), bad, {"rows must be at least 0", "rows=-4"});
    EXPECT_REFUSED(call(x.data(), 0, 6, out.data(), 2, 6, 4, 0, 0), bad, {"width must be at least 1", "width=0"});
    EXPECT_REFUSED(call(x.data(), 0, 6, out.data(), 2, 6, 4, 6, -1), bad, {"threads=-1"});
    EXPECT_REFUSED(call(x.data(), 0, 6, out.data(), 2, INT64_MAX / 2, 4, 6, 0), bad, {"out must fit into memory"});
    EXPECT_REFUSED(call(out.data(), 2, 6, out.data(), 0, 6, 4, 6, 0), bad, {"out must not overlap x"});
    EXPECT_TRUE(out.untouched());
    EXPECT_EQ(call(nullptr, 0, 6, nullptr, 2, 6, 0, 6, 0), ATTN4J_OK);
}

}  // namespace
