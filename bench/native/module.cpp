// SPDX-License-Identifier: Apache-2.0
// The forward of PyTorch's nn.MultiheadAttention on one sequence batch: packed in-projection, attention over strided
// views of it, output projection; three calls for as many sequences as the Java modules take at a time. Some rows are
// checked against doubles first. The limit is that of multiply-adds.
#include <algorithm>
#include <set>
#include <vector>

#include "layers.h"
#include "operands.h"
#include "options.h"
#include "scenarios.h"
#include "tolerance.h"

namespace {

using Floats = AlignedFloats;

struct Module {
    int64_t batch, queries, width, heads;
    Linear in{width, 3 * width, ATTN4J_OUT_IN, 1}, out{width, width, ATTN4J_OUT_IN, 3};

    int64_t rows() const { return batch * queries; }
    int64_t head_dim() const { return width / heads; }
    // Sequences at a time, by the rule of the Java modules, Slices.java: what lies between the layers stays in the
    // second cache of one thread; more of them wait for each other after every layer, which costs more than a small
    // slice gains.
    int64_t slice(int threads) const {
        constexpr int64_t bytes = 3 << 19, least_rows = 128, shared = 4;
        const int64_t most = std::max(bytes * (threads == 1 ? 1 : shared * threads) / (16 * queries * width),
                                      (least_rows + queries - 1) / queries);
        if (most >= batch) return batch;
        const int64_t slices = (batch + most - 1) / most;
        return (batch + slices - 1) / slices;
    }
    double flops() const {
        const double projections = 8.0 * static_cast<double>(rows() * width) * static_cast<double>(width);
        return projections + 4.0 * static_cast<double>(rows() * queries) * static_cast<double>(width);
    }
};

// The largest error of a first, a middle and a last row of a sequence x [queries, width]. Rows of the last weight have
// a length of about one, so the tolerance of attention stays what it is, and that of the last layer comes to it.
double sequence_error(const Module& m, const float* x, const float* out) {
    const auto row = [&](int64_t i) { return Doubles(x + i * m.width, x + (i + 1) * m.width); };
    std::vector<Doubles> keys_and_values;
    for (int64_t j = 0; j < m.queries; ++j) keys_and_values.push_back(m.in.expected(row(j), m.width, 2 * m.width));
    double worst = 0;
    for (const int64_t i : std::set<int64_t>{0, m.queries / 2, m.queries - 1}) {
        const ExpectedRow attended = expected_heads(m.heads, m.in.expected(row(i), 0, m.width), keys_and_values);
        const Doubles expected = m.out.expected(attended.out, 0, m.width), sizes = m.out.sizes(attended.out);
        for (int64_t o = 0; o < m.width; ++o)
            worst = std::max(worst, checked_error(expected[static_cast<size_t>(o)], out[i * m.width + o],
                                                  attention_tolerance(m.head_dim(), attended.largest_score) +
                                                      linear_tolerance(m.width, sizes[static_cast<size_t>(o)])));
    }
    return worst;
}

// Of the first, the middle and the last sequence.
double max_error(const Module& m, const Floats& x, const Floats& out) {
    double worst = 0;
    for (const int64_t b : std::set<int64_t>{0, m.batch / 2, m.batch - 1}) {
        const int64_t start = b * m.queries * m.width;
        worst = std::max(worst, sequence_error(m, x.data() + start, out.data() + start));
    }
    return worst;
}

}  // namespace

int run_module(int argc, char** argv) {
    const Options options(argc, argv, {"batch", "queries", "width", "heads", "dtype", "threads", "isa", "seconds"}, {});
    const int64_t width = options.number("width", 768), heads = options.number("heads", 12);
    if (width % heads != 0)
        throw std::invalid_argument("--heads must divide --width: --width " + std::to_string(width) + " --heads " +
                                    std::to_string(heads));
    const int64_t batch = options.number("batch", 32), queries = options.number("queries", 128);
    const Setting setting(options);
    require_f32(setting, "modules");

    const Module m = {batch, queries, width, heads};
    const Floats x = normal(m.rows() * m.width, 5);
    const int64_t slice = m.slice(setting.threads);
    Floats qkv(static_cast<size_t>(3 * slice * m.queries * m.width)), joined(qkv.size() / 3), out(x.size());
    const attn4j_plan plan = packed_plan(setting, slice, m.queries, m.heads, m.head_dim(), false);
    const auto call = [&] {
        for (int64_t first = 0; first < m.batch; first += slice) {
            const int64_t count = std::min(slice, m.batch - first), rows = count * m.queries;
            const int64_t start = first * m.queries * m.width;
            m.in.run(setting, x.data() + start, nullptr, qkv.data(), rows);
            require(attn4j_plan_run(plan, count, m.queries, m.queries, qkv.data(), qkv.data() + m.width,
                                    qkv.data() + 2 * m.width, joined.data(), nullptr, nullptr, nullptr, nullptr,
                                    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0,
                                    nullptr));
            m.out.run(setting, joined.data(), nullptr, out.data() + start, rows);
        }
    };
    call();
    const double error = max_error(m, x, out);
    const Measurement measured = measure(setting.isa, ATTN4J_F32, setting.threads, setting.seconds, m.flops(), call);
    std::printf("{\"scenario\": \"module\", \"batch\": %lld, \"queries\": %lld, \"width\": %lld, \"heads\": %lld, ",
                static_cast<long long>(m.batch), static_cast<long long>(m.queries), static_cast<long long>(m.width),
                static_cast<long long>(m.heads));
    print_measurement(setting, measured, error);
    attn4j_plan_free(plan);
    return 0;
}
