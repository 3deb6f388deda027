// SPDX-License-Identifier: Apache-2.0
// The forward of PyTorch's nn.MultiheadAttention on one sequence batch: packed in-projection, attention over strided
// views of it, output projection; three calls for as many sequences as the Java modules take at a time. Some rows are
// checked against doubles first. The limit is that of multiply-adds.
#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "expected.h"
#include "operands.h"
#include "options.h"
#include "scenarios.h"
#include "tolerance.h"

namespace {

using Floats = AlignedFloats;

struct Module {
    int64_t batch, queries, width, heads;
    Floats in_weight, in_bias;    // [3 width, width], [3 width]
    Floats out_weight, out_bias;  // [width, width], [width]

    int64_t rows() const { return batch * queries; }
    int64_t head_dim() const { return width / heads; }
    // Sequences at a time: what lies between the layers stays in the second cache of one thread; more of them wait for
    // each other after every layer, which costs more than a small slice gains.
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

// Features [first, first + n) of x [width] through a weight [.., width], and what their terms add up to without signs.
struct Projected {
    std::vector<double> values, sizes;
};

Projected project(const float* x, const Floats& weight, const Floats& bias, int64_t width, int64_t first, int64_t n) {
    Projected y;
    for (int64_t o = first; o < first + n; ++o) {
        double sum = bias[static_cast<size_t>(o)], size = std::fabs(sum);
        for (int64_t i = 0; i < width; ++i) {
            const double term = static_cast<double>(x[i]) * weight[static_cast<size_t>(o * width + i)];
            sum += term;
            size += std::fabs(term);
        }
        y.values.push_back(sum);
        y.sizes.push_back(size);
    }
    return y;
}

// Of one sequence in doubles: [queries][width].
struct KeysAndValues {
    std::vector<std::vector<double>> keys, values;

    KeysAndValues(const Module& m, const float* x) {
        for (int64_t j = 0; j < m.queries; ++j, x += m.width) {
            keys.push_back(project(x, m.in_weight, m.in_bias, m.width, m.width, m.width).values);
            values.push_back(project(x, m.in_weight, m.in_bias, m.width, 2 * m.width, m.width).values);
        }
    }
};

// The largest error of a row of a sequence. Rows of the last weight have a length of about one, so the tolerance of
// attention stays what it is, and that of the last layer comes to it.
double row_error(const Module& m, const KeysAndValues& sequence, const float* x, const float* out) {
    const std::vector<double> q = project(x, m.in_weight, m.in_bias, m.width, 0, m.width).values;
    Floats joined;
    double largest = 0;
    for (int64_t h = 0; h < m.heads; ++h) {
        std::vector<double> scores, sums(static_cast<size_t>(m.head_dim()), 0.0);
        double maximum = -INFINITY, sum = 0;
        for (const std::vector<double>& key : sequence.keys) {
            double score = 0;
            for (int64_t d = h * m.head_dim(); d < (h + 1) * m.head_dim(); ++d)
                score += q[static_cast<size_t>(d)] * key[static_cast<size_t>(d)];
            scores.push_back(score / std::sqrt(static_cast<double>(m.head_dim())));
            maximum = std::max(maximum, scores.back());
            largest = std::max(largest, std::fabs(scores.back()));
        }
        for (size_t j = 0; j < scores.size(); ++j) {
            const double weight = std::exp(scores[j] - maximum);
            sum += weight;
            for (size_t d = 0; d < sums.size(); ++d)
                sums[d] += weight * sequence.values[j][static_cast<size_t>(h * m.head_dim()) + d];
        }
        for (const double value : sums) joined.push_back(static_cast<float>(value / sum));
    }
    const Projected expected = project(joined.data(), m.out_weight, m.out_bias, m.width, 0, m.width);
    double worst = 0;
    for (size_t o = 0; o < expected.values.size(); ++o)
        worst = std::max(worst, checked_error(expected.values[o], out[o],
                                              attention_tolerance(m.head_dim(), largest) +
                                                  linear_tolerance(m.width, expected.sizes[o])));
    return worst;
}

// Of a first, a middle and a last row of the first, the middle and the last sequence.
double max_error(const Module& m, const Floats& x, const Floats& out) {
    double worst = 0;
    for (const int64_t b : std::set<int64_t>{0, m.batch / 2, m.batch - 1}) {
        const KeysAndValues sequence(m, x.data() + b * m.queries * m.width);
        for (const int64_t i : std::set<int64_t>{0, m.queries / 2, m.queries - 1}) {
            const int64_t row = (b * m.queries + i) * m.width;
            worst = std::max(worst, row_error(m, sequence, x.data() + row, out.data() + row));
        }
    }
    return worst;
}

// [batch, heads, queries, head_dim] of rows `row` floats apart.
void set_view(attn4j_plan plan, attn4j_operand operand, const Module& m, int64_t row) {
    require(attn4j_plan_set_strides(plan, operand, m.queries * row, m.head_dim(), row));
}

}  // namespace

int run_module(int argc, char** argv) {
    const Options options(argc, argv, {"batch", "queries", "width", "heads", "dtype", "threads", "isa", "seconds"}, {});
    Module m;
    m.batch = options.number("batch", 32);
    m.queries = options.number("queries", 128);
    m.width = options.number("width", 768);
    m.heads = options.number("heads", 12);
    if (m.width % m.heads != 0)
        throw std::invalid_argument("--heads must divide --width: --width " + std::to_string(m.width) + " --heads " +
                                    std::to_string(m.heads));
    const Setting setting(options);
    if (setting.dtype != ATTN4J_F32)
        throw std::invalid_argument(std::string("modules are f32: --dtype ") + dtype_names[setting.dtype]);

    const float scale = 1 / std::sqrt(static_cast<float>(m.width));
    m.in_weight = normal(3 * m.width * m.width, 1, scale);
    m.in_bias = normal(3 * m.width, 2);
    m.out_weight = normal(m.width * m.width, 3, scale);
    m.out_bias = normal(m.width, 4);
    const Floats x = normal(m.rows() * m.width, 5);
    const int64_t slice = m.slice(setting.threads);
    Floats qkv(static_cast<size_t>(3 * slice * m.queries * m.width)), joined(qkv.size() / 3), out(x.size());

    const attn4j_plan plan =
        attn4j_plan_create(slice, m.heads, m.heads, m.queries, m.queries, m.head_dim(), m.head_dim());
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V}) set_view(plan, operand, m, 3 * m.width);
    set_view(plan, ATTN4J_OUT, m, m.width);
    require(attn4j_plan_set_isa(plan, setting.isa));
    require(attn4j_plan_set_threads(plan, setting.threads));
    require(attn4j_plan_build(plan));
    const auto linear = [&](const float* from, const Floats& weight, const Floats& bias, float* to, int64_t rows,
                            int64_t features) {
        require(attn4j_linear(from, m.width, weight.data(), m.width, ATTN4J_OUT_IN, bias.data(), nullptr, 0, to,
                              features, rows, m.width, features, ATTN4J_IDENTITY, setting.isa, setting.threads));
    };
    const auto call = [&] {
        for (int64_t first = 0; first < m.batch; first += slice) {
            const int64_t count = std::min(slice, m.batch - first), rows = count * m.queries;
            const int64_t start = first * m.queries * m.width;
            linear(x.data() + start, m.in_weight, m.in_bias, qkv.data(), rows, 3 * m.width);
            require(attn4j_plan_run(plan, count, m.queries, m.queries, qkv.data(), qkv.data() + m.width,
                                    qkv.data() + 2 * m.width, joined.data(), nullptr, nullptr, nullptr, nullptr,
                                    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0,
                                    nullptr));
            linear(joined.data(), m.out_weight, m.out_bias, out.data() + start, rows, m.width);
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
