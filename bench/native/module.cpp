// SPDX-License-Identifier: Apache-2.0
// The forward of PyTorch's nn.MultiheadAttention on one sequence batch: packed in-projection, attention over strided
// views of it, output projection; three calls for as many sequences as the Java modules take at a time. Some rows are
// checked against doubles first. The limit is that of multiply-adds.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "options.h"
#include "scenarios.h"

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

Floats normal(int64_t n, double scale, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> distribution(0, scale);
    Floats values(static_cast<size_t>(n));
    for (float& value : values) value = static_cast<float>(distribution(generator));
    return values;
}

// Features [first, first + n) of x [width] through a weight [.., width].
std::vector<double> project(const float* x, const Floats& weight, const Floats& bias, int64_t width, int64_t first,
                            int64_t n) {
    std::vector<double> y(static_cast<size_t>(n));
    for (int64_t o = 0; o < n; ++o) {
        double sum = bias[static_cast<size_t>(first + o)];
        for (int64_t i = 0; i < width; ++i)
            sum += static_cast<double>(x[i]) * weight[static_cast<size_t>((first + o) * width + i)];
        y[static_cast<size_t>(o)] = sum;
    }
    return y;
}

// Row i of the first sequence, given its keys and values [queries][width].
std::vector<double> expected_row(const Module& m, const Floats& x, int64_t i,
                                 const std::vector<std::vector<double>>& keys,
                                 const std::vector<std::vector<double>>& values) {
    const std::vector<double> q =
        project(&x[static_cast<size_t>(i * m.width)], m.in_weight, m.in_bias, m.width, 0, m.width);
    Floats joined(static_cast<size_t>(m.width));
    for (int64_t h = 0; h < m.heads; ++h) {
        std::vector<double> scores(keys.size()), out(static_cast<size_t>(m.head_dim()), 0.0);
        double largest = -INFINITY, sum = 0;
        for (size_t j = 0; j < keys.size(); ++j) {
            double score = 0;
            for (int64_t d = h * m.head_dim(); d < (h + 1) * m.head_dim(); ++d)
                score += q[static_cast<size_t>(d)] * keys[j][static_cast<size_t>(d)];
            scores[j] = score / std::sqrt(static_cast<double>(m.head_dim()));
            largest = std::max(largest, scores[j]);
        }
        for (size_t j = 0; j < keys.size(); ++j) {
            const double weight = std::exp(scores[j] - largest);
            sum += weight;
            for (size_t d = 0; d < out.size(); ++d)
                out[d] += weight * values[j][static_cast<size_t>(h * m.head_dim()) + d];
        }
        for (size_t d = 0; d < out.size(); ++d)
            joined[static_cast<size_t>(h * m.head_dim()) + d] = static_cast<float>(out[d] / sum);
    }
    return project(joined.data(), m.out_weight, m.out_bias, m.width, 0, m.width);
}

double max_error(const Module& m, const Floats& x, const Floats& out) {
    std::vector<std::vector<double>> keys, values;
    for (int64_t j = 0; j < m.queries; ++j) {
        const float* row = &x[static_cast<size_t>(j * m.width)];
        keys.push_back(project(row, m.in_weight, m.in_bias, m.width, m.width, m.width));
        values.push_back(project(row, m.in_weight, m.in_bias, m.width, 2 * m.width, m.width));
    }
    double worst = 0;
    for (const int64_t i : {int64_t{0}, m.queries / 2, m.queries - 1}) {
        const std::vector<double> expected = expected_row(m, x, i, keys, values);
        for (int64_t o = 0; o < m.width; ++o)
            worst = std::max(worst, std::fabs(expected[static_cast<size_t>(o)] -
                                              static_cast<double>(out[static_cast<size_t>(i * m.width + o)])));
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
    if (m.batch < 1 || m.queries < 1 || m.heads < 1 || m.width % m.heads != 0)
        throw std::invalid_argument("sizes must be at least 1 and --heads divide --width: --width " +
                                    std::to_string(m.width) + " --heads " + std::to_string(m.heads));
    if (options.text("dtype", "f32") != "f32")
        throw std::invalid_argument("unknown type: --dtype " + options.text("dtype", ""));
    const int threads = static_cast<int>(options.number("threads", 1));
    const attn4j_isa isa = isa_of(options.text("isa", ""));
    pin_process(threads);
    require(attn4j_threads_set(threads));

    const double scale = 1 / std::sqrt(static_cast<double>(m.width));
    m.in_weight = normal(3 * m.width * m.width, scale, 1);
    m.in_bias = normal(3 * m.width, 1, 2);
    m.out_weight = normal(m.width * m.width, scale, 3);
    m.out_bias = normal(m.width, 1, 4);
    const Floats x = normal(m.rows() * m.width, 1, 5);
    const int64_t slice = m.slice(threads);
    Floats qkv(static_cast<size_t>(3 * slice * m.queries * m.width)), joined(qkv.size() / 3), out(x.size());

    const attn4j_plan plan =
        attn4j_plan_create(slice, m.heads, m.heads, m.queries, m.queries, m.head_dim(), m.head_dim());
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V}) set_view(plan, operand, m, 3 * m.width);
    set_view(plan, ATTN4J_OUT, m, m.width);
    require(attn4j_plan_set_isa(plan, isa));
    require(attn4j_plan_set_threads(plan, threads));
    require(attn4j_plan_build(plan));
    const auto linear = [&](const float* from, const Floats& weight, const Floats& bias, float* to, int64_t rows,
                            int64_t features) {
        require(attn4j_linear(from, m.width, weight.data(), m.width, ATTN4J_OUT_IN, bias.data(), nullptr, 0, to,
                              features, rows, m.width, features, ATTN4J_IDENTITY, isa, threads));
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
    const Measurement measured = measure(isa, ATTN4J_F32, threads, options.real("seconds", 1), m.flops(), call);
    std::printf("{\"scenario\": \"module\", \"batch\": %lld, \"queries\": %lld, \"width\": %lld, \"heads\": %lld, ",
                static_cast<long long>(m.batch), static_cast<long long>(m.queries), static_cast<long long>(m.width),
                static_cast<long long>(m.heads));
    print_measurement(ATTN4J_F32, isa, threads, measured, error);
    attn4j_plan_free(plan);
    return 0;
}
