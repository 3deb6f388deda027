// SPDX-License-Identifier: Apache-2.0
// Masks and biases of other libraries, brought together into the one mask and the one bias that attention takes. They
// are bytes and sums read once: no work for vectors of ours. Contracts: attn4j.h.
#pragma once

#include <cstdint>

namespace attn4j {

struct MaskShape {
    int64_t batch, heads, queries, keys, extra;
};

// [batch, heads, queries, keys] with strides of the first three; null data for none.
template <typename Element>
struct MaskOperand {
    const char* name;
    const Element* data;
    const int64_t* strides;
};

void keep_unhidden(const MaskOperand<uint8_t>& a, const MaskOperand<uint8_t>& b, bool causal, uint8_t* out,
                   const int64_t* out_strides, const MaskShape& shape);

void add_biases(const MaskOperand<float>& a, const MaskOperand<float>& b, float* out, const int64_t* out_strides,
                const MaskShape& shape);

}  // namespace attn4j
