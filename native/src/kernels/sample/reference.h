// SPDX-License-Identifier: Apache-2.0
// What sample.h computes, by sorting and in double precision.
#pragma once

#include <cstdint>
#include <vector>

// The probability of each token, 0 where it is not kept.
std::vector<double> sample_reference(const std::vector<float>& logits, double temperature, int64_t top_k, double top_p);

// The number in [0, 1) of a draw.
double uniform_reference(uint64_t seed, uint64_t step, uint32_t row);
