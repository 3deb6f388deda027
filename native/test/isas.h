// SPDX-License-Identifier: Apache-2.0
// The instruction sets of this machine, and tests that run once on each.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>
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

// The same for each type that q, k and v may be stored in.
class IsaTypeTest : public testing::TestWithParam<std::tuple<attn4j_isa, attn4j_dtype>> {
protected:
    attn4j_isa isa() const { return std::get<0>(GetParam()); }
    attn4j_dtype dtype() const { return std::get<1>(GetParam()); }
    const attn4j::AttentionKernel& kernel() const {
        const attn4j::Bf16Kernels* bf16 = dtype() == ATTN4J_BF16 ? attn4j::bf16_kernels_of(isa()) : nullptr;
        return bf16 != nullptr ? bf16->attention : attn4j::kernels_of(isa()).attention;
    }
    int64_t lanes() const { return kernel().lanes; }
};

inline std::string isa_type_label(const testing::TestParamInfo<std::tuple<attn4j_isa, attn4j_dtype>>& info) {
    const char* const types[] = {"f32", "bf16", "f16"};
    return std::string(attn4j_isa_name(std::get<0>(info.param))) + "_" + types[std::get<1>(info.param)];
}

#define ATTN4J_ON_EVERY_ISA_AND_TYPE(suite)                                                                          \
    INSTANTIATE_TEST_SUITE_P(                                                                                        \
        Isa, suite,                                                                                                  \
        testing::Combine(testing::ValuesIn(supported_isas()), testing::Values(ATTN4J_F32, ATTN4J_BF16, ATTN4J_F16)), \
        isa_type_label)

#define ATTN4J_ON_EVERY_ISA(suite) INSTANTIATE_TEST_SUITE_P(Isa, suite, testing::ValuesIn(supported_isas()), isa_label)
