// SPDX-License-Identifier: Apache-2.0
// Attention of few queries over a cache, checked against doubles before it is timed. The limit is the roofline: reading
// the cache once at the rate at which a buffer of its size is read, or the multiply-adds, in bfloat16 where all is
// bfloat16 and the ISA multiplies it, else in float32, whichever takes longer.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "operands.h"
#include "options.h"
#include "scenarios.h"

namespace {

struct Shape {
    int64_t batch, heads, kv_heads, queries, keys, head_dim;
    int64_t page;                // rows of one, 0 for no pages
    std::vector<int64_t> pages;  // [batch, keys / page], in shuffled order

    // Of [batch, kv_heads, keys], or [pages, kv_heads, page].
    int64_t row(int64_t b, int64_t kv_head, int64_t j) const {
        if (page == 0) return (b * kv_heads + kv_head) * keys + j;
        return (pages[static_cast<size_t>(b * (keys / page) + j / page)] * kv_heads + kv_head) * page + j % page;
    }
};

// The largest difference over some rows, spread over all batches, heads and queries.
double max_error(const Shape& s, const AlignedFloats& q, const AlignedFloats& k, const AlignedFloats& v,
                 const AlignedFloats& out) {
    const auto at = [&](const AlignedFloats& values, int64_t row, int64_t d) {
        return static_cast<double>(values[static_cast<size_t>(row * s.head_dim + d)]);
    };
    const int64_t rows = s.batch * s.heads * s.queries, step = std::max<int64_t>(1, rows / 29);
    double worst = 0;
    std::vector<double> weights(static_cast<size_t>(s.keys)), expected(static_cast<size_t>(s.head_dim));
    for (int64_t row = 0; row < rows; row += step) {
        const int64_t b = row / (s.heads * s.queries), h = row / s.queries % s.heads;
        const int64_t kv = h / (s.heads / s.kv_heads);
        double largest = -INFINITY, sum = 0;
        for (int64_t j = 0; j < s.keys; ++j) {
            double score = 0;
            for (int64_t d = 0; d < s.head_dim; ++d) score += at(q, row, d) * at(k, s.row(b, kv, j), d);
            weights[static_cast<size_t>(j)] = score / std::sqrt(static_cast<double>(s.head_dim));
            largest = std::max(largest, weights[static_cast<size_t>(j)]);
        }
        std::fill(expected.begin(), expected.end(), 0);
        for (int64_t j = 0; j < s.keys; ++j) {
            const double weight = std::exp(weights[static_cast<size_t>(j)] - largest);
            sum += weight;
            for (int64_t d = 0; d < s.head_dim; ++d)
                expected[static_cast<size_t>(d)] += weight * at(v, s.row(b, kv, j), d);
        }
        for (int64_t d = 0; d < s.head_dim; ++d)
            worst = std::max(worst, std::fabs(expected[static_cast<size_t>(d)] / sum - at(out, row, d)));
    }
    return worst;
}

}  // namespace

int run_decode(int argc, char** argv) {
    const Options options(argc, argv,
                          {"batch", "heads", "kv-heads", "queries", "keys", "head-dim", "dtype", "kv-dtype", "page",
                           "threads", "isa", "seconds"},
                          {});
    Shape s;
    s.batch = options.number("batch", 1);
    s.heads = options.number("heads", 32);
    s.kv_heads = options.number("kv-heads", 8);
    s.queries = options.number("queries", 1);
    s.keys = options.number("keys", 32768);
    s.head_dim = options.number("head-dim", 128);
    s.page = options.number("page", 0);
    if (s.page > 0 && s.keys % s.page != 0)
        throw std::invalid_argument("--page must divide --keys: --page " + std::to_string(s.page));
    s.pages.resize(static_cast<size_t>(s.page == 0 ? 0 : s.batch * (s.keys / s.page)));
    std::iota(s.pages.begin(), s.pages.end(), 0);
    std::shuffle(s.pages.begin(), s.pages.end(), std::mt19937(5));
    const attn4j_dtype dtype = dtype_of(options.text("dtype", "f32"));
    const attn4j_dtype kv_dtype = dtype_of(options.text("kv-dtype", options.text("dtype", "f32")));
    const int threads = static_cast<int>(options.number("threads", 1));
    const attn4j_isa isa = isa_of(options.text("isa", ""));
    pin_process(threads);
    require(attn4j_threads_set(threads));

    const attn4j_plan plan =
        attn4j_plan_create(s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.head_dim, s.head_dim);
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_OUT}) require(attn4j_plan_set_dtype(plan, operand, dtype));
    for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V}) require(attn4j_plan_set_dtype(plan, operand, kv_dtype));
    if (s.page > 0) require(attn4j_plan_set_pages(plan, static_cast<int64_t>(s.pages.size()), s.page, s.keys / s.page));
    require(attn4j_plan_set_isa(plan, isa));
    require(attn4j_plan_set_threads(plan, threads));
    require(attn4j_plan_build(plan));

    const Stored q(dtype, s.batch * s.heads * s.queries, s.head_dim, 1);
    const Stored k(kv_dtype, s.batch * s.kv_heads * s.keys, s.head_dim, 2);
    const Stored v(kv_dtype, s.batch * s.kv_heads * s.keys, s.head_dim, 3);
    const Stored out(dtype, s.batch * s.heads * s.queries, s.head_dim, 4);
    const auto call = [&] {
        require(attn4j_plan_run(plan, s.batch, s.queries, s.keys, q.data(), k.data(), v.data(), out.data(), nullptr,
                                nullptr, nullptr, nullptr, nullptr, s.page == 0 ? nullptr : s.pages.data(), k.scales(),
                                v.scales(), nullptr, nullptr, nullptr, nullptr, nullptr, 0, nullptr));
    };
    call();
    const double error = max_error(s, q.values(), k.values(), v.values(), out.values());
    const double flops =
        4.0 * static_cast<double>(s.batch * s.heads * s.queries * s.keys) * static_cast<double>(s.head_dim);
    const attn4j_dtype multiplied = dtype == kv_dtype ? dtype : ATTN4J_F32;
    const Measurement m =
        measure(isa, multiplied, threads, options.real("seconds", 1), flops, call, k.bytes() + v.bytes());
    std::printf(
        "{\"scenario\": \"decode\", \"batch\": %lld, \"heads\": %lld, \"kv_heads\": %lld, \"queries\": %lld, "
        "\"keys\": %lld, \"head_dim\": %lld, \"kv_dtype\": \"%s\", \"page\": %lld, ",
        static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.kv_heads),
        static_cast<long long>(s.queries), static_cast<long long>(s.keys), static_cast<long long>(s.head_dim),
        name_of(kv_dtype), static_cast<long long>(s.page));
    print_measurement(dtype, isa, threads, m, error);
    attn4j_plan_free(plan);
    return 0;
}
