// SPDX-License-Identifier: Apache-2.0
// Attention over disjoint sets of keys put together: checks and tasks. Contract: attn4j_merge.
#pragma once

#include "kernels/merge/merge.h"
#include "matrix.h"

namespace attn4j {

// All of work.rows, from work.first_row = 0.
void merge(const Merge& work, const Execution& execution);

}  // namespace attn4j
