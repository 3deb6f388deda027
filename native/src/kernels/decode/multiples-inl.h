// SPDX-License-Identifier: Apache-2.0
// Numbers as whole multiples of a part of the largest of them, as products of bytes take them, digit by digit.
#pragma once

#include "kernels/decode/rows-inl.h"

namespace {

// What turns numbers into whole multiples up to `most`, and what turns them back: NaN where one is not finite.
struct Unit {
    float inverse, size;
};

// Of the numbers that it sees. Below some size all are nothing.
struct Magnitude {
    F32 largest_of_lane = F32::zero();
    Finite finite;
    void see(F32 x) {
        largest_of_lane = max_magnitude(x, largest_of_lane);
        finite.see(x);
    }
    Unit unit(float most) const {
        const float largest_of_all = largest(largest_of_lane);
        return {largest_of_all > 1e-30f ? most / largest_of_all : 0.0f,
                largest_of_all * (1 / most) + sum(finite.zeros)};
    }
};

}  // namespace
