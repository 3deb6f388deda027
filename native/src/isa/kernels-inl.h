// SPDX-License-Identifier: Apache-2.0
// Every kernel body, and the table of them for the vector type included before and the given Tiles.
#pragma once

#include "simd/math-inl.h"

#include "kernel_table.h"
#include "kernels/append/append-inl.h"
#include "kernels/attention/attention-inl.h"
#include "kernels/cast/cast-inl.h"
#include "kernels/decode/decode-inl.h"
#include "kernels/embed/embed-inl.h"
#include "kernels/gate/gate-inl.h"
#include "kernels/layer_norm/layer_norm-inl.h"
#include "kernels/limit/limit-inl.h"
#include "kernels/linear/linear-inl.h"
#include "kernels/linear/widened-inl.h"
#include "kernels/merge/merge-inl.h"
#include "kernels/pointwise/pointwise-inl.h"
#include "kernels/pool/pool-inl.h"
#include "kernels/rms_norm/rms_norm-inl.h"
#include "kernels/rotary/rotary-inl.h"
#include "kernels/sample/sample-inl.h"
#include "kernels/small/small-inl.h"

namespace {

template <typename Tiles>
constexpr attn4j::KernelTable kernel_table() {
    return {attention_kernel<Tiles>(),
            decode_kernel<Tiles>(),
            small_kernel<Tiles>(),
            linear_kernel<Tiles>(),
            pointwise,
            layer_norm,
            embed,
            mean_pool,
            normalize,
            cast,
            merge,
            rotary,
            append,
            gate,
            rms_norm,
            sample_kernel(),
            widened_linear_kernel<Tiles>(),
            fma_flops,
            read_sum};
}

}  // namespace
