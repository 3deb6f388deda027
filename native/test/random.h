// SPDX-License-Identifier: Apache-2.0
// Numbers for tests, the same on every platform for a seed (SplitMix64), which main.cpp prints.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <vector>

class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    // In [low, high].
    int64_t between(int64_t low, int64_t high) {
        // Unsigned: a range of more than half of all numbers has a size too.
        return low + static_cast<int64_t>(next() % (static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1));
    }
    bool chance(int one_in) { return next() % static_cast<uint64_t>(one_in) == 0; }
    // In (0, 1].
    double uniform() { return (static_cast<double>(next() >> 11) + 1) * 0x1p-53; }
    float normal() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return static_cast<float>(radius * std::cos(6.283185307179586 * uniform()));
    }
    template <typename T>
    T pick(std::initializer_list<T> choices) {
        return choices.begin()[next() % choices.size()];
    }
    template <typename T>
    T pick(const std::vector<T>& choices) {
        return choices[next() % choices.size()];
    }

private:
    uint64_t state_;
};
