// SPDX-License-Identifier: Apache-2.0
// Forward attention over a whole prompt, checked against doubles before it is timed.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "operands.h"
#include "options.h"
#include "scenarios.h"
#include "unfused.h"

namespace {

using Floats = AlignedFloats;

struct Shape {
    int64_t batch, heads, kv_heads, queries, keys, head_dim, value_dim;
    int64_t key_length;  // <= keys
    int64_t window;      // keys before a query that it sees, and none after it; -1 for no window
    bool causal;
    Floats bias;  // [queries, keys], or empty
};

Floats normal(int64_t n, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> distribution;
    Floats values(static_cast<size_t>(n));
    for (float& value : values) value = distribution(generator);
    return values;
}

// Keys [first, end) are visible to a query.
struct Range {
    int64_t first, end;
};

Range visible_keys(const Shape& s, int64_t query) {
    const int64_t position = query + s.key_length - s.queries;
    const int64_t end = s.causal || s.window >= 0 ? std::clamp<int64_t>(position + 1, 0, s.key_length) : s.key_length;
    return {s.window >= 0 ? std::clamp<int64_t>(position - s.window, 0, end) : 0, end};
}

// The largest difference over some rows, spread over all batches, heads and queries.
double max_error(const Shape& s, const Floats& q, const Floats& k, const Floats& v, const Floats& out) {
    const int64_t rows = s.batch * s.heads * s.queries, step = std::max<int64_t>(1, rows / 97);
    double worst = 0;
    std::vector<double> weights(static_cast<size_t>(s.keys));
    for (int64_t row = 0; row < rows; row += step) {
        const int64_t b = row / (s.heads * s.queries), h = row / s.queries % s.heads, i = row % s.queries;
        const int64_t kv = b * s.kv_heads + h / (s.heads / s.kv_heads);
        const Range visible = visible_keys(s, i);
        double largest = -INFINITY, sum = 0;
        for (int64_t j = visible.first; j < visible.end; ++j) {
            double score = 0;
            for (int64_t d = 0; d < s.head_dim; ++d)
                score += static_cast<double>(q[static_cast<size_t>(row * s.head_dim + d)]) *
                         k[static_cast<size_t>((kv * s.keys + j) * s.head_dim + d)];
            weights[static_cast<size_t>(j)] = score / std::sqrt(static_cast<double>(s.head_dim)) +
                                              (s.bias.empty() ? 0 : s.bias[static_cast<size_t>(i * s.keys + j)]);
            largest = std::max(largest, weights[static_cast<size_t>(j)]);
        }
        for (int64_t j = visible.first; j < visible.end; ++j)
            sum += weights[static_cast<size_t>(j)] = std::exp(weights[static_cast<size_t>(j)] - largest);
        for (int64_t d = 0; d < s.value_dim; ++d) {
            double expected = 0;
            for (int64_t j = visible.first; j < visible.end; ++j)
                expected +=
                    weights[static_cast<size_t>(j)] / sum * v[static_cast<size_t>((kv * s.keys + j) * s.value_dim + d)];
            worst = std::max(worst, std::fabs(expected - out[static_cast<size_t>(row * s.value_dim + d)]));
        }
    }
    return worst;
}

}  // namespace

int run_prefill(int argc, char** argv) {
    const Options options(argc, argv,
                          {"batch", "heads", "kv-heads", "queries", "keys", "head-dim", "value-dim", "window",
                           "key-lengths", "mask", "dtype", "threads", "isa", "seconds"},
                          {"causal", "unfused"});
    Shape s;
    s.batch = options.number("batch", 1);
    s.heads = options.number("heads", 12);
    s.kv_heads = options.number("kv-heads", s.heads);
    s.queries = options.number("queries", 512);
    s.keys = options.number("keys", s.queries);
    s.head_dim = options.number("head-dim", 64);
    s.value_dim = options.number("value-dim", s.head_dim);
    s.causal = options.flag("causal");
    s.window = options.number("window", -1);
    const std::string lengths = options.text("key-lengths", "full"), mask = options.text("mask", "none");
    if (lengths != "full" && lengths != "half")
        throw std::invalid_argument("unknown lengths: --key-lengths " + lengths);
    if (mask != "none" && mask != "bool" && mask != "bias") throw std::invalid_argument("unknown mask: --mask " + mask);
    s.key_length = lengths == "half" ? s.keys / 2 : s.keys;
    const attn4j_dtype dtype = dtype_of(options.text("dtype", "f32"));
    const int threads = static_cast<int>(options.number("threads", 1));
    const attn4j_isa isa = isa_of(options.text("isa", ""));
    pin_process(threads);
    require(attn4j_threads_set(threads));

    const attn4j_plan plan =
        attn4j_plan_create(s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.head_dim, s.value_dim);
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    if (s.causal) require(attn4j_plan_set_causal(plan));
    if (s.window >= 0) require(attn4j_plan_set_window(plan, s.window, 0));
    // Both hide nothing and are the same for every batch entry and head.
    std::vector<uint8_t, LineAllocator<uint8_t>> keep;
    if (mask == "bool") {
        keep.assign(static_cast<size_t>(s.queries * s.keys), 1);
        require(attn4j_plan_set_mask(plan, 0, 0, s.keys, 1));
    }
    if (mask == "bias") {
        s.bias = normal(s.queries * s.keys, 4);
        require(attn4j_plan_set_bias(plan, 0, 0, s.keys, 1));
    }
    const std::vector<int64_t> key_lengths(static_cast<size_t>(s.batch), s.key_length);
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V, ATTN4J_OUT})
        require(attn4j_plan_set_dtype(plan, operand, dtype));
    require(attn4j_plan_set_isa(plan, isa));
    require(attn4j_plan_set_threads(plan, threads));
    require(attn4j_plan_build(plan));

    const Stored q(dtype, s.batch * s.heads * s.queries, s.head_dim, 1);
    const Stored k(dtype, s.batch * s.kv_heads * s.keys, s.head_dim, 2);
    const Stored v(dtype, s.batch * s.kv_heads * s.keys, s.value_dim, 3);
    const Stored out(dtype, s.batch * s.heads * s.queries, s.value_dim, 4);
    const bool is_unfused = options.flag("unfused");
    if (is_unfused && (s.window >= 0 || lengths == "half" || mask != "none" || dtype != ATTN4J_F32))
        throw std::invalid_argument("the unfused baseline has no windows, lengths, masks or other types: --unfused");
    UnfusedAttention unfused = {s.batch,    s.heads,     s.kv_heads, s.queries, s.keys,
                                s.head_dim, s.value_dim, s.causal,   threads,   {}};
    if (is_unfused) {
        const std::string library = ATTN4J_OPENBLAS_LIBRARY;
        require(attn4j_openblas_open(library.empty() ? nullptr : library.c_str()));
    }
    const auto call = [&] {
        if (is_unfused)
            return unfused.run(static_cast<const float*>(q.data()), static_cast<const float*>(k.data()),
                               static_cast<const float*>(v.data()), static_cast<float*>(out.data()));
        require(attn4j_plan_run(plan, s.batch, s.queries, s.keys, q.data(), k.data(), v.data(), out.data(), nullptr,
                                key_lengths.data(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                mask == "bias" ? s.bias.data() : nullptr, mask == "bool" ? keep.data() : nullptr,
                                nullptr, nullptr, nullptr, 0, nullptr));
    };
    call();
    const double error = max_error(s, q.values(), k.values(), v.values(), out.values());

    double scores = 0;
    for (int64_t i = 0; i < s.queries; ++i) {
        const Range visible = visible_keys(s, i);
        scores += static_cast<double>(visible.end - visible.first);
    }
    const double flops = 2.0 * scores * static_cast<double>(s.batch * s.heads * (s.head_dim + s.value_dim));
    const Measurement m = measure(isa, dtype, threads, options.real("seconds", 1), flops, call);
    std::printf(
        "{\"scenario\": \"prefill\", \"batch\": %lld, \"heads\": %lld, \"kv_heads\": %lld, \"queries\": %lld, "
        "\"keys\": %lld, \"head_dim\": %lld, \"value_dim\": %lld, \"causal\": %s, \"window\": %lld, "
        "\"key_lengths\": \"%s\", \"mask\": \"%s\", \"by\": \"%s\", ",
        static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.kv_heads),
        static_cast<long long>(s.queries), static_cast<long long>(s.keys), static_cast<long long>(s.head_dim),
        static_cast<long long>(s.value_dim), s.causal ? "true" : "false", static_cast<long long>(s.window),
        lengths.c_str(), mask.c_str(), is_unfused ? attn4j_openblas_config() : "attn4j");
    print_measurement(dtype, isa, threads, m, error);
    attn4j_plan_free(plan);
    return 0;
}
