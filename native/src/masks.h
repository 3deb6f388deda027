// SPDX-License-Identifier: Apache-2.0
// Masks and biases of other libraries, brought together into the one mask and the one bias that attention takes. They
// are bytes and sums read once: no work for vectors of ours. Contracts: attn4j/masks.h.
#pragma once

#include <cstdint>

namespace attn4j {

struct MaskShape {
    int64_t batch, heads, queries, keys, extra;
};

// [batch, heads, queries, keys], the innermost stride 1; null data for none.
template <typename Element>
struct Scores {
    const char* name;
    Element* data;
    int64_t batch_stride, head_stride, query_stride;
};

void keep_unhidden(const Scores<const uint8_t>& a, const Scores<const uint8_t>& b, bool causal,
                   const Scores<uint8_t>& out, const MaskShape& shape);

void add_biases(const Scores<const float>& a, const Scores<const float>& b, const Scores<float>& out,
                const MaskShape& shape);

}  // namespace attn4j
