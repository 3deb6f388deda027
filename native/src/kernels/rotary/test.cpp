// SPDX-License-Identifier: Apache-2.0
// Rotary embedding against the reference, bit by bit: types, layouts, parts, strides, positions; and what it is for.
#include "kernels/rotary/rotary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "elements.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"
#include "kernels/cast/reference.h"
#include "kernels/rotary/reference.h"
#include "tensor.h"

namespace {

struct Case {
    attn4j_dtype dtype = ATTN4J_F32;
    int64_t batch = 2, heads = 3, rows = 4, head_dim = 8, rotary_dim = 8, positions = 50, gap = 0;
    attn4j_rotary_layout layout = ATTN4J_ROTARY_HALVES;
    std::vector<int64_t> ids, start;
    int64_t ids_stride = 0;
    bool rows_first = false;  // [batch, rows, heads, head_dim]
    GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END;

    Elements operand(int64_t more) const {
        const int64_t row = head_dim + gap + more;
        const Elements::Numbers strides = rows_first ? Elements::Numbers{rows * heads * row + more, row, heads * row, 1}
                                                     : Elements::Numbers{heads * rows * row + more, rows * row, row, 1};
        return Elements(dtype, {batch, heads, rows, head_dim}, strides, flush);
    }
    int64_t position(int64_t b, int64_t row) const {
        return !ids.empty()     ? ids[static_cast<size_t>(b * ids_stride + row)]
               : !start.empty() ? start[static_cast<size_t>(b)] + row
                                : row;
    }
};

struct Tables {
    Tensor cos, sin;

    Tables(const Case& c, Random& random)
        : cos(Tensor::matrix(c.positions, c.rotary_dim / 2, c.rotary_dim / 2 + c.gap, c.flush)),
          sin(Tensor::matrix(c.positions, c.rotary_dim / 2, c.rotary_dim / 2 + c.gap, c.flush)) {
        cos.fill_normal(random);
        sin.fill_normal(random);
    }
};

attn4j_status turn(const Case& c, const Tables& t, const Elements& x, const Elements& out, attn4j_isa isa,
                   int32_t threads) {
    return attn4j_rotary(x.data(), x.strides[0], x.strides[1], x.strides[2], out.data(), out.strides[0], out.strides[1],
                         out.strides[2], c.dtype, c.batch, c.heads, c.rows, c.head_dim, c.rotary_dim, c.layout,
                         t.cos.data(), t.sin.data(), c.positions, t.cos.strides[2],
                         c.ids.empty() ? nullptr : c.ids.data(), c.ids_stride,
                         c.start.empty() ? nullptr : c.start.data(), isa, threads);
}

class RotaryTest : public IsaTest {
protected:
    void expect_correct(const Case& c, Random& random, int32_t threads = 0) const {
        const Tables tables(c, random);
        const Elements x = c.operand(c.gap), out = c.operand(0);
        x.fill_normal(random);
        ASSERT_EQ(turn(c, tables, x, out, isa(), threads), ATTN4J_OK) << attn4j_error_message();
        const std::string what = "type=" + std::to_string(c.dtype) + " headDim=" + std::to_string(c.head_dim) +
                                 " rotaryDim=" + std::to_string(c.rotary_dim) + " layout=" + std::to_string(c.layout) +
                                 " gap=" + std::to_string(c.gap);
        std::vector<double> row(static_cast<size_t>(c.head_dim)), expected(row.size());
        for (int64_t b = 0; b < c.batch; ++b)
            for (int64_t h = 0; h < c.heads; ++h)
                for (int64_t r = 0; r < c.rows; ++r) {
                    for (int64_t d = 0; d < c.head_dim; ++d) row[static_cast<size_t>(d)] = x.value({b, h, r, d});
                    const int64_t p = c.position(b, r);
                    rotary_reference(row.data(), c.head_dim, c.rotary_dim, c.layout, &tables.cos.at(p, 0),
                                     &tables.sin.at(p, 0), expected.data());
                    for (int64_t d = 0; d < c.head_dim; ++d)
                        ASSERT_EQ(out.bits({b, h, r, d}), bits_reference(c.dtype, expected[static_cast<size_t>(d)]))
                            << what << " at " << b << ", " << h << ", " << r << ", " << d;
                }
        ASSERT_TRUE(out.gaps_untouched()) << what;
        ASSERT_TRUE(x.gaps_untouched()) << what;
        // And in place.
        ASSERT_EQ(turn(c, tables, x, x, isa(), threads), ATTN4J_OK) << attn4j_error_message();
        ASSERT_EQ(x.all(), out.all()) << what;
        ASSERT_TRUE(x.gaps_untouched()) << what;
    }
};
ATTN4J_ON_EVERY_ISA(RotaryTest);

TEST_P(RotaryTest, TypesLayoutsPartsAndStrides) {
    Random random(test_seed());
    std::vector<int64_t> dims = {64, 80, 96, 128, 130};
    for (int64_t dim = 2; dim <= 4 * lanes() + 2; dim += 2) dims.push_back(dim);
    for (const attn4j_dtype dtype : {ATTN4J_F32, ATTN4J_BF16, ATTN4J_F16})
        for (const attn4j_rotary_layout layout : {ATTN4J_ROTARY_HALVES, ATTN4J_ROTARY_PAIRS})
            for (const int64_t rotary_dim : dims)
                for (const int64_t rest : {0, 1, 16})
                    for (const int64_t gap : {0, 3}) {
                        Case c;
                        c.dtype = dtype;
                        c.layout = layout;
                        c.rotary_dim = rotary_dim;
                        c.head_dim = rotary_dim + rest;
                        c.gap = gap;
                        c.rows_first = gap == 0;
                        c.flush = rest == 1 ? GuardedFloats::Flush::AT_BEGIN : GuardedFloats::Flush::AT_END;
                        ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
                    }
}

TEST_P(RotaryTest, Positions) {
    Random random(test_seed());
    Case c;
    c.positions = 9;
    c.start = {5, 0};
    ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
    c.start.clear();
    c.ids = {8, 0, 3, 3, 1, 2, 0, 7};
    c.ids_stride = 4;
    ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
    c.ids_stride = 0;
    ASSERT_NO_FATAL_FAILURE(expect_correct(c, random));
    c.batch = 1;
    c.heads = 2;
    c.rows = 3000;
    c.positions = 3001;
    c.ids.clear();
    c.start = {1};
    const ScopedThreads pool(8);
    for (const int32_t threads : {1, 2, 3, 8}) ASSERT_NO_FATAL_FAILURE(expect_correct(c, random, threads));
}

TEST_P(RotaryTest, NothingToTurn) {
    Case c;
    c.rows = 0;
    EXPECT_EQ(attn4j_rotary(nullptr, 0, 0, 0, nullptr, 0, 0, 0, ATTN4J_F32, 2, 3, 0, 8, 8, ATTN4J_ROTARY_HALVES,
                            nullptr, nullptr, 0, 4, nullptr, 0, nullptr, isa(), 0),
              ATTN4J_OK);
}

// q . k depends on the distance of the two alone.
TEST_P(RotaryTest, DotProductsSeeDistances) {
    Random random(test_seed());
    const int64_t dim = 64;
    const Tensor cos = Tensor::matrix(500, dim / 2, dim / 2), sin = Tensor::matrix(500, dim / 2, dim / 2);
    ASSERT_EQ(attn4j_rotary_tables(cos.data(), sin.data(), dim / 2, 0, 500, dim, 10000, ATTN4J_ROTARY_UNSCALED, 0, 0, 0,
                                   0, 0, 0),
              ATTN4J_OK);
    const Tensor q = Tensor::vector(dim), k = Tensor::vector(dim);
    q.fill_normal(random);
    k.fill_normal(random);
    for (const attn4j_rotary_layout layout : {ATTN4J_ROTARY_HALVES, ATTN4J_ROTARY_PAIRS}) {
        const auto dot = [&](int64_t q_position, int64_t k_position) {
            const Tensor a = Tensor::vector(dim), b = Tensor::vector(dim);
            for (const auto& [from, to, position] : {std::tuple(q, a, q_position), std::tuple(k, b, k_position)})
                EXPECT_EQ(
                    attn4j_rotary(from.data(), dim, dim, dim, to.data(), dim, dim, dim, ATTN4J_F32, 1, 1, 1, dim, dim,
                                  layout, cos.data(), sin.data(), 500, dim / 2, nullptr, 0, &position, isa(), 1),
                    ATTN4J_OK);
            double total = 0;
            for (int64_t d = 0; d < dim; ++d) total += static_cast<double>(a.at(0, d)) * b.at(0, d);
            return total;
        };
        double plain = 0;
        for (int64_t d = 0; d < dim; ++d) plain += static_cast<double>(q.at(0, d)) * k.at(0, d);
        EXPECT_NEAR(dot(0, 0), plain, 1e-5);
        EXPECT_NEAR(dot(499, 499), plain, 1e-5);
        EXPECT_NEAR(dot(300, 100), dot(499, 299), 1e-5);
        EXPECT_NEAR(dot(7, 8), dot(123, 124), 1e-5);
        EXPECT_GT(std::fabs(dot(7, 8) - plain), 1e-4);
    }
}

TEST(RotaryErrors, RefusedAndNothingWritten) {
    Case c;
    c.positions = 10;
    Random random(1);
    const Tables t(c, random);
    const Elements x = c.operand(0), out = c.operand(0);
    x.fill_normal(random);
    const int64_t ids[] = {0, 1, 2, 3, 0, 1, 2, 10}, negative[] = {0, 1, 2, -1}, start[] = {0, 7}, below[] = {-1, 0};
    struct Arguments {
        const void* x;
        int64_t x_batch = 96, x_head = 32, x_row = 8;
        void* out;
        int64_t out_batch = 96, out_head = 32, out_row = 8;
        int dtype = 0;
        int64_t batch = 2, heads = 3, rows = 4, head_dim = 8, rotary_dim = 8;
        int layout = 0;
        const float *cos, *sin;
        int64_t positions = 10, table_stride = 4;
        const int64_t* ids = nullptr;
        int64_t ids_stride = 0;
        const int64_t* start = nullptr;
        int32_t threads = 0;
    };
    const auto refused = [&](const std::function<void(Arguments&)>& change, std::initializer_list<const char*> parts) {
        Arguments a;
        a.x = x.data();
        a.out = out.data();
        a.cos = t.cos.data();
        a.sin = t.sin.data();
        change(a);
        EXPECT_REFUSED(
            attn4j_rotary(a.x, a.x_batch, a.x_head, a.x_row, a.out, a.out_batch, a.out_head, a.out_row,
                          static_cast<attn4j_dtype>(a.dtype), a.batch, a.heads, a.rows, a.head_dim, a.rotary_dim,
                          static_cast<attn4j_rotary_layout>(a.layout), a.cos, a.sin, a.positions, a.table_stride, a.ids,
                          a.ids_stride, a.start, ATTN4J_ISA_DEFAULT, a.threads),
            ATTN4J_INVALID_ARGUMENT, parts);
    };
    refused([](Arguments& a) { a.dtype = 3; }, {"dtype must be 0 to 2", "dtype=3"});
    refused([](Arguments& a) { a.layout = 2; }, {"layout must be 0 to 1", "layout=2"});
    refused([](Arguments& a) { a.batch = -1; }, {"batch must be at least 0", "batch=-1"});
    refused([](Arguments& a) { a.heads = 0; }, {"heads must be at least 1", "heads=0"});
    refused([](Arguments& a) { a.rows = -1; }, {"rows must be at least 0", "rows=-1"});
    refused([](Arguments& a) { a.head_dim = 0; }, {"headDim must be at least 1", "headDim=0"});
    refused([](Arguments& a) { a.rotary_dim = 7; }, {"rotaryDim must be even", "rotaryDim=7", "headDim=8"});
    refused([](Arguments& a) { a.rotary_dim = 10; }, {"from 2 to headDim", "rotaryDim=10", "headDim=8"});
    refused([](Arguments& a) { a.rotary_dim = 0; }, {"from 2 to headDim", "rotaryDim=0"});
    refused([](Arguments& a) { a.threads = -1; }, {"threads=-1"});
    refused([](Arguments& a) { a.positions = 3; }, {"within the tables", "start[0]=0", "rows=4", "positions=3"});
    refused([&](Arguments& a) { a.start = start; }, {"within the tables", "start[1]=7", "rows=4", "positions=10"});
    refused([&](Arguments& a) { a.start = below; }, {"within the tables", "start[0]=-1"});
    refused([&](Arguments& a) { a.ids = ids, a.ids_stride = 4; },
            {"within the tables", "positionIds[1, 3]=10", "positions=10"});
    refused([&](Arguments& a) { a.ids = negative; }, {"within the tables", "positionIds[0, 3]=-1"});
    refused([&](Arguments& a) { a.ids = ids, a.ids_stride = 3; },
            {"batch stride of positionIds", "stride=3", "rows=4"});
    refused([&](Arguments& a) { a.ids = ids, a.start = start; }, {"positionIds or by start, not both"});
    refused([](Arguments& a) { a.x = nullptr; }, {"x must not be null"});
    refused([](Arguments& a) { a.out = nullptr; }, {"out must not be null"});
    refused([](Arguments& a) { a.cos = nullptr; }, {"cos must not be null"});
    refused([](Arguments& a) { a.sin = nullptr; }, {"sin must not be null"});
    refused([](Arguments& a) { a.table_stride = 3; }, {"row stride of cos", "stride=3", "width=4"});
    refused([](Arguments& a) { a.x_head = -32; }, {"strides of x must not be negative", "head=-32"});
    refused([](Arguments& a) { a.out_row = 7; }, {"elements of out must not share memory", "stride=7"});
    refused([](Arguments& a) { a.x_batch = INT64_MAX / 2; }, {"x must fit into memory"});
    refused([](Arguments& a) { a.out = const_cast<float*>(a.cos); }, {"out must not overlap cos"});
    refused([](Arguments& a) { a.x = static_cast<const float*>(a.out) + 1; }, {"out must not overlap x"});
    refused([](Arguments& a) { a.x = a.out, a.x_row = 16, a.x_head = 64; }, {"out must not overlap x"});
    EXPECT_TRUE(out.untouched());
}

}  // namespace
