// SPDX-License-Identifier: Apache-2.0
#include "environment.h"

#include <cstdlib>
#include <cstring>
#include <random>

#include "attn4j/attn4j.h"
#include "isas.h"

namespace {

const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? nullptr : value;
}

void set_variable(const char* name, const char* value) {
#if defined(_WIN32)
    _putenv_s(name, value == nullptr ? "" : value);
#else
    if (value == nullptr) {
        unsetenv(name);
    } else {
        setenv(name, value, 1);
    }
#endif
}

}  // namespace

uint64_t test_seed() {
    static const uint64_t seed = [] {
        const char* given = variable("ATTN4J_TEST_SEED");
        if (given != nullptr && std::strcmp(given, "random") == 0) return uint64_t{std::random_device()()};
        return given != nullptr ? uint64_t{std::strtoull(given, nullptr, 10)} : uint64_t{1};
    }();
    return seed;
}

int64_t test_cases() {
    const char* given = variable("ATTN4J_TEST_CASES");
    return given != nullptr ? std::strtoll(given, nullptr, 10) : 200;
}

bool openblas_available() {
    static const bool available =
        *ATTN4J_OPENBLAS_LIBRARY != '\0' && attn4j_openblas_open(ATTN4J_OPENBLAS_LIBRARY) == ATTN4J_OK;
    return available;
}

std::vector<attn4j_isa> supported_isas() {
    std::vector<attn4j_isa> all;
    for (const attn4j_isa isa : {ATTN4J_ISA_SCALAR, ATTN4J_ISA_AVX2, ATTN4J_ISA_AVX512, ATTN4J_ISA_NEON,
                                 ATTN4J_ISA_AVX512BF16, ATTN4J_ISA_AMX, ATTN4J_ISA_NEONBF16})
        if (attn4j_isa_supported(isa) == 1) all.push_back(isa);
    return all;
}

ScopedVariable::ScopedVariable(const char* name, const char* value) : name_(name) {
    const char* before = std::getenv(name);
    was_set_ = before != nullptr;
    if (was_set_) before_ = before;
    set_variable(name, value);
}

ScopedVariable::~ScopedVariable() { set_variable(name_.c_str(), was_set_ ? before_.c_str() : nullptr); }

ScopedThreads::ScopedThreads(int32_t threads) : before_(attn4j_threads()) { attn4j_threads_set(threads); }

ScopedThreads::~ScopedThreads() { attn4j_threads_set(before_); }
