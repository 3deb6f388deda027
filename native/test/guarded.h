// SPDX-License-Identifier: Apache-2.0
// Memory that notices. The floats end (or begin) at a page that can be neither read nor written, all that surrounds
// them holds a canary, and so do they at first: a NaN, so that a float read by mistake shows in the result. With
// ATTN4J_TEST_GUARD_PAGES=0 a line of canary lies between: an emulator may read whole vectors where the CPU reads some
// lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

inline uint32_t bits_of(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

constexpr uint32_t kCanary = 0x7fc0dead;

class GuardedFloats {
public:
    enum class Flush { AT_END, AT_BEGIN };

    GuardedFloats(int64_t count, Flush flush);
    ~GuardedFloats();
    GuardedFloats(const GuardedFloats&) = delete;
    GuardedFloats& operator=(const GuardedFloats&) = delete;

    float* data() { return data_; }
    const float* data() const { return data_; }
    int64_t count() const { return count_; }
    // What lies around the floats is as it was.
    bool surroundings_untouched() const;

private:
    int64_t count_;
    char* mapping_;
    size_t mapped_bytes_;
    float *usable_, *usable_end_;
    float* data_;
};
