// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <initializer_list>

#include "dispatch.h"
#include "error.h"
#include "extent.h"
#include "rows.h"

namespace attn4j {
namespace {

using Long = long long;

void require_rows(int64_t rows, int64_t width, const Execution& execution) {
    require_size("rows", rows, 0);
    require_size("width", width, 1);
    require_threads(execution.threads);
}

// Floats of out; it may be x.
int64_t span_in_place(const Matrix& x, const MutableMatrix& out, int64_t rows, int64_t width) {
    const int64_t out_floats = span(out, rows, width);
    span(x, rows, width);
    require_same_or_apart(x, out, rows, width);
    return out_floats;
}

}  // namespace

void layer_norm(const Matrix& x, const Matrix& residual, const float* gamma, const float* beta, double epsilon,
                const MutableMatrix& out, int64_t rows, int64_t width, const Execution& execution) {
    require_rows(rows, width, execution);
    require_epsilon(epsilon);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    const int64_t out_floats = span_in_place(x, out, rows, width);
    if (residual.data != nullptr) require_same_or_apart(residual, out, rows, width);
    for (const Matrix& vector : {Matrix{"gamma", gamma, width}, Matrix{"beta", beta, width}})
        require_apart(out, out_floats, vector.name, vector.data, span(vector, 1, width));
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.layer_norm({x.data + first * x.stride,
                            residual.data == nullptr ? nullptr : residual.data + first * residual.stride, gamma, beta,
                            out.data + first * out.stride, x.stride, residual.stride, out.stride, count, width,
                            static_cast<float>(epsilon)});
    });
}

void pointwise(const Matrix& x, attn4j_activation activation, const Matrix& residual, const MutableMatrix& out,
               int64_t rows, int64_t width, const Execution& execution) {
    require_rows(rows, width, execution);
    require_activation(activation);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    span_in_place(x, out, rows, width);
    if (residual.data != nullptr) require_same_or_apart(residual, out, rows, width);
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.pointwise({x.data + first * x.stride, nullptr,
                           residual.data == nullptr ? nullptr : residual.data + first * residual.stride,
                           out.data + first * out.stride, x.stride, residual.stride, out.stride, count, width,
                           activation == ATTN4J_GELU});
    });
}

void embed(const Matrix& table, int64_t table_rows, const int32_t* ids, const MutableMatrix& out, int64_t rows,
           int64_t width, bool accumulate, const Execution& execution) {
    require_size("rows", rows, 0);
    require_size("tableRows", table_rows, 1);
    require_size("width", width, 1);
    require_threads(execution.threads);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    if (ids == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "ids must not be null: ids=null rows=%lld", Long{rows});
    for (int64_t row = 0; row < rows; ++row)
        if (ids[row] < 0 || ids[row] >= table_rows)
            fail(ATTN4J_INVALID_ARGUMENT, "ids must lie between 0 and the table's rows - 1: ids[%lld]=%d rows=%lld",
                 Long{row}, ids[row], Long{table_rows});
    const int64_t out_floats = span(out, rows, width);
    require_apart(out, out_floats, table.name, table.data, span(table, table_rows, width));
    check_apart(out.name, out.data, 4 * out_floats, "ids", ids, 4 * rows);
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.embed({table.data, ids + first, out.data + first * out.stride, table.stride, out.stride, count, width,
                       accumulate});
    });
}

void mean_pool(const Matrix& x, const int64_t* cu, int64_t batch, const MutableMatrix& out, int64_t width,
               const Execution& execution) {
    require_size("batch", batch, 0);
    require_size("width", width, 1);
    require_threads(execution.threads);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (batch == 0) return;
    const int64_t rows = check_cumulative("cu", cu, batch, INT64_MAX);
    const int64_t out_floats = span(out, batch, width);
    if (rows > 0) require_apart(out, out_floats, x.name, x.data, span(x, rows, width));
    parallel_for(batch, rows * width < kTaskElements ? 1 : execution.threads, [&](int64_t b) {
        kernels.mean_pool({x.data + cu[b] * x.stride, out.data + b * out.stride, x.stride, cu[b + 1] - cu[b], width});
    });
}

void normalize(const Matrix& x, double epsilon, const MutableMatrix& out, int64_t rows, int64_t width,
               const Execution& execution) {
    require_rows(rows, width, execution);
    require_epsilon(epsilon);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    span_in_place(x, out, rows, width);
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.normalize({x.data + first * x.stride, out.data + first * out.stride, x.stride, out.stride, count, width,
                           static_cast<float>(epsilon)});
    });
}

void rms_norm(const Matrix& x, const float* gamma, double epsilon, const MutableMatrix& out, int64_t rows,
              int64_t width, const Execution& execution) {
    require_rows(rows, width, execution);
    require_epsilon(epsilon);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    const int64_t out_floats = span_in_place(x, out, rows, width);
    require_apart(out, out_floats, "gamma", gamma, span({"gamma", gamma, width}, 1, width));
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.rms_norm({x.data + first * x.stride, gamma, out.data + first * out.stride, x.stride, out.stride, count,
                          width, static_cast<float>(epsilon)});
    });
}

void gate(const Matrix& x, const Matrix& gate, int64_t group, bool silu, const MutableMatrix& out, int64_t rows,
          int64_t width, const Execution& execution) {
    require_rows(rows, width, execution);
    require_size("group", group, 1);
    if (width % group != 0)
        fail(ATTN4J_INVALID_ARGUMENT, "group must divide width: group=%lld width=%lld", Long{group}, Long{width});
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    const int64_t out_floats = span_in_place(x, out, rows, width);
    if (group == 1) {
        require_same_or_apart(gate, out, rows, width);
    } else {
        require_apart(out, out_floats, gate.name, gate.data, span(gate, rows, width / group));
    }
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.gate({x.data + first * x.stride, gate.data + first * gate.stride, out.data + first * out.stride,
                      x.stride, gate.stride, out.stride, count, width, group, silu});
    });
}

}  // namespace attn4j
