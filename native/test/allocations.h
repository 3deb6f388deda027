// SPDX-License-Identifier: Apache-2.0
// How often this program has asked for memory: its calls of malloc and its kin are bent here by the linker (--wrap).
#pragma once

#include <cstdint>

bool allocations_are_counted();

// Of all threads, since the program began.
int64_t allocations();
