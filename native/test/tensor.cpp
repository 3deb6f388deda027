// SPDX-License-Identifier: Apache-2.0
#include "tensor.h"

#include <algorithm>
#include <cstdio>

Tensor::Tensor(const Numbers& sizes_, const Numbers& strides_, GuardedFloats::Flush flush)
    : sizes(sizes_), strides(strides_), memory(std::make_shared<GuardedFloats>(extent(sizes_, strides_), flush)) {}

Tensor Tensor::matrix(int64_t rows, int64_t width, int64_t stride, GuardedFloats::Flush flush) {
    return Tensor({1, 1, rows, width}, {0, 0, stride, 1}, flush);
}

int64_t Tensor::extent(const Numbers& sizes, const Numbers& strides) {
    int64_t last = 0;
    for (int axis = 0; axis < rank; ++axis) {
        if (sizes[axis] == 0) return 0;
        last += (sizes[axis] - 1) * strides[axis];
    }
    return last + 1;
}

void Tensor::fill_normal(Random& random) const {
    each([&](float& x) { x = random.normal(); });
}

void Tensor::fill(float value) const {
    each([&](float& x) { x = value; });
}

Tensor Tensor::copy() const {
    Tensor other(*this);
    other.memory = std::make_shared<GuardedFloats>(memory->count(), GuardedFloats::Flush::AT_END);
    std::copy(memory->data(), memory->data() + memory->count(), other.memory->data());
    return other;
}

std::vector<float> Tensor::values() const {
    std::vector<float> all;
    all.reserve(static_cast<size_t>(elements()));
    each([&](float& x) { all.push_back(x); });
    return all;
}

bool Tensor::gaps_untouched() const {
    if (!memory->surroundings_untouched()) return false;
    std::vector<bool> element(static_cast<size_t>(memory->count()));
    each([&](float& x) { element[static_cast<size_t>(&x - memory->data())] = true; });
    for (int64_t i = 0; i < memory->count(); ++i)
        if (!element[static_cast<size_t>(i)] && bits_of(memory->data()[i]) != kCanary) return false;
    return true;
}

bool Tensor::untouched() const {
    if (!gaps_untouched()) return false;
    bool all = true;
    each([&](float& x) { all = all && bits_of(x) == kCanary; });
    return all;
}

std::string difference(const std::vector<float>& a, const std::vector<float>& b) {
    char text[160] = "";
    if (a.size() != b.size()) {
        std::snprintf(text, sizeof text, "sizes differ: %zu and %zu", a.size(), b.size());
        return text;
    }
    for (size_t i = 0; i < a.size(); ++i) {
        if (bits_of(a[i]) == bits_of(b[i])) continue;
        std::snprintf(text, sizeof text, "element %zu of %zu: %.9g (0x%08x) and %.9g (0x%08x)", i, a.size(),
                      static_cast<double>(a[i]), bits_of(a[i]), static_cast<double>(b[i]), bits_of(b[i]));
        return text;
    }
    return text;
}
