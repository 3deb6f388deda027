// SPDX-License-Identifier: Apache-2.0
// Which ISA is chosen: by the CPU, by ATTN4J_ISA, by a plan; and what is said of one that is not there.
#include <gtest/gtest.h>

#include <csetjmp>
#include <csignal>
#include <cstring>

#include "attn4j/attn4j.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"

namespace {

const attn4j_isa kAll[] = {ATTN4J_ISA_SCALAR,     ATTN4J_ISA_AVX2, ATTN4J_ISA_AVX512,  ATTN4J_ISA_NEON,
                           ATTN4J_ISA_AVX512BF16, ATTN4J_ISA_AMX,  ATTN4J_ISA_NEONBF16};

#if defined(__aarch64__) && defined(__linux__)
sigjmp_buf after_refusal;

// Whether this CPU executes a BFMMLA, which the compiler's detection does not know of everywhere.
bool executes_bfmmla() {
    struct sigaction refused = {}, before;
    refused.sa_handler = [](int) { siglongjmp(after_refusal, 1); };
    sigaction(SIGILL, &refused, &before);
    volatile bool executed = false;
    if (sigsetjmp(after_refusal, 1) == 0) {
        __asm__ volatile(".inst 0x6e42ec20" ::: "v0");  // bfmmla v0.4s, v1.8h, v2.8h
        executed = true;
    }
    sigaction(SIGILL, &before, nullptr);
    return executed;
}
#endif

TEST(Dispatch, KnowsWhatTheCompilerKnowsOfThisCpu) {
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_SCALAR), 1);
#if defined(__x86_64__) && defined(__GNUC__)
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_AVX2),
              __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 : 0);
#if !defined(ATTN4J_EMULATE_AVX512)
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_AVX512),
              __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
                  ? 1
                  : 0);
#endif
#if !defined(ATTN4J_EMULATE_AVX512)
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_AVX512BF16), __builtin_cpu_supports("avx512bf16") ? 1 : 0);
    // The system may refuse tiles to a CPU that has them, but cannot grant them to one that has not.
    if (!__builtin_cpu_supports("avx512bf16")) {
        EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_AMX), 0);
    }
#endif
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_NEON), 0);
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_NEONBF16), 0);
#elif defined(__aarch64__)
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_NEON), 1);
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_AVX2), 0);
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_AVX512), 0);
#if defined(__linux__)
    EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_NEONBF16), executes_bfmmla() ? 1 : 0);
#endif
#endif
    EXPECT_EQ(attn4j_isa_supported(static_cast<attn4j_isa>(8)), 0);
}

TEST(Dispatch, Names) {
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_DEFAULT), "default");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_SCALAR), "scalar");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_AVX2), "avx2");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_AVX512), "avx512");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_NEON), "neon");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_AVX512BF16), "avx512bf16");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_AMX), "amx");
    EXPECT_STREQ(attn4j_isa_name(ATTN4J_ISA_NEONBF16), "neonbf16");
    EXPECT_STREQ(attn4j_isa_name(static_cast<attn4j_isa>(8)), "unknown");
}

TEST(Dispatch, DefaultIsTheWidest) {
    for (const char* unset : {static_cast<const char*>(nullptr), ""}) {
        const ScopedVariable variable("ATTN4J_ISA", unset);
        int32_t resolved = -1;
        ASSERT_EQ(attn4j_isa_resolve(ATTN4J_ISA_DEFAULT, &resolved), ATTN4J_OK);
        // But for dot products that are slower than what they replace.
        attn4j_isa widest = supported_isas().back();
#if defined(__x86_64__) && defined(__GNUC__)
        if (widest == ATTN4J_ISA_AVX512BF16 && __builtin_cpu_is("intel")) widest = ATTN4J_ISA_AVX512;
#endif
        EXPECT_EQ(resolved, widest);
        EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_DEFAULT), 1);
    }
}

TEST(Dispatch, TheVariableSetsTheDefault) {
    for (const attn4j_isa isa : supported_isas()) {
        const ScopedVariable variable("ATTN4J_ISA", attn4j_isa_name(isa));
        int32_t resolved = -1;
        ASSERT_EQ(attn4j_isa_resolve(ATTN4J_ISA_DEFAULT, &resolved), ATTN4J_OK) << attn4j_error_message();
        EXPECT_EQ(resolved, isa);
        attn4j_plan plan = attn4j_plan_create(1, 1, 1, 1, 1, 1, 1);
        ASSERT_EQ(attn4j_plan_build(plan), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_isa(plan), isa);
        attn4j_plan_free(plan);
        // What a plan or a call is given goes before the variable.
        ASSERT_EQ(attn4j_isa_resolve(ATTN4J_ISA_SCALAR, &resolved), ATTN4J_OK);
        EXPECT_EQ(resolved, ATTN4J_ISA_SCALAR);
    }
}

TEST(Dispatch, AVariableThatNamesNoneIsAnError) {
    for (const char* bad : {"AVX2", "sse", "avx", "avx512 ", "0"}) {
        const ScopedVariable variable("ATTN4J_ISA", bad);
        int32_t resolved = -1;
        EXPECT_REFUSED(attn4j_isa_resolve(ATTN4J_ISA_DEFAULT, &resolved), ATTN4J_INVALID_ARGUMENT,
                       {"ATTN4J_ISA must be scalar, avx2, avx512, avx512bf16, amx, neon or neonbf16",
                        (std::string("ATTN4J_ISA=") + bad).c_str()});
        EXPECT_EQ(resolved, -1);
        EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_DEFAULT), 0);
        attn4j_plan plan = attn4j_plan_create(1, 1, 1, 1, 1, 1, 1);
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_INVALID_ARGUMENT);
        EXPECT_EQ(attn4j_plan_set_isa(plan, ATTN4J_ISA_SCALAR), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        attn4j_plan_free(plan);
        float x = 1, out = 0;
        EXPECT_EQ(attn4j_add(&x, 1, &x, 1, &out, 1, 1, 1, ATTN4J_ISA_DEFAULT, 1), ATTN4J_INVALID_ARGUMENT);
        EXPECT_EQ(out, 0);
    }
}

TEST(Dispatch, AnUnsupportedOneIsAClearError) {
    for (const attn4j_isa isa : kAll) {
        if (attn4j_isa_supported(isa) == 1) continue;
        const std::string name = std::string("isa=") + attn4j_isa_name(isa);
        int32_t resolved = -1;
        EXPECT_REFUSED(attn4j_isa_resolve(isa, &resolved), ATTN4J_UNSUPPORTED,
                       {"does not have the instruction set", name.c_str()});
        EXPECT_EQ(resolved, -1);
        attn4j_plan plan = attn4j_plan_create(1, 1, 1, 1, 1, 1, 1);
        EXPECT_REFUSED(attn4j_plan_set_isa(plan, isa), ATTN4J_UNSUPPORTED, {name.c_str()});
        attn4j_plan_free(plan);
        const ScopedVariable variable("ATTN4J_ISA", attn4j_isa_name(isa));
        EXPECT_REFUSED(attn4j_isa_resolve(ATTN4J_ISA_DEFAULT, &resolved), ATTN4J_UNSUPPORTED, {name.c_str()});
        EXPECT_EQ(attn4j_isa_supported(ATTN4J_ISA_DEFAULT), 0);
        float x = 1, out = 0;
        EXPECT_EQ(attn4j_add(&x, 1, &x, 1, &out, 1, 1, 1, isa, 1), ATTN4J_UNSUPPORTED);
        EXPECT_EQ(out, 0);
    }
}

TEST(Dispatch, ResolveNeedsSomewhereToPutIt) {
    EXPECT_REFUSED(attn4j_isa_resolve(ATTN4J_ISA_SCALAR, nullptr), ATTN4J_INVALID_ARGUMENT,
                   {"resolved must not be null"});
}

TEST(Gemm, IsChosenByCallByVariableAndByIsa) {
    const auto uses = [](attn4j_isa isa) { return attn4j_gemm_uses_openblas(isa); };
    const attn4j_isa widest = supported_isas().back();
    {
        const ScopedVariable unset("ATTN4J_GEMM", nullptr);
        EXPECT_EQ(uses(ATTN4J_ISA_SCALAR), 1);
        EXPECT_EQ(uses(widest), widest == ATTN4J_ISA_SCALAR);
    }
    {
        const ScopedVariable variable("ATTN4J_GEMM", "tiles");
        EXPECT_EQ(uses(ATTN4J_ISA_SCALAR), 0);
        ASSERT_EQ(attn4j_gemm_set(ATTN4J_GEMM_OPENBLAS), ATTN4J_OK);
        EXPECT_EQ(uses(widest), 1);
        ASSERT_EQ(attn4j_gemm_set(ATTN4J_GEMM_DEFAULT), ATTN4J_OK);
        EXPECT_EQ(uses(widest), 0);
    }
    {
        const ScopedVariable variable("ATTN4J_GEMM", "openblas");
        EXPECT_EQ(uses(widest), 1);
    }
    {
        const ScopedVariable variable("ATTN4J_GEMM", "mkl");
        EXPECT_EQ(uses(widest), -1);
        expect_message({"ATTN4J_GEMM must be tiles or openblas", "ATTN4J_GEMM=mkl"});
        float x = 1, out = 0;
        EXPECT_REFUSED(attn4j_linear(&x, 1, &x, 1, ATTN4J_OUT_IN, nullptr, nullptr, 0, &out, 1, 1, 1, 1,
                                     ATTN4J_IDENTITY, ATTN4J_ISA_DEFAULT, 1),
                       ATTN4J_INVALID_ARGUMENT, {"ATTN4J_GEMM=mkl"});
        EXPECT_EQ(out, 0);
    }
    EXPECT_EQ(uses(static_cast<attn4j_isa>(8)), -1);
    EXPECT_REFUSED(attn4j_gemm_set(static_cast<attn4j_gemm>(3)), ATTN4J_INVALID_ARGUMENT,
                   {"gemm must be 0 to 2", "gemm=3"});
}

TEST(OpenBlas, ThatIsNotThereIsAClearError) {
    if (openblas_available()) {
        // Opening it again does nothing, whatever the path.
        EXPECT_EQ(attn4j_openblas_open("no/such/library"), ATTN4J_OK);
        EXPECT_NE(std::strstr(attn4j_openblas_config(), "core"), nullptr);
    } else {
        EXPECT_REFUSED(attn4j_openblas_open("no/such/library"), ATTN4J_UNSUPPORTED,
                       {"OpenBLAS cannot be opened", "no/such/library"});
        EXPECT_STREQ(attn4j_openblas_config(), "");
    }
}

}  // namespace
