// SPDX-License-Identifier: Apache-2.0
// Random combinations of what alters scores (windows, softcap, ALiBi, bias, mask, sinks) against the definition in
// doubles, with the weights and stages that go with them. Operands are exactly as large as they must be: a sanitizer
// sees a step outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "attn4j/attn4j.h"
#include "environment.h"
#include "isas.h"
#include "kernels/cast/reference.h"
#include "random.h"
#include "tolerance.h"

namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

struct Case {
    int64_t heads, kv_heads, queries, keys, key_length, head_dim, value_dim, left, right, offset;
    bool causal, bias, mask, slopes, sinks, averaged;
    double softcap;
    attn4j_stage stage;
    attn4j_dtype k_dtype, v_dtype;
    int64_t page_rows;  // 0 for no pages
    bool lse;
    double dropout = 0;
};

std::ostream& operator<<(std::ostream& to, const Case& c) {
    return to << "heads " << c.heads << " kvHeads " << c.kv_heads << " queries " << c.queries << " keys " << c.keys
              << " length " << c.key_length << " dims " << c.head_dim << " " << c.value_dim << " window " << c.left
              << " " << c.right << " offset " << c.offset << " causal " << c.causal << " bias " << c.bias << " mask "
              << c.mask << " slopes " << c.slopes << " sinks " << c.sinks << " softcap " << c.softcap << " stage "
              << c.stage << " types " << c.k_dtype << " " << c.v_dtype << " page " << c.page_rows;
}

struct Stored {
    std::vector<char> bytes;
    std::vector<float> scales;
};

struct Operands {
    std::vector<float> q, k, v, bias, slopes, sinks, out, lse, scores;
    std::vector<uint8_t> mask;
    Stored stored_q, stored_k, stored_v;  // q, k and v are what they mean
    std::vector<int64_t> pages;           // a permutation
};

class AttentionOptions : public IsaTypeTest {
protected:
    Random random{test_seed()};

    std::vector<float> normal(int64_t n) {
        std::vector<float> values(static_cast<size_t>(n));
        for (float& value : values) value = random.normal();
        return values;
    }
    int64_t between(int64_t least, int64_t most) { return random.between(least, most); }
    bool chance() { return between(0, 1) == 1; }

    Case draw() {
        Case c;
        c.heads = c.kv_heads = between(1, 3);
        c.queries = between(1, 70);
        c.keys = between(1, 150);
        // Half of them few queries over a cache, sometimes of several chunks.
        if (chance()) {
            c.kv_heads = between(1, 2);
            c.heads = c.kv_heads * between(1, 5);
            c.queries = between(1, 5);
            if (between(0, 9) == 0) c.keys = between(1000, 2500);
        }
        c.key_length = chance() ? c.keys : between(0, c.keys);
        c.head_dim = between(8, 40);
        c.value_dim = between(1, 40);
        c.left = chance() ? -1 : between(0, 60);
        c.right = chance() ? -1 : between(0, 60);
        c.offset = between(-20, c.keys);
        c.causal = chance();
        c.bias = chance();
        c.mask = chance();
        c.slopes = chance();
        c.sinks = chance();
        c.softcap = chance() ? 0 : 5;
        c.stage = static_cast<attn4j_stage>(between(ATTN4J_STAGE_NONE, ATTN4J_STAGE_WEIGHTS));
        c.k_dtype = chance() ? dtype() : static_cast<attn4j_dtype>(between(ATTN4J_F32, ATTN4J_INT8));
        c.v_dtype = chance() ? c.k_dtype : static_cast<attn4j_dtype>(between(ATTN4J_F32, ATTN4J_INT8));
        c.page_rows = between(0, 2) == 0 ? between(1, 20) : 0;
        c.lse = between(0, 4) != 0;
        c.averaged = c.stage != ATTN4J_STAGE_NONE && chance();
        return c;
    }

    // Queries are stored in the test's type, keys and values in one of their own.
    bool bf16_products(const Case& c) const {
        return dtype() == ATTN4J_BF16 && c.k_dtype == ATTN4J_BF16 && c.v_dtype == ATTN4J_BF16;
    }
    // By fewer digits than float32 has.
    bool byte_products(const Case& c) const {
        return isa() == ATTN4J_ISA_AVX512BF16 && dtype() != ATTN4J_F32 && c.k_dtype == ATTN4J_INT8 &&
               c.v_dtype == ATTN4J_INT8;
    }
    double tolerance(const Case& c, double largest) const {
        if (byte_products(c)) return byte_products_tolerance(largest);
        return attention_tolerance(bf16_products(c) ? ATTN4J_BF16 : ATTN4J_F32, c.head_dim, largest);
    }

    // Values rounded to a 16-bit type or float32, and how they are stored.
    static Stored store(attn4j_dtype dtype, std::vector<float>& values) {
        const size_t each = dtype == ATTN4J_F32 ? 4 : 2;
        Stored stored;
        stored.bytes.resize(values.size() * each);
        for (size_t i = 0; i < values.size(); ++i) {
            const uint32_t bits = bits_reference(dtype, values[i]);
            std::memcpy(&stored.bytes[i * each], &bits, each);
            values[i] = static_cast<float>(value_reference(dtype, bits));
        }
        return stored;
    }

    // Values [kv_heads, keys, dim] as they are stored, in pages [pages, kv_heads, page_rows, dim] or as they are, and
    // rounded to that. What is stored beside them is NaN.
    static Stored store(const Case& c, const std::vector<int64_t>& pages, attn4j_dtype dtype,
                        std::vector<float>& values, int64_t dim) {
        const int64_t each = dtype == ATTN4J_F32 ? 4 : dtype == ATTN4J_INT8 ? 1 : 2;
        const int64_t rows =
            pages.empty() ? c.kv_heads * c.keys : (c.keys / c.page_rows + 3) * c.kv_heads * c.page_rows;
        Stored stored;
        stored.bytes.assign(static_cast<size_t>(rows * dim * each), '\xff');
        if (dtype == ATTN4J_INT8)
            stored.scales.assign(static_cast<size_t>(rows), std::numeric_limits<float>::quiet_NaN());
        for (int64_t h = 0; h < c.kv_heads; ++h)
            for (int64_t j = 0; j < c.keys; ++j) {
                int64_t row = h * c.keys + j;
                float* const from = &values[static_cast<size_t>(row * dim)];
                if (!pages.empty())
                    row =
                        (pages[static_cast<size_t>(j / c.page_rows)] * c.kv_heads + h) * c.page_rows + j % c.page_rows;
                float largest = 0;
                for (int64_t d = 0; d < dim; ++d) largest = std::max(largest, std::fabs(from[d]));
                const float scale = largest / 127;
                if (dtype == ATTN4J_INT8) stored.scales[static_cast<size_t>(row)] = scale;
                for (int64_t d = 0; d < dim; ++d) {
                    char* const to = &stored.bytes[static_cast<size_t>((row * dim + d) * each)];
                    if (dtype == ATTN4J_INT8) {
                        *to = static_cast<char>(std::lround(from[d] / scale));
                        from[d] = static_cast<float>(static_cast<signed char>(*to)) * scale;
                    } else {
                        const uint32_t bits = bits_reference(dtype, from[d]);
                        std::memcpy(to, &bits, static_cast<size_t>(each));
                        from[d] = static_cast<float>(value_reference(dtype, bits));
                    }
                }
            }
        return stored;
    }

    Operands fill(const Case& c) {
        Operands o;
        o.q = normal(c.heads * c.queries * c.head_dim);
        o.k = normal(c.kv_heads * c.keys * c.head_dim);
        o.v = normal(c.kv_heads * c.keys * c.value_dim);
        o.stored_q = store(dtype(), o.q);
        for (int64_t i = 0; c.page_rows > 0 && i < c.keys / c.page_rows + 3; ++i)
            o.pages.insert(o.pages.begin() + between(0, i), i);
        o.stored_k = store(c, o.pages, c.k_dtype, o.k, c.head_dim);
        o.stored_v = store(c, o.pages, c.v_dtype, o.v, c.value_dim);
        if (c.bias) {
            o.bias = normal(c.queries * c.keys);
            for (float& value : o.bias)
                if (between(0, 9) == 0) value = -std::numeric_limits<float>::infinity();
        }
        if (c.mask)
            for (int64_t i = 0; i < c.queries * c.keys; ++i) o.mask.push_back(between(0, 4) != 0);
        for (int64_t h = 0; h < c.heads && c.slopes; ++h)
            o.slopes.push_back(std::ldexp(1.0f, -2 - static_cast<int>(h)));
        if (c.sinks) o.sinks = normal(c.heads);
        o.out.resize(static_cast<size_t>(c.heads * c.queries * c.value_dim));
        o.lse.resize(static_cast<size_t>(c.heads * c.queries));
        const int64_t rows = (c.averaged ? 1 : c.heads) * c.queries;
        if (c.stage != ATTN4J_STAGE_NONE) o.scores.resize(static_cast<size_t>(rows * c.keys));
        return o;
    }

    static const float* address(const std::vector<float>& values) { return values.empty() ? nullptr : values.data(); }

    void run(const Case& c, Operands& o) const {
        const attn4j_plan plan = attn4j_plan_create(1, c.heads, c.kv_heads, c.queries, c.keys, c.head_dim, c.value_dim);
        ASSERT_NE(plan, nullptr) << attn4j_error_message();
        EXPECT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_Q, dtype()), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dropout(plan, c.dropout), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_K, c.k_dtype), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_V, c.v_dtype), ATTN4J_OK);
        if (c.page_rows > 0) {
            EXPECT_EQ(attn4j_plan_set_pages(plan, static_cast<int64_t>(o.pages.size()), c.page_rows,
                                            static_cast<int64_t>(o.pages.size())),
                      ATTN4J_OK)
                << attn4j_error_message();
        }
        EXPECT_EQ(attn4j_plan_set_window(plan, c.left, c.right), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_softcap(plan, c.softcap), ATTN4J_OK);
        if (c.causal) {
            EXPECT_EQ(attn4j_plan_set_causal(plan), ATTN4J_OK);
        }
        if (c.bias) {
            EXPECT_EQ(attn4j_plan_set_bias(plan, 0, 0, c.keys, 1), ATTN4J_OK);
        }
        if (c.mask) {
            EXPECT_EQ(attn4j_plan_set_mask(plan, 0, 0, c.keys, 1), ATTN4J_OK);
        }
        EXPECT_EQ(attn4j_plan_set_stage(plan, c.stage, c.averaged, 0, c.queries * c.keys, c.keys), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        EXPECT_EQ(attn4j_plan_isa(plan), isa());
        EXPECT_EQ(attn4j_plan_run(plan, 1, c.queries, c.keys, o.stored_q.bytes.data(), o.stored_k.bytes.data(),
                                  o.stored_v.bytes.data(), o.out.data(), c.lse ? o.lse.data() : nullptr, &c.key_length,
                                  &c.offset, nullptr, nullptr, o.pages.empty() ? nullptr : o.pages.data(),
                                  address(o.stored_k.scales), address(o.stored_v.scales), address(o.bias),
                                  c.mask ? o.mask.data() : nullptr, address(o.slopes), address(o.sinks),
                                  o.scores.empty() ? nullptr : o.scores.data(), 0, nullptr),
                  ATTN4J_OK)
            << attn4j_error_message();
        attn4j_plan_free(plan);
    }

    // Steps 1 to 5 of a row; `scaled` and `capped` are what the first two leave, of all keys.
    struct Row {
        std::vector<double> scaled, capped, hidden;
        double largest = 0;
    };

    static int64_t kv_head(const Case& c, int64_t h) { return h / (c.heads / c.kv_heads); }

    static Row scores(const Case& c, const Operands& o, int64_t h, int64_t i) {
        Row row;
        for (int64_t j = 0; j < c.keys; ++j) {
            double s = 0;
            for (int64_t d = 0; d < c.head_dim; ++d)
                s += static_cast<double>(o.q[static_cast<size_t>((h * c.queries + i) * c.head_dim + d)]) *
                     o.k[static_cast<size_t>((kv_head(c, h) * c.keys + j) * c.head_dim + d)];
            s /= std::sqrt(static_cast<double>(c.head_dim));
            row.scaled.push_back(s);
            if (c.softcap > 0) s = c.softcap * std::tanh(s / c.softcap);
            row.capped.push_back(s);
            const int64_t position = i + c.offset;
            if (c.slopes) s -= o.slopes[static_cast<size_t>(h)] * std::fabs(static_cast<double>(position - j));
            if (c.bias) s += o.bias[static_cast<size_t>(i * c.keys + j)];
            const bool visible = j < c.key_length && (!c.causal || j <= position) &&
                                 (c.left < 0 || j >= position - c.left) && (c.right < 0 || j <= position + c.right) &&
                                 (!c.mask || o.mask[static_cast<size_t>(i * c.keys + j)] != 0);
            row.hidden.push_back(visible ? s : kNone);
            if (visible && std::isfinite(s)) row.largest = std::max(row.largest, std::fabs(s));
        }
        return row;
    }

    static bool close(double expected, double actual, double tolerance) {
        return expected == actual || std::fabs(expected - actual) <= tolerance;
    }

    void expect_correct(const Case& c, const Operands& o) const {
        std::vector<double> mean(static_cast<size_t>(c.averaged ? c.queries * c.keys : 0));
        double largest = 0;
        for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < c.queries; ++i) {
                const Row row = scores(c, o, h, i);
                const double allowed = tolerance(c, row.largest);
                largest = std::max(largest, row.largest);
                double sum = c.sinks ? std::exp(static_cast<double>(o.sinks[static_cast<size_t>(h)])) : 0;
                for (const double s : row.hidden) sum += std::exp(s);
                std::vector<double> weights;
                for (const double s : row.hidden) weights.push_back(s == kNone ? 0 : std::exp(s) / sum);
                const std::string where = "head " + std::to_string(h) + " query " + std::to_string(i);
                ASSERT_TRUE(!c.lse || close(std::log(sum), o.lse[static_cast<size_t>(h * c.queries + i)], allowed))
                    << where;
                for (int64_t d = 0; d < c.value_dim; ++d) {
                    double expected = 0;
                    for (int64_t j = 0; j < c.keys; ++j)
                        if (row.hidden[static_cast<size_t>(j)] != kNone)
                            expected += weights[static_cast<size_t>(j)] *
                                        o.v[static_cast<size_t>((kv_head(c, h) * c.keys + j) * c.value_dim + d)];
                    ASSERT_TRUE(
                        close(expected, o.out[static_cast<size_t>((h * c.queries + i) * c.value_dim + d)], allowed))
                        << where << " dimension " << d;
                }
                for (int64_t j = 0; j < c.keys && c.stage != ATTN4J_STAGE_NONE; ++j) {
                    const size_t at = static_cast<size_t>(j);
                    const double expected = c.stage == ATTN4J_STAGE_SCALED   ? row.scaled[at]
                                            : c.stage == ATTN4J_STAGE_CAPPED ? row.capped[at]
                                            : c.stage == ATTN4J_STAGE_HIDDEN ? row.hidden[at]
                                                                             : weights[at];
                    if (c.averaged) {
                        mean[static_cast<size_t>(i * c.keys + j)] += expected / static_cast<double>(c.heads);
                    } else {
                        ASSERT_TRUE(
                            close(expected, o.scores[static_cast<size_t>((h * c.queries + i) * c.keys + j)], allowed))
                            << where << " key " << j;
                    }
                }
            }
        for (size_t n = 0; n < mean.size(); ++n)
            ASSERT_TRUE(close(mean[n], o.scores[n], tolerance(c, largest))) << "mean " << n << " stage " << c.stage;
    }

    void check(const Case& c, int64_t number) {
        Operands o = fill(c);
        run(c, o);
        expect_correct(c, o);
        if (HasFatalFailure()) FAIL() << "case " << number << ": " << c;
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(AttentionOptions);

// Caches of bytes past the ends of blocks and chunks of keys, and all that scales of their own bring with them.
TEST_P(AttentionOptions, BytesAroundBlocks) {
    const int64_t chunk = attn4j::kernels_of(isa()).decode.chunk;
    for (int64_t i = 0; i < test_cases() / 4; ++i) {
        Case c = draw();
        c.kv_heads = 1;
        c.heads = between(1, 8);
        c.queries = between(1, 5);
        c.head_dim = chance() ? 128 : between(1, 280);
        c.value_dim = chance() ? 128 : between(1, 140);
        c.keys = (chance() ? 128 : chance() ? 512 : chunk) * between(1, 3) + between(-3, 3);
        c.key_length = c.keys - (chance() ? 0 : between(0, 9));
        c.k_dtype = c.v_dtype = ATTN4J_INT8;
        c.stage = ATTN4J_STAGE_NONE;
        c.averaged = false;
        check(c, i);
        if (HasFatalFailure()) return;
    }
}

TEST_P(AttentionOptions, RandomCases) {
    for (int64_t i = 0; i < test_cases(); ++i) {
        const Case c = draw();
        check(c, i);
        if (HasFatalFailure()) return;
    }
}

// Few queries over nothing but pages, which are then read several at a time, and edges and windows anywhere in them.
TEST_P(AttentionOptions, FewQueriesOverPages) {
    for (int64_t i = 0; i < test_cases(); ++i) {
        Case c = draw();
        c.kv_heads = between(1, 2);
        c.heads = c.kv_heads * between(1, 5);
        c.queries = between(1, 5);
        c.k_dtype = chance() ? dtype() : static_cast<attn4j_dtype>(between(ATTN4J_F32, ATTN4J_F16));
        c.v_dtype = chance() ? c.k_dtype : static_cast<attn4j_dtype>(between(ATTN4J_F32, ATTN4J_F16));
        c.bias = c.mask = c.slopes = false;
        c.stage = ATTN4J_STAGE_NONE;
        c.averaged = false;
        c.page_rows = between(1, 10);
        if (chance()) c.page_rows = 2 * c.page_rows;
        c.keys = between(1, 20 * c.page_rows);
        if (between(0, 9) == 0) c.keys = between(1000, 2500);
        c.key_length = chance() ? c.keys : between(0, c.keys);
        c.left = chance() ? -1 : between(0, c.keys);
        c.right = -1;
        c.offset = c.key_length - between(0, 5);
        if (between(0, 3) == 0) c.head_dim = c.value_dim = 128;
        check(c, i);
        if (HasFatalFailure()) return;
    }
}

// What is dropped does not depend on whether the weights are asked for.
TEST_P(AttentionOptions, DroppedWeightsTimesValues) {
    for (int i = 0; i < 20; ++i) {
        Case c = draw();
        c.averaged = false;
        c.dropout = 0.3;
        c.stage = ATTN4J_STAGE_WEIGHTS;
        Operands o = fill(c);
        run(c, o);
        c.stage = ATTN4J_STAGE_NONE;
        Operands alone = o;
        alone.scores.clear();
        run(c, alone);
        const double allowed = tolerance(c, 0) / (1 - c.dropout);
        for (int64_t row = 0; row < c.heads * c.queries; ++row)
            for (int64_t d = 0; d < c.value_dim; ++d) {
                double expected = 0;
                for (int64_t j = 0; j < c.keys; ++j)
                    expected += static_cast<double>(o.scores[static_cast<size_t>(row * c.keys + j)]) *
                                o.v[static_cast<size_t>((kv_head(c, row / c.queries) * c.keys + j) * c.value_dim + d)];
                ASSERT_NEAR(alone.out[static_cast<size_t>(row * c.value_dim + d)], expected, allowed)
                    << "row " << row << " dimension " << d;
            }
    }
}

// An offset far outside the keys and a window wide enough to reach back to them.
TEST_P(AttentionOptions, FarOffsetAndWideWindow) {
    for (const int64_t offset : {-300, 300}) {
        Case c = draw();
        c.keys = c.key_length = 100;
        c.queries = 48;
        c.offset = offset;
        c.causal = false;
        c.left = c.right = 250;
        Operands o = fill(c);
        run(c, o);
        expect_correct(c, o);
    }
}

}  // namespace
