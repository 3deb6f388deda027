// SPDX-License-Identifier: Apache-2.0
#include "merge.h"

#include <cstdio>

#include "dispatch.h"
#include "error.h"
#include "extent.h"
#include "rows.h"

namespace attn4j {
namespace {

using Long = long long;

// "outs[3]"
struct Numbered {
    char text[32];
    Numbered(const char* name, int64_t number) { std::snprintf(text, sizeof text, "%s[%lld]", name, Long{number}); }
};

void require_array(const char* name, const void* array, int64_t count) {
    if (array == nullptr && count > 0)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null count=%lld", name, name, Long{count});
}

void check_sinks(const Merge& w) {
    require_size("heads", w.heads, 1);
    require_size("queries", w.queries, 1);
    int64_t entry;
    if (__builtin_mul_overflow(w.heads, w.queries, &entry) || w.rows % entry != 0)
        fail(ATTN4J_INVALID_ARGUMENT, "with sinks, heads * queries must divide rows: rows=%lld heads=%lld queries=%lld",
             Long{w.rows}, Long{w.heads}, Long{w.queries});
}

}  // namespace

void merge(const Merge& w, const Execution& execution) {
    require_size("count", w.count, 0);
    require_size("rows", w.rows, 0);
    require_size("width", w.width, 1);
    require_threads(execution.threads);
    if (w.sinks != nullptr) check_sinks(w);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (w.rows == 0) return;
    require_array("outs", w.outs, w.count);
    require_array("outStrides", w.out_strides, w.count);
    require_array("lses", w.lses, w.count);
    const int64_t out_bytes = 4 * span("out", w.out, w.out_stride, w.rows, w.width);
    const int64_t lse_bytes = w.lse == nullptr ? 0 : 4 * w.rows, sink_bytes = w.sinks == nullptr ? 0 : 4 * w.heads;
    check_apart("lse", w.lse, lse_bytes, "out", w.out, out_bytes);
    check_apart("out", w.out, out_bytes, "sinks", w.sinks, sink_bytes);
    check_apart("lse", w.lse, lse_bytes, "sinks", w.sinks, sink_bytes);
    for (int64_t p = 0; p < w.count; ++p) {
        const Numbered out("outs", p), lse("lses", p);
        const int64_t bytes = 4 * span(out.text, w.outs[p], w.out_strides[p], w.rows, w.width);
        const int64_t lses_bytes = 4 * span(lse.text, w.lses[p], 1, w.rows, 1);
        if (p > 0 || w.outs[p] != w.out || w.out_strides[p] != w.out_stride)
            check_apart("out", w.out, out_bytes, out.text, w.outs[p], bytes);
        if (p > 0 || w.lses[p] != w.lse) check_apart("lse", w.lse, lse_bytes, lse.text, w.lses[p], lses_bytes);
        check_apart("out", w.out, out_bytes, lse.text, w.lses[p], lses_bytes);
        check_apart("lse", w.lse, lse_bytes, out.text, w.outs[p], bytes);
    }
    for_rows(w.rows, w.width * (w.count + 1), execution.threads, [&](int64_t first, int64_t count) {
        Merge part = w;
        part.first_row = first;
        part.rows = count;
        kernels.merge(part);
    });
}

}  // namespace attn4j
