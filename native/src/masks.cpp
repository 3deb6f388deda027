// SPDX-License-Identifier: Apache-2.0
#include "masks.h"

#include <algorithm>
#include <utility>

#include "attn4j/attn4j.h"
#include "error.h"
#include "extent.h"

namespace attn4j {
namespace {

using Long = long long;

template <typename Element>
int64_t bytes(const Scores<Element>& m, const MaskShape& s, int64_t keys) {
    if (m.data == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null", m.name, m.name);
    const Axis axes[] = {{s.batch, m.batch_stride}, {s.heads, m.head_stride}, {s.queries, m.query_stride}, {keys, 1}};
    return extent(m.name, axes, 4) * static_cast<int64_t>(sizeof(Element));
}

template <typename Element>
Element* row_of(const Scores<Element>& m, int64_t batch, int64_t head, int64_t query) {
    return m.data == nullptr ? nullptr
                             : m.data + batch * m.batch_stride + head * m.head_stride + query * m.query_stride;
}

// Checks all of it, then calls row(a, b, out, query) for each row of `out`; null for what is absent.
template <typename Element, typename Row>
void each_row(const Scores<const Element>& a, const Scores<const Element>& b, const Scores<Element>& out,
              const MaskShape& s, const Row& row) {
    for (const auto& size : {std::pair<const char*, int64_t>{"batch", s.batch},
                             {"heads", s.heads},
                             {"queries", s.queries},
                             {"keys", s.keys},
                             {"extra", s.extra}})
        if (size.second < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must be at least 0: %s=%lld", size.first, size.first, Long{size.second});
    if (s.batch == 0 || s.heads == 0 || s.queries == 0 || s.keys + s.extra == 0) return;
    const int64_t out_bytes = bytes(out, s, s.keys + s.extra);
    const Axis axes[] = {
        {s.batch, out.batch_stride}, {s.heads, out.head_stride}, {s.queries, out.query_stride}, {s.keys + s.extra, 1}};
    check_distinct("out", axes, 4);
    for (const auto& operand : {a, b})
        if (operand.data != nullptr && s.keys > 0)
            check_apart("out", out.data, out_bytes, operand.name, operand.data, bytes(operand, s, s.keys));
    for (int64_t i = 0; i < s.batch; ++i)
        for (int64_t h = 0; h < s.heads; ++h)
            for (int64_t q = 0; q < s.queries; ++q)
                row(row_of(a, i, h, q), row_of(b, i, h, q), row_of(out, i, h, q), q);
}

}  // namespace

void keep_unhidden(const Scores<const uint8_t>& a, const Scores<const uint8_t>& b, bool causal,
                   const Scores<uint8_t>& out, const MaskShape& shape) {
    each_row(a, b, out, shape, [&](const uint8_t* x, const uint8_t* y, uint8_t* keep, int64_t query) {
        const int64_t seen = causal ? std::min(shape.keys, query + 1) : shape.keys;
        std::fill(keep, keep + seen, uint8_t{1});
        for (const uint8_t* hidden : {x, y})
            if (hidden != nullptr)
                for (int64_t j = 0; j < seen; ++j) keep[j] = static_cast<uint8_t>(keep[j] & (hidden[j] == 0));
        std::fill(keep + seen, keep + shape.keys, uint8_t{0});
        std::fill(keep + shape.keys, keep + shape.keys + shape.extra, uint8_t{1});
    });
}

void add_biases(const Scores<const float>& a, const Scores<const float>& b, const Scores<float>& out,
                const MaskShape& shape) {
    each_row(a, b, out, shape, [&](const float* x, const float* y, float* sum, int64_t) {
        for (int64_t j = 0; j < shape.keys; ++j) sum[j] = (x == nullptr ? 0 : x[j]) + (y == nullptr ? 0 : y[j]);
        std::fill(sum + shape.keys, sum + shape.keys + shape.extra, 0.0f);
    });
}

}  // namespace attn4j
