// SPDX-License-Identifier: Apache-2.0
// Strided float32 operands over guarded memory. What lies between the elements of a view holds the canary.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "guarded.h"
#include "random.h"

struct Tensor {
    static constexpr int rank = 4;
    using Numbers = std::array<int64_t, rank>;

    Numbers sizes{}, strides{};
    std::shared_ptr<GuardedFloats> memory;
    int64_t first = 0;  // of the view, within memory

    Tensor() = default;
    // Over memory of its own.
    Tensor(const Numbers& sizes, const Numbers& strides, GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END);
    // [rows, width] with a row stride.
    static Tensor matrix(int64_t rows, int64_t width, int64_t stride,
                         GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END);
    static Tensor vector(int64_t size) { return matrix(1, size, size); }

    // Floats from the first element to the last.
    static int64_t extent(const Numbers& sizes, const Numbers& strides);
    int64_t extent() const { return extent(sizes, strides); }
    int64_t elements() const { return sizes[0] * sizes[1] * sizes[2] * sizes[3]; }
    float* data() const { return memory->data() + first; }
    float& at(int64_t a, int64_t b, int64_t c, int64_t d) const {
        return data()[a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3]];
    }
    float& at(int64_t row, int64_t column) const { return at(0, 0, row, column); }

    template <typename Visit>
    void each(const Visit& visit) const {
        for (int64_t a = 0; a < sizes[0]; ++a)
            for (int64_t b = 0; b < sizes[1]; ++b)
                for (int64_t c = 0; c < sizes[2]; ++c)
                    for (int64_t d = 0; d < sizes[3]; ++d) visit(at(a, b, c, d));
    }
    void fill_normal(Random& random) const;
    void fill(float value) const;
    // The same elements, strides and surroundings, elsewhere.
    Tensor copy() const;
    std::vector<float> values() const;
    // Everything that is not an element holds the canary. For a tensor that is alone in its memory.
    bool gaps_untouched() const;
    // No element, gap or surrounding has been written since creation.
    bool untouched() const;
};

// "" if the two have the same bits everywhere, else where they first differ.
std::string difference(const std::vector<float>& a, const std::vector<float>& b);
