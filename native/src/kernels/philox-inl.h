// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10, the counter-based generator of Salmon and others (SC 2011): four words that depend on a counter of
// four words and a key of two, and on nothing else.
#pragma once

#include <cstdint>

namespace {

// Four words of each lane.
struct RandomWords {
    uint32_t word[4][F32::lanes];
};

// Counters to random words, in place.
inline void philox(RandomWords& random, uint32_t key_low, uint32_t key_high) {
    constexpr int lanes = F32::lanes;
    uint32_t(&c)[4][lanes] = random.word;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < lanes; ++i) {
            const uint64_t a = 0xD2511F53ull * c[0][i], b = 0xCD9E8D57ull * c[2][i];
            const uint32_t c1 = c[1][i], c3 = c[3][i];
            c[0][i] = static_cast<uint32_t>(b >> 32) ^ c1 ^ key_low;
            c[1][i] = static_cast<uint32_t>(b);
            c[2][i] = static_cast<uint32_t>(a >> 32) ^ c3 ^ key_high;
            c[3][i] = static_cast<uint32_t>(a);
        }
        key_low += 0x9E3779B9u;
        key_high += 0xBB67AE85u;
    }
}

}  // namespace
