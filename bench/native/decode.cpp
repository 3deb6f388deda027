// SPDX-License-Identifier: Apache-2.0
// Attention of few queries over a cache, checked against doubles before it is timed. The limit is the roofline: reading
// the cache once at the rate at which a buffer of its size is read, or the multiply-adds, in bfloat16 where all is
// bfloat16 and the ISA multiplies it, in bytes where keys and values are and the ISA multiplies those, else in float32,
// whichever takes longer.
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "expected.h"
#include "operands.h"
#include "options.h"
#include "scenarios.h"

namespace {

struct Shape : AttentionShape {
    int64_t page;                // rows of one, 0 for no pages
    std::vector<int64_t> pages;  // [batch, keys / page], in shuffled order

    // Of [batch, kv_heads, keys], or [pages, kv_heads, page].
    int64_t row(int64_t b, int64_t kv_head, int64_t j) const {
        if (page == 0) return (b * kv_heads + kv_head) * keys + j;
        return (pages[static_cast<size_t>(b * (keys / page) + j / page)] * kv_heads + kv_head) * page + j % page;
    }
};

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
    s.value_dim = s.head_dim;
    s.page = options.number("page", 0, 0);
    if (s.page > 0 && s.keys % s.page != 0)
        throw std::invalid_argument("--page must divide --keys: --page " + std::to_string(s.page));
    s.pages.resize(static_cast<size_t>(s.page == 0 ? 0 : s.batch * (s.keys / s.page)));
    std::iota(s.pages.begin(), s.pages.end(), 0);
    std::shuffle(s.pages.begin(), s.pages.end(), std::mt19937(5));
    const Setting setting(options);
    const attn4j_dtype dtype = setting.dtype;
    const attn4j_dtype kv_dtype = dtype_of("kv-dtype", options.text("kv-dtype", dtype_names[dtype]));

    const attn4j_plan plan =
        attn4j_plan_create(s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.head_dim, s.head_dim);
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_OUT}) require(attn4j_plan_set_dtype(plan, operand, dtype));
    for (const attn4j_operand operand : {ATTN4J_K, ATTN4J_V}) require(attn4j_plan_set_dtype(plan, operand, kv_dtype));
    if (s.page > 0) require(attn4j_plan_set_pages(plan, static_cast<int64_t>(s.pages.size()), s.page, s.keys / s.page));
    require(attn4j_plan_set_isa(plan, setting.isa));
    require(attn4j_plan_set_threads(plan, setting.threads));
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
    const AlignedFloats no_bias;
    const auto visible_keys = [&](int64_t) { return KeyRange{0, s.keys}; };
    const auto row = [&](int64_t b, int64_t kv_head, int64_t key) { return s.row(b, kv_head, key); };
    const double error = ExpectedAttention{s, q.values(), k.values(), v.values(), no_bias, visible_keys, row}.max_error(
        out.values(), dtype);
    const double flops =
        4.0 * static_cast<double>(s.batch * s.heads * s.queries * s.keys) * static_cast<double>(s.head_dim);
    const attn4j_dtype multiplied = dtype == kv_dtype || kv_dtype == ATTN4J_INT8 ? kv_dtype : ATTN4J_F32;
    const Measurement m =
        measure(setting.isa, multiplied, setting.threads, setting.seconds, flops, call, k.bytes() + v.bytes());
    std::printf(
        "{\"scenario\": \"decode\", \"batch\": %lld, \"heads\": %lld, \"kv_heads\": %lld, \"queries\": %lld, "
        "\"keys\": %lld, \"head_dim\": %lld, \"kv_dtype\": \"%s\", \"page\": %lld, ",
        static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.kv_heads),
        static_cast<long long>(s.queries), static_cast<long long>(s.keys), static_cast<long long>(s.head_dim),
        dtype_names[kv_dtype], static_cast<long long>(s.page));
    print_measurement(setting, m, error);
    attn4j_plan_free(plan);
    return 0;
}
