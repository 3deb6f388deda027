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
int64_t bytes(const char* name, const void* data, const int64_t* strides, const MaskShape& s, int64_t keys) {
    if (data == nullptr || strides == nullptr)
        fail(ATTN4J_INVALID_ARGUMENT, "%s and its strides must not be null: %s=null", name, name);
    const Axis axes[] = {{s.batch, strides[0]}, {s.heads, strides[1]}, {s.queries, strides[2]}, {keys, 1}};
    return extent(name, axes, 4) * static_cast<int64_t>(sizeof(Element));
}

// Checks all of it, then calls row(a, b, out, query) for each row of `out`; null for what is absent.
template <typename Element, typename Row>
void each_row(const MaskOperand<Element>& a, const MaskOperand<Element>& b, Element* out, const int64_t* out_strides,
              const MaskShape& s, const Row& row) {
    for (const auto& size : {std::pair<const char*, int64_t>{"batch", s.batch},
                             {"heads", s.heads},
                             {"queries", s.queries},
                             {"keys", s.keys},
                             {"extra", s.extra}})
        if (size.second < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must be at least 0: %s=%lld", size.first, size.first, Long{size.second});
    if (s.batch == 0 || s.heads == 0 || s.queries == 0 || s.keys + s.extra == 0) return;
    const int64_t out_bytes = bytes<Element>("out", out, out_strides, s, s.keys + s.extra);
    const Axis axes[] = {
        {s.batch, out_strides[0]}, {s.heads, out_strides[1]}, {s.queries, out_strides[2]}, {s.keys + s.extra, 1}};
    check_distinct("out", axes, 4);
    for (const MaskOperand<Element>& operand : {a, b})
        if (operand.data != nullptr && s.keys > 0)
            check_apart("out", out, out_bytes, operand.name, operand.data,
                        bytes<Element>(operand.name, operand.data, operand.strides, s, s.keys));
    const auto at = [](const auto* data, const int64_t* strides, int64_t i, int64_t h, int64_t q) {
        return data == nullptr ? nullptr : data + i * strides[0] + h * strides[1] + q * strides[2];
    };
    for (int64_t i = 0; i < s.batch; ++i)
        for (int64_t h = 0; h < s.heads; ++h)
            for (int64_t q = 0; q < s.queries; ++q)
                row(at(a.data, a.strides, i, h, q), at(b.data, b.strides, i, h, q),
                    out + i * out_strides[0] + h * out_strides[1] + q * out_strides[2], q);
}

}  // namespace

void keep_unhidden(const MaskOperand<uint8_t>& a, const MaskOperand<uint8_t>& b, bool causal, uint8_t* out,
                   const int64_t* out_strides, const MaskShape& shape) {
    each_row(a, b, out, out_strides, shape, [&](const uint8_t* x, const uint8_t* y, uint8_t* keep, int64_t query) {
        const int64_t seen = causal ? std::min(shape.keys, query + 1) : shape.keys;
        std::fill(keep, keep + seen, uint8_t{1});
        for (const uint8_t* hidden : {x, y})
            if (hidden != nullptr)
                for (int64_t j = 0; j < seen; ++j) keep[j] = static_cast<uint8_t>(keep[j] & (hidden[j] == 0));
        std::fill(keep + seen, keep + shape.keys, uint8_t{0});
        std::fill(keep + shape.keys, keep + shape.keys + shape.extra, uint8_t{1});
    });
}

void add_biases(const MaskOperand<float>& a, const MaskOperand<float>& b, float* out, const int64_t* out_strides,
                const MaskShape& shape) {
    each_row(a, b, out, out_strides, shape, [&](const float* x, const float* y, float* sum, int64_t) {
        for (int64_t j = 0; j < shape.keys; ++j) sum[j] = (x == nullptr ? 0 : x[j]) + (y == nullptr ? 0 : y[j]);
        std::fill(sum + shape.keys, sum + shape.keys + shape.extra, 0.0f);
    });
}

}  // namespace attn4j
