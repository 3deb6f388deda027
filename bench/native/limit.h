// SPDX-License-Identifier: Apache-2.0
// Timing against the machine's own limit. The machine may be shared and its clock may change, so the limit is measured
// right before and right after each repetition and a share is formed within each; the median of the shares is what
// counts.
#pragma once

#include <cstdint>
#include <functional>

#include "dispatch.h"

struct Measurement {
    double median_ms, min_ms;
    double gflops;        // of the median time
    double limit_gflops;  // median
    double share;         // median of the ratios
};

// Restricts this process to as many processors as threads.
void pin_process(int threads);

// Multiply-adds per second, in GFLOP/s, of the ISA's registers alone, on pinned threads all at once: of bfloat16 where
// that is the type and the ISA multiplies it, else of float32.
double measure_limit(attn4j_isa isa, attn4j_dtype dtype, int threads, double seconds);

// Repeats `call`, of `flops` useful FLOPs, for `seconds`.
Measurement measure(attn4j_isa isa, attn4j_dtype dtype, int threads, double seconds, double flops,
                    const std::function<void()>& call);
