// SPDX-License-Identifier: Apache-2.0
#include "append.h"

#include "dispatch.h"
#include "error.h"
#include "extent.h"
#include "memory.h"

namespace attn4j {
namespace {

using Long = long long;

void check_scales(const AppendBatch& b) {
    const Rotary& r = b.turn.entry;
    if (b.scales == nullptr)
        fail(ATTN4J_INVALID_ARGUMENT, "scales must not be null where the cache is INT8: scales=null rows=%lld",
             Long{r.rows});
    if (b.scales_stride < 0 || b.scales_head_stride < 0)
        fail(ATTN4J_INVALID_ARGUMENT, "strides of scales must not be negative: batch=%lld head=%lld",
             Long{b.scales_stride}, Long{b.scales_head_stride});
    const Axis axes[] = {{b.turn.batch, b.scales_stride}, {r.heads, b.scales_head_stride}, {r.rows, 1}};
    const int64_t bytes = 4 * extent("scales", axes, 3);
    check_distinct("scales", axes, 3);
    const auto whole = [&](int64_t batch_stride, int64_t head, int64_t row, Element type) {
        const Axis box[] = {{b.turn.batch, batch_stride}, {r.heads, head}, {r.rows, row}, {r.head_dim, 1}};
        return bytes_of(type) * extent("rows", box, 4);
    };
    check_apart("scales", b.scales, bytes, "x", r.x, whole(b.turn.x_stride, r.x_head_stride, r.x_row_stride, r.x_type));
    check_apart("scales", b.scales, bytes, "cache", r.out,
                whole(b.turn.out_stride, r.out_head_stride, r.out_row_stride, r.out_type));
    check_apart_from_turn(b.turn, "scales", b.scales, bytes);
}

}  // namespace

void append(const AppendBatch& b, const Execution& execution) {
    const Rotary& r = b.turn.entry;
    check_sizes(b.turn);
    require_threads(execution.threads);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (b.turn.batch == 0 || r.rows == 0) return;
    check_memory(b.turn);
    const bool quantized = r.out_type == Element::i8;
    if (quantized) check_scales(b);
    for_runs(b.turn, execution.threads, [&](const RotaryRun& run) {
        if (quantized) {
            kernels.append({run.part, b.scales + run.entry * b.scales_stride + run.first, b.scales_head_stride,
                            scratch(r.head_dim)});
        } else {
            kernels.rotary(run.part);
        }
    });
}

}  // namespace attn4j
