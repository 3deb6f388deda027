// SPDX-License-Identifier: Apache-2.0
// A matrix from one type to another: checks and tasks. Contract: attn4j_cast.
#pragma once

#include "kernels/cast/cast.h"
#include "matrix.h"

namespace attn4j {

void cast(const Cast& work, const Execution& execution);

}  // namespace attn4j
