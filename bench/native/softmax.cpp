// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffast-math, so that glibc's vector expf (libmvec) computes the exponentials on x86-64.
#include <algorithm>
#include <cmath>
#include <limits>

#include "unfused.h"

// The choice among clones comes too early for ThreadSanitizer.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void softmax(float* row, int64_t seen, int64_t keys, float scale) {
    float largest = std::numeric_limits<float>::lowest(), sum = 0;
    for (int64_t j = 0; j < seen; ++j) largest = std::max(largest, row[j]);
    for (int64_t j = 0; j < seen; ++j) {
        row[j] = std::exp((row[j] - largest) * scale);
        sum += row[j];
    }
    for (int64_t j = 0; j < seen; ++j) row[j] /= sum;
    std::fill(row + seen, row + keys, 0.0f);
}
