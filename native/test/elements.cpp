// SPDX-License-Identifier: Apache-2.0
#include "elements.h"

#include <cstring>

#include "kernels/cast/reference.h"
#include "tensor.h"

Elements::Elements(attn4j_dtype dtype_, const Numbers& sizes_, const Numbers& strides_, GuardedFloats::Flush flush)
    : dtype(dtype_), sizes(sizes_), strides(strides_) {
    const int64_t used = Tensor::extent(sizes, strides) * bytes(), floats = (used + 3) / 4;
    memory = std::make_shared<GuardedFloats>(floats, flush);
    first = reinterpret_cast<char*>(memory->data());
    // An odd number of halves lies against its end of the memory.
    if (flush == GuardedFloats::Flush::AT_END) first += floats * 4 - used;
}

Elements Elements::matrix(attn4j_dtype dtype, int64_t rows, int64_t width, int64_t stride, GuardedFloats::Flush flush) {
    return Elements(dtype, {1, 1, rows, width}, {0, 0, stride, 1}, flush);
}

char* Elements::address(const Index& at) const {
    int64_t offset = 0;
    for (int axis = 0; axis < rank; ++axis) offset += at[axis] * strides[axis];
    return first + offset * bytes();
}

uint32_t Elements::bits(const Index& at) const {
    uint32_t word = 0;
    std::memcpy(&word, address(at), static_cast<size_t>(bytes()));
    return word;
}

void Elements::put_bits(const Index& at, uint32_t word) const {
    std::memcpy(address(at), &word, static_cast<size_t>(bytes()));
}

double Elements::value(const Index& at) const { return value_reference(dtype, bits(at)); }

void Elements::put(const Index& at, double value) const { put_bits(at, bits_reference(dtype, value)); }

void Elements::fill_normal(Random& random) const {
    each([&](const Index& at) { put(at, random.normal()); });
}

std::vector<uint32_t> Elements::all() const {
    std::vector<uint32_t> words;
    each([&](const Index& at) { words.push_back(bits(at)); });
    return words;
}

bool Elements::gaps_untouched() const {
    if (!memory->surroundings_untouched()) return false;
    const char* begin = reinterpret_cast<const char*>(memory->data());
    std::vector<bool> element(static_cast<size_t>(memory->count() * 4));
    each([&](const Index& at) {
        for (int64_t i = 0; i < bytes(); ++i) element[static_cast<size_t>(address(at) - begin + i)] = true;
    });
    for (size_t i = 0; i < element.size(); ++i)
        if (!element[i] && begin[i] != reinterpret_cast<const char*>(&kCanary)[i % 4]) return false;
    return true;
}

bool Elements::untouched() const {
    const char* begin = reinterpret_cast<const char*>(memory->data());
    bool same = memory->surroundings_untouched();
    for (int64_t i = 0; i < memory->count() * 4; ++i)
        same = same && begin[i] == reinterpret_cast<const char*>(&kCanary)[i % 4];
    return same;
}
