// SPDX-License-Identifier: Apache-2.0
// Strided operands of any type over guarded memory, read and written as doubles. What is not an element holds the
// canary.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "attn4j/attn4j.h"
#include "guarded.h"
#include "random.h"

struct Elements {
    static constexpr int rank = 4;
    using Numbers = std::array<int64_t, rank>;
    using Index = std::array<int64_t, rank>;

    attn4j_dtype dtype = ATTN4J_F32;
    Numbers sizes{}, strides{};
    std::shared_ptr<GuardedFloats> memory;
    char* first = nullptr;

    Elements() = default;
    Elements(attn4j_dtype dtype, const Numbers& sizes, const Numbers& strides,
             GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END);
    static Elements matrix(attn4j_dtype dtype, int64_t rows, int64_t width, int64_t stride,
                           GuardedFloats::Flush flush = GuardedFloats::Flush::AT_END);

    void* data() const { return first; }
    // Stored bits, without and with their meaning. put rounds as the definition of attn4j_cast says.
    uint32_t bits(const Index& at) const;
    void put_bits(const Index& at, uint32_t bits) const;
    double value(const Index& at) const;
    void put(const Index& at, double value) const;

    template <typename Visit>
    void each(const Visit& visit) const {
        Index at;
        for (at[0] = 0; at[0] < sizes[0]; ++at[0])
            for (at[1] = 0; at[1] < sizes[1]; ++at[1])
                for (at[2] = 0; at[2] < sizes[2]; ++at[2])
                    for (at[3] = 0; at[3] < sizes[3]; ++at[3]) visit(at);
    }
    void fill_normal(Random& random) const;
    // The bits of all elements.
    std::vector<uint32_t> all() const;
    bool gaps_untouched() const;
    bool untouched() const;

private:
    char* address(const Index& at) const;
    int64_t bytes() const { return dtype == ATTN4J_F32 ? 4 : dtype == ATTN4J_INT8 ? 1 : 2; }
};
