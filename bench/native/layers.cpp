// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "operands.h"

namespace {

// term(x) of the bias and of each product added up.
template <typename Term>
Doubles sums(const Linear& layer, const Doubles& x, int64_t first, int64_t n, const Term& term) {
    Doubles y(static_cast<size_t>(n));
    for (int64_t o = 0; o < n; ++o) y[static_cast<size_t>(o)] = term(layer.bias[static_cast<size_t>(first + o)]);
    const auto add = [&](int64_t o, int64_t i, int64_t at) {
        y[static_cast<size_t>(o)] += term(x[static_cast<size_t>(i)] * layer.weight[static_cast<size_t>(at)]);
    };
    // In the order in which the weight lies in memory.
    if (layer.layout == ATTN4J_OUT_IN) {
        for (int64_t o = 0; o < n; ++o)
            for (int64_t i = 0; i < layer.in; ++i) add(o, i, (first + o) * layer.in + i);
    } else {
        for (int64_t i = 0; i < layer.in; ++i)
            for (int64_t o = 0; o < n; ++o) add(o, i, i * layer.out + first + o);
    }
    return y;
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, attn4j_weight_layout layout, unsigned seed)
    : in(in),
      out(out),
      layout(layout),
      weight(Draw(seed).numbers(in * out, 1 / std::sqrt(static_cast<float>(in)))),
      bias(normal(out, seed + 1)) {}

void Linear::run(const Setting& setting, const float* x, const float* residual, float* y, int64_t rows,
                 attn4j_activation activation) const {
    require(attn4j_linear(x, in, weight.data(), layout == ATTN4J_OUT_IN ? in : out, layout, bias.data(), residual, out,
                          y, out, rows, in, out, activation, setting.isa, setting.threads));
}

Doubles Linear::expected(const Doubles& x, int64_t first, int64_t n) const {
    return sums(*this, x, first, n, [](double term) { return term; });
}

Doubles Linear::sizes(const Doubles& x) const {
    return sums(*this, x, 0, out, [](double term) { return std::fabs(term); });
}

attn4j_plan packed_plan(const Setting& setting, int64_t batch, int64_t rows, int64_t heads, int64_t head_dim,
                        bool ragged) {
    const attn4j_plan plan = attn4j_plan_create(batch, heads, heads, rows, rows, head_dim, head_dim);
    if (plan == nullptr) throw std::invalid_argument(attn4j_error_message());
    const int64_t width = heads * head_dim;
    for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V, ATTN4J_OUT}) {
        const int64_t row = operand == ATTN4J_OUT ? width : 3 * width;
        require(attn4j_plan_set_strides(plan, operand, rows * row, head_dim, row));
    }
    if (ragged) require(attn4j_plan_set_ragged(plan));
    require(attn4j_plan_set_isa(plan, setting.isa));
    require(attn4j_plan_set_threads(plan, setting.threads));
    require(attn4j_plan_build(plan));
    return plan;
}

ExpectedRow expected_heads(int64_t heads, const Doubles& query, const std::vector<Doubles>& rows) {
    const auto width = static_cast<int64_t>(query.size()), head_dim = width / heads;
    ExpectedRow joined = {{}, 0};
    for (int64_t first = 0; first < width; first += head_dim) {
        const auto score = [&](int64_t j) {
            const double *const q = query.data() + first, *const k = rows[static_cast<size_t>(j)].data() + first;
            return std::inner_product(q, q + head_dim, k, 0.0) / std::sqrt(static_cast<double>(head_dim));
        };
        const auto value = [&](int64_t j) { return rows[static_cast<size_t>(j)].data() + width + first; };
        const ExpectedRow head = expected_row({0, static_cast<int64_t>(rows.size())}, head_dim, score, value);
        joined.out.insert(joined.out.end(), head.out.begin(), head.out.end());
        joined.largest_score = std::max(joined.largest_score, head.largest_score);
    }
    return joined;
}

void require_f32(const Setting& setting, const char* what) {
    if (setting.dtype != ATTN4J_F32)
        throw std::invalid_argument(std::string(what) + " are f32: --dtype " + dtype_names[setting.dtype]);
}
