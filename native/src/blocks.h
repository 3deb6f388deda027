// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace attn4j {

// n rows in as few blocks of at most `most` as possible, as even as whole multiples of `unit` allow.
struct Blocks {
    int64_t n, unit, units, count;

    Blocks(int64_t n_, int64_t unit_, int64_t most) : n(n_), unit(unit_), units((n + unit - 1) / unit) {
        count = (units + most / unit - 1) / (most / unit);
    }
    int64_t begin(int64_t i) const { return i * units / count * unit; }
    int64_t end(int64_t i) const { return std::min((i + 1) * units / count * unit, n); }
};

}  // namespace attn4j
