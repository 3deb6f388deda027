// SPDX-License-Identifier: Apache-2.0
// Forward attention over a whole prompt, checked against doubles before it is timed.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "options.h"
#include "scenarios.h"

namespace {

struct Shape {
    int64_t batch, heads, kv_heads, queries, keys, head_dim, value_dim;
    bool causal;
};

std::vector<float> normal(int64_t n, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> distribution;
    std::vector<float> values(static_cast<size_t>(n));
    for (float& value : values) value = distribution(generator);
    return values;
}

int64_t visible_keys(const Shape& s, int64_t query) {
    return s.causal ? std::clamp<int64_t>(query + s.keys - s.queries + 1, 0, s.keys) : s.keys;
}

// The largest difference over some rows, spread over all batches, heads and queries.
double max_error(const Shape& s, const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
                 const std::vector<float>& out) {
    const int64_t rows = s.batch * s.heads * s.queries, step = std::max<int64_t>(1, rows / 97);
    double worst = 0;
    std::vector<double> weights(static_cast<size_t>(s.keys));
    for (int64_t row = 0; row < rows; row += step) {
        const int64_t b = row / (s.heads * s.queries), h = row / s.queries % s.heads, i = row % s.queries;
        const int64_t kv = b * s.kv_heads + h / (s.heads / s.kv_heads), visible = visible_keys(s, i);
        double largest = -INFINITY, sum = 0;
        for (int64_t j = 0; j < visible; ++j) {
            double score = 0;
            for (int64_t d = 0; d < s.head_dim; ++d)
                score += static_cast<double>(q[static_cast<size_t>(row * s.head_dim + d)]) *
                         k[static_cast<size_t>((kv * s.keys + j) * s.head_dim + d)];
            weights[static_cast<size_t>(j)] = score / std::sqrt(static_cast<double>(s.head_dim));
            largest = std::max(largest, weights[static_cast<size_t>(j)]);
        }
        for (int64_t j = 0; j < visible; ++j) sum += weights[static_cast<size_t>(j)] = std::exp(weights[static_cast<size_t>(j)] - largest);
        for (int64_t d = 0; d < s.value_dim; ++d) {
            double expected = 0;
            for (int64_t j = 0; j < visible; ++j)
                expected += weights[static_cast<size_t>(j)] / sum * v[static_cast<size_t>((kv * s.keys + j) * s.value_dim + d)];
            worst = std::max(worst, std::fabs(expected - out[static_cast<size_t>(row * s.value_dim + d)]));
        }
    }
    return worst;
}

}  // namespace

int run_prefill(int argc, char** argv) {
    const Options options(argc, argv,
                          {"batch", "heads", "kv-heads", "queries", "keys", "head-dim", "value-dim", "dtype", "threads",
                           "isa", "seconds"},
                          {"causal"});
    Shape s;
    s.batch = options.number("batch", 1);
    s.heads = options.number("heads", 12);
    s.kv_heads = options.number("kv-heads", s.heads);
    s.queries = options.number("queries", 512);
    s.keys = options.number("keys", s.queries);
    s.head_dim = options.number("head-dim", 64);
    s.value_dim = options.number("value-dim", s.head_dim);
    s.causal = options.flag("causal");
    if (options.text("dtype", "f32") != "f32")
        throw std::invalid_argument("unknown type: --dtype " + options.text("dtype", ""));
    const int threads = static_cast<int>(options.number("threads", 1));
    const attn4j_isa isa = isa_of(options.text("isa", ""));
    pin_process(threads);
    require(attn4j_threads_set(threads));

    const attn4j_plan plan =
        attn4j_plan_create(s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.head_dim, s.value_dim);
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    if (s.causal) require(attn4j_plan_set_causal(plan, ATTN4J_BOTTOM_RIGHT));
    require(attn4j_plan_set_isa(plan, isa));
    require(attn4j_plan_set_threads(plan, threads));
    require(attn4j_plan_build(plan));

    const auto q = normal(s.batch * s.heads * s.queries * s.head_dim, 1);
    const auto k = normal(s.batch * s.kv_heads * s.keys * s.head_dim, 2);
    const auto v = normal(s.batch * s.kv_heads * s.keys * s.value_dim, 3);
    std::vector<float> out(static_cast<size_t>(s.batch * s.heads * s.queries * s.value_dim));
    const auto call = [&] {
        require(attn4j_plan_run(plan, s.batch, s.queries, s.keys, q.data(), k.data(), v.data(), out.data(), nullptr,
                                nullptr, nullptr, nullptr, nullptr));
    };
    call();
    const double error = max_error(s, q, k, v, out);

    double scores = 0;
    for (int64_t i = 0; i < s.queries; ++i) scores += static_cast<double>(visible_keys(s, i));
    const double flops = 2.0 * scores * static_cast<double>(s.batch * s.heads * (s.head_dim + s.value_dim));
    const Measurement m = measure(isa, threads, options.real("seconds", 1), flops, call);
    std::printf("{\"scenario\": \"prefill\", \"batch\": %lld, \"heads\": %lld, \"kv_heads\": %lld, \"queries\": %lld, "
                "\"keys\": %lld, \"head_dim\": %lld, \"value_dim\": %lld, \"causal\": %s, ",
                static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.kv_heads),
                static_cast<long long>(s.queries), static_cast<long long>(s.keys), static_cast<long long>(s.head_dim),
                static_cast<long long>(s.value_dim), s.causal ? "true" : "false");
    print_measurement(isa, threads, m, error);
    attn4j_plan_free(plan);
    return 0;
}
