// SPDX-License-Identifier: Apache-2.0
#include "allocations.h"

#if defined(ATTN4J_COUNT_ALLOCATIONS)

#include <atomic>
#include <cstddef>

namespace {
std::atomic<int64_t> count{0};
}

extern "C" {

void* __real_malloc(size_t bytes);
void* __real_calloc(size_t n, size_t bytes);
void* __real_realloc(void* address, size_t bytes);
void* __real__Znwm(size_t bytes);

void* __wrap_malloc(size_t bytes) {
    ++count;
    return __real_malloc(bytes);
}

void* __wrap_calloc(size_t n, size_t bytes) {
    ++count;
    return __real_calloc(n, bytes);
}

void* __wrap_realloc(void* address, size_t bytes) {
    ++count;
    return __real_realloc(address, bytes);
}

// operator new(size_t)
void* __wrap__Znwm(size_t bytes) {
    ++count;
    return __real__Znwm(bytes);
}

}  // extern "C"

bool allocations_are_counted() { return true; }
int64_t allocations() { return count; }

#else

bool allocations_are_counted() { return false; }
int64_t allocations() { return 0; }

#endif
