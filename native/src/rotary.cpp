// SPDX-License-Identifier: Apache-2.0
#include "rotary.h"

#include <algorithm>

#include "dispatch.h"
#include "error.h"
#include "extent.h"
#include "rows.h"

namespace attn4j {
namespace {

using Long = long long;

void check_rotary_dim(const Rotary& r) {
    if (r.rotary_dim < 2 || r.rotary_dim > r.head_dim || r.rotary_dim % 2 != 0)
        fail(ATTN4J_INVALID_ARGUMENT, "rotaryDim must be even, and from 2 to headDim: rotaryDim=%lld headDim=%lld",
             Long{r.rotary_dim}, Long{r.head_dim});
}

void check_positions(const RotaryBatch& b) {
    if (b.ids != nullptr && b.start != nullptr)
        fail(ATTN4J_INVALID_ARGUMENT,
             "positions must be given by positionIds or by start, not both: positionIds=%p start=%p",
             static_cast<const void*>(b.ids), static_cast<const void*>(b.start));
    const int64_t rows = b.entry.rows;
    if (b.ids == nullptr) {
        for (int64_t i = 0; i < b.batch; ++i) {
            const int64_t start = b.start == nullptr ? 0 : b.start[i];
            if (start < 0 || start > b.table_rows - rows)
                fail(ATTN4J_INVALID_ARGUMENT,
                     "positions must lie within the tables: start[%lld]=%lld rows=%lld positions=%lld", Long{i},
                     Long{start}, Long{rows}, Long{b.table_rows});
        }
        return;
    }
    if (b.ids_stride != 0 && b.ids_stride < rows)
        fail(ATTN4J_INVALID_ARGUMENT,
             "the batch stride of positionIds must be 0 or at least rows: stride=%lld rows=%lld", Long{b.ids_stride},
             Long{rows});
    for (int64_t i = 0; i < (b.ids_stride == 0 ? 1 : b.batch); ++i)
        for (int64_t row = 0; row < rows; ++row) {
            const int64_t id = b.ids[i * b.ids_stride + row];
            if (id < 0 || id >= b.table_rows)
                fail(ATTN4J_INVALID_ARGUMENT,
                     "positions must lie within the tables: positionIds[%lld, %lld]=%lld positions=%lld", Long{i},
                     Long{row}, Long{id}, Long{b.table_rows});
        }
}

struct Box {
    Axis axes[4];

    // Bytes from the first element to the last.
    int64_t bytes(const char* name, const void* data, Element type) const {
        if (data == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null", name, name);
        for (int i = 0; i < 3; ++i)
            if (axes[i].stride < 0)
                fail(ATTN4J_INVALID_ARGUMENT, "strides of %s must not be negative: batch=%lld head=%lld row=%lld", name,
                     Long{axes[0].stride}, Long{axes[1].stride}, Long{axes[2].stride});
        return bytes_of(type) * extent(name, axes, 4);
    }
};

void check_operands(const RotaryBatch& b) {
    const Rotary& r = b.entry;
    const Box x = {{{b.batch, b.x_stride}, {r.heads, r.x_head_stride}, {r.rows, r.x_row_stride}, {r.head_dim, 1}}};
    const Box out = {
        {{b.batch, b.out_stride}, {r.heads, r.out_head_stride}, {r.rows, r.out_row_stride}, {r.head_dim, 1}}};
    const int64_t x_bytes = x.bytes("x", r.x, r.x_type), out_bytes = out.bytes(b.out_name, r.out, r.out_type);
    check_distinct(b.out_name, out.axes, 4);
    const bool same = b.may_be_same && r.x == r.out && b.x_stride == b.out_stride &&
                      r.x_head_stride == r.out_head_stride && r.x_row_stride == r.out_row_stride;
    if (!same) check_apart(b.out_name, r.out, out_bytes, "x", r.x, x_bytes);
    check_apart_from_turn(b, b.out_name, r.out, out_bytes);
}

}  // namespace

void check_sizes(const RotaryBatch& b) {
    const Rotary& r = b.entry;
    require_size("batch", b.batch, 0);
    require_size("heads", r.heads, 1);
    require_size("rows", r.rows, 0);
    require_size("headDim", r.head_dim, 1);
    if (b.may_turn_nothing && r.rotary_dim == 0) return;
    require_size("positions", b.table_rows, 0);
    check_rotary_dim(r);
}

void check_apart_from_turn(const RotaryBatch& b, const char* name, const void* data, int64_t bytes) {
    const Rotary& r = b.entry;
    if (r.rotary_dim == 0) return;
    const int64_t half = r.rotary_dim / 2;
    check_apart(name, data, bytes, "cos", r.cos, 4 * span("cos", r.cos, r.table_stride, b.table_rows, half));
    check_apart(name, data, bytes, "sin", r.sin, 4 * span("sin", r.sin, r.table_stride, b.table_rows, half));
    if (b.ids != nullptr) {
        const Axis ids[] = {{b.batch, b.ids_stride}, {r.rows, 1}};
        check_apart(name, data, bytes, "positionIds", b.ids, 8 * extent("positionIds", ids, 2));
    }
    if (b.start != nullptr) check_apart(name, data, bytes, "start", b.start, 8 * b.batch);
}

void check_memory(const RotaryBatch& b) {
    check_operands(b);
    if (b.entry.rotary_dim > 0) check_positions(b);
}

void for_runs(const RotaryBatch& b, int32_t threads, const std::function<void(const RotaryRun&)>& work) {
    const Rotary& r = b.entry;
    // Runs of rows of one batch entry, all heads at once: an angle is read from memory once.
    const int64_t each = std::max<int64_t>(1, kTaskElements / r.head_dim / r.heads), runs = (r.rows + each - 1) / each;
    parallel_for(b.batch * runs, threads, [&](int64_t task) {
        const int64_t i = task / runs, first = task % runs * each;
        Rotary part = r;
        part.x = static_cast<const char*>(r.x) + (i * b.x_stride + first * r.x_row_stride) * bytes_of(r.x_type);
        part.out = static_cast<char*>(r.out) + (i * b.out_stride + first * r.out_row_stride) * bytes_of(r.out_type);
        part.positions = b.ids == nullptr ? nullptr : b.ids + i * b.ids_stride + first;
        part.first_position = (b.start == nullptr ? 0 : b.start[i]) + first;
        part.rows = std::min(each, r.rows - first);
        work({part, i, first});
    });
}

void rotary(const RotaryBatch& b, const Execution& execution) {
    check_sizes(b);
    require_threads(execution.threads);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (b.batch == 0 || b.entry.rows == 0) return;
    check_memory(b);
    for_runs(b, execution.threads, [&](const RotaryRun& run) { kernels.rotary(run.part); });
}

}  // namespace attn4j
