// SPDX-License-Identifier: Apache-2.0
// Numbers as they are stored to float32 lanes and back.
#pragma once

#include "kernels/cache_rows.h"
#include "kernels/tile-inl.h"

namespace {

using attn4j::Element;

// n <= lanes consecutive elements, beginning `offset` elements after `base`.
inline F32 load_elements(Element type, const void* base, int64_t offset, int64_t n) {
    if (type == Element::f32) return load_some(static_cast<const float*>(base) + offset, n);
    if (type == Element::i8) {
        const int8_t* p = static_cast<const int8_t*>(base) + offset;
        return n == F32::lanes ? F32::load_i8(p) : F32::load_i8_first(p, n);
    }
    const uint16_t* p = static_cast<const uint16_t*>(base) + offset;
    if (type == Element::bf16) return n == F32::lanes ? F32::load_bf16(p) : F32::load_bf16_first(p, n);
    return n == F32::lanes ? F32::load_f16(p) : F32::load_f16_first(p, n);
}

template <Element kType>
struct OfType {
    static constexpr Element type = kType;
};

// Calls work(OfType<type>()).
template <typename Work>
inline void with_type(Element type, const Work& work) {
    switch (type) {
        case Element::f32:
            return work(OfType<Element::f32>());
        case Element::bf16:
            return work(OfType<Element::bf16>());
        case Element::f16:
            return work(OfType<Element::f16>());
        case Element::i8:
            return work(OfType<Element::i8>());
    }
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

// Whether all numbers that it sees are finite: 0 * x is 0 for a finite x and NaN otherwise, and a NaN stays in the sum.
struct Finite {
    F32 zeros = F32::zero();
    void see(F32 x) { zeros = fma(x, F32::zero(), zeros); }
    bool all() const { return !any(!(zeros == F32::zero())); }
};

// Goes through the rows of a cache.
struct RowCursor {
    const attn4j::CacheRows& cache;
    int64_t page, slot;

    RowCursor(const attn4j::CacheRows& rows, int64_t first)
        : cache(rows),
          page(rows.pages == nullptr ? 0 : first / rows.page_rows),
          slot(rows.pages == nullptr ? first : first % rows.page_rows) {}
    const char* row() const {
        const int64_t start = cache.pages == nullptr ? 0 : cache.pages[page] * cache.page_stride;
        return static_cast<const char*>(cache.data) + (start + slot * cache.stride) * attn4j::bytes_of(cache.type);
    }
    const float& scale() const {
        const int64_t start = cache.pages == nullptr ? 0 : cache.pages[page] * cache.scale_page_stride;
        return cache.scales[start + slot];
    }
    void next() { skip(1); }
    // No further than to the end of the page.
    void skip(int64_t rows) {
        slot += rows;
        if (slot == cache.page_rows && cache.pages != nullptr) {
            slot = 0;
            ++page;
        }
    }
};

// Rows of float32 to read products from: those given, or their copy in `buffer` [rows][columns].
struct Rows {
    const float* data;
    int64_t stride;
};

// Whether products can read it where it lies.
inline bool lies_wide(const attn4j::CacheRows& cache) { return cache.type == Element::f32 && cache.pages == nullptr; }

// to[c] = element c of a row, times its scale: bytes have one, floating point has none.
template <Element kType>
inline void widen_row(const char* from, float scale, int64_t columns, float* to) {
    const int64_t whole = columns / F32::lanes * F32::lanes, rest = columns - whole;
    const auto number = [&](int64_t c, int64_t n) {
        const F32 x = load_elements(kType, from, c, n);
        return kType == Element::i8 ? x * F32::set(scale) : x;
    };
    for (int64_t c = 0; c < whole; c += F32::lanes) number(c, F32::lanes).store(to + c);
    if (rest > 0) number(whole, rest).store_first(to + whole, rest);
}

inline Rows widen(const attn4j::CacheRows& cache, int64_t first, int64_t rows, int64_t columns, float* buffer) {
    if (lies_wide(cache)) return {static_cast<const float*>(cache.data) + first * cache.stride, cache.stride};
    // The type is asked for once: asked for at every vector, it took most of the time.
    with_type(cache.type, [&](auto of) {
        RowCursor cursor(cache, first);
        for (int64_t row = 0; row < rows; ++row, cursor.next())
            widen_row<decltype(of)::type>(cursor.row(), cache.scales == nullptr ? 1.0f : cursor.scale(), columns,
                                          buffer + row * columns);
    });
    return {buffer, columns};
}

}  // namespace
