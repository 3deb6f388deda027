// SPDX-License-Identifier: Apache-2.0
// Linear layers, by our own tile and by OpenBLAS, against double precision: layouts, bias, activation, residual,
// strides, sizes around the edges of tiles and tasks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "kernels/linear/reference.h"
#include "tensor.h"
#include "tolerance.h"

namespace {

struct LinearCase {
    int64_t rows, in, out;
    attn4j_weight_layout layout = ATTN4J_OUT_IN;
    bool bias = false, residual = false;
    attn4j_activation activation = ATTN4J_IDENTITY;
    int64_t gap = 0;
    int32_t threads = 0;
};

struct LinearData {
    Tensor x, weight, bias, residual, out;
};

Tensor magnitudes(const Tensor& of) {
    Tensor all = of.copy();
    all.each([](float& value) { value = std::fabs(value); });
    return all;
}

Tensor new_out(const LinearCase& c) { return Tensor::matrix(c.rows, c.out, c.out + c.gap); }

LinearData make_data(const LinearCase& c, uint64_t seed) {
    Random random(seed);
    LinearData data;
    data.x = Tensor::matrix(c.rows, c.in, c.in + c.gap);
    data.weight = c.layout == ATTN4J_OUT_IN ? Tensor::matrix(c.out, c.in, c.in + 2 * c.gap)
                                            : Tensor::matrix(c.in, c.out, c.out + 2 * c.gap);
    data.bias = Tensor::vector(c.out);
    data.residual = Tensor::matrix(c.rows, c.out, c.out + c.gap, GuardedFloats::Flush::AT_BEGIN);
    data.out = new_out(c);
    for (const Tensor& t : {data.x, data.weight, data.bias, data.residual}) t.fill_normal(random);
    return data;
}

class GemmTest : public IsaTest {
protected:
    explicit GemmTest(attn4j_gemm gemm) : gemm_(gemm) {}

    void SetUp() override {
        if (gemm_ == ATTN4J_GEMM_OPENBLAS && !openblas_available()) GTEST_SKIP() << "this build has no OpenBLAS";
        ASSERT_EQ(attn4j_gemm_set(gemm_), ATTN4J_OK);
        ASSERT_EQ(attn4j_gemm_uses_openblas(isa()), gemm_ == ATTN4J_GEMM_OPENBLAS);
    }
    void TearDown() override { attn4j_gemm_set(ATTN4J_GEMM_DEFAULT); }

    void run(const LinearCase& c, const LinearData& d) const {
        ASSERT_EQ(attn4j_linear(d.x.data(), d.x.strides[2], d.weight.data(), d.weight.strides[2], c.layout,
                                c.bias ? d.bias.data() : nullptr, c.residual ? d.residual.data() : nullptr,
                                d.residual.strides[2], d.out.data(), d.out.strides[2], c.rows, c.in, c.out,
                                c.activation, isa(), c.threads),
                  ATTN4J_OK)
            << attn4j_error_message();
        EXPECT_TRUE(d.out.gaps_untouched());
    }

    void check(const LinearCase& c) const {
        const LinearData d = make_data(c, test_seed());
        run(c, d);
        const Tensor x = magnitudes(d.x), weight = magnitudes(d.weight), bias = magnitudes(d.bias),
                     residual = magnitudes(d.residual);
        std::vector<double> expected(static_cast<size_t>(c.out)), sizes(expected.size());
        for (int64_t r = 0; r < c.rows; ++r) {
            linear_reference(&d.x.at(r, 0), d.weight.data(), d.weight.strides[2], c.layout == ATTN4J_OUT_IN,
                             c.bias ? d.bias.data() : nullptr, c.residual ? &d.residual.at(r, 0) : nullptr, c.in, c.out,
                             c.activation == ATTN4J_GELU, expected.data());
            linear_reference(&x.at(r, 0), weight.data(), weight.strides[2], c.layout == ATTN4J_OUT_IN, bias.data(),
                             &residual.at(r, 0), c.in, c.out, false, sizes.data());
            for (int64_t o = 0; o < c.out; ++o) {
                const double size = sizes[static_cast<size_t>(o)];
                ASSERT_NEAR(d.out.at(r, o), expected[static_cast<size_t>(o)],
                            linear_tolerance(c.in, size) + (c.activation == ATTN4J_GELU ? gelu_tolerance(size) : 0))
                    << "rows=" << c.rows << " in=" << c.in << " out=" << c.out << " layout=" << c.layout
                    << " gelu=" << c.activation << " bias=" << c.bias << " residual=" << c.residual << " gap=" << c.gap
                    << " r=" << r << " o=" << o;
            }
        }
    }

    // All layouts and parts of one size.
    void check_all(int64_t rows, int64_t in, int64_t out) const {
        for (int parts = 0; parts < 16; ++parts) {
            LinearCase c{rows, in, out};
            c.layout = parts & 1 ? ATTN4J_IN_OUT : ATTN4J_OUT_IN;
            c.bias = parts & 2;
            c.residual = parts & 4;
            c.activation = parts & 8 ? ATTN4J_GELU : ATTN4J_IDENTITY;
            c.gap = parts % 3;
            check(c);
        }
    }

    // However the call is cut into tasks.
    void check_threads() const {
        const ScopedThreads pool(8);
        check_threads({300, 48, 700});
        check_threads({90, 800, 130});
        check_threads({50, 20, 3});
        check_threads({1, 130, 700});
        check_threads({3, 130, 700});
    }

    void check_threads(LinearCase c) const {
        c.bias = c.residual = true;
        c.threads = 1;
        LinearData d = make_data(c, test_seed());
        run(c, d);
        const std::vector<float> alone = d.out.values();
        for (const int32_t threads : {2, 3, 8, 0}) {
            c.threads = threads;
            d.out = new_out(c);
            run(c, d);
            EXPECT_EQ(difference(alone, d.out.values()), "") << threads;
        }
    }

private:
    attn4j_gemm gemm_;
};

class LinearTilesTest : public GemmTest {
protected:
    LinearTilesTest() : GemmTest(ATTN4J_GEMM_TILES) {}
};
ATTN4J_ON_EVERY_ISA(LinearTilesTest);

class LinearOpenBlasTest : public GemmTest {
protected:
    LinearOpenBlasTest() : GemmTest(ATTN4J_GEMM_OPENBLAS) {}
};
ATTN4J_ON_EVERY_ISA(LinearOpenBlasTest);

TEST_P(LinearTilesTest, SmallAndAwkward) {
    for (const int64_t rows : {1, 2, 7})
        for (const int64_t in : {1, 5, 33})
            for (const int64_t out : {1, 3, 17}) check_all(rows, in, out);
}

TEST_P(LinearTilesTest, EdgesOfRowsInputsAndOutputs) {
    const int64_t block = kernels().linear.block_rows;
    for (const int64_t rows : {lanes() + 1, 2 * lanes(), block - 1, block, block + 1, 2 * block + 1})
        check_all(rows, 19, 21);
    for (const int64_t in : {lanes(), lanes() + 1, int64_t{255}, int64_t{256}, int64_t{257}, int64_t{513}})
        check_all(3, in, 9);
    for (const int64_t out : {15, 16, 63, 64, 65, 127, 129, 383, 384, 385, 800}) check_all(3, 5, out);
    // A strip's rows, a panel's features, and the inputs that are transposed at a time.
    for (const int64_t out : {63, 64, 65, 129, 769}) check_all(block / 4 + 1, 7, out);
    for (const int64_t in : {767, 768, 769, 1537}) check_all(block / 2 + lanes() + 1, in, 67);
}

TEST_P(LinearTilesTest, EdgesOfPanelsAndChunksInOut) {
    LinearCase c{lanes(), 1, 1};
    c.layout = ATTN4J_IN_OUT;
    c.bias = c.residual = true;
    for (const int64_t rows : {lanes(), lanes() + 1, 2 * lanes() - 1, int64_t{191}, int64_t{193}})
        for (const int64_t in : {1, 63, 64, 65, 129})
            for (const int64_t out : {1, 23, 47, 48, 49, 95, 96, 97, 143, 193}) {
                c.rows = rows;
                c.in = in;
                c.out = out;
                c.gap = out % 3;
                c.activation = out % 2 == 0 ? ATTN4J_GELU : ATTN4J_IDENTITY;
                check(c);
            }
}

TEST_P(LinearTilesTest, ARowDependsOnItselfAlone) {
    for (const attn4j_weight_layout layout : {ATTN4J_OUT_IN, ATTN4J_IN_OUT}) {
        LinearCase c{kernels().linear.block_rows + lanes() + 1, 300, 401};
        c.layout = layout;
        c.bias = true;
        c.activation = ATTN4J_GELU;
        const LinearData all = make_data(c, test_seed());
        run(c, all);
        for (const int64_t r : {int64_t{0}, lanes() - 1, lanes(), c.rows - 1})
            for (const int64_t rows : {int64_t{1}, std::min(lanes(), c.rows - r)}) {
                LinearCase some = c;
                some.rows = rows;
                LinearData alone = all;
                alone.x = Tensor::matrix(rows, c.in, c.in);
                for (int64_t i = 0; i < rows; ++i)
                    std::copy(&all.x.at(r + i, 0), &all.x.at(r + i, 0) + c.in, &alone.x.at(i, 0));
                alone.out = new_out(some);
                run(some, alone);
                EXPECT_EQ(difference(alone.out.values(), {&all.out.at(r, 0), &all.out.at(r, 0) + rows * c.out}), "")
                    << r << ", " << rows;
            }
    }
}

// A weight [out, in]: around the columns that are read ahead, whole lines, and the inputs of few rows that are laid out
// at a time.
TEST_P(LinearTilesTest, FewRowsAreAsInManyRows) {
    for (const int64_t in : {63, 64, 65, 129, 273, 1040, 4113, 8225})
        for (const int64_t out : {1, 15, 31, 32, 33, 64, 70, 201}) {
            LinearCase c{lanes(), in, out};
            c.bias = true;
            c.gap = out % 3;
            const LinearData all = make_data(c, test_seed());
            run(c, all);
            for (c.rows = 1; c.rows < lanes(); ++c.rows) {
                LinearData few = all;
                few.out = new_out(c);
                run(c, few);
                for (int64_t r = 0; r < c.rows; ++r)
                    for (int64_t o = 0; o < out; ++o)
                        ASSERT_EQ(few.out.at(r, o), all.out.at(r, o))
                            << "rows=" << c.rows << " in=" << in << " out=" << out << " r=" << r << " o=" << o;
            }
        }
}

TEST_P(LinearTilesTest, NanStaysInItsRowOrItsFeature) {
    LinearCase c{lanes() + 2, 20, 30};
    LinearData d = make_data(c, test_seed());
    d.x.at(1, 7) = std::numeric_limits<float>::quiet_NaN();
    d.weight.at(29, 3) = std::numeric_limits<float>::infinity();
    run(c, d);
    for (int64_t r = 0; r < c.rows; ++r)
        for (int64_t o = 0; o < c.out; ++o) {
            EXPECT_EQ(std::isnan(d.out.at(r, o)), r == 1) << r << ", " << o;
            EXPECT_EQ(std::isfinite(d.out.at(r, o)), r != 1 && o != 29) << r << ", " << o;
        }
}

TEST_P(LinearTilesTest, SameBitsOnAnyNumberOfThreads) { check_threads(); }

TEST_P(LinearTilesTest, NoRowsNeedNoOperands) {
    EXPECT_EQ(attn4j_linear(nullptr, 20, nullptr, 20, ATTN4J_OUT_IN, nullptr, nullptr, 0, nullptr, 30, 0, 20, 30,
                            ATTN4J_IDENTITY, isa(), 0),
              ATTN4J_OK);
}

TEST_P(LinearOpenBlasTest, SmallAndAwkward) {
    for (const int64_t rows : {1, 7})
        for (const int64_t in : {1, 33})
            for (const int64_t out : {1, 17}) check_all(rows, in, out);
}

TEST_P(LinearOpenBlasTest, EdgesOfTasks) {
    for (const int64_t rows : {255, 257, 513})
        for (const int64_t out : {1, 577, 1153}) {
            LinearCase c{rows, 3, out};
            c.layout = rows == 257 ? ATTN4J_IN_OUT : ATTN4J_OUT_IN;
            c.bias = c.residual = true;
            c.activation = ATTN4J_GELU;
            c.gap = 1;
            check(c);
        }
}

TEST_P(LinearOpenBlasTest, SameBitsOnAnyNumberOfThreads) { check_threads(); }

}  // namespace
