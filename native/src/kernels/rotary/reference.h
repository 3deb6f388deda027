// SPDX-License-Identifier: Apache-2.0
// What rotary.h computes of one row, and the angles of attn4j_rotary_tables.
#pragma once

#include <cstdint>

#include "attn4j/attn4j.h"

// x, out [head_dim]; cos, sin [rotary_dim / 2]. out holds float32 numbers, to the last bit.
void rotary_reference(const double* x, int64_t head_dim, int64_t rotary_dim, attn4j_rotary_layout layout,
                      const float* cos, const float* sin, double* out);

// Radians a position of pair d, in the words of the papers. high_rotations is YaRN's beta (fast) and Llama 3's
// high_freq_factor, low_rotations alpha (slow) and low_freq_factor.
double rotary_frequency_reference(int64_t d, int64_t rotary_dim, double base, attn4j_rotary_scaling scaling,
                                  double factor, double original_positions, double low_rotations,
                                  double high_rotations);
