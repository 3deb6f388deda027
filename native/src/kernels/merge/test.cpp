// SPDX-License-Identifier: Apache-2.0
// Merging against the double precision reference and against attention over all keys at once; rows that saw nothing,
// NaN, sinks.
#include "kernels/merge/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "environment.h"
#include "isas.h"
#include "kernels/merge/reference.h"
#include "tensor.h"

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

// Partials of [rows, width] and what their merging gives.
struct Partials {
    int64_t rows, width;
    std::vector<Tensor> outs, lses;
    std::vector<float> sinks;
    int64_t queries = 1;
    Tensor out, lse;

    Partials(int64_t count, int64_t rows_, int64_t width_, int64_t gap = 0,
             GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END)
        : rows(rows_),
          width(width_),
          out(Tensor::matrix(rows_, width_, width_ + gap, flush)),
          lse(Tensor::matrix(1, rows_, rows_, flush)) {
        for (int64_t p = 0; p < count; ++p) {
            outs.push_back(Tensor::matrix(rows, width, width + p * gap, flush));
            lses.push_back(Tensor::matrix(1, rows, rows, flush));
        }
    }

    void fill(Random& random) const {
        for (size_t p = 0; p < outs.size(); ++p) {
            outs[p].fill_normal(random);
            lses[p].each([&](float& x) { x = random.chance(6) ? -kInfinity : 4 * random.normal() + 3; });
        }
    }

    attn4j_status merge(attn4j_isa isa, int32_t threads = 0) const {
        std::vector<const float*> out_pointers, lse_pointers;
        std::vector<int64_t> strides;
        for (size_t p = 0; p < outs.size(); ++p) {
            out_pointers.push_back(outs[p].data());
            lse_pointers.push_back(lses[p].data());
            strides.push_back(outs[p].strides[2]);
        }
        return attn4j_merge(out_pointers.data(), strides.data(), lse_pointers.data(), static_cast<int64_t>(outs.size()),
                            sinks.empty() ? nullptr : sinks.data(), static_cast<int64_t>(sinks.size()), queries,
                            out.data(), out.strides[2], lse.data(), rows, width, isa, threads);
    }

    float sink_of(int64_t row) const {
        return sinks.empty() ? -kInfinity : sinks[static_cast<size_t>(row / queries) % sinks.size()];
    }

    // Largest error as a share of what merge.h promises; of `saved`, where the inputs have been overwritten.
    double worst(const Partials& saved) const {
        double share = 0;
        std::vector<double> expected(static_cast<size_t>(width));
        for (int64_t row = 0; row < rows; ++row) {
            std::vector<const float*> from;
            std::vector<float> row_lses;
            double largest = 0;
            for (size_t p = 0; p < saved.outs.size(); ++p) {
                from.push_back(&saved.outs[p].at(row, 0));
                row_lses.push_back(saved.lses[p].at(0, row));
                for (int64_t c = 0; c < width && row_lses[p] != -kInfinity; ++c)
                    largest = std::max(largest, std::fabs(static_cast<double>(saved.outs[p].at(row, c))));
            }
            double row_lse;
            const int64_t count = static_cast<int64_t>(from.size());
            merge_reference(from.data(), row_lses.data(), count, sink_of(row), width, expected.data(), &row_lse);
            const double allowed = static_cast<double>(count + 6) * 0x1p-22 * largest;
            for (int64_t c = 0; c < width; ++c) {
                const double error = std::fabs(out.at(row, c) - expected[static_cast<size_t>(c)]);
                if (error != 0) share = std::max(share, error / allowed);
            }
            if (std::isinf(row_lse)) {
                EXPECT_EQ(lse.at(0, row), -kInfinity);
                for (int64_t c = 0; c < width; ++c) EXPECT_EQ(bits_of(out.at(row, c)), 0u);
            } else {
                share =
                    std::max(share, std::fabs(lse.at(0, row) - row_lse) / (4e-7 * std::max(1.0, std::fabs(row_lse))));
            }
        }
        return share;
    }
};

class MergeTest : public IsaTest {};
ATTN4J_ON_EVERY_ISA(MergeTest);

TEST_P(MergeTest, CountsWidthsStridesAndSinks) {
    Random random(test_seed());
    double worst = 0;
    for (const int64_t width : widths())
        for (const int64_t count : {0, 1, 2, 3, 7})
            for (const int64_t gap : {0, 3})
                for (const bool sinks : {false, true}) {
                    // [batch 2, heads 3, queries lanes + 1]
                    Partials p(count, 6 * (lanes() + 1), width, gap,
                               gap == 0 ? GuardedFloats::Flush::AT_END : GuardedFloats::Flush::AT_BEGIN);
                    p.fill(random);
                    p.queries = lanes() + 1;
                    if (sinks) p.sinks = {-2, 3.5f, -kInfinity};
                    ASSERT_EQ(p.merge(isa()), ATTN4J_OK) << attn4j_error_message();
                    worst = std::max(worst, p.worst(p));
                    ASSERT_TRUE(p.out.gaps_untouched() && p.lse.gaps_untouched());
                    for (size_t i = 0; i < p.outs.size(); ++i)
                        ASSERT_TRUE(p.outs[i].gaps_untouched() && p.lses[i].gaps_untouched());
                }
    std::printf("merge: largest error %.3f of what is promised\n", worst);
    EXPECT_LE(worst, 1);
}

TEST_P(MergeTest, OverTheFirstPartial) {
    Random random(test_seed());
    Partials p(3, 2 * lanes() + 1, 2 * lanes() + 3, 2);
    p.fill(random);
    ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
    Partials over = p;
    over.outs[0] = over.out = p.outs[0].copy();
    over.lses[0] = over.lse = p.lses[0].copy();
    ASSERT_EQ(over.merge(isa()), ATTN4J_OK) << attn4j_error_message();
    EXPECT_EQ(difference(p.out.values(), over.out.values()), "");
    EXPECT_EQ(difference(p.lse.values(), over.lse.values()), "");
    EXPECT_TRUE(over.out.gaps_untouched());
}

TEST_P(MergeTest, OnePartialIsItself) {
    Random random(test_seed());
    Partials p(1, 37, 19);
    p.fill(random);
    ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
    for (int64_t row = 0; row < p.rows; ++row) {
        EXPECT_EQ(p.lse.at(0, row), p.lses[0].at(0, row));
        for (int64_t c = 0; c < p.width; ++c)
            EXPECT_EQ(p.out.at(row, c), p.lses[0].at(0, row) == -kInfinity ? 0 : p.outs[0].at(row, c));
    }
}

// Garbage where a partial saw nothing changes no bit; where one saw something, NaN comes through, however small its
// weight.
TEST_P(MergeTest, NothingSeenAndNanSeen) {
    for (const float garbage : {kNan, kInfinity, 3e38f}) {
        Partials p(3, lanes() + 2, 5);
        for (const Tensor& t : p.outs) t.fill(garbage);
        for (const Tensor& t : p.lses) t.fill(-kInfinity);
        p.outs[1].at(1, 0) = 2;
        for (int64_t c = 0; c < 5; ++c) p.outs[1].at(1, c) = static_cast<float>(c);
        p.lses[1].at(0, 1) = -1e30f;
        ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
        for (int64_t row = 0; row < p.rows; ++row) {
            EXPECT_EQ(p.lse.at(0, row), row == 1 ? -1e30f : -kInfinity);
            for (int64_t c = 0; c < 5; ++c)
                EXPECT_EQ(bits_of(p.out.at(row, c)), bits_of(row == 1 ? static_cast<float>(c) : 0.0f));
        }
    }
    Partials p(2, 3, 2);
    for (const Tensor& t : p.outs) t.fill(1);
    for (const Tensor& t : p.lses) t.fill(500);
    p.outs[1].at(0, 1) = kNan;
    p.lses[1].at(0, 0) = -500;
    p.lses[0].at(0, 2) = kNan;
    ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
    EXPECT_EQ(p.out.at(0, 0), 1);
    EXPECT_TRUE(std::isnan(p.out.at(0, 1)));
    EXPECT_EQ(p.lse.at(0, 0), 500);
    EXPECT_EQ(p.out.at(1, 0), 1);
    for (int64_t c = 0; c < 2; ++c) EXPECT_TRUE(std::isnan(p.out.at(2, c)));
    EXPECT_TRUE(std::isnan(p.lse.at(0, 2)));
}

TEST_P(MergeTest, InfiniteAndHugeScores) {
    for (const float nan_first : {kNan, 1000.0f}) {
        Partials p(3, 1, 1);
        for (const Tensor& t : p.outs) t.fill(1);
        p.lses[0].fill(nan_first);
        p.lses[1].fill(kInfinity);
        p.lses[2].fill(3);
        ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
        EXPECT_TRUE(std::isnan(p.out.at(0, 0)) && std::isnan(p.lse.at(0, 0)));
    }
    for (const float size : {1e4f, 1e30f, 3e38f})
        for (const float sign : {1.0f, -1.0f}) {
            Partials p(2, 1, 1);
            p.outs[0].fill(1);
            p.outs[1].fill(3);
            for (const Tensor& t : p.lses) t.fill(sign * size);
            ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
            EXPECT_EQ(p.out.at(0, 0), 2);
            EXPECT_NEAR(p.lse.at(0, 0), sign * size + std::log(2.0), 1e-7 * size);
        }
}

TEST_P(MergeTest, SinkAloneAndNoLse) {
    Partials p(2, 4, 3);
    for (const Tensor& t : p.outs) t.fill(kNan);
    for (const Tensor& t : p.lses) t.fill(-kInfinity);
    p.sinks = {0.25f, -7};
    p.queries = 2;
    ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
    for (int64_t row = 0; row < 4; ++row) {
        EXPECT_EQ(p.lse.at(0, row), row < 2 ? 0.25f : -7);
        for (int64_t c = 0; c < 3; ++c) EXPECT_EQ(bits_of(p.out.at(row, c)), 0u);
    }
    p.out.fill(1);
    const float* outs[] = {p.outs[0].data()};
    const float* lses[] = {p.lses[0].data()};
    const int64_t strides[] = {3};
    ASSERT_EQ(attn4j_merge(outs, strides, lses, 1, nullptr, 0, 0, p.out.data(), 3, nullptr, 4, 3, isa(), 0), ATTN4J_OK);
    p.out.each([](float& x) { EXPECT_EQ(bits_of(x), 0u); });
}

TEST_P(MergeTest, SameBitsOnAnyNumberOfThreadsAndInAnyCompany) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    Partials p(4, 999, 67);
    p.fill(random);
    ASSERT_EQ(p.merge(isa(), 1), ATTN4J_OK);
    const std::vector<float> alone = p.out.values(), lse = p.lse.values();
    for (const int32_t threads : {2, 3, 8, 0}) {
        p.out.fill(0);
        ASSERT_EQ(p.merge(isa(), threads), ATTN4J_OK);
        EXPECT_EQ(difference(alone, p.out.values()), "") << threads;
        EXPECT_EQ(difference(lse, p.lse.values()), "") << threads;
    }
    std::vector<const float*> outs, lses;
    for (size_t i = 0; i < 4; ++i) {
        outs.push_back(&p.outs[i].at(500, 0));
        lses.push_back(&p.lses[i].at(0, 500));
    }
    const std::vector<int64_t> strides(4, 67);
    const Tensor out = Tensor::vector(67);
    float row_lse;
    ASSERT_EQ(attn4j_merge(outs.data(), strides.data(), lses.data(), 4, nullptr, 0, 0, out.data(), 67, &row_lse, 1, 67,
                           isa(), 1),
              ATTN4J_OK);
    EXPECT_EQ(bits_of(row_lse), bits_of(lse[500]));
    for (int64_t c = 0; c < 67; ++c)
        EXPECT_EQ(bits_of(out.at(0, c)), bits_of(alone[static_cast<size_t>(500 * 67 + c)]));
}

// Attention over three runs of keys, one of them empty, merged, is attention over all of them.
TEST_P(MergeTest, SplitKeys) {
    Random random(test_seed());
    const int64_t batch = 2, heads = 3, queries = 9, keys = 50, dim = 24, cuts[] = {0, 13, 13, 50};
    const Tensor q({batch, heads, queries, dim}, {heads * queries * dim, queries * dim, dim, 1});
    const Tensor k({batch, heads, keys, dim}, {heads * keys * dim, keys * dim, dim, 1}), v = k.copy();
    for (const Tensor& t : {q, k, v}) t.fill_normal(random);
    const auto attend = [&](int64_t first, int64_t n, float* out, float* lse) {
        attn4j_plan plan = attn4j_plan_create(batch, heads, heads, queries, n, dim, dim);
        for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V})
            ASSERT_EQ(attn4j_plan_set_strides(plan, operand, heads * keys * dim, keys * dim, dim), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_run(plan, batch, queries, n, q.data(), k.data() + first * dim, v.data() + first * dim,
                                  out, lse, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                  nullptr, nullptr, nullptr, nullptr, 0, nullptr),
                  ATTN4J_OK)
            << attn4j_error_message();
        attn4j_plan_free(plan);
    };
    Partials p(3, batch * heads * queries, dim), whole(0, batch * heads * queries, dim);
    for (size_t i = 0; i < 3; ++i) attend(cuts[i], cuts[i + 1] - cuts[i], p.outs[i].data(), p.lses[i].data());
    attend(0, keys, whole.out.data(), whole.lse.data());
    ASSERT_EQ(p.merge(isa()), ATTN4J_OK);
    for (int64_t row = 0; row < p.rows; ++row) {
        EXPECT_NEAR(p.lse.at(0, row), whole.lse.at(0, row), 2e-6);
        for (int64_t c = 0; c < dim; ++c) EXPECT_NEAR(p.out.at(row, c), whole.out.at(row, c), 2e-6);
    }
}

}  // namespace
