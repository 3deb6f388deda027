// SPDX-License-Identifier: Apache-2.0
#include "kernels/embed/reference.h"

void embed_reference(const float* table_row, int64_t width, bool accumulate, float* out) {
    for (int64_t c = 0; c < width; ++c) out[c] = accumulate ? out[c] + table_row[c] : table_row[c];
}
