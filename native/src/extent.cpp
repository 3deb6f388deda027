// SPDX-License-Identifier: Apache-2.0
#include "extent.h"

#include "attn4j/attn4j.h"
#include "error.h"

namespace attn4j {
namespace {
using Long = long long;
}

void require_size(const char* name, int64_t value, int64_t least) {
    if (value < least)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must be at least %lld: %s=%lld", name, Long{least}, name, Long{value});
}

int64_t extent(const char* name, const Axis* axes, int count) {
    int64_t last = 0;
    for (int i = 0; i < count; ++i) {
        if (axes[i].size == 0) return 0;
        int64_t distance;
        if (__builtin_mul_overflow(axes[i].size - 1, axes[i].stride, &distance) ||
            __builtin_add_overflow(last, distance, &last) || last > INT64_MAX / 8)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must fit into memory: size=%lld stride=%lld", name, Long{axes[i].size},
                 Long{axes[i].stride});
    }
    return last + 1;
}

void check_distinct(const char* name, const Axis* axes, int count) {
    Axis sorted[4];  // by stride, by insertion
    int used = 0;
    for (int i = 0; i < count; ++i) {
        if (axes[i].size < 2) continue;
        int at = used++;
        for (; at > 0 && sorted[at - 1].stride > axes[i].stride; --at) sorted[at] = sorted[at - 1];
        sorted[at] = axes[i];
    }
    for (int i = 0; i < used; ++i) {
        const int64_t inner = extent(name, sorted, i);
        if (sorted[i].stride < inner)
            fail(ATTN4J_INVALID_ARGUMENT, "elements of %s must not share memory: stride=%lld elements below it=%lld",
                 name, Long{sorted[i].stride}, Long{inner});
    }
}

void check_apart(const char* a_name, const void* a, int64_t a_bytes, const char* b_name, const void* b,
                 int64_t b_bytes) {
    if (a_bytes == 0 || b_bytes == 0) return;
    const auto a_begin = reinterpret_cast<uintptr_t>(a), b_begin = reinterpret_cast<uintptr_t>(b);
    if (a_begin < b_begin + static_cast<uintptr_t>(b_bytes) && b_begin < a_begin + static_cast<uintptr_t>(a_bytes))
        fail(ATTN4J_INVALID_ARGUMENT, "%s must not overlap %s: %s=0x%llx+%lld bytes %s=0x%llx+%lld bytes", a_name,
             b_name, a_name, static_cast<unsigned long long>(a_begin), Long{a_bytes}, b_name,
             static_cast<unsigned long long>(b_begin), Long{b_bytes});
}

int64_t check_cumulative(const char* name, const int64_t* cu, int64_t batch, int64_t most) {
    if (cu == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "cumulative lengths must be given: %s=null", name);
    if (cu[0] != 0) fail(ATTN4J_INVALID_ARGUMENT, "%s must begin with 0: %s[0]=%lld", name, name, Long{cu[0]});
    for (int64_t b = 0; b < batch; ++b) {
        if (cu[b + 1] < cu[b])
            fail(ATTN4J_INVALID_ARGUMENT, "%s must not decrease: %s[%lld]=%lld %s[%lld]=%lld", name, name, Long{b},
                 Long{cu[b]}, name, Long{b + 1}, Long{cu[b + 1]});
        if (cu[b + 1] - cu[b] > most)
            fail(ATTN4J_INVALID_ARGUMENT, "no length of %s may exceed the plan's: length[%lld]=%lld plan=%lld", name,
                 Long{b}, Long{cu[b + 1] - cu[b]}, Long{most});
    }
    return cu[batch];
}

}  // namespace attn4j
