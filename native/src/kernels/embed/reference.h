// SPDX-License-Identifier: Apache-2.0
// What embed.h computes of one row: a copy, or a sum rounded once.
#pragma once

#include <cstdint>

void embed_reference(const float* table_row, int64_t width, bool accumulate, float* out);
