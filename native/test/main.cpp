// SPDX-License-Identifier: Apache-2.0
// Runs the native tests. Options: GoogleTest's; ATTN4J_TEST_SEED and ATTN4J_TEST_CASES as in environment.h.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "environment.h"
#include "isas.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    std::printf("attn4j %s on", attn4j_version());
    for (const attn4j_isa isa : supported_isas()) std::printf(" %s", attn4j_isa_name(isa));
    std::printf("; OpenBLAS: %s\n",
                openblas_available() ? attn4j_openblas_config() : "none, only our own linear layers are tested");
    std::printf("ATTN4J_TEST_SEED=%" PRIu64 " ATTN4J_TEST_CASES=%" PRId64 "\n", test_seed(), test_cases());
    return RUN_ALL_TESTS();
}
