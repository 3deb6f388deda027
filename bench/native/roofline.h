// SPDX-License-Identifier: Apache-2.0
// Timing against the roofline: the larger of bytes / read bandwidth and FLOPs / multiply-add limit. Both are measured
// right before and right after each repetition, the bandwidth over the same memory.
#pragma once

#include <vector>

#include "limit.h"

struct Range {
    const void* data;
    int64_t bytes;
};

struct RooflineMeasurement {
    Measurement of_flops;   // its share is that of the roofline
    double gbs, limit_gbs;  // medians
};

// Repeats `call`, of `flops` useful FLOPs, which reads `memory` once, for `seconds`.
RooflineMeasurement measure_roofline(attn4j_isa isa, int threads, double seconds, double flops,
                                     const std::vector<Range>& memory, const std::function<void()>& call);
