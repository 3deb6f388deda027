// SPDX-License-Identifier: Apache-2.0
// Numbers as they are stored to float32 lanes and back.
#pragma once

#include "kernels/element.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::Element;

// n <= lanes consecutive elements, beginning `offset` elements after `base`.
inline F32 load_elements(Element type, const void* base, int64_t offset, int64_t n) {
    if (type == Element::f32) return load_some(static_cast<const float*>(base) + offset, n);
    const uint16_t* p = static_cast<const uint16_t*>(base) + offset;
    if (type == Element::bf16) return n == F32::lanes ? F32::load_bf16(p) : F32::load_bf16_first(p, n);
    return n == F32::lanes ? F32::load_f16(p) : F32::load_f16_first(p, n);
}

inline void store_elements(Element type, F32 x, void* base, int64_t offset, int64_t n) {
    if (type == Element::f32) return store_some(x, static_cast<float*>(base) + offset, n);
    uint16_t* p = static_cast<uint16_t*>(base) + offset;
    if (type == Element::bf16) {
        x.store_bf16_first(p, n);
    } else {
        x.store_f16_first(p, n);
    }
}

// Rows of float32 to read products from: those given, or their copy in `buffer` [rows][columns].
struct Rows {
    const float* data;
    int64_t stride;
};

inline Rows widen(Element type, const void* base, int64_t stride, int64_t first, int64_t rows, int64_t columns,
                  float* buffer) {
    if (type == Element::f32) return {static_cast<const float*>(base) + first * stride, stride};
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t c = 0; c < columns; c += F32::lanes) {
            const int64_t n = columns - c < F32::lanes ? columns - c : F32::lanes;
            store_some(load_elements(type, base, (first + row) * stride + c, n), buffer + row * columns + c, n);
        }
    return {buffer, columns};
}

}  // namespace
