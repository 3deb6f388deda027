// SPDX-License-Identifier: Apache-2.0
// Random operands of any type in memory as tensors have it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "scenarios.h"

inline int64_t bytes_of(attn4j_dtype dtype) { return dtype == ATTN4J_F32 ? 4 : dtype == ATTN4J_INT8 ? 1 : 2; }

inline AlignedFloats normal(int64_t n, unsigned seed, float scale = 1) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> distribution(0, scale);
    AlignedFloats values(static_cast<size_t>(n));
    for (float& value : values) value = distribution(generator);
    return values;
}

// Numbers from a table of unit-normal ones, at random: a normal number for each would take longer than all else.
class Draw {
public:
    explicit Draw(unsigned seed) : table_(normal(65536, seed)), generator_(seed) {}
    float number() { return table_[generator_() >> 16]; }
    AlignedFloats numbers(int64_t n, float scale) {
        AlignedFloats values(static_cast<size_t>(n));
        for (float& value : values) value = scale * number();
        return values;
    }

private:
    AlignedFloats table_;
    std::mt19937 generator_;
};

// [rows, width] of unit-normal numbers, rounded to their type; int8 with a scale for each row.
class Stored {
public:
    Stored(attn4j_dtype dtype, int64_t rows, int64_t width, unsigned seed)
        : dtype_(dtype), width_(width), bytes_(rows * width * bytes_of(dtype)) {
        data_ = attn4j_memory_allocate(bytes_);
        if (data_ == nullptr) throw std::runtime_error(attn4j_error_message());
        Draw draw(seed);
        std::vector<float> row(static_cast<size_t>(width));
        for (int64_t r = 0; r < rows; ++r) {
            for (float& number : row) number = draw.number();
            if (dtype == ATTN4J_INT8) {
                quantise(r, row);
            } else {
                require(attn4j_cast(row.data(), ATTN4J_F32, width, at_byte(r * width), dtype, width, 1, width,
                                    ATTN4J_ISA_DEFAULT, 1));
            }
        }
    }
    ~Stored() { attn4j_memory_free(data_); }
    Stored(const Stored&) = delete;

    void* data() const { return data_; }
    int64_t bytes() const { return bytes_; }
    // [rows], or null.
    const float* scales() const { return scales_.empty() ? nullptr : scales_.data(); }
    // What is stored, as float32.
    AlignedFloats values() const {
        AlignedFloats values(static_cast<size_t>(bytes_ / bytes_of(dtype_)));
        const auto n = static_cast<int64_t>(values.size());
        if (dtype_ != ATTN4J_INT8) {
            require(attn4j_cast(data_, dtype_, n, values.data(), ATTN4J_F32, n, 1, n, ATTN4J_ISA_DEFAULT, 1));
            return values;
        }
        for (int64_t i = 0; i < n; ++i)
            values[static_cast<size_t>(i)] =
                static_cast<float>(static_cast<const int8_t*>(data_)[i]) * scales_[static_cast<size_t>(i / width_)];
        return values;
    }

private:
    void quantise(int64_t row, const std::vector<float>& values) {
        float largest = 0;
        for (const float value : values) largest = std::max(largest, std::fabs(value));
        scales_.push_back(largest / 127);
        for (int64_t i = 0; i < width_; ++i)
            *static_cast<int8_t*>(at_byte(row * width_ + i)) =
                static_cast<int8_t>(std::lround(values[static_cast<size_t>(i)] / scales_.back()));
    }
    void* at_byte(int64_t element) const { return static_cast<char*>(data_) + element * bytes_of(dtype_); }

    attn4j_dtype dtype_;
    int64_t width_, bytes_;
    void* data_;
    std::vector<float> scales_;
};
