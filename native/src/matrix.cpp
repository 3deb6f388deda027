// SPDX-License-Identifier: Apache-2.0
#include "matrix.h"

#include <cmath>

#include "error.h"

namespace attn4j {
namespace {
using Long = long long;
}

int64_t span(const char* name, const void* data, int64_t stride, int64_t rows, int64_t width) {
    if (data == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null", name, name);
    if (stride < width)
        fail(ATTN4J_INVALID_ARGUMENT, "the row stride of %s must not be less than its width: stride=%lld width=%lld",
             name, Long{stride}, Long{width});
    const Axis axes[] = {{rows, stride}, {width, 1}};
    return extent(name, axes, 2);
}

int64_t span(const Matrix& m, int64_t rows, int64_t width) { return span(m.name, m.data, m.stride, rows, width); }

int64_t span(const MutableMatrix& m, int64_t rows, int64_t width) {
    return span(m.name, m.data, m.stride, rows, width);
}

void require_same_or_apart(const Matrix& operand, const MutableMatrix& out, int64_t rows, int64_t width) {
    if (operand.data == out.data && operand.stride == out.stride) return;
    check_apart(out.name, out.data, 4 * span(out, rows, width), operand.name, operand.data,
                4 * span(operand, rows, width));
}

void require_apart(const MutableMatrix& out, int64_t out_floats, const char* name, const float* data, int64_t floats) {
    if (data != nullptr) check_apart(out.name, out.data, 4 * out_floats, name, data, 4 * floats);
}

void require_threads(int32_t threads) {
    if (threads < 0) fail(ATTN4J_INVALID_ARGUMENT, "threads must not be negative: threads=%d", threads);
}

void require_activation(attn4j_activation activation) {
    if (activation != ATTN4J_IDENTITY && activation != ATTN4J_GELU)
        fail(ATTN4J_INVALID_ARGUMENT, "activation must be 0 or 1: activation=%d", static_cast<int>(activation));
}

void require_epsilon(double epsilon) {
    // The kernels compute with float32: what is finite as a double may not be there.
    if (!(epsilon >= 0) || !std::isfinite(static_cast<float>(epsilon)))
        fail(ATTN4J_INVALID_ARGUMENT, "epsilon must be finite and not negative: epsilon=%g", epsilon);
}

}  // namespace attn4j
