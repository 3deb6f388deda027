// SPDX-License-Identifier: Apache-2.0
// Linear layers with a weight of bfloat16 against double precision: types of x and out, bias, activation, residual,
// strides, sizes around the edges of tiles and tasks.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "elements.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"
#include "kernels/cast/reference.h"
#include "kernels/pointwise/reference.h"
#include "tensor.h"
#include "tolerance.h"

namespace {

struct Bf16Case {
    int64_t rows, in, out;
    attn4j_dtype x_dtype = ATTN4J_BF16, out_dtype = ATTN4J_F32;
    bool bias = false, residual = false, gelu = false;
    int64_t gap = 0;
    int32_t threads = 0;
};

struct Bf16Data {
    Elements x, weight, out;
    Tensor bias, residual;
};

Bf16Data make_data(const Bf16Case& c, uint64_t seed) {
    Random random(seed);
    Bf16Data d;
    d.x = Elements::matrix(c.x_dtype, c.rows, c.in, c.in + c.gap);
    d.weight = Elements::matrix(ATTN4J_BF16, c.out, c.in, c.in + 2 * c.gap);
    d.out = Elements::matrix(c.out_dtype, c.rows, c.out, c.out + c.gap);
    d.bias = Tensor::vector(c.out);
    d.residual = Tensor::matrix(c.rows, c.out, c.out + c.gap, GuardedFloats::Flush::AT_BEGIN);
    d.x.fill_normal(random);
    d.weight.fill_normal(random);
    d.bias.fill_normal(random);
    d.residual.fill_normal(random);
    return d;
}

class Bf16LinearTest : public IsaTest {
protected:
    const attn4j::Bf16LinearKernel& kernel() const {
        const attn4j::Bf16Kernels* bf16 = attn4j::bf16_kernels_of(isa());
        return bf16 != nullptr ? bf16->linear : kernels().linear_bf16;
    }

    attn4j_status call(const Bf16Case& c, const Bf16Data& d) const {
        return attn4j_linear_bf16(d.x.data(), c.x_dtype, d.x.strides[2], d.weight.data(), d.weight.strides[2],
                                  c.bias ? d.bias.data() : nullptr, c.residual ? d.residual.data() : nullptr,
                                  d.residual.strides[2], d.out.data(), c.out_dtype, d.out.strides[2], c.rows, c.in,
                                  c.out, c.gelu ? ATTN4J_GELU : ATTN4J_IDENTITY, isa(), c.threads);
    }
    void run(const Bf16Case& c, const Bf16Data& d) const {
        ASSERT_EQ(call(c, d), ATTN4J_OK) << attn4j_error_message();
        EXPECT_TRUE(d.out.gaps_untouched());
    }

    void check(const Bf16Case& c) const {
        const Bf16Data d = make_data(c, test_seed());
        run(c, d);
        std::vector<double> x, weight;
        d.x.each([&](const Elements::Index& at) { x.push_back(rounded_reference(ATTN4J_BF16, d.x.value(at))); });
        d.weight.each([&](const Elements::Index& at) { weight.push_back(d.weight.value(at)); });
        for (int64_t r = 0; r < c.rows; ++r)
            for (int64_t o = 0; o < c.out; ++o) {
                double sum = 0, size = 4;
                for (int64_t i = 0; i < c.in; ++i) {
                    const double term =
                        x[static_cast<size_t>(r * c.in + i)] * weight[static_cast<size_t>(o * c.in + i)];
                    sum += term;
                    size += std::fabs(term);
                }
                const double expected =
                    pointwise_reference(sum, c.bias ? static_cast<double>(d.bias.at(0, o)) : 0,
                                        c.residual ? static_cast<double>(d.residual.at(r, o)) : 0, c.gelu);
                // Half a unit of a result of bfloat16 comes to it.
                const double tolerance = linear_tolerance(c.in, size) + (c.gelu ? gelu_tolerance(size) : 0) +
                                         (c.out_dtype == ATTN4J_BF16 ? 0x1p-8 * std::fabs(expected) : 0);
                ASSERT_NEAR(d.out.value({0, 0, r, o}), expected, tolerance)
                    << "rows=" << c.rows << " in=" << c.in << " out=" << c.out << " x=" << c.x_dtype
                    << " to=" << c.out_dtype << " gelu=" << c.gelu << " bias=" << c.bias << " residual=" << c.residual
                    << " gap=" << c.gap << " r=" << r << " o=" << o;
            }
    }

    // All types and parts of one size.
    void check_all(int64_t rows, int64_t in, int64_t out) const {
        for (int parts = 0; parts < 32; parts += 1 + 4 * (rows > 64)) {
            Bf16Case c{rows, in, out};
            c.x_dtype = parts & 1 ? ATTN4J_F32 : ATTN4J_BF16;
            c.out_dtype = parts & 2 ? ATTN4J_BF16 : ATTN4J_F32;
            c.bias = parts & 4;
            c.residual = parts & 8;
            c.gelu = parts & 16;
            c.gap = parts % 3;
            check(c);
        }
    }
};
ATTN4J_ON_EVERY_ISA(Bf16LinearTest);

TEST_P(Bf16LinearTest, SmallAndAwkward) {
    for (const int64_t rows : {1, 7})
        for (const int64_t in : {1, 2, 5, 33})
            for (const int64_t out : {1, 3, 17}) check_all(rows, in, out);
}

TEST_P(Bf16LinearTest, EdgesOfRowsInputsAndOutputs) {
    const int64_t block = kernel().block_rows;
    for (const int64_t rows : {lanes() + 1, 2 * lanes(), block - 1, block, block + 1, 2 * block + 1})
        check_all(rows, 19, 21);
    for (const int64_t in : {31, 32, 64, 255, 257, 511, 512, 513, 544, 1025}) check_all(2, in, 9);
    // Inputs of which fewer rows are packed at once.
    for (const int64_t in : {2049, 2731, 8193}) {
        Bf16Case c{block, in, 19};
        c.bias = c.residual = true;
        c.gap = 1;
        check(c);
    }
    for (const int64_t out : {15, 16, 63, 64, 65, 129, 1023, 1025}) check_all(2, 32, out);
}

TEST_P(Bf16LinearTest, ARowDependsOnItselfAlone) {
    Bf16Case c{kernel().block_rows + lanes() + 1, 300, 401};
    c.bias = c.gelu = true;
    const Bf16Data all = make_data(c, test_seed());
    run(c, all);
    for (const int64_t r : {int64_t{0}, lanes() - 1, lanes(), c.rows - 1}) {
        Bf16Case one = c;
        one.rows = 1;
        Bf16Data alone = make_data(one, test_seed());
        alone.weight = all.weight;
        alone.bias = all.bias;
        for (int64_t i = 0; i < c.in; ++i) alone.x.put_bits({0, 0, 0, i}, all.x.bits({0, 0, r, i}));
        run(one, alone);
        for (int64_t o = 0; o < c.out; ++o)
            ASSERT_EQ(alone.out.bits({0, 0, 0, o}), all.out.bits({0, 0, r, o})) << r << ", " << o;
    }
}

// Around the columns that are read ahead, whole lines, and the inputs of few rows that are laid out at a time.
TEST_P(Bf16LinearTest, FewRowsAreAsInManyRows) {
    for (const int64_t in : {63, 127, 128, 131, 257, 546, 1090, 4130, 8227})
        for (const int64_t out : {1, 15, 31, 32, 33, 64, 70, 201}) {
            Bf16Case c{lanes(), in, out};
            c.x_dtype = out % 2 == 0 ? ATTN4J_F32 : ATTN4J_BF16;
            c.bias = true;
            c.gap = out % 3;
            const Bf16Data all = make_data(c, test_seed());
            run(c, all);
            for (c.rows = 1; c.rows < lanes(); ++c.rows) {
                Bf16Data few = all;
                few.out = Elements::matrix(c.out_dtype, c.rows, out, out + c.gap);
                run(c, few);
                for (int64_t r = 0; r < c.rows; ++r)
                    for (int64_t o = 0; o < out; ++o)
                        ASSERT_EQ(few.out.bits({0, 0, r, o}), all.out.bits({0, 0, r, o}))
                            << "rows=" << c.rows << " in=" << in << " out=" << out << " r=" << r << " o=" << o;
            }
        }
}

TEST_P(Bf16LinearTest, NanStaysInItsRowOrItsFeature) {
    Bf16Case c{lanes() + 2, 20, 30};
    const Bf16Data d = make_data(c, test_seed());
    d.x.put({0, 0, 1, 7}, std::numeric_limits<double>::quiet_NaN());
    d.weight.put({0, 0, 29, 3}, std::numeric_limits<double>::infinity());
    run(c, d);
    for (int64_t r = 0; r < c.rows; ++r)
        for (int64_t o = 0; o < c.out; ++o) {
            EXPECT_EQ(std::isnan(d.out.value({0, 0, r, o})), r == 1) << r << ", " << o;
            EXPECT_EQ(std::isfinite(d.out.value({0, 0, r, o})), r != 1 && o != 29) << r << ", " << o;
        }
}

TEST_P(Bf16LinearTest, SameBitsOnAnyNumberOfThreads) {
    const ScopedThreads pool(8);
    for (const int64_t rows : {1, 3, 300}) {
        Bf16Case c{rows, 48, 1100};
        c.bias = true;
        c.threads = 1;
        Bf16Data d = make_data(c, test_seed());
        run(c, d);
        const std::vector<uint32_t> alone = d.out.all();
        for (const int32_t threads : {2, 3, 8, 0}) {
            c.threads = threads;
            d.out = make_data(c, test_seed()).out;
            run(c, d);
            EXPECT_EQ(alone, d.out.all()) << rows << ", " << threads;
        }
    }
}

TEST_P(Bf16LinearTest, BadInputWritesNothing) {
    const Bf16Case c{3, 4, 5};
    const Bf16Data d = make_data(c, test_seed());
    const auto refused = [&](const Bf16Case& bad, const Bf16Data& data, std::initializer_list<const char*> message) {
        EXPECT_REFUSED(call(bad, data), ATTN4J_INVALID_ARGUMENT, message);
        EXPECT_TRUE(d.out.untouched());
    };
    const auto changed = [&](auto change) {
        Bf16Case bad = c;
        change(bad);
        return bad;
    };
    refused(changed([](Bf16Case& b) { b.x_dtype = ATTN4J_F16; }), d, {"xDtype must be 0 or 1", "xDtype=2"});
    refused(changed([](Bf16Case& b) { b.out_dtype = ATTN4J_F16; }), d, {"outDtype must be 0 or 1", "outDtype=2"});
    refused(changed([](Bf16Case& b) { b.rows = -1; }), d, {"rows must be at least 0", "rows=-1"});
    refused(changed([](Bf16Case& b) { b.in = 0; }), d, {"inFeatures must be at least 1", "inFeatures=0"});
    refused(changed([](Bf16Case& b) { b.out = 0; }), d, {"outFeatures must be at least 1", "outFeatures=0"});
    refused(changed([](Bf16Case& b) { b.in = 6; }), d, {"stride=4 width=6"});
    refused(changed([](Bf16Case& b) { b.threads = -2; }), d, {"threads must not be negative", "threads=-2"});
    Bf16Data same = d;
    same.x = d.out;
    refused(changed([](Bf16Case& b) { b.x_dtype = ATTN4J_F32; }), same, {"out", "x"});
    same = d;
    same.weight.first = nullptr;
    refused(c, same, {"weight must not be null"});
}

}  // namespace
