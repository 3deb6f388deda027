// SPDX-License-Identifier: Apache-2.0
// What the person at the keyboard may choose: ATTN4J_TEST_SEED and ATTN4J_TEST_CASES.
#pragma once

#include <cstdint>
#include <string>

// Of all random numbers; printed at the start. 1 unless given, so that a build tests the same thing each time; "random"
// draws one.
uint64_t test_seed();

// Random cases of each fuzz test and ISA.
int64_t test_cases();

// Opens the OpenBLAS of the build. False where the build has none.
bool openblas_available();

// Sets a variable of this process, or removes it where value is null, until the end of the scope. Not while other
// threads run.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const char* value);
    ~ScopedVariable();
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

private:
    std::string name_, before_;
    bool was_set_;
};

// Sets the pool's threads until the end of the scope.
class ScopedThreads {
public:
    explicit ScopedThreads(int32_t threads);
    ~ScopedThreads();
    ScopedThreads(const ScopedThreads&) = delete;
    ScopedThreads& operator=(const ScopedThreads&) = delete;

private:
    int32_t before_;
};
