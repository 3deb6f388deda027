// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attn4j {

// Physical cores that this process may use: its affinity mask with hyper-threads counted once, no more than the
// container's quota of processor time. At least 1.
int available_cores();

}  // namespace attn4j
