// SPDX-License-Identifier: Apache-2.0
#include "kernels/linear/reference.h"

#include "kernels/pointwise/reference.h"

void linear_reference(const float* x, const float* weight, int64_t weight_stride, bool out_in, const float* bias,
                      const float* residual, int64_t in_features, int64_t out_features, bool gelu, double* out) {
    for (int64_t o = 0; o < out_features; ++o) {
        double total = 0;
        for (int64_t i = 0; i < in_features; ++i)
            total += static_cast<double>(x[i]) *
                     static_cast<double>(out_in ? weight[o * weight_stride + i] : weight[i * weight_stride + o]);
        out[o] = pointwise_reference(total, bias == nullptr ? 0 : static_cast<double>(bias[o]),
                                     residual == nullptr ? 0 : static_cast<double>(residual[o]), gelu);
    }
}
