// SPDX-License-Identifier: Apache-2.0
// What stored numbers mean, and which of them is nearest to a number, in double precision: the definition of
// attn4j_cast.
#pragma once

#include <cstdint>

#include "attn4j/attn4j.h"

// Of the lower 16 bits, or 32 for F32.
double value_reference(attn4j_dtype dtype, uint32_t bits);

// Bits of the number nearest to x, ties to even. A NaN becomes the positive quiet one.
uint32_t bits_reference(attn4j_dtype dtype, double x);

// The number itself.
double rounded_reference(attn4j_dtype dtype, double x);
