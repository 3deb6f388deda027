// SPDX-License-Identifier: Apache-2.0
// Few queries over many keys: at the edges of blocks and chunks, what must not change a bit, and what is hidden.
// Options in all combinations: attention/options_test.cpp. Any number of threads also: attention/invariants_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "aligned_floats.h"
#include "attention_case.h"
#include "elements.h"
#include "environment.h"
#include "isas.h"

namespace {

AttentionCase few_rows(attn4j_isa isa, attn4j_dtype dtype, int64_t group, int64_t queries, int64_t keys) {
    AttentionCase c;
    c.isa = isa;
    c.dtype = dtype;
    c.kv_heads = 2;
    c.heads = 2 * group;
    c.queries = queries;
    c.keys = keys;
    c.head_dim = 37;
    c.value_dim = 21;
    return c;
}

// Of q, k and v of one type.
class DecodeTypeTest : public IsaTypeTest {
protected:
    const attn4j::DecodeKernel& kernel() const {
        const attn4j::Bf16Kernels* bf16 = dtype() == ATTN4J_BF16 ? attn4j::bf16_kernels_of(isa()) : nullptr;
        return bf16 != nullptr && bf16->decode != nullptr ? *bf16->decode : attn4j::kernels_of(isa()).decode;
    }
    int64_t chunk() const { return kernel().chunk; }
    // Of a row of a partial result.
    int64_t width(int64_t value_dim) const { return (value_dim + lanes() - 1) / lanes() * lanes(); }
    AttentionCase sized(int64_t group, int64_t queries, int64_t keys) const {
        return few_rows(isa(), dtype(), group, queries, keys);
    }
    // One query of each of the group's heads, matrices of which the first rows are taken.
    attn4j::DecodeChunk chunk_over(const Elements& q, const Elements& k, const Elements& v, int64_t group,
                                   int64_t keys) const {
        const attn4j::Element type = static_cast<attn4j::Element>(dtype());
        attn4j::DecodeChunk c{};
        c.q = q.data();
        c.q_type = type;
        c.q_head_stride = c.q_stride = q.strides[2];
        c.k = {k.data(), type, k.strides[2], nullptr, nullptr, 0, 0, 0};
        c.v = {v.data(), type, v.strides[2], nullptr, nullptr, 0, 0, 0};
        c.group = group;
        c.queries = 1;
        c.head_dim = q.sizes[3];
        c.value_dim = v.sizes[3];
        c.end = keys;
        c.last_key = keys - 1;
        c.scale = 0.1f;
        return c;
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(DecodeTypeTest);

class DecodeTest : public IsaTest {
protected:
    const attn4j::DecodeKernel& kernel() const { return kernels().decode; }

    AttentionCase sized(int64_t group, int64_t queries, int64_t keys) const {
        return few_rows(isa(), ATTN4J_F32, group, queries, keys);
    }

    static std::string explain(const AttentionCase& c, const AttentionData& data) {
        const attn4j_plan plan = make_plan(c, data);
        char text[400];
        EXPECT_EQ(attn4j_plan_explain(plan, text, sizeof text), ATTN4J_OK);
        attn4j_plan_free(plan);
        return text;
    }

    // Runs with the weights of all heads, or their mean, written beside the result.
    static std::vector<float> run_with_weights(const AttentionCase& c, const AttentionData& data, bool averaged) {
        const int64_t rows = (averaged ? 1 : c.heads) * c.queries;
        std::vector<float> weights(static_cast<size_t>(c.batch * rows * c.keys));
        const attn4j_plan plan =
            attn4j_plan_create(c.batch, c.heads, c.kv_heads, c.queries, c.keys, c.head_dim, c.value_dim);
        EXPECT_EQ(attn4j_plan_set_causal(plan), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_isa(plan, c.isa), ATTN4J_OK);
        EXPECT_EQ(
            attn4j_plan_set_stage(plan, ATTN4J_STAGE_WEIGHTS, averaged, rows * c.keys, c.queries * c.keys, c.keys),
            ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        EXPECT_EQ(
            attn4j_plan_run(plan, c.batch, c.queries, c.keys, data.q.data(), data.k.data(), data.v.data(),
                            data.out.data(), c.lse ? data.lse.data() : nullptr, nullptr, nullptr, nullptr, nullptr,
                            nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, weights.data(), 0, nullptr),
            ATTN4J_OK)
            << attn4j_error_message();
        attn4j_plan_free(plan);
        return weights;
    }
};
ATTN4J_ON_EVERY_ISA(DecodeTest);

TEST_P(DecodeTypeTest, AroundBlocksAndChunks) {
    for (const int64_t keys :
         {int64_t{1}, int64_t{2}, int64_t{7}, int64_t{16}, int64_t{63}, int64_t{64}, int64_t{65}, int64_t{127},
          int64_t{128}, int64_t{129}, int64_t{130}, chunk() - 1, chunk(), chunk() + 1, 2 * chunk() + 70})
        for (const int64_t group : {1, 3, 4})
            for (const int64_t queries : {1, 2})
                for (const Layout layout : {Layout::BHSD, Layout::PADDED}) {
                    AttentionCase c = sized(group, queries, keys);
                    c.layout = layout;
                    c.causal = queries > 1;
                    c.flush = keys % 2 == 0 ? GuardedFloats::Flush::AT_END : GuardedFloats::Flush::AT_BEGIN;
                    check(c, test_seed());
                }
}

TEST_P(DecodeTypeTest, AroundWholeVectors) {
    for (const int64_t head_dim : {int64_t{1}, int64_t{2}, int64_t{3}, lanes(), lanes() + 1, 2 * lanes() - 1,
                                   2 * lanes(), int64_t{47}, int64_t{64}, int64_t{128}, int64_t{769}})
        for (const int64_t value_dim : {head_dim, int64_t{5}, 4 * lanes()}) {
            AttentionCase c = sized(3, 1, 70);
            c.head_dim = head_dim;
            c.value_dim = value_dim;
            check(c, test_seed());
        }
}

// How rows are fetched, and in which order then, is up to the CPU, which need not be this one.
TEST_P(DecodeTypeTest, NearlyTheSameWhetherEveryLineIsFetched) {
    Random random(test_seed());
    for (const int64_t dim : {37, 128}) {
        const Elements q = Elements::matrix(dtype(), 12, dim, dim), k = Elements::matrix(dtype(), 1000, dim, dim + 5),
                       v = Elements::matrix(dtype(), 1000, dim, dim);
        for (const Elements* of : {&q, &k, &v}) of->fill_normal(random);
        for (const int64_t group : {1, 3, 4, 5, 8, 12})
            for (const int64_t keys : {300, 512, 1000}) {
                attn4j::DecodeChunk c = chunk_over(q, k, v, group, keys);
                c.first_key = random.chance(2) ? 0 : random.between(1, 40);
                c.last_key = random.between(keys - 40, keys);
                const AlignedFloats workspace(kernel().workspace_floats(dim, dim));
                const int64_t floats = kernel().partial_floats(group, dim);
                const AlignedFloats lines(floats), no_lines(floats);
                c.workspace = workspace.data;
                for (const bool every_line : {true, false}) {
                    c.every_line = every_line;
                    c.partial = every_line ? lines.data : no_lines.data;
                    kernel().run(&c, 1);
                }
                for (int64_t row = 0; row < group; ++row) {
                    const float* const state = no_lines.data + group * width(dim);
                    EXPECT_EQ(lines.data[group * width(dim) + row], state[row]);
                    const double sum = state[group + row];
                    EXPECT_GT(sum, 1);
                    EXPECT_NEAR(lines.data[group * width(dim) + group + row] / sum, 1, 1e-5);
                    // Sums of more than one number of bfloat16 are rounded by what they are relative to.
                    for (int64_t d = 0; d < dim; ++d)
                        ASSERT_NEAR(lines.data[row * width(dim) + d] / sum, no_lines.data[row * width(dim) + d] / sum,
                                    dtype() == ATTN4J_BF16 ? 2e-3 : 1e-5)
                            << group << " rows of " << dim << ", " << keys << " keys";
                }
            }
    }
}

// A NaN among the values of a key that is seen is found, and of one that is not it is not, in whatever order rows are
// read: in pages, and with every line fetched.
TEST_P(DecodeTypeTest, NaNsAreFoundInAnyOrderOfRows) {
    constexpr int64_t keys = 1000, seen = 700, dim = 64, column = 5;
    Random random(test_seed());
    const Elements q = Elements::matrix(dtype(), 8, dim, dim), k = Elements::matrix(dtype(), keys, dim, dim),
                   v = Elements::matrix(dtype(), keys, dim, dim);
    for (const Elements* of : {&q, &k, &v}) of->fill_normal(random);
    std::vector<int64_t> in_order(keys);
    for (size_t i = 0; i < in_order.size(); ++i) in_order[i] = static_cast<int64_t>(i);
    const AlignedFloats workspace(kernel().workspace_floats(dim, dim));
    for (const int64_t group : {4, 8})
        for (const int64_t page_rows : {0, 16, 128})
            for (const bool every_line : {false, true})
                for (const int64_t poisoned : {0, 1, 2, 3, 65, 255, 301, 511, 699, 700, 702, 731, 999}) {
                    attn4j::DecodeChunk c = chunk_over(q, k, v, group, keys);
                    c.last_key = seen - 1;
                    c.every_line = every_line;
                    for (attn4j::CacheRows* rows : {&c.k, &c.v})
                        if (page_rows > 0) {
                            rows->pages = in_order.data();
                            rows->page_rows = page_rows;
                            rows->page_stride = page_rows * dim;
                        }
                    const AlignedFloats partial(kernel().partial_floats(group, dim));
                    c.workspace = workspace.data;
                    c.partial = partial.data;
                    const Elements::Index at{0, 0, poisoned, column};
                    const uint32_t before = v.bits(at);
                    v.put(at, std::numeric_limits<double>::quiet_NaN());
                    kernel().run(&c, 1);
                    v.put_bits(at, before);
                    for (int64_t row = 0; row < group; ++row)
                        for (int64_t d = 0; d < dim; ++d)
                            ASSERT_EQ(std::isnan(partial.data[row * width(dim) + d]), poisoned < seen && d == column)
                                << "row " << row << " of " << group << ", column " << d << ", key " << poisoned
                                << ", pages of " << page_rows << ", every line " << every_line;
                }
}

// Chunks of several heads that take turns at each block of pages give each the bits it gives alone, also where a value of
// one head is infinite, and one a NaN that its first query sees and its second does not.
TEST_P(DecodeTypeTest, HeadsTogetherAreAsTheyAreAlone) {
    constexpr int64_t heads = 3, keys = 700, dim = 64, queries = 2, first_key = 30, infinite = 5, nan = 7;
    Random random(test_seed());
    for (const int64_t page_rows : {1, 16, 24, 64})
        for (const int64_t group : {1, 2, 6})
            for (const bool finite : {false, true}) {
                const int64_t pages = (keys + page_rows - 1) / page_rows, all = pages * heads * page_rows;
                const int64_t rows = group * queries;
                const Elements q = Elements::matrix(dtype(), heads * rows, dim, dim),
                               k = Elements::matrix(dtype(), all, dim, dim),
                               v = Elements::matrix(dtype(), all, dim, dim);
                for (const Elements* of : {&q, &k, &v}) of->fill_normal(random);
                std::vector<int64_t> backwards;
                for (int64_t page = pages; page > 0; --page) backwards.push_back(page - 1);
                const auto put = [&](int64_t head, int64_t key, int64_t d, double value) {
                    const int64_t page = backwards[static_cast<size_t>(key / page_rows)];
                    v.put({0, 0, (page * heads + head) * page_rows + key % page_rows, d}, value);
                };
                if (!finite) {
                    put(1, 300, infinite, std::numeric_limits<double>::infinity());
                    put(1, first_key, nan, std::numeric_limits<double>::quiet_NaN());
                }

                const int64_t row_bytes = dim * attn4j::bytes_of(static_cast<attn4j::Element>(dtype()));
                const int64_t floats = kernel().partial_floats(rows, dim);
                const AlignedFloats workspace(heads * kernel().workspace_floats(dim, dim)), together(heads * floats),
                    alone(heads * floats);
                attn4j::DecodeChunk chunks[heads];
                for (int64_t head = 0; head < heads; ++head) {
                    attn4j::DecodeChunk& c = chunks[head];
                    c = chunk_over(q, k, v, group, keys);
                    c.q = static_cast<const char*>(q.data()) + head * rows * row_bytes;
                    c.q_head_stride = queries * dim;
                    c.queries = queries;
                    for (attn4j::CacheRows* cache : {&c.k, &c.v}) {
                        cache->data = static_cast<const char*>(cache->data) + head * page_rows * row_bytes;
                        cache->pages = backwards.data();
                        cache->page_rows = page_rows;
                        cache->page_stride = heads * page_rows * dim;
                    }
                    c.first_key = first_key;
                    c.last_key = keys - queries;
                    c.short_blocks = true;
                    c.workspace = workspace.data + head * kernel().workspace_floats(dim, dim);
                    c.partial = alone.data + head * floats;
                    kernel().run(&c, 1);
                    c.partial = together.data + head * floats;
                }
                const int64_t most = kernel().most_heads;
                for (int64_t head = 0; head < heads; head += most)
                    kernel().run(chunks + head, std::min(most, heads - head));
                for (int64_t head = 0; head < heads; ++head)
                    for (int64_t i = 0; i < rows * (width(dim) + 2); ++i) {
                        const float x = together.data[head * floats + i], y = alone.data[head * floats + i];
                        ASSERT_EQ(std::memcmp(&x, &y, sizeof x), 0)
                            << x << " and " << y << ", number " << i << " of head " << head << ", " << rows
                            << " rows, pages of " << page_rows;
                        const int64_t row = i / width(dim), d = row < rows ? i % width(dim) : -1;
                        const bool poisoned = !finite && head == 1;
                        ASSERT_EQ(std::isinf(x), poisoned && d == infinite) << "row " << row;
                        ASSERT_EQ(std::isnan(x), poisoned && d == nan && row % queries == 0) << "row " << row;
                    }
            }
}

TEST_P(DecodeTest, IsChosenForFewRowsAndNoOthers) {
    for (int64_t group = 1; group <= kernel().most_rows + 1; ++group)
        for (int64_t queries = 1; queries <= kernel().most_queries + 1; ++queries) {
            const AttentionCase c = sized(group, queries, kernels().small.most_keys + 1);
            Random random(test_seed());
            const AttentionData data = make_data(c, random);
            const bool few = group * queries <= kernel().most_rows && queries <= kernel().most_queries;
            ASSERT_EQ(explain(c, data).find("kernel=decode") == 0, few) << group << " " << queries;
            run(c, data);
            expect_correct(c, data);
        }
}

TEST_P(DecodeTest, SameBitsWhateverElseIsAskedFor) {
    AttentionCase c = sized(3, 3, kernel().chunk + 130);
    c.causal = true;
    Random random(test_seed());
    const AttentionData data = make_data(c, random);
    run(c, data);
    for (const bool lse : {true, false}) {
        c.lse = lse;
        const AttentionData plain = with_fresh_output(c, data);
        run(c, plain);
        EXPECT_EQ(difference(data.out.values(), plain.out.values()), "");
        std::vector<float> mean(static_cast<size_t>(c.queries * c.keys));
        const AttentionData beside = with_fresh_output(c, data);
        const std::vector<float> weights = run_with_weights(c, beside, false);
        EXPECT_EQ(difference(data.out.values(), beside.out.values()), "");
        for (size_t i = 0; i < weights.size(); ++i) mean[i % mean.size()] += weights[i] / static_cast<float>(c.heads);
        for (int64_t row = 0; row < c.heads * c.queries; ++row) {
            double total = 0;
            for (int64_t j = 0; j < c.keys; ++j) total += weights[static_cast<size_t>(row * c.keys + j)];
            EXPECT_NEAR(total, 1, 1e-5);
        }
        const std::vector<float> averaged = run_with_weights(c, beside, true);
        EXPECT_EQ(difference(data.out.values(), beside.out.values()), "");
        for (size_t i = 0; i < mean.size(); ++i) ASSERT_NEAR(mean[i], averaged[i], 1e-6);
    }
}

// Of a ragged batch some sequences are decoded and some are not; each is as it is alone.
TEST_P(DecodeTypeTest, SameBitsAloneOrInAMixedBatch) {
    AttentionCase c = sized(2, 0, 0);
    c.layout = Layout::BSHD;
    c.causal = true;
    c.cu_queries = {0, 1, 48, 48, 50};
    c.cu_keys = {0, chunk() + 5, chunk() + 105, chunk() + 110, chunk() + 310};
    Random random(test_seed());
    const AttentionData data = make_data(c, random);
    run(c, data);
    expect_correct(c, data);
    for (int64_t b = 0; b < c.sequences(); ++b) {
        AttentionCase alone = sized(2, c.queries_of(b), c.keys_of(b));
        alone.layout = Layout::BSHD;
        alone.causal = true;
        const AttentionData part = make_data(alone, random);
        for (int64_t i = 0; i < alone.queries; ++i)
            for (int64_t h = 0; h < c.heads; ++h)
                for (int64_t d = 0; d < c.head_dim; ++d)
                    part.q.at(0, h, i, d) = data.q.at(0, h, c.cu_queries[b] + i, d);
        for (int64_t j = 0; j < alone.keys; ++j)
            for (int64_t h = 0; h < c.kv_heads; ++h) {
                for (int64_t d = 0; d < c.head_dim; ++d) part.k.at(0, h, j, d) = data.k.at(0, h, c.cu_keys[b] + j, d);
                for (int64_t d = 0; d < c.value_dim; ++d) part.v.at(0, h, j, d) = data.v.at(0, h, c.cu_keys[b] + j, d);
            }
        run(alone, part);
        for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < alone.queries; ++i)
                for (int64_t d = 0; d < c.value_dim; ++d)
                    ASSERT_EQ(bits_of(part.out.at(0, h, i, d)), bits_of(data.out.at(0, h, c.cu_queries[b] + i, d)))
                        << "sequence " << b << " head " << h << " row " << i;
    }
}

// Two threads take three chunks at a time here, so across heads, and one a whole sequence.
TEST_P(DecodeTypeTest, SameBitsHoweverManyChunksAThreadTakes) {
    AttentionCase c = sized(2, 2, chunk() + 9);
    c.batch = 17;
    c.kv_heads = 3;
    c.heads = 6;
    c.causal = true;
    c.key_lengths.assign(17, c.keys);
    c.key_lengths[1] = chunk();
    c.key_lengths[2] = c.key_lengths[5] = 0;
    c.key_lengths[3] = 70;
    c.key_lengths[4] = chunk() + 1;
    check_threads(c, test_seed());
}

// Rows that do not see a key keep their bits whatever it holds; rows that do become NaN with a NaN.
TEST_P(DecodeTypeTest, RowsDoNotInfectEachOther) {
    for (const int64_t keys : {int64_t{20}, int64_t{70}, chunk() + 2}) {
        AttentionCase c = sized(3, 3, keys);
        c.causal = true;
        c.offsets = {keys - 5};  // the last two keys are hidden from all, the two before from some
        Random random(test_seed());
        const AttentionData clean = make_data(c, random);
        run(c, clean);
        for (int64_t j = keys - 7; j < keys; ++j)
            for (const bool of_keys : {true, false})
                for (const float poison :
                     {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
                    AttentionData data = with_fresh_output(c, clean);
                    Tensor& operand = of_keys ? data.k : data.v;
                    operand = operand.copy();
                    for (int64_t d = 0; d < operand.sizes[3]; ++d) operand.at(0, 1, j, d) = poison;
                    run(c, data);
                    for (int64_t h = 0; h < c.heads; ++h)
                        for (int64_t i = 0; i < c.queries; ++i)
                            for (int64_t d = 0; d < c.value_dim; ++d) {
                                const float is = data.out.at(0, h, i, d);
                                if (h < 3 || j > i + keys - 5) {
                                    ASSERT_EQ(bits_of(is), bits_of(clean.out.at(0, h, i, d)))
                                        << "key " << j << " of " << keys << " hidden from " << h << ", " << i;
                                } else if (std::isnan(poison)) {
                                    ASSERT_TRUE(std::isnan(is)) << "key " << j << " seen by " << h << ", " << i;
                                }
                            }
                }
    }
}

TEST_P(DecodeTypeTest, NoKeysGiveZeros) {
    AttentionCase c = sized(4, 2, chunk() + 1);
    c.batch = 3;
    c.key_lengths = {0, c.keys, 1};
    check(c, test_seed());
    check(sized(4, 1, 0), test_seed());
}

}  // namespace
