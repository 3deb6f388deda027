/* SPDX-License-Identifier: Apache-2.0
 * The library itself: version, errors, instruction sets, threads, memory. */
#ifndef ATTN4J_LIBRARY_H
#define ATTN4J_LIBRARY_H

#include "attn4j/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "major.minor.patch" */
ATTN4J_API const char* attn4j_version(void);

/* The message of this thread's last failure, "" if there was none. Valid until this thread's next failure. */
ATTN4J_API const char* attn4j_error_message(void);

/* 1 if this build has the ISA and this CPU and operating system run it, else 0. DEFAULT: 1 unless ATTN4J_ISA is bad. */
ATTN4J_API int32_t attn4j_isa_supported(attn4j_isa isa);

/* Resolves DEFAULT. INVALID_ARGUMENT if ATTN4J_ISA names none, UNSUPPORTED if this CPU lacks it; else *resolved. */
ATTN4J_API attn4j_status attn4j_isa_resolve(attn4j_isa isa, int32_t* resolved);

/* "scalar", "avx2", "avx512", "neon", "avx512bf16", "amx", "neonbf16", "default" */
ATTN4J_API const char* attn4j_isa_name(attn4j_isa isa);

/* Threads of the library's own pool, the calling one included: at first the number of physical cores this process may
 * use (affinity mask and container quota respected). Takes effect for calls that start later. threads >= 1. */
ATTN4J_API attn4j_status attn4j_threads_set(int32_t threads);
ATTN4J_API int32_t attn4j_threads(void);

/* Ends the pool's threads, once running calls are done. A later call starts them again. */
ATTN4J_API void attn4j_threads_shutdown(void);

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Zeroed memory, aligned to 64 bytes; NULL if there is none. bytes = 0 gives a valid address of nothing. */
ATTN4J_API void* attn4j_memory_allocate(int64_t bytes);
ATTN4J_API void attn4j_memory_free(void* address);

/* Bytes handed out by attn4j_memory_allocate and not yet freed, in this process. */
ATTN4J_API int64_t attn4j_memory_allocated(void);

/* Copies bytes between to + to_offset and from + from_offset (in bytes), which do not overlap. */
ATTN4J_API void attn4j_memory_copy(void* to, int64_t to_offset, const void* from, int64_t from_offset, int64_t bytes);

/* Copies a strided view of rank <= 8 (sizes and strides in elements, outermost first) of elements of `element_bytes`
 * to another of the same sizes. The two do not overlap. */
ATTN4J_API attn4j_status attn4j_memory_copy_strided(void* to, const int64_t* to_strides, const void* from,
                                                    const int64_t* from_strides, const int64_t* sizes, int32_t rank,
                                                    int32_t element_bytes);

#ifdef __cplusplus
}
#endif

#endif
