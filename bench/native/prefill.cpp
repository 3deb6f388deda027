// SPDX-License-Identifier: Apache-2.0
// Forward attention over a whole prompt, checked against doubles before it is timed.
#include <algorithm>
#include <vector>

#include "expected.h"
#include "operands.h"
#include "options.h"
#include "scenarios.h"
#include "unfused.h"

namespace {

struct Shape : AttentionShape {
    int64_t key_length;  // <= keys
    int64_t window;      // keys before a query that it sees, and none after it; -1 for no window
    bool causal;

    KeyRange visible_keys(int64_t query) const {
        const int64_t position = query + key_length - queries;
        const int64_t end = causal || window >= 0 ? std::clamp<int64_t>(position + 1, 0, key_length) : key_length;
        return {window >= 0 ? std::clamp<int64_t>(position - window, 0, end) : 0, end};
    }
};

}  // namespace

int run_prefill(int argc, char** argv) { return measure_prefill("prefill", 512, argc, argv); }

int measure_prefill(const char* scenario, int64_t queries, int argc, char** argv) {
    const Options options(argc, argv,
                          {"batch", "heads", "kv-heads", "queries", "keys", "head-dim", "value-dim", "window",
                           "key-lengths", "mask", "dtype", "threads", "isa", "seconds"},
                          {"causal", "unfused"});
    Shape s;
    s.batch = options.number("batch", 1);
    s.heads = options.number("heads", 12);
    s.kv_heads = options.number("kv-heads", s.heads);
    s.queries = options.number("queries", queries);
    s.keys = options.number("keys", s.queries);
    s.head_dim = options.number("head-dim", 64);
    s.value_dim = options.number("value-dim", s.head_dim);
    s.causal = options.flag("causal");
    s.window = options.number("window", -1, 0);
    const std::string lengths = options.choice("key-lengths", {"full", "half"});
    const std::string mask = options.choice("mask", {"none", "bool", "bias"});
    s.key_length = lengths == "half" ? s.keys / 2 : s.keys;
    const Setting setting(options);
    const attn4j_dtype dtype = setting.dtype;

    const attn4j_plan plan =
        attn4j_plan_create(s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.head_dim, s.value_dim);
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    if (s.causal) require(attn4j_plan_set_causal(plan));
    if (s.window >= 0) require(attn4j_plan_set_window(plan, s.window, 0));
    // Both hide nothing and are the same for every batch entry and head.
    std::vector<uint8_t, LineAllocator<uint8_t>> keep;
    AlignedFloats bias;
    if (mask == "bool") {
        keep.assign(static_cast<size_t>(s.queries * s.keys), 1);
        require(attn4j_plan_set_mask(plan, 0, 0, s.keys, 1));
    }
    if (mask == "bias") {
        bias = normal(s.queries * s.keys, 4);
        require(attn4j_plan_set_bias(plan, 0, 0, s.keys, 1));
    }
    const std::vector<int64_t> key_lengths(static_cast<size_t>(s.batch), s.key_length);
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V, ATTN4J_OUT})
        require(attn4j_plan_set_dtype(plan, operand, dtype));
    require(attn4j_plan_set_isa(plan, setting.isa));
    require(attn4j_plan_set_threads(plan, setting.threads));
    require(attn4j_plan_build(plan));

    const Stored q(dtype, s.batch * s.heads * s.queries, s.head_dim, 1);
    const Stored k(dtype, s.batch * s.kv_heads * s.keys, s.head_dim, 2);
    const Stored v(dtype, s.batch * s.kv_heads * s.keys, s.value_dim, 3);
    const Stored out(dtype, s.batch * s.heads * s.queries, s.value_dim, 4);
    const bool is_unfused = options.flag("unfused");
    if (is_unfused && (s.window >= 0 || lengths == "half" || mask != "none" || dtype != ATTN4J_F32))
        throw std::invalid_argument("the unfused baseline has no windows, lengths, masks or other types: --unfused");
    UnfusedAttention unfused = {s.batch,    s.heads,     s.kv_heads, s.queries,       s.keys,
                                s.head_dim, s.value_dim, s.causal,   setting.threads, {}};
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
                                mask == "bias" ? bias.data() : nullptr, mask == "bool" ? keep.data() : nullptr, nullptr,
                                nullptr, nullptr, 0, nullptr));
    };
    call();
    const auto visible_keys = [&](int64_t query) { return s.visible_keys(query); };
    const auto row = [&](int64_t b, int64_t kv_head, int64_t key) { return (b * s.kv_heads + kv_head) * s.keys + key; };
    const double error = ExpectedAttention{s, q.values(), k.values(), v.values(), bias, visible_keys, row}.max_error(
        out.values(), dtype);

    double scores = 0;
    for (int64_t i = 0; i < s.queries; ++i) {
        const KeyRange visible = s.visible_keys(i);
        scores += static_cast<double>(visible.end - visible.first);
    }
    const double flops = 2.0 * scores * static_cast<double>(s.batch * s.heads * (s.head_dim + s.value_dim));
    const Measurement m = measure(setting.isa, dtype, setting.threads, setting.seconds, flops, call);
    std::printf(
        "{\"scenario\": \"%s\", \"batch\": %lld, \"heads\": %lld, \"kv_heads\": %lld, \"queries\": %lld, "
        "\"keys\": %lld, \"head_dim\": %lld, \"value_dim\": %lld, \"causal\": %s, \"window\": %lld, "
        "\"key_lengths\": \"%s\", \"mask\": \"%s\", \"by\": \"%s\", ",
        scenario, static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.kv_heads),
        static_cast<long long>(s.queries), static_cast<long long>(s.keys), static_cast<long long>(s.head_dim),
        static_cast<long long>(s.value_dim), s.causal ? "true" : "false", static_cast<long long>(s.window),
        lengths.c_str(), mask.c_str(), is_unfused ? attn4j_openblas_config() : "attn4j");
    print_measurement(setting, m, error);
    attn4j_plan_free(plan);
    return 0;
}
