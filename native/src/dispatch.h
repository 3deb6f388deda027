// SPDX-License-Identifier: Apache-2.0
// Which instruction sets this build has and this machine runs, and the kernels of each.
#pragma once

#include "attn4j/attn4j.h"
#include "kernel_table.h"

namespace attn4j {

// In this build, and usable: the CPU has it and the operating system saves its registers.
bool isa_supported(attn4j_isa isa);

// DEFAULT becomes what ATTN4J_ISA names, or else the widest supported (but see worth_it()). Throws where that, or
// `isa`, does not run here.
attn4j_isa resolve_isa(attn4j_isa isa);

const char* isa_name(attn4j_isa isa);

// Why DEFAULT became what it did.
const char* default_isa_reason();

// Whether rows that this CPU reads one behind the other come sooner if each line is fetched in time.
bool wants_every_line();

// `isa` is resolved.
const KernelTable& kernels_of(attn4j_isa isa);

// Those for bfloat16 products, null where the ISA has none of its own.
const Bf16Kernels* bf16_kernels_of(attn4j_isa isa);

}  // namespace attn4j
