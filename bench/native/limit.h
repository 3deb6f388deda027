// SPDX-License-Identifier: Apache-2.0
// Timing against the machine's own limit. The machine may be shared and its clock may change, so the limit is measured
// right before and right after each repetition and a share is formed within each; the median of the shares is what
// counts.
#pragma once

#include <cstdint>
#include <functional>
#include <new>
#include <vector>

#include "dispatch.h"
#include "memory.h"

// Memory as tensors have it, from the library: its lines are those of the caches.
template <typename T>
struct LineAllocator {
    using value_type = T;
    LineAllocator() = default;
    template <typename U>
    LineAllocator(const LineAllocator<U>&) {}
    T* allocate(size_t count) {
        void* const memory = attn4j::allocate(static_cast<int64_t>(count * sizeof(T)));
        if (memory == nullptr) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, size_t) { attn4j::release(memory); }
    bool operator==(const LineAllocator&) const { return true; }
    bool operator!=(const LineAllocator&) const { return false; }
};
using AlignedFloats = std::vector<float, LineAllocator<float>>;

struct Measurement {
    double median_ms, min_ms;
    double gflops;         // of the median time
    double limit_gflops;   // median
    double share;          // median of the ratios
    double gbs = 0;        // GB/s of the median time
    double limit_gbs = 0;  // median; 0 if no bytes were counted
};

// Restricts this process to as many processors as threads.
void pin_process(int threads);

// Multiply-adds per second, in GFLOP/s, of the ISA's registers alone, on pinned threads all at once: of bfloat16 where
// that is the type, or of bytes, and the ISA multiplies them, else of float32.
double measure_limit(attn4j_isa isa, attn4j_dtype dtype, int threads, double seconds);

// GB/s of reading `bytes` of memory from end to end, again and again for at least `seconds`, each pinned thread its
// part.
double measure_read_bandwidth(attn4j_isa isa, int threads, int64_t bytes, double seconds);

// Repeats `call`, of `flops` useful FLOPs, for `seconds`. With `bytes`, all that it has to read once, the limit is the
// roofline: the longer of the times for the FLOPs and for reading as many bytes.
Measurement measure(attn4j_isa isa, attn4j_dtype dtype, int threads, double seconds, double flops,
                    const std::function<void()>& call, int64_t bytes = 0);
