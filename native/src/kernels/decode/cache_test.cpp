// SPDX-License-Identifier: Apache-2.0
// Caches in pages and in int8: what is refused, and what changes no bit. Results against the definition:
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

constexpr int64_t kHeads = 20, kKvHeads = 10, kDim = 40;

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

    // So many rows of poison.
    static Cache poisoned(int64_t rows) {
        const auto all = static_cast<size_t>(rows);
        Cache cache;
        cache.floats.assign(all * kDim, std::numeric_limits<float>::quiet_NaN());
        cache.bytes.assign(all * kDim, 77);
        cache.scales.assign(all, std::numeric_limits<float>::quiet_NaN());
        return cache;
    }

    // [kKvHeads, keys] rows to where place(head, key) says.
    template <typename Place>
    static void put(const Cache& from, int64_t keys, Cache& to, const Place& place) {
        for (int64_t h = 0; h < kKvHeads; ++h)
            for (int64_t j = 0; j < keys; ++j) {
                const auto row = static_cast<size_t>(h * keys + j), at = static_cast<size_t>(place(h, j));
                std::copy_n(&from.floats[row * kDim], kDim, &to.floats[at * kDim]);
                std::copy_n(&from.bytes[row * kDim], kDim, &to.bytes[at * kDim]);
                to.scales[at] = from.scales[row];
            }
    }

    // Of a row in pages of `rows`.
    static int64_t page_row(const int64_t* table, int64_t rows, int64_t h, int64_t j) {
        return (table[j / rows] * kKvHeads + h) * rows + j % rows;
    }

    // [kKvHeads, keys] rows into pages of `rows` in the order of the table; what no key lies in is poison.
    static Cache paged(const Cache& cache, int64_t keys, int64_t rows, const std::vector<int64_t>& table) {
        Cache pages = poisoned(static_cast<int64_t>(table.size()) * kKvHeads * rows);
        put(cache, keys, pages, [&](int64_t h, int64_t j) { return page_row(table.data(), rows, h, j); });
        return pages;
    }

    // n pages in any order.
    std::vector<int64_t> shuffled(int64_t n) {
        std::vector<int64_t> table;
        for (int64_t i = 0; i < n; ++i) table.insert(table.begin() + random.between(0, i), i);
        return table;
    }

    std::vector<float> normal(int64_t n) {
        std::vector<float> numbers;
        for (int64_t i = 0; i < n; ++i) numbers.push_back(random.normal());
        return numbers;
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

// Sequences end to end, q and out [kHeads, all queries, kDim]; keys and values likewise, or in pages.
TEST_P(CacheTest, RaggedSequencesAreAsTheyAreAlone) {
    const int64_t most = kernels().decode.chunk + 9;
    const std::vector<int64_t> queries = {1, 5, 0, 40, 3}, keys = {most, 100, 30, 77, 0};
    std::vector<int64_t> cu_queries = {0}, cu_keys = {0};
    for (size_t b = 0; b < queries.size(); ++b) {
        cu_queries.push_back(cu_queries.back() + queries[b]);
        cu_keys.push_back(cu_keys.back() + keys[b]);
    }
    const int64_t sequences = static_cast<int64_t>(queries.size()), rows = 16, columns = most / rows + 2;
    const std::vector<int64_t> table = shuffled(sequences * columns);
    for (const bool bytes : {false, true})
        for (const bool pages : {false, true}) {
            const int64_t all = kKvHeads * (pages ? sequences * columns * rows : cu_keys.back());
            Cache k = poisoned(all), v = poisoned(all);
            std::vector<float> q(static_cast<size_t>(kHeads * cu_queries.back() * kDim)), expected(q.size());
            for (int64_t b = 0; b < sequences; ++b) {
                const int64_t n = queries[static_cast<size_t>(b)], m = keys[static_cast<size_t>(b)];
                const Cache own_k = filled(kKvHeads * m), own_v = filled(kKvHeads * m);
                const auto place = [&](int64_t h, int64_t j) {
                    return pages ? page_row(&table[static_cast<size_t>(b * columns)], rows, h, j)
                                 : h * cu_keys.back() + cu_keys[static_cast<size_t>(b)] + j;
                };
                put(own_k, m, k, place);
                put(own_v, m, v, place);
                const std::vector<float> own_q = normal(kHeads * n * kDim);
                std::vector<float> own(own_q.size());
                if (m > 0 && pages) {
                    const std::vector<int64_t> own_table = shuffled(columns);
                    own = run(n, m, bytes, paged(own_k, m, rows, own_table), paged(own_v, m, rows, own_table), own_q,
                              rows, own_table);
                } else if (m > 0) {
                    own = run(n, m, bytes, own_k, own_v, own_q, 0, {});
                }
                for (int64_t h = 0; h < kHeads; ++h) {
                    const int64_t to = (h * cu_queries.back() + cu_queries[static_cast<size_t>(b)]) * kDim;
                    std::copy_n(own_q.begin() + h * n * kDim, n * kDim, q.begin() + to);
                    std::copy_n(own.begin() + h * n * kDim, n * kDim, expected.begin() + to);
                }
            }
            const attn4j_plan plan = attn4j_plan_create(sequences, kHeads, kKvHeads, 40, most, kDim, kDim);
            ASSERT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
            ASSERT_EQ(attn4j_plan_set_causal(plan), ATTN4J_OK);
            ASSERT_EQ(attn4j_plan_set_ragged(plan), ATTN4J_OK);
            for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_OUT}) {
                ASSERT_EQ(attn4j_plan_set_strides(plan, operand, 0, cu_queries.back() * kDim, kDim), ATTN4J_OK);
            }
            if (pages) {
                ASSERT_EQ(attn4j_plan_set_pages(plan, sequences * columns, rows, columns), ATTN4J_OK);
            }
            for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V}) {
                ASSERT_EQ(attn4j_plan_set_dtype(plan, operand, bytes ? ATTN4J_INT8 : ATTN4J_F32), ATTN4J_OK);
                if (pages) continue;
                ASSERT_EQ(attn4j_plan_set_strides(plan, operand, 0, cu_keys.back() * kDim, kDim), ATTN4J_OK);
                if (bytes) {
                    ASSERT_EQ(attn4j_plan_set_scales(plan, operand, 0, cu_keys.back()), ATTN4J_OK);
                }
            }
            ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
            std::vector<float> out(q.size());
            const auto data = [&](const Cache& cache) {
                return bytes ? static_cast<const void*>(cache.bytes.data()) : cache.floats.data();
            };
            ASSERT_EQ(attn4j_plan_run(plan, sequences, 0, 0, q.data(), data(k), data(v), out.data(), nullptr, nullptr,
                                      nullptr, cu_queries.data(), cu_keys.data(), pages ? table.data() : nullptr,
                                      bytes ? k.scales.data() : nullptr, bytes ? v.scales.data() : nullptr, nullptr,
                                      nullptr, nullptr, nullptr, nullptr, 0, nullptr),
                      ATTN4J_OK)
                << attn4j_error_message();
            attn4j_plan_free(plan);
            EXPECT_EQ(difference(expected, out), "") << "int8 " << bytes << " pages " << pages;
        }
}

// Where pages lie changes no bit, and where blocks are those of rows without any, not of pages that are read together,
// nor does it that there are any.
TEST_P(CacheTest, PlacesOfPagesChangeNoBit) {
    for (const int64_t queries : {1, 5, 40})
        for (const int64_t keys : {int64_t{3}, int64_t{100}, kernels().decode.chunk + 9}) {
            const Cache k = filled(kKvHeads * keys), v = filled(kKvHeads * keys);
            const std::vector<float> q = normal(kHeads * queries * kDim);
            for (const bool bytes : {false, true}) {
                const std::vector<float> whole = run(queries, keys, bytes, k, v, q, 0, {});
                for (const int64_t rows : {1, 16, 17, 5000}) {
                    const auto in_pages = [&] {
                        const std::vector<int64_t> table = shuffled(keys / rows + 2);
                        return run(queries, keys, bytes, paged(k, keys, rows, table), paged(v, keys, rows, table), q,
                                   rows, table);
                    };
                    const std::vector<float> parts = in_pages();
                    EXPECT_EQ(difference(parts, in_pages()), "")
                        << "queries " << queries << " keys " << keys << " rows " << rows << " int8 " << bytes;
                    if (!bytes && (rows == 16 || (attn4j::wants_every_line() && queries == 1))) continue;
                    EXPECT_EQ(difference(whole, parts), "")
                        << "queries " << queries << " keys " << keys << " rows " << rows << " int8 " << bytes;
                }
            }
        }
}

// On one thread all heads of a page are decoded at once, on more of them some or each alone.
TEST_P(CacheTest, ThreadsChangeNoBitOfPages) {
    const int64_t keys = 7 * kernels().decode.chunk + 70;
    const Cache k = filled(kKvHeads * keys), v = filled(kKvHeads * keys);
    const std::vector<float> q = normal(kHeads * kDim), whole = run(1, keys, false, k, v, q, 0, {});
    for (const int64_t rows : {16, 64, 700}) {
        const std::vector<int64_t> table = shuffled(keys / rows + 2);
        const Cache k_pages = paged(k, keys, rows, table), v_pages = paged(v, keys, rows, table);
        std::vector<float> one;
        for (const int threads : {1, 2, 3, 8}) {
            const ScopedThreads scope(threads);
            const std::vector<float> out = run(1, keys, false, k_pages, v_pages, q, rows, table);
            if (threads == 1) one = out;
            EXPECT_EQ(difference(one, out), "") << threads << " threads, pages of " << rows;
            for (size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i], whole[i], 1e-5) << "pages of " << rows;
        }
    }
}

// As far from the result of the numbers themselves as is promised.
TEST_P(CacheTest, Int8IsNearFloat32) {
    for (const int64_t queries : {1, 4, 40}) {
        const int64_t keys = 300;
        const Cache k = filled(kKvHeads * keys), v = filled(kKvHeads * keys);
        const std::vector<float> q = normal(kHeads * queries * kDim);
        const std::vector<float> exact = run(queries, keys, false, k, v, q, 0, {});
        const std::vector<float> rounded = run(queries, keys, true, k, v, q, 0, {});
        for (size_t i = 0; i < exact.size(); ++i) ASSERT_NEAR(exact[i], rounded[i], 5e-2);
    }
}

// Sums of as many products of the largest numbers as rows are long, of either sign: a query of 1 sees only the keys that
// are 127, one of -1 only those that are -128.
TEST_P(CacheTest, SumsOfTheLargestBytesFit) {
    constexpr int64_t heads = 4;
    const int64_t keys = kernels().small.most_keys + 9;
    for (const attn4j_dtype dtype : {ATTN4J_F32, ATTN4J_BF16})
        for (const int64_t dim : {128, 256, 520})
            for (const float sign : {1.0f, -1.0f}) {
                const auto elements = static_cast<size_t>(heads * dim);
                const std::vector<float> q(elements, sign);
                const std::vector<uint16_t> q_bf16(elements, sign > 0 ? 0x3f80 : 0xbf80);
                std::vector<int8_t> k, v;
                for (int64_t j = 0; j < keys; ++j) {
                    k.insert(k.end(), static_cast<size_t>(dim), static_cast<int8_t>(j % 2 == 0 ? 127 : -128));
                    v.insert(v.end(), static_cast<size_t>(dim), static_cast<int8_t>(j % 2 == 0 ? 30 : 40));
                }
                const std::vector<float> scales(static_cast<size_t>(keys), 1.0f);
                std::vector<float> out(elements, -1.0f);
                const attn4j_plan plan = attn4j_plan_create(1, heads, 1, 1, keys, dim, dim);
                EXPECT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
                EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_Q, dtype), ATTN4J_OK);
                EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_K, ATTN4J_INT8), ATTN4J_OK);
                EXPECT_EQ(attn4j_plan_set_dtype(plan, ATTN4J_V, ATTN4J_INT8), ATTN4J_OK);
                EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
                const void* const of_q = dtype == ATTN4J_F32 ? static_cast<const void*>(q.data()) : q_bf16.data();
                EXPECT_EQ(attn4j_plan_run(plan, 1, 1, keys, of_q, k.data(), v.data(), out.data(), nullptr, nullptr,
                                          nullptr, nullptr, nullptr, nullptr, scales.data(), scales.data(), nullptr,
                                          nullptr, nullptr, nullptr, nullptr, 0, nullptr),
                          ATTN4J_OK)
                    << attn4j_error_message();
                attn4j_plan_free(plan);
                for (const float x : out) ASSERT_NEAR(x, sign > 0 ? 30 : 40, 1e-2) << "head dimension " << dim;
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
