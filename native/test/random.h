// SPDX-License-Identifier: Apache-2.0
// Numbers for tests, the same on every platform for a seed (SplitMix64), which main.cpp prints.
#pragma once

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
    // By the ones among 64 bits, whose variance is 16, and a fraction between them: whole tensors are filled, and
    // logarithms and cosines would be a third of the tests' time.
    float normal() {
        const double sum = __builtin_popcountll(next()) - 32.5 + uniform();
        return static_cast<float>(sum * 0.2493513);  // 1 / sqrt(16 + 1 / 12)
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
