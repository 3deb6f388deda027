// SPDX-License-Identifier: Apache-2.0
// Caches in pages and in int8: what is refused, and that pages change no bit. Results against the definition:
// attention/options_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "environment.h"
#include "expect_refused.h"
#include "isas.h"
#include "random.h"
#include "tensor.h"

namespace {

constexpr int64_t kHeads = 6, kKvHeads = 2, kDim = 40;

// Keys and values [rows, kDim] of int8 or float32, and scales.
struct Cache {
    std::vector<float> floats;
    std::vector<int8_t> bytes;
    std::vector<float> scales;
};

class CacheTest : public IsaTest {
protected:
    Random random{test_seed()};

    Cache filled(int64_t rows) {
        Cache cache;
        for (int64_t i = 0; i < rows * kDim; ++i) cache.floats.push_back(random.normal());
        for (int64_t row = 0; row < rows; ++row) {
            const float* const from = &cache.floats[static_cast<size_t>(row * kDim)];
            float largest = 0;
            for (int64_t d = 0; d < kDim; ++d) largest = std::max(largest, std::fabs(from[d]));
            cache.scales.push_back(largest / 127);
            for (int64_t d = 0; d < kDim; ++d)
                cache.bytes.push_back(static_cast<int8_t>(std::lround(from[d] / cache.scales.back())));
        }
        return cache;
    }

    // [kKvHeads, keys] rows into pages of `rows` in the order of the table; what no key lies in is poison.
    static Cache paged(const Cache& cache, int64_t keys, int64_t rows, const std::vector<int64_t>& table) {
        Cache pages;
        const size_t all = table.size() * static_cast<size_t>(kKvHeads * rows);
        pages.floats.assign(all * kDim, std::numeric_limits<float>::quiet_NaN());
        pages.bytes.assign(all * kDim, 77);
        pages.scales.assign(all, std::numeric_limits<float>::quiet_NaN());
        for (int64_t h = 0; h < kKvHeads; ++h)
            for (int64_t j = 0; j < keys; ++j) {
                const int64_t from = h * keys + j;
                const int64_t to = (table[static_cast<size_t>(j / rows)] * kKvHeads + h) * rows + j % rows;
                std::copy_n(&cache.floats[static_cast<size_t>(from * kDim)], kDim,
                            &pages.floats[static_cast<size_t>(to * kDim)]);
                std::copy_n(&cache.bytes[static_cast<size_t>(from * kDim)], kDim,
                            &pages.bytes[static_cast<size_t>(to * kDim)]);
                pages.scales[static_cast<size_t>(to)] = cache.scales[static_cast<size_t>(from)];
            }
        return pages;
    }

    // One sequence; page_rows 0 for no pages.
    std::vector<float> run(int64_t queries, int64_t keys, bool bytes, const Cache& k, const Cache& v,
                           const std::vector<float>& q, int64_t page_rows, const std::vector<int64_t>& table) const {
        std::vector<float> out(static_cast<size_t>(kHeads * queries * kDim));
        const attn4j_plan plan = attn4j_plan_create(1, kHeads, kKvHeads, queries, keys, kDim, kDim);
        EXPECT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_causal(plan), ATTN4J_OK);
        for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V}) {
            EXPECT_EQ(attn4j_plan_set_dtype(plan, operand, bytes ? ATTN4J_INT8 : ATTN4J_F32), ATTN4J_OK);
        }
        const int64_t pages = static_cast<int64_t>(table.size());
        if (page_rows > 0) {
            EXPECT_EQ(attn4j_plan_set_pages(plan, pages, page_rows, pages), ATTN4J_OK);
        }
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        const auto data = [&](const Cache& cache) {
            return bytes ? static_cast<const void*>(cache.bytes.data()) : cache.floats.data();
        };
        EXPECT_EQ(attn4j_plan_run(plan, 1, queries, keys, q.data(), data(k), data(v), out.data(), nullptr, nullptr,
                                  nullptr, nullptr, nullptr, page_rows == 0 ? nullptr : table.data(),
                                  bytes ? k.scales.data() : nullptr, bytes ? v.scales.data() : nullptr, nullptr,
                                  nullptr, nullptr, nullptr, nullptr, 0, nullptr),
                  ATTN4J_OK)
            << attn4j_error_message();
        attn4j_plan_free(plan);
        return out;
    }
};
ATTN4J_ON_EVERY_ISA(CacheTest);

TEST_P(CacheTest, PagesChangeNoBit) {
    for (const int64_t queries : {1, 5, 40})
        for (const int64_t keys : {int64_t{3}, int64_t{100}, kernels().decode.chunk + 9}) {
            const Cache k = filled(kKvHeads * keys), v = filled(kKvHeads * keys);
            std::vector<float> q;
            for (int64_t i = 0; i < kHeads * queries * kDim; ++i) q.push_back(random.normal());
            for (const bool bytes : {false, true}) {
                const std::vector<float> whole = run(queries, keys, bytes, k, v, q, 0, {});
                for (const int64_t rows : {1, 16, 17, 5000}) {
                    std::vector<int64_t> table;
                    for (int64_t i = 0; i < keys / rows + 2; ++i) table.insert(table.begin() + random.between(0, i), i);
                    const std::vector<float> parts = run(queries, keys, bytes, paged(k, keys, rows, table),
                                                         paged(v, keys, rows, table), q, rows, table);
                    EXPECT_EQ(difference(whole, parts), "")
                        << "queries " << queries << " keys " << keys << " rows " << rows << " int8 " << bytes;
                }
            }
        }
}

// As far from the result of the numbers themselves as is promised.
TEST_P(CacheTest, Int8IsNearFloat32) {
    for (const int64_t queries : {1, 4, 40}) {
        const int64_t keys = 300;
        const Cache k = filled(kKvHeads * keys), v = filled(kKvHeads * keys);
        std::vector<float> q;
        for (int64_t i = 0; i < kHeads * queries * kDim; ++i) q.push_back(random.normal());
        const std::vector<float> exact = run(queries, keys, false, k, v, q, 0, {});
        const std::vector<float> rounded = run(queries, keys, true, k, v, q, 0, {});
        for (size_t i = 0; i < exact.size(); ++i) ASSERT_NEAR(exact[i], rounded[i], 5e-2);
    }
}

TEST(CacheErrors, TypesScalesAndPages) {
    constexpr attn4j_status kRefused = ATTN4J_INVALID_ARGUMENT;
    // [2 sequences, 2 heads over 1, 1 query, 4 keys, 8].
    std::vector<float> q(32, 1), k(64, 1), v(64, 1), scales(8, 1), out(32, 7);
    std::vector<int8_t> bytes(64, 1);
    std::vector<int64_t> table = {0, 1, 2, 3};
    const auto with_plan = [](const std::function<void(attn4j_plan)>& use) {
        const attn4j_plan plan = attn4j_plan_create(2, 2, 1, 1, 4, 8, 8);
        use(plan);
        attn4j_plan_free(plan);
    };
    const auto run = [&](attn4j_plan plan, const void* keys, const int64_t* pages, const float* k_scales,
                         const float* v_scales) {
        return attn4j_plan_run(plan, 2, 1, 4, q.data(), keys, v.data(), out.data(), nullptr, nullptr, nullptr, nullptr,
                               nullptr, pages, k_scales, v_scales, nullptr, nullptr, nullptr, nullptr, nullptr, 0,
                               nullptr);
    };
    with_plan([&](attn4j_plan plan) {
        EXPECT_REFUSED(attn4j_plan_set_dtype(plan, ATTN4J_K, static_cast<attn4j_dtype>(4)), kRefused,
                       {"dtype must be 0 to 3", "dtype=4"});
        EXPECT_REFUSED(attn4j_plan_set_scales(plan, ATTN4J_Q, 1, 1), kRefused, {"k and v have scales", "operand=0"});
        EXPECT_REFUSED(attn4j_plan_set_pages(plan, -1, 1, 1), kRefused, {"pages must be at least 0", "pages=-1"});
        EXPECT_REFUSED(attn4j_plan_set_pages(plan, 1, 0, 1), kRefused, {"pageRows must be at least 1", "pageRows=0"});
        EXPECT_REFUSED(attn4j_plan_set_pages(plan, 1, 1, -2), kRefused, {"tableStride=-2"});
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
        EXPECT_REFUSED(run(plan, k.data(), table.data(), nullptr, nullptr), kRefused, {"pages=given", "plan=without"});
        EXPECT_REFUSED(run(plan, k.data(), nullptr, scales.data(), nullptr), kRefused,
                       {"kScales=given", "plan=without"});
    });
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_OUT})
        with_plan([&](attn4j_plan plan) {
            ASSERT_EQ(attn4j_plan_set_dtype(plan, operand, ATTN4J_INT8), ATTN4J_OK);
            EXPECT_REFUSED(attn4j_plan_build(plan), kRefused, {"int8 is a type of k and v", "=int8"});
        });
    with_plan([&](attn4j_plan plan) {
        ASSERT_EQ(attn4j_plan_set_scales(plan, ATTN4J_V, 4, 4), ATTN4J_OK);
        EXPECT_REFUSED(attn4j_plan_build(plan), kRefused, {"only int8 has scales", "v=f32"});
    });
    with_plan([&](attn4j_plan plan) {
        ASSERT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_K, ATTN4J_INT8), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_set_scales(plan, ATTN4J_K, 4, -4), ATTN4J_OK);
        EXPECT_REFUSED(attn4j_plan_build(plan), kRefused, {"strides of scales must not be negative", "head=-4"});
    });
    with_plan([&](attn4j_plan plan) {
        ASSERT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_K, ATTN4J_INT8), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
        EXPECT_REFUSED(run(plan, bytes.data(), nullptr, nullptr, nullptr), kRefused, {"kScales=null", "plan=with"});
        EXPECT_REFUSED(run(plan, bytes.data(), nullptr, out.data(), nullptr), kRefused, {"out", "kScales"});
    });
    with_plan([&](attn4j_plan plan) {
        ASSERT_EQ(attn4j_plan_set_pages(plan, 4, 2, 1), ATTN4J_OK);
        EXPECT_REFUSED(attn4j_plan_build(plan), kRefused, {"a page for every key", "tableStride=1", "keys=4"});
    });
    with_plan([&](attn4j_plan plan) {
        ASSERT_EQ(attn4j_plan_set_pages(plan, 4, 2, 2), ATTN4J_OK);
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
        EXPECT_REFUSED(run(plan, k.data(), nullptr, nullptr, nullptr), kRefused, {"pages=null", "plan=with"});
        for (const int64_t bad : {int64_t{4}, int64_t{-1}, INT64_MAX}) {
            std::vector<int64_t> wrong = table;
            wrong[3] = bad;
            EXPECT_REFUSED(run(plan, k.data(), wrong.data(), nullptr, nullptr), kRefused,
                           {"pages must lie between 0 and 3", "pages[1, 1]="});
        }
    });
    for (const float value : out) EXPECT_EQ(value, 7);
}

}  // namespace
