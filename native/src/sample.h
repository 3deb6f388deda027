// SPDX-License-Identifier: Apache-2.0
// Tokens by rows of logits: checks and tasks. Contract: attn4j_sample.
#pragma once

#include "matrix.h"

namespace attn4j {

// Words as in attn4j_sample.
struct Sampling {
    double temperature;
    int64_t top_k;
    double top_p;
    int64_t seed, step;
};

void sample(const Matrix& logits, int64_t rows, int64_t vocabulary, const Sampling& sampling, int32_t* tokens,
            const Execution& execution);

}  // namespace attn4j
