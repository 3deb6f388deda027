// SPDX-License-Identifier: Apache-2.0
// Rows into caches of every type against the reference, bit by bit: turned or not, strides, positions, scales, and the
// rows that have no scale.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "elements.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"
#include "kernels/append/reference.h"
#include "kernels/cast/reference.h"
#include "kernels/rotary/reference.h"
#include "tensor.h"

namespace {

struct Case {
    attn4j_dtype x_dtype = ATTN4J_F32, cache_dtype = ATTN4J_INT8;
    int64_t batch = 2, heads = 3, rows = 4, head_dim = 8, rotary_dim = 8, positions = 50, gap = 0;
    attn4j_rotary_layout layout = ATTN4J_ROTARY_HALVES;
    std::vector<int64_t> ids, start;
    GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END;

    Elements operand(attn4j_dtype dtype, bool rows_first) const {
        const int64_t row = head_dim + gap;
        return Elements(dtype, {batch, heads, rows, head_dim},
                        rows_first ? Elements::Numbers{rows * heads * row, row, heads * row, 1}
                                   : Elements::Numbers{heads * (rows + gap) * row, (rows + gap) * row, row, 1},
                        flush);
    }
    int64_t position(int64_t b, int64_t row) const {
        return !ids.empty() ? ids[static_cast<size_t>(row)] : (start.empty() ? 0 : start[static_cast<size_t>(b)]) + row;
    }
};

struct Operands {
    Tensor cos, sin, scales;
    Elements x, cache;

    Operands(const Case& c, Random& random)
        : cos(Tensor::matrix(c.positions, 1 + c.rotary_dim / 2, 1 + c.rotary_dim / 2 + c.gap, c.flush)),
          sin(Tensor::matrix(c.positions, 1 + c.rotary_dim / 2, 1 + c.rotary_dim / 2 + c.gap, c.flush)),
          scales({1, c.batch, c.heads, c.rows}, {0, c.heads * (c.rows + c.gap) + c.gap, c.rows + c.gap, 1}, c.flush),
          x(c.operand(c.x_dtype, true)),
          cache(c.operand(c.cache_dtype, false)) {
        cos.fill_normal(random);
        sin.fill_normal(random);
        x.fill_normal(random);
    }
    attn4j_status append(const Case& c, attn4j_isa isa, int32_t threads) const {
        return attn4j_append(x.data(), x.strides[0], x.strides[1], x.strides[2], c.x_dtype, cache.data(),
                             cache.strides[0], cache.strides[1], cache.strides[2], c.cache_dtype,
                             c.cache_dtype == ATTN4J_INT8 ? scales.data() : nullptr, scales.strides[1],
                             scales.strides[2], c.batch, c.heads, c.rows, c.head_dim, c.rotary_dim, c.layout,
                             c.rotary_dim == 0 ? nullptr : cos.data(), c.rotary_dim == 0 ? nullptr : sin.data(),
                             c.positions, cos.strides[2], c.ids.empty() ? nullptr : c.ids.data(), 0,
                             c.start.empty() ? nullptr : c.start.data(), isa, threads);
    }
};

class AppendTest : public IsaTest {
protected:
    void expect_correct(const Case& c, const Operands& o, int32_t threads = 0) const {
        ASSERT_EQ(o.append(c, isa(), threads), ATTN4J_OK) << attn4j_error_message();
        const std::string what = "x=" + std::to_string(c.x_dtype) + " cache=" + std::to_string(c.cache_dtype) +
                                 " headDim=" + std::to_string(c.head_dim) +
                                 " rotaryDim=" + std::to_string(c.rotary_dim) + " layout=" + std::to_string(c.layout);
        std::vector<double> row(static_cast<size_t>(c.head_dim)), y(row.size());
        for (int64_t b = 0; b < c.batch; ++b)
            for (int64_t h = 0; h < c.heads; ++h)
                for (int64_t r = 0; r < c.rows; ++r) {
                    for (int64_t d = 0; d < c.head_dim; ++d) row[static_cast<size_t>(d)] = o.x.value({b, h, r, d});
                    const int64_t p = c.position(b, r);
                    rotary_reference(row.data(), c.head_dim, c.rotary_dim, c.layout, &o.cos.at(p, 0), &o.sin.at(p, 0),
                                     y.data());
                    const float scale = scale_reference(y.data(), c.head_dim);
                    if (c.cache_dtype == ATTN4J_INT8) {
                        const float stored = o.scales.at(0, b, h, r);
                        ASSERT_TRUE(stored == scale || (std::isnan(stored) && std::isnan(scale)))
                            << what << " stored " << stored << " for " << scale;
                    }
                    for (int64_t d = 0; d < c.head_dim; ++d) {
                        const double number = y[static_cast<size_t>(d)];
                        const uint32_t expected = c.cache_dtype == ATTN4J_INT8
                                                      ? static_cast<uint8_t>(quantized_reference(number, scale))
                                                      : bits_reference(c.cache_dtype, number);
                        ASSERT_EQ(o.cache.bits({b, h, r, d}), expected)
                            << what << " at " << b << ", " << h << ", " << r << ", " << d;
                    }
                }
        ASSERT_TRUE(o.cache.gaps_untouched()) << what;
        ASSERT_TRUE(o.scales.gaps_untouched()) << what;
        ASSERT_TRUE(o.x.gaps_untouched()) << what;
    }
    void expect_correct(const Case& c, Random& random, int32_t threads = 0) const {
        expect_correct(c, Operands(c, random), threads);
    }
};
ATTN4J_ON_EVERY_ISA(AppendTest);

TEST_P(AppendTest, TypesLayoutsWidthsAndStrides) {
    Random random(test_seed());
    for (const attn4j_dtype x_dtype : {ATTN4J_F32, ATTN4J_BF16, ATTN4J_F16})
        for (const attn4j_dtype cache_dtype : {ATTN4J_F32, ATTN4J_BF16, ATTN4J_F16, ATTN4J_INT8})
            for (const int64_t head_dim : widths())
                for (const int64_t rotary_dim : {int64_t{0}, int64_t{2}, head_dim / 2 * 2})
                    for (const attn4j_rotary_layout layout : {ATTN4J_ROTARY_HALVES, ATTN4J_ROTARY_PAIRS})
                        for (const int64_t gap : {0, 3}) {
                            if (rotary_dim > head_dim) continue;
                            Case c;
                            c.x_dtype = x_dtype;
                            c.cache_dtype = cache_dtype;
                            c.layout = layout;
                            c.rotary_dim = rotary_dim;
                            c.head_dim = head_dim;
                            c.gap = gap;
                            c.rows = 2;
                            c.positions = 3;
                            c.flush = gap == 0 ? GuardedFloats::Flush::AT_BEGIN : GuardedFloats::Flush::AT_END;
                            ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
                        }
}

TEST_P(AppendTest, PositionsAndThreads) {
    Random random(test_seed());
    for (const attn4j_dtype cache_dtype : {ATTN4J_BF16, ATTN4J_INT8}) {
        Case c;
        c.cache_dtype = cache_dtype;
        c.start = {5, 46};
        ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
        c.start.clear();
        c.ids = {49, 0, 3, 3};
        ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
        c.ids.clear();
        c.rows = 3000;
        c.positions = 3001;
        c.start = {1, 0};
        const ScopedThreads pool(8);
        for (const int32_t threads : {1, 2, 3, 8}) ASSERT_NO_FATAL_FAILURE(expect_correct(c, random, threads));
    }
}

TEST_P(AppendTest, ScalesOfEverySize) {
    Random random(test_seed());
    for (int power = -149; power <= 127; power += 3) {
        Case c;
        c.rotary_dim = 0;
        c.head_dim = 2 * lanes() + 3;
        const Operands o(c, random);
        o.x.each([&](const Elements::Index& at) { o.x.put(at, std::ldexp(random.uniform() - 0.5, power + 1)); });
        ASSERT_NO_FATAL_FAILURE(expect_correct(c, o)) << power;
    }
}

// Half-way numbers: with a largest of 127 the scale is 1.
TEST_P(AppendTest, TiesToEven) {
    Case c;
    c.batch = c.heads = c.rows = 1;
    c.head_dim = 8;
    c.rotary_dim = 0;
    Random random(1);
    const Operands o(c, random);
    const double numbers[] = {127, 0.5, 1.5, 2.5, -0.5, -1.5, -126.5, -0.0};
    const int expected[] = {127, 0, 2, 2, 0, -2, -126, 0};
    for (int64_t d = 0; d < 8; ++d) o.x.put({0, 0, 0, d}, numbers[d]);
    ASSERT_EQ(o.append(c, isa(), 1), ATTN4J_OK);
    EXPECT_EQ(o.scales.at(0, 0, 0, 0), 1);
    for (int64_t d = 0; d < 8; ++d)
        EXPECT_EQ(static_cast<int8_t>(o.cache.bits({0, 0, 0, d})), expected[d]) << numbers[d];
}

TEST_P(AppendTest, RowsWithoutAScale) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Random random(test_seed());
    for (const double number : {0.0, -0.0, 1e-40, infinity, -infinity, std::nan("")})
        for (int64_t at = 0; at < 2 * lanes() + 3; ++at) {
            Case c;
            c.rotary_dim = 0;
            c.head_dim = 2 * lanes() + 3;
            c.heads = 2;
            const Operands o(c, random);
            // Row 1 of head 0; all others are as they were.
            for (int64_t d = 0; d < c.head_dim && std::isfinite(number); ++d) o.x.put({0, 0, 1, d}, number);
            o.x.put({0, 0, 1, at}, number);
            ASSERT_NO_FATAL_FAILURE(expect_correct(c, o)) << number << " at " << at;
            EXPECT_EQ(o.cache.bits({0, 0, 1, at}), 0u);
            EXPECT_EQ(std::isnan(o.scales.at(0, 0, 0, 1)), !std::isfinite(number));
        }
}

TEST_P(AppendTest, NothingToAppend) {
    EXPECT_EQ(attn4j_append(nullptr, 0, 0, 0, ATTN4J_F32, nullptr, 0, 0, 0, ATTN4J_INT8, nullptr, 0, 0, 2, 3, 0, 8, 0,
                            ATTN4J_ROTARY_HALVES, nullptr, nullptr, 0, 0, nullptr, 0, nullptr, isa(), 0),
              ATTN4J_OK);
}

TEST(AppendErrors, RefusedAndNothingWritten) {
    Case c;
    c.positions = 10;
    Random random(1);
    const Operands o(c, random);
    struct Arguments {
        const void* x;
        int64_t x_batch, x_head, x_row;
        int x_dtype = ATTN4J_F32;
        void* cache;
        int64_t cache_batch, cache_head, cache_row;
        int cache_dtype = ATTN4J_INT8;
        float* scales;
        int64_t scales_batch, scales_head;
        int64_t batch = 2, heads = 3, rows = 4, head_dim = 8, rotary_dim = 8;
        int layout = 0;
        const float *cos, *sin;
        int64_t positions = 10;
        const int64_t *position_ids = nullptr, *start = nullptr;
        int32_t threads = 0;
    };
    const auto refused = [&](const std::function<void(Arguments&)>& change, std::initializer_list<const char*> parts) {
        Arguments a;
        a.x = o.x.data(), a.x_batch = o.x.strides[0], a.x_head = o.x.strides[1], a.x_row = o.x.strides[2];
        a.cache = o.cache.data();
        a.cache_batch = o.cache.strides[0], a.cache_head = o.cache.strides[1], a.cache_row = o.cache.strides[2];
        a.scales = o.scales.data(), a.scales_batch = o.scales.strides[1], a.scales_head = o.scales.strides[2];
        a.cos = o.cos.data();
        a.sin = o.sin.data();
        change(a);
        EXPECT_REFUSED(
            attn4j_append(a.x, a.x_batch, a.x_head, a.x_row, static_cast<attn4j_dtype>(a.x_dtype), a.cache,
                          a.cache_batch, a.cache_head, a.cache_row, static_cast<attn4j_dtype>(a.cache_dtype), a.scales,
                          a.scales_batch, a.scales_head, a.batch, a.heads, a.rows, a.head_dim, a.rotary_dim,
                          static_cast<attn4j_rotary_layout>(a.layout), a.cos, a.sin, a.positions, o.cos.strides[2],
                          a.position_ids, 0, a.start, ATTN4J_ISA_DEFAULT, a.threads),
            ATTN4J_INVALID_ARGUMENT, parts);
    };
    refused([](Arguments& a) { a.x_dtype = ATTN4J_INT8; }, {"xDtype must be 0 to 2", "xDtype=3"});
    refused([](Arguments& a) { a.cache_dtype = 4; }, {"cacheDtype must be 0 to 3", "cacheDtype=4"});
    refused([](Arguments& a) { a.layout = 2; }, {"layout must be 0 to 1", "layout=2"});
    refused([](Arguments& a) { a.batch = -1; }, {"batch must be at least 0", "batch=-1"});
    refused([](Arguments& a) { a.heads = 0; }, {"heads must be at least 1", "heads=0"});
    refused([](Arguments& a) { a.rows = -1; }, {"rows must be at least 0", "rows=-1"});
    refused([](Arguments& a) { a.head_dim = 0; }, {"headDim must be at least 1", "headDim=0"});
    refused([](Arguments& a) { a.rotary_dim = 7; }, {"rotaryDim must be even", "rotaryDim=7", "headDim=8"});
    refused([](Arguments& a) { a.rotary_dim = 10; }, {"from 2 to headDim", "rotaryDim=10"});
    refused([](Arguments& a) { a.threads = -1; }, {"threads=-1"});
    refused([](Arguments& a) { a.positions = 3; }, {"within the tables", "start[0]=0", "rows=4", "positions=3"});
    refused([](Arguments& a) { a.x = nullptr; }, {"x must not be null"});
    refused([](Arguments& a) { a.cache = nullptr; }, {"cache must not be null"});
    refused([](Arguments& a) { a.scales = nullptr; }, {"scales must not be null where the cache is INT8", "rows=4"});
    refused([](Arguments& a) { a.cos = nullptr; }, {"cos must not be null"});
    refused([](Arguments& a) { a.x_head = -8; }, {"strides of x must not be negative", "head=-8"});
    refused([](Arguments& a) { a.scales_head = -1; }, {"strides of scales must not be negative", "head=-1"});
    refused([](Arguments& a) { a.scales_head = 3; }, {"elements of scales must not share memory", "stride=3"});
    refused([](Arguments& a) { a.cache_row = 7; }, {"elements of cache must not share memory", "stride=7"});
    refused([](Arguments& a) { a.cache = const_cast<void*>(a.x); }, {"cache must not overlap x"});
    refused([](Arguments& a) { a.cache = const_cast<float*>(a.sin); }, {"cache must not overlap sin"});
    refused([](Arguments& a) { a.scales = static_cast<float*>(const_cast<void*>(a.x)); },
            {"scales must not overlap x"});
    refused([](Arguments& a) { a.scales = static_cast<float*>(a.cache); }, {"scales must not overlap cache"});
    refused([](Arguments& a) { a.scales = const_cast<float*>(a.cos); }, {"scales must not overlap cos"});
    refused([](Arguments& a) { a.scales = const_cast<float*>(a.sin); }, {"scales must not overlap sin"});
    std::vector<int64_t> positions(64, 1);
    refused(
        [&](Arguments& a) {
            a.position_ids = positions.data();
            a.scales = reinterpret_cast<float*>(positions.data());
        },
        {"scales must not overlap positionIds"});
    refused(
        [&](Arguments& a) {
            a.start = positions.data();
            a.scales = reinterpret_cast<float*>(positions.data());
        },
        {"scales must not overlap start"});
    EXPECT_EQ(positions, std::vector<int64_t>(64, 1));
    EXPECT_TRUE(o.cache.untouched());
    EXPECT_TRUE(o.scales.untouched());
}

}  // namespace
