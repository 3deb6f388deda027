// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attn4j {

// How numbers are stored; all arithmetic is float32.
enum class Element : int32_t { f32 = 0, bf16 = 1, f16 = 2, int8 = 3 };

// static: an ISA file must not export it.
static constexpr int64_t bytes_of(Element element) { return element == Element::f32 ? 4 : element == Element::int8 ? 1 : 2; }

}  // namespace attn4j
