// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "dispatch.h"
#include "error.h"
#include "gemm.h"
#include "parallel.h"
#include "problem.h"

namespace attn4j {
namespace {

using Long = long long;

// Elements of a row-wise task: some 10 us of work, the least worth handing to another thread.
constexpr int64_t kTaskElements = 16384;

// Tasks of a linear layer: at most this many rows and columns each. Fixed, so that results do not depend on threads; 256 rows pay
// for packing the weight's columns again, 576 columns (1.5 encoder widths) for packing the rows.
constexpr int64_t kTaskRows = 256, kTaskColumns = 576;

void require_size(const char* name, int64_t value, int64_t least) {
    if (value < least)
        fail(ATTN4J_INVALID_ARGUMENT, "%s must be at least %lld: %s=%lld", name, Long{least}, name, Long{value});
}

// Floats from the first element to the last.
int64_t span(const char* name, const float* data, int64_t stride, int64_t rows, int64_t width) {
    if (data == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null", name, name);
    if (stride < width)
        fail(ATTN4J_INVALID_ARGUMENT, "the row stride of %s must not be less than its width: stride=%lld width=%lld", name,
             Long{stride}, Long{width});
    const Axis axes[] = {{rows, stride}, {width, 1}};
    return extent(name, axes, 2);
}

int64_t span(const Matrix& m, int64_t rows, int64_t width) { return span(m.name, m.data, m.stride, rows, width); }

int64_t span(const MutableMatrix& m, int64_t rows, int64_t width) { return span(m.name, m.data, m.stride, rows, width); }

// out may be the operand itself, or lie apart from it.
void require_same_or_apart(const Matrix& operand, const MutableMatrix& out, int64_t rows, int64_t width) {
    if (operand.data == out.data && operand.stride == out.stride) return;
    check_apart(out.name, out.data, span(out, rows, width), operand.name, operand.data, span(operand, rows, width));
}

void require_apart(const MutableMatrix& out, int64_t out_floats, const char* name, const float* data, int64_t floats) {
    if (data != nullptr) check_apart(out.name, out.data, out_floats, name, data, floats);
}

void require_threads(int32_t threads) {
    if (threads < 0) fail(ATTN4J_INVALID_ARGUMENT, "threads must not be negative: threads=%d", threads);
}

void require_activation(attn4j_activation activation) {
    if (activation != ATTN4J_IDENTITY && activation != ATTN4J_GELU)
        fail(ATTN4J_INVALID_ARGUMENT, "activation must be 0 or 1: activation=%d", static_cast<int>(activation));
}

void require_epsilon(double epsilon) {
    if (!(epsilon >= 0) || !std::isfinite(epsilon))
        fail(ATTN4J_INVALID_ARGUMENT, "epsilon must be finite and not negative: epsilon=%g", epsilon);
}

// Calls work(first, rows) for runs of rows, each a task.
template <typename Work>
void for_rows(int64_t rows, int64_t width, int32_t threads, const Work& work) {
    const int64_t each = std::max<int64_t>(1, kTaskElements / width);
    parallel_for((rows + each - 1) / each, threads,
                 [&](int64_t task) { work(task * each, std::min(each, rows - task * each)); });
}

// n in near-equal parts of at most `most`, cut at multiples of 16 where there are several.
struct Parts {
    int64_t n, each, count;
    Parts(int64_t n_, int64_t most) : n(n_) {
        const int64_t wanted = (n + most - 1) / most;
        each = wanted <= 1 ? n : ((n + wanted - 1) / wanted + 15) / 16 * 16;
        count = each == 0 ? 0 : (n + each - 1) / each;
    }
    int64_t begin(int64_t part) const { return part * each; }
    int64_t size(int64_t part) const { return std::min(each, n - part * each); }
};

}  // namespace

void linear(const Matrix& x, const Matrix& weight, attn4j_weight_layout layout, const float* bias,
            const Matrix& residual, const MutableMatrix& out, int64_t rows, int64_t in_features, int64_t out_features,
            attn4j_activation activation, const Execution& execution) {
    require_size("rows", rows, 0);
    require_size("inFeatures", in_features, 1);
    require_size("outFeatures", out_features, 1);
    require_threads(execution.threads);
    require_activation(activation);
    if (layout != ATTN4J_OUT_IN && layout != ATTN4J_IN_OUT)
        fail(ATTN4J_INVALID_ARGUMENT, "layout must be 0 or 1: layout=%d", static_cast<int>(layout));
    const bool out_in = layout == ATTN4J_OUT_IN;
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    // OpenBLAS counts in int.
    for (const int64_t number : {rows, in_features, out_features, x.stride, weight.stride, out.stride})
        if (number > INT32_MAX)
            fail(ATTN4J_INVALID_ARGUMENT, "sizes and strides of a linear layer must be below 2^31: size=%lld", Long{number});
    if (rows == 0) return;
    const int64_t out_floats = span(out, rows, out_features);
    require_apart(out, out_floats, x.name, x.data, span(x, rows, in_features));
    require_apart(out, out_floats, weight.name, weight.data,
                  span(weight, out_in ? out_features : in_features, out_in ? in_features : out_features));
    require_apart(out, out_floats, "bias", bias, out_features);
    // Not even the same matrix: the product is written before the residual is read.
    if (residual.data != nullptr)
        require_apart(out, out_floats, residual.name, residual.data, span(residual, rows, out_features));
    require_openblas();

    const Parts row_parts(rows, kTaskRows), column_parts(out_features, kTaskColumns);
    parallel_for(row_parts.count * column_parts.count, execution.threads, [&](int64_t task) {
        const int64_t r = row_parts.begin(task / column_parts.count), m = row_parts.size(task / column_parts.count);
        const int64_t c = column_parts.begin(task % column_parts.count), n = column_parts.size(task % column_parts.count);
        float* const to = out.data + r * out.stride + c;
        sgemm(out_in, m, n, in_features, x.data + r * x.stride, x.stride,
              weight.data + (out_in ? c * weight.stride : c), weight.stride, to, out.stride);
        if (bias == nullptr && residual.data == nullptr && activation == ATTN4J_IDENTITY) return;
        kernels.pointwise({to, bias == nullptr ? nullptr : bias + c,
                           residual.data == nullptr ? nullptr : residual.data + r * residual.stride + c, to, out.stride,
                           residual.stride, out.stride, m, n, activation == ATTN4J_GELU});
    });
}

void layer_norm(const Matrix& x, const Matrix& residual, const float* gamma, const float* beta, double epsilon,
                const MutableMatrix& out, int64_t rows, int64_t width, const Execution& execution) {
    require_size("rows", rows, 0);
    require_size("width", width, 1);
    require_threads(execution.threads);
    require_epsilon(epsilon);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    const int64_t out_floats = span(out, rows, width);
    span(x, rows, width);
    require_same_or_apart(x, out, rows, width);
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
    require_size("rows", rows, 0);
    require_size("width", width, 1);
    require_threads(execution.threads);
    require_activation(activation);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    span(out, rows, width);
    span(x, rows, width);
    require_same_or_apart(x, out, rows, width);
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
    check_apart(out.name, out.data, out_floats, "ids", reinterpret_cast<const float*>(ids), rows);
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
    require_size("rows", rows, 0);
    require_size("width", width, 1);
    require_threads(execution.threads);
    require_epsilon(epsilon);
    const KernelTable& kernels = kernels_of(resolve_isa(execution.isa));
    if (rows == 0) return;
    span(out, rows, width);
    span(x, rows, width);
    require_same_or_apart(x, out, rows, width);
    for_rows(rows, width, execution.threads, [&](int64_t first, int64_t count) {
        kernels.normalize({x.data + first * x.stride, out.data + first * out.stride, x.stride, out.stride, count, width,
                           static_cast<float>(epsilon)});
    });
}

}  // namespace attn4j
