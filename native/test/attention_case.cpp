// SPDX-License-Identifier: Apache-2.0
#include "attention_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "elements.h"
#include "environment.h"
#include "kernels/attention/reference.h"
#include "tolerance.h"

namespace {

const char* name_of(Layout layout) {
    switch (layout) {
        case Layout::BHSD:
            return "BHSD";
        case Layout::BSHD:
            return "BSHD";
        case Layout::PACKED:
            return "packed";
        case Layout::PADDED:
            return "padded";
        case Layout::SHARED_KV:
            return "shared kv";
    }
    return "?";
}

std::string list(const char* name, const std::vector<int64_t>& numbers) {
    if (numbers.empty()) return "";
    std::ostringstream text;
    text << ' ' << name << '=';
    for (size_t i = 0; i < numbers.size(); ++i) text << (i == 0 ? "" : ",") << numbers[i];
    return text.str();
}

Tensor::Numbers strides_of(Layout layout, const Tensor::Numbers& sizes, bool shared) {
    const int64_t heads = sizes[1], rows = sizes[2], dim = sizes[3];
    if (layout == Layout::BSHD) return {rows * heads * dim, dim, heads * dim, 1};
    if (layout == Layout::PADDED) {
        const int64_t row = dim + 5, head = rows * row + 7;
        return {heads * head + 11, head, row, 1};
    }
    return {shared ? 0 : heads * rows * dim, rows * dim, dim, 1};
}

// q, k and v as three views of [batch, rows, heads * head_dim + kv_heads * (head_dim + value_dim)].
void pack(const AttentionCase& c, const Tensor::Numbers& q, const Tensor::Numbers& k, const Tensor::Numbers& v,
          AttentionData& data) {
    const int64_t row = c.heads * c.head_dim + c.kv_heads * (c.head_dim + c.value_dim);
    const int64_t rows = std::max(q[2], k[2]);
    auto memory = std::make_shared<GuardedFloats>(q[0] * rows * row, c.flush);
    int64_t first = 0;
    const auto view = [&](const Tensor::Numbers& sizes) {
        Tensor tensor;
        tensor.sizes = sizes;
        tensor.strides = {rows * row, sizes[3], row, 1};
        tensor.memory = memory;
        // Of an empty operand nothing may be touched, not even its address formed.
        tensor.first = memory->count() == 0 ? 0 : first;
        first += sizes[1] * sizes[3];
        return tensor;
    };
    data.q = view(q);
    data.k = view(k);
    data.v = view(v);
}

void make_output(const AttentionCase& c, AttentionData& data) {
    const int64_t batch = data.q.sizes[0], queries = data.q.sizes[2];
    const Tensor::Numbers sizes = {batch, c.heads, queries, c.value_dim};
    const Layout layout = c.layout == Layout::PACKED ? Layout::BSHD : c.layout;
    data.out = Tensor(sizes, strides_of(layout, sizes, false), c.flush);
    const Tensor::Numbers lse = {batch, c.heads, queries, 1};
    data.lse = Tensor(lse, strides_of(Layout::BHSD, lse, false), c.flush);
}

// An operand as the library is given it. Of a 16-bit type: a copy, in guarded memory of its own; the operand's numbers
// become those that are stored.
struct Stored {
    Elements halves;
    const void* address;
};

Stored stored(const AttentionCase& c, const Tensor& operand) {
    if (c.dtype == ATTN4J_F32) return {{}, operand.data()};
    Stored s{Elements(c.dtype, operand.sizes, operand.strides, c.flush), nullptr};
    s.halves.each([&](const Elements::Index& at) {
        float& number = operand.at(at[0], at[1], at[2], at[3]);
        s.halves.put(at, number);
        number = static_cast<float>(s.halves.value(at));
    });
    s.address = s.halves.data();
    return s;
}

}  // namespace

double AttentionCase::scale_or_default() const { return scale.value_or(1 / std::sqrt(static_cast<double>(head_dim))); }

std::string AttentionCase::describe() const {
    std::ostringstream text;
    text << "isa=" << attn4j_isa_name(isa) << " dtype=" << dtype << " batch=" << batch << " heads=" << heads
         << " kvHeads=" << kv_heads << " queries=" << queries << " keys=" << keys << " headDim=" << head_dim
         << " valueDim=" << value_dim << " layout=" << name_of(layout) << " causal=" << causal
         << " alignment=" << alignment << " threads=" << threads << " scale=" << scale_or_default()
         << list("keyLengths", key_lengths) << list("offsets", offsets) << list("cuQueries", cu_queries)
         << list("cuKeys", cu_keys);
    return text.str();
}

AttentionData make_data(const AttentionCase& c, Random& random) {
    const int64_t batch = c.ragged() ? 1 : c.batch;
    const int64_t queries = c.ragged() ? c.cu_queries.back() : c.queries;
    const int64_t keys = c.ragged() ? c.cu_keys.back() : c.keys;
    const Tensor::Numbers q = {batch, c.heads, queries, c.head_dim}, k = {batch, c.kv_heads, keys, c.head_dim},
                          v = {batch, c.kv_heads, keys, c.value_dim};
    AttentionData data;
    if (c.layout == Layout::PACKED) {
        pack(c, q, k, v, data);
    } else {
        const bool shared = c.layout == Layout::SHARED_KV;
        data.q = Tensor(q, strides_of(c.layout, q, false), c.flush);
        data.k = Tensor(k, strides_of(c.layout, k, shared), c.flush);
        data.v = Tensor(v, strides_of(c.layout, v, shared), c.flush);
    }
    for (const Tensor* operand : {&data.q, &data.k, &data.v}) operand->fill_normal(random);
    make_output(c, data);
    return data;
}

AttentionData with_fresh_output(const AttentionCase& c, const AttentionData& data) {
    AttentionData fresh = data;
    make_output(c, fresh);
    return fresh;
}

attn4j_plan make_plan(const AttentionCase& c, const AttentionData& data) {
    int64_t queries = c.queries, keys = c.keys;
    if (c.ragged()) {
        queries = keys = 0;
        for (int64_t b = 0; b < c.sequences(); ++b) {
            queries = std::max(queries, c.queries_of(b));
            keys = std::max(keys, c.keys_of(b));
        }
    }
    attn4j_plan plan = attn4j_plan_create(c.sequences(), c.heads, c.kv_heads, queries, keys, c.head_dim, c.value_dim);
    EXPECT_NE(plan, nullptr) << attn4j_error_message();
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V}) {
        EXPECT_EQ(attn4j_plan_set_dtype(plan, operand, c.dtype), ATTN4J_OK) << attn4j_error_message();
    }
    const Tensor* operands[] = {&data.q, &data.k, &data.v, &data.out};
    for (int i = ATTN4J_Q; i <= ATTN4J_OUT; ++i) {
        const Tensor::Numbers& strides = operands[i]->strides;
        EXPECT_EQ(attn4j_plan_set_strides(plan, static_cast<attn4j_operand>(i), strides[0], strides[1], strides[2]),
                  ATTN4J_OK)
            << attn4j_error_message();
    }
    if (c.scale) {
        EXPECT_EQ(attn4j_plan_set_scale(plan, *c.scale), ATTN4J_OK) << attn4j_error_message();
    }
    if (c.causal) {
        EXPECT_EQ(attn4j_plan_set_causal(plan), ATTN4J_OK) << attn4j_error_message();
    }
    EXPECT_EQ(attn4j_plan_set_alignment(plan, c.alignment), ATTN4J_OK) << attn4j_error_message();
    if (c.ragged()) {
        EXPECT_EQ(attn4j_plan_set_ragged(plan), ATTN4J_OK) << attn4j_error_message();
    }
    EXPECT_EQ(attn4j_plan_set_isa(plan, c.isa), ATTN4J_OK) << attn4j_error_message();
    EXPECT_EQ(attn4j_plan_set_threads(plan, c.threads), ATTN4J_OK) << attn4j_error_message();
    EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
    EXPECT_EQ(attn4j_plan_isa(plan), c.isa);
    return plan;
}

attn4j_status run_plan(attn4j_plan plan, const AttentionCase& c, const AttentionData& data, const int32_t* cancelled) {
    const Stored q = stored(c, data.q), k = stored(c, data.k), v = stored(c, data.v);
    const auto pointer = [](const std::vector<int64_t>& numbers) { return numbers.empty() ? nullptr : numbers.data(); };
    return attn4j_plan_run(plan, c.sequences(), c.queries, c.keys, q.address, k.address, v.address, data.out.data(),
                           c.lse ? data.lse.data() : nullptr, pointer(c.key_lengths), pointer(c.offsets),
                           pointer(c.cu_queries), pointer(c.cu_keys), nullptr, nullptr, nullptr, nullptr, nullptr,
                           nullptr, nullptr, nullptr, 0, cancelled);
}

void run(const AttentionCase& c, const AttentionData& data) {
    attn4j_plan plan = make_plan(c, data);
    EXPECT_EQ(run_plan(plan, c, data), ATTN4J_OK) << attn4j_error_message();
    attn4j_plan_free(plan);
    EXPECT_TRUE(data.out.gaps_untouched()) << "written beside out: " << c.describe();
    EXPECT_TRUE(data.lse.gaps_untouched()) << "written beside lse: " << c.describe();
    if (!c.lse) {
        EXPECT_TRUE(data.lse.untouched());
    }
    for (const Tensor* operand : {&data.q, &data.k, &data.v})
        EXPECT_TRUE(operand->memory->surroundings_untouched()) << "written beside an input: " << c.describe();
}

double expect_correct(const AttentionCase& c, const AttentionData& data) {
    struct Row {
        int64_t b, head;
        std::vector<double> out, lse;
    };
    std::vector<Row> rows;
    double largest = 0;
    for (int64_t b = 0; b < c.sequences(); ++b) {
        for (int64_t h = 0; h < c.heads; ++h) {
            const int64_t at = AttentionData::batch_of(c, b), kv = h / (c.heads / c.kv_heads),
                          queries = c.queries_of(b);
            Row row{b, h, std::vector<double>(static_cast<size_t>(queries * c.value_dim)),
                    std::vector<double>(static_cast<size_t>(queries))};
            attention_reference(&data.q.at(at, h, AttentionData::query_row(c, b), 0), data.q.strides[2],
                                &data.k.at(at, kv, AttentionData::key_row(c, b), 0), data.k.strides[2],
                                &data.v.at(at, kv, AttentionData::key_row(c, b), 0), data.v.strides[2], queries,
                                c.keys_of(b), c.head_dim, c.value_dim, c.scale_or_default(), c.causal, c.offset_of(b),
                                row.out.data(), row.lse.data(), &largest);
            rows.push_back(std::move(row));
        }
    }
    const double tolerance = attention_tolerance(c.dtype, c.head_dim, largest);
    double worst = 0;
    int failures = 0;
    const auto compare = [&](const char* name, double expected, float actual, const Row& row, int64_t i, int64_t d) {
        const double error = std::fabs(actual - expected);
        const bool same = std::isnan(expected)   ? std::isnan(actual)
                          : std::isinf(expected) ? actual == expected
                                                 : error <= tolerance;
        if (std::isfinite(expected) && std::isfinite(actual)) worst = std::max(worst, error / tolerance);
        // A few say as much as all.
        if (!same && failures++ < 5)
            ADD_FAILURE() << name << "[" << row.b << ", " << row.head << ", " << i << ", " << d << "] is " << actual
                          << ", expected " << expected << ", error " << error << ", tolerance " << tolerance << ", "
                          << c.describe();
    };
    for (const Row& row : rows) {
        const int64_t at = AttentionData::batch_of(c, row.b), first = AttentionData::query_row(c, row.b);
        for (int64_t i = 0; i < c.queries_of(row.b); ++i) {
            const double lse = row.lse[static_cast<size_t>(i)];
            const bool empty = std::isinf(lse) && lse < 0;
            for (int64_t d = 0; d < c.value_dim; ++d) {
                const float out = data.out.at(at, row.head, first + i, d);
                compare("out", row.out[static_cast<size_t>(i * c.value_dim + d)], out, row, i, d);
                // Exactly +0, not merely near.
                if (empty && bits_of(out) != 0 && failures++ < 5)
                    ADD_FAILURE() << "an empty row is " << out << ": " << c.describe();
            }
            if (c.lse) compare("lse", lse, data.lse.at(at, row.head, first + i, 0), row, i, 0);
        }
    }
    return worst;
}

double check(const AttentionCase& c, uint64_t seed) {
    Random random(seed);
    const AttentionData data = make_data(c, random);
    run(c, data);
    return expect_correct(c, data);
}

void check_threads(AttentionCase c, uint64_t seed) {
    Random random(seed);
    const AttentionData data = make_data(c, random);
    c.threads = 1;
    run(c, data);
    expect_correct(c, data);
    const ScopedThreads pool(8);
    for (const int32_t threads : {2, 3, 8, 0}) {
        c.threads = threads;
        const AttentionData again = with_fresh_output(c, data);
        run(c, again);
        EXPECT_EQ(difference(data.out.values(), again.out.values()), "") << c.describe();
        EXPECT_EQ(difference(data.lse.values(), again.lse.values()), "") << c.describe();
    }
}
