// SPDX-License-Identifier: Apache-2.0
// Linear layers with a weight of bfloat16: checks and the split into tasks. Contract: attn4j/linear.h.
#pragma once

#include "kernels/linear/linear_bf16.h"
#include "matrix.h"

namespace attn4j {

// `whole` lacks its workspace.
void linear_bf16(const Bf16LinearBlock& whole, const Execution& execution);

}  // namespace attn4j
