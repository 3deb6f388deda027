// SPDX-License-Identifier: Apache-2.0
// The C interface of the library as a whole: version, instruction sets, threads, OpenBLAS, memory.
#include "api.h"

#include "copy.h"
#include "dispatch.h"
#include "gemm.h"
#include "linear.h"
#include "memory.h"
#include "parallel.h"

#define ATTN4J_STRING_OF(x) #x
#define ATTN4J_STRING(x) ATTN4J_STRING_OF(x)

using namespace attn4j;

extern "C" {

const char* attn4j_version(void) { return ATTN4J_STRING(ATTN4J_VERSION); }

const char* attn4j_error_message(void) { return last_message(); }

int32_t attn4j_isa_supported(attn4j_isa isa) {
    if (isa != ATTN4J_ISA_DEFAULT) return isa_supported(isa) ? 1 : 0;
    return guard([&] { resolve_isa(isa); }) == ATTN4J_OK ? 1 : 0;
}

attn4j_status attn4j_isa_resolve(attn4j_isa isa, int32_t* resolved) {
    return guard([&] {
        if (resolved == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "resolved must not be null: resolved=null");
        *resolved = resolve_isa(isa);
    });
}

const char* attn4j_isa_name(attn4j_isa isa) { return isa_name(isa); }

attn4j_status attn4j_threads_set(int32_t threads) {
    return guard([&] {
        if (threads < 1) fail(ATTN4J_INVALID_ARGUMENT, "threads must be at least 1: threads=%d", threads);
        set_pool_threads(threads);
    });
}

int32_t attn4j_threads(void) { return pool_threads(); }

void attn4j_threads_shutdown(void) { shutdown_pool(); }

attn4j_status attn4j_gemm_set(attn4j_gemm gemm) {
    return guard([&] { set_gemm(gemm); });
}

int32_t attn4j_gemm_uses_openblas(attn4j_isa isa) {
    int32_t answer = -1;
    guard([&] { answer = uses_openblas(resolve_isa(isa)) ? 1 : 0; });
    return answer;
}

attn4j_status attn4j_openblas_open(const char* path) {
    return guard([&] { open_openblas(path); });
}

const char* attn4j_openblas_config(void) { return openblas_config(); }

void* attn4j_memory_allocate(int64_t bytes) {
    void* address = nullptr;
    guard([&] {
        if (bytes < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "bytes must be at least 0: bytes=%lld", static_cast<long long>(bytes));
        address = allocate(bytes);
        if (address == nullptr) fail(ATTN4J_OUT_OF_MEMORY, "no memory: bytes=%lld", static_cast<long long>(bytes));
    });
    return address;
}

void attn4j_memory_free(void* address) { release(address); }

int64_t attn4j_memory_allocated(void) { return allocated_bytes(); }

void attn4j_memory_copy(void* to, int64_t to_offset, const void* from, int64_t from_offset, int64_t bytes) {
    if (bytes > 0)
        std::memcpy(static_cast<char*>(to) + to_offset, static_cast<const char*>(from) + from_offset,
                    static_cast<size_t>(bytes));
}

attn4j_status attn4j_memory_copy_strided(void* to, const int64_t* to_strides, const void* from,
                                         const int64_t* from_strides, const int64_t* sizes, int32_t rank,
                                         int32_t element_bytes) {
    return guard([&] { copy_strided(to, to_strides, from, from_strides, sizes, rank, element_bytes); });
}

}  // extern "C"
