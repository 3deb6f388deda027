// SPDX-License-Identifier: Apache-2.0
// A planned call again and again without leaving C, for a process that also makes it from Java, where the two take
// turns: CallsFromC.java of bench/jmh. Java passes what JNI says; none of it is needed here.
#include "attn4j/attn4j.h"

#if defined(_WIN32)
#define ATTN4J_NATIVE extern "C" __declspec(dllexport)
#else
#define ATTN4J_NATIVE extern "C" __attribute__((visibility("default")))
#endif

// A plan for one thread; 0 where it cannot be.
ATTN4J_NATIVE int64_t Java_io_github_attn4j_bench_overhead_CallsFromC_plan(void*, void*, int64_t batch, int64_t heads,
                                                                           int64_t kv_heads, int64_t queries,
                                                                           int64_t keys, int64_t head_dim) {
    const attn4j_plan plan = attn4j_plan_create(batch, heads, kv_heads, queries, keys, head_dim, head_dim);
    if (plan != nullptr && attn4j_plan_set_threads(plan, 1) == ATTN4J_OK && attn4j_plan_build(plan) == ATTN4J_OK)
        return reinterpret_cast<int64_t>(plan);
    attn4j_plan_free(plan);
    return 0;
}

// The status of the last call.
ATTN4J_NATIVE int32_t Java_io_github_attn4j_bench_overhead_CallsFromC_run(void*, void*, int64_t plan, int64_t calls,
                                                                          int64_t batch, int64_t queries, int64_t keys,
                                                                          int64_t q, int64_t k, int64_t v,
                                                                          int64_t out) {
    attn4j_status status = ATTN4J_OK;
    for (int64_t i = 0; i < calls; ++i)
        status =
            attn4j_plan_run(reinterpret_cast<attn4j_plan>(plan), batch, queries, keys, reinterpret_cast<const void*>(q),
                            reinterpret_cast<const void*>(k), reinterpret_cast<const void*>(v),
                            reinterpret_cast<void*>(out), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                            nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0, nullptr);
    return status;
}

ATTN4J_NATIVE void Java_io_github_attn4j_bench_overhead_CallsFromC_free(void*, void*, int64_t plan) {
    attn4j_plan_free(reinterpret_cast<attn4j_plan>(plan));
}
