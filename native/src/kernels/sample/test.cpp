// SPDX-License-Identifier: Apache-2.0
// Sampling against the sorting reference: what is kept, ties, the draw's own number, frequencies, threads, bad logits.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "environment.h"
#include "expect_refused.h"
#include "isas.h"
#include "kernels/sample/reference.h"
#include "tensor.h"

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Choice {
    double temperature = 1;
    int64_t top_k = 0;
    double top_p = 1;
    int64_t seed = 7, step = 0;
};

class SampleTest : public IsaTest {
protected:
    attn4j_status sample(const Tensor& logits, const Choice& c, int32_t* tokens, int32_t threads = 0) const {
        return attn4j_sample(logits.data(), logits.strides[2], logits.sizes[2], logits.sizes[3], c.temperature, c.top_k,
                             c.top_p, c.seed, c.step, tokens, isa(), threads);
    }
    int32_t sample_one(const Tensor& logits, const Choice& c) const {
        int32_t token = -1;
        EXPECT_EQ(sample(logits, c, &token), ATTN4J_OK) << attn4j_error_message();
        return token;
    }
    // Within rounding of the running sum, the token at which it passes u.
    static void expect_drawn(const Tensor& logits, const Choice& c, int64_t row, int32_t token) {
        std::vector<float> numbers(&logits.at(row, 0), &logits.at(row, 0) + logits.sizes[3]);
        const std::vector<double> p = sample_reference(numbers, c.temperature, c.top_k, c.top_p);
        const double u =
            uniform_reference(static_cast<uint64_t>(c.seed), static_cast<uint64_t>(c.step), static_cast<uint32_t>(row));
        ASSERT_GE(token, 0);
        ASSERT_LT(token, logits.sizes[3]);
        const double below = std::accumulate(p.begin(), p.begin() + token, 0.0);
        ASSERT_LE(below, u + 2e-6) << "token=" << token << " row=" << row << " step=" << c.step;
        ASSERT_GE(below + p[static_cast<size_t>(token)], u - 2e-6) << "token=" << token << " step=" << c.step;
        ASSERT_GT(p[static_cast<size_t>(token)], 0) << "token=" << token << " was not kept";
    }
};
ATTN4J_ON_EVERY_ISA(SampleTest);

TEST_P(SampleTest, TheDrawOfTheReference) {
    Random random(test_seed());
    for (const int64_t vocabulary : widths())
        for (const double temperature : {0.3, 1.0, 2.5})
            for (const int64_t top_k : {int64_t{0}, int64_t{1}, int64_t{7}, vocabulary, 2 * vocabulary})
                for (const double top_p : {1.0, 0.9, 0.31, 1e-9}) {
                    const Tensor logits = Tensor::matrix(3, vocabulary, vocabulary + 2);
                    logits.fill_normal(random);
                    const Choice c{temperature, top_k, top_p, random.between(INT64_MIN / 2, INT64_MAX / 2),
                                   random.between(0, INT64_MAX / 2)};
                    int32_t tokens[] = {-1, -1, -1};
                    ASSERT_EQ(sample(logits, c, tokens), ATTN4J_OK) << attn4j_error_message();
                    for (int64_t row = 0; row < 3; ++row)
                        ASSERT_NO_FATAL_FAILURE(expect_drawn(logits, c, row, tokens[row]))
                            << "vocabulary=" << vocabulary << " topK=" << top_k << " topP=" << top_p;
                }
}

TEST_P(SampleTest, GreedyTakesTheFirstOfTheLargest) {
    Random random(test_seed());
    for (const int64_t vocabulary : widths()) {
        const Tensor logits = Tensor::vector(vocabulary);
        logits.fill_normal(random);
        for (const int64_t at : {int64_t{0}, vocabulary / 2, vocabulary - 1}) {
            const Tensor one = logits.copy();
            one.at(0, at) = 9;
            one.at(0, vocabulary - 1) = 9;
            EXPECT_EQ(sample_one(one, {0, 3, 0.5}), at);
            // As it is with hardly any temperature, and among the likeliest alone.
            if (at == vocabulary - 1) {
                EXPECT_EQ(sample_one(one, {1e-300}), at);
                EXPECT_EQ(sample_one(one, {1e300, 1}), at);
            }
        }
    }
}

TEST_P(SampleTest, OfEqualLogitsTheFirstAreKept) {
    const Tensor logits = Tensor::vector(40);
    logits.fill(1);
    logits.at(0, 3) = -0.0f;
    logits.at(0, 9) = 0;
    for (int64_t step = 0; step < 200; ++step) {
        EXPECT_LT(sample_one(logits, {1, 3, 1, 5, step}), 3) << step;
        EXPECT_LT(sample_one(logits, {1, 0, 2.5 / 38.8, 5, step}), 3) << step;
        EXPECT_LT(sample_one(logits, {1, 39, 1, 5, step}), 40) << step;
        EXPECT_NE(sample_one(logits, {1, 39, 1, 5, step}), 9) << step;
    }
}

TEST_P(SampleTest, AHiddenTokenIsNeverDrawn) {
    const Tensor logits = Tensor::vector(33);
    logits.fill(-infinity);
    logits.at(0, 5) = -1000;
    logits.at(0, 32) = -1001;
    int drawn = 0;
    for (int64_t step = 0; step < 200; ++step)
        for (const double temperature : {1.0, 1e300}) {
            const int32_t token = sample_one(logits, {temperature, 0, 1, 11, step});
            ASSERT_TRUE(token == 5 || token == 32) << token;
            drawn += token == 32;
        }
    EXPECT_GT(drawn, 50);
    EXPECT_LT(drawn, 250);
}

// 20000 draws: the standard deviation of a frequency is below 0.0036.
TEST_P(SampleTest, Frequencies) {
    const Tensor logits = Tensor::vector(8);
    for (int64_t i = 0; i < 8; ++i) logits.at(0, i) = 0.4f * static_cast<float>(i % 5);
    Choice c{0.8, 6, 0.95, 3, 0};
    const std::vector<float> numbers(logits.data(), logits.data() + 8);
    const std::vector<double> expected = sample_reference(numbers, c.temperature, c.top_k, c.top_p);
    std::vector<double> seen(8);
    constexpr int draws = 20000;
    for (c.step = 0; c.step < draws; ++c.step) seen[static_cast<size_t>(sample_one(logits, c))] += 1.0 / draws;
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(seen[i], expected[i], 0.018) << i;
}

TEST_P(SampleTest, SeedStepAndRowCountAndThreadsDoNot) {
    const ScopedThreads pool(8);
    const Tensor logits = Tensor::matrix(64, 1000, 1000);
    logits.fill(0);
    std::vector<int32_t> alone(64), other(64);
    ASSERT_EQ(sample(logits, {1, 0, 1, 5, 9}, alone.data(), 1), ATTN4J_OK);
    for (const int32_t threads : {2, 3, 8, 0}) {
        ASSERT_EQ(sample(logits, {1, 0, 1, 5, 9}, other.data(), threads), ATTN4J_OK);
        EXPECT_EQ(alone, other);
    }
    ASSERT_EQ(sample(logits, {1, 0, 1, 6, 9}, other.data()), ATTN4J_OK);
    EXPECT_NE(alone, other);
    ASSERT_EQ(sample(logits, {1, 0, 1, 5, 10}, other.data()), ATTN4J_OK);
    EXPECT_NE(alone, other);
    EXPECT_NE(std::vector<int32_t>(64, alone[0]), alone);
}

TEST(SampleErrors, RefusedAndNothingWritten) {
    struct Arguments {
        const float* logits;
        int64_t stride = 5, rows = 2, vocabulary = 5;
        double temperature = 1;
        int64_t top_k = 0;
        double top_p = 1;
        int64_t step = 0;
        int32_t* tokens;
        int32_t threads = 0;
    };
    const Tensor logits = Tensor::matrix(2, 5, 5);
    logits.fill(0);
    int32_t tokens[] = {-7, -7};
    const auto refused = [&](const std::function<void(Arguments&)>& change, std::initializer_list<const char*> parts) {
        Arguments a;
        a.logits = logits.data();
        a.tokens = tokens;
        change(a);
        EXPECT_REFUSED(attn4j_sample(a.logits, a.stride, a.rows, a.vocabulary, a.temperature, a.top_k, a.top_p, 1,
                                     a.step, a.tokens, ATTN4J_ISA_DEFAULT, a.threads),
                       ATTN4J_INVALID_ARGUMENT, parts);
    };
    refused([](Arguments& a) { a.rows = -1; }, {"rows must be at least 0", "rows=-1"});
    refused([](Arguments& a) { a.vocabulary = 0; }, {"vocabulary must be at least 1", "vocabulary=0"});
    refused([](Arguments& a) { a.vocabulary = 1LL << 31; }, {"below 2^31", "vocabulary=2147483648"});
    refused([](Arguments& a) { a.temperature = -1; }, {"temperature must be at least 0 and finite", "temperature=-1"});
    refused([](Arguments& a) { a.temperature = infinity; }, {"temperature=inf"});
    refused([](Arguments& a) { a.temperature = NAN; }, {"temperature=nan"});
    refused([](Arguments& a) { a.top_k = -1; }, {"topK must be at least 0", "topK=-1"});
    refused([](Arguments& a) { a.top_p = 0; }, {"topP must be above 0 and at most 1", "topP=0"});
    refused([](Arguments& a) { a.top_p = 1.5; }, {"topP=1.5"});
    refused([](Arguments& a) { a.top_p = NAN; }, {"topP=nan"});
    refused([](Arguments& a) { a.step = -1; }, {"step must be at least 0", "step=-1"});
    refused([](Arguments& a) { a.threads = -1; }, {"threads=-1"});
    refused([](Arguments& a) { a.logits = nullptr; }, {"logits must not be null"});
    refused([](Arguments& a) { a.tokens = nullptr; }, {"tokens must not be null", "rows=2"});
    refused([](Arguments& a) { a.stride = 4; }, {"row stride of logits", "stride=4", "width=5"});
    refused([](Arguments& a) { a.tokens = reinterpret_cast<int32_t*>(const_cast<float*>(a.logits)); },
            {"tokens must not overlap logits"});
    for (const double temperature : {0.0, 1.0}) {
        const auto with = [&](float number, std::initializer_list<const char*> parts) {
            logits.at(1, 3) = number;
            refused([&](Arguments& a) { a.temperature = temperature; }, parts);
            logits.at(1, 3) = 0;
        };
        with(NAN, {"logits must be numbers below infinity", "logits[1, 3]=nan"});
        with(infinity, {"logits must be numbers below infinity", "logits[1, 3]=inf"});
        for (int64_t i = 0; i < 5; ++i) logits.at(1, i) = -infinity;
        with(-infinity, {"must not be -inf throughout", "row=1", "vocabulary=5"});
        for (int64_t i = 0; i < 5; ++i) logits.at(1, i) = 0;
    }
    EXPECT_EQ(tokens[0], -7);
    EXPECT_EQ(tokens[1], -7);
}

}  // namespace
