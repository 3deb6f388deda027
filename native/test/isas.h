// SPDX-License-Identifier: Apache-2.0
// The instruction sets of this machine, and tests that run once on each.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "attn4j/attn4j.h"
#include "dispatch.h"
#include "kernel_table.h"

std::vector<attn4j_isa> supported_isas();

inline std::string isa_label(const testing::TestParamInfo<attn4j_isa>& info) { return attn4j_isa_name(info.param); }

class IsaTest : public testing::TestWithParam<attn4j_isa> {
protected:
    attn4j_isa isa() const { return GetParam(); }
    const attn4j::KernelTable& kernels() const { return attn4j::kernels_of(isa()); }
    int64_t lanes() const { return kernels().attention.lanes; }
    // Widths at which whole vectors begin and end.
    std::vector<int64_t> widths() const {
        return {1,  2,   3,  lanes() - 1 + (lanes() == 1), lanes(), lanes() + 1, 2 * lanes() - 1, 2 * lanes(), 31,
                47, 384, 769};
    }
};

#define ATTN4J_ON_EVERY_ISA(suite) INSTANTIATE_TEST_SUITE_P(Isa, suite, testing::ValuesIn(supported_isas()), isa_label)
