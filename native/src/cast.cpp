// SPDX-License-Identifier: Apache-2.0
#include "cast.h"

#include "dispatch.h"
#include "extent.h"
#include "rows.h"

namespace attn4j {

void cast(const Cast& w, const Execution& execution) {
    require_size("rows", w.rows, 0);
    require_size("width", w.width, 1);
    require_threads(execution.threads);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (w.rows == 0) return;
    const int64_t x_bytes = bytes_of(w.x_type), out_bytes = bytes_of(w.out_type);
    check_apart("out", w.out, out_bytes * span("out", w.out, w.out_stride, w.rows, w.width), "x", w.x,
                x_bytes * span("x", w.x, w.x_stride, w.rows, w.width));
    for_rows(w.rows, w.width, execution.threads, [&](int64_t first, int64_t count) {
        Cast part = w;
        part.x = static_cast<const char*>(w.x) + first * w.x_stride * x_bytes;
        part.out = static_cast<char*>(w.out) + first * w.out_stride * out_bytes;
        part.rows = count;
        kernels.cast(part);
    });
}

}  // namespace attn4j
