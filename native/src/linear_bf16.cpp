// SPDX-License-Identifier: Apache-2.0
#include "linear_bf16.h"

#include <utility>

#include "blocks.h"
#include "dispatch.h"
#include "error.h"
#include "extent.h"
#include "memory.h"
#include "parallel.h"

namespace attn4j {
namespace {

// Output features of a task, at most: enough that packing its rows is little beside them. Of several threads fewer, and
// of few rows still fewer, so that they end together; whole runs of the kernel's on any instruction set.
constexpr int64_t kTaskFeatures = 1024, kSharedFeatures = 512, kFewRowsFeatures = 256, kFeatureUnit = 32;

// Blocks of more rows than this are halved until there is a task for each thread.
constexpr int64_t kSharedRows = 64;

void check(const Bf16LinearBlock& w) {
    require_size("rows", w.rows, 0);
    require_size("inFeatures", w.in_features, 1);
    require_size("outFeatures", w.out_features, 1);
    for (const auto& [name, type] : {std::pair{"xDtype", w.x_type}, std::pair{"outDtype", w.out_type}})
        if (type != Element::f32 && type != Element::bf16)
            fail(ATTN4J_INVALID_ARGUMENT, "%s must be 0 or 1: %s=%d", name, name, static_cast<int>(type));
    if (w.rows == 0) return;
    const int64_t out_bytes = bytes_of(w.out_type) * span("out", w.out, w.out_stride, w.rows, w.out_features);
    check_apart("out", w.out, out_bytes, "x", w.x,
                bytes_of(w.x_type) * span("x", w.x, w.x_stride, w.rows, w.in_features));
    check_apart("out", w.out, out_bytes, "weight", w.weight,
                2 * span("weight", w.weight, w.weight_stride, w.out_features, w.in_features));
    if (w.bias != nullptr) check_apart("out", w.out, out_bytes, "bias", w.bias, 4 * w.out_features);
    if (w.residual != nullptr)
        check_apart("out", w.out, out_bytes, "residual", w.residual,
                    4 * span("residual", w.residual, w.residual_stride, w.rows, w.out_features));
}

}  // namespace

void linear_bf16(const Bf16LinearBlock& whole, const Execution& execution) {
    require_threads(execution.threads);
    const attn4j_isa isa = resolve_isa(execution.isa);
    check(whole);
    if (whole.rows == 0) return;
    const Bf16Kernels* const bf16 = bf16_kernels_of(isa);
    const Bf16LinearKernel& kernel = bf16 != nullptr ? bf16->linear : kernels_of(isa).linear_bf16;
    const int64_t threads = threads_of(execution.threads);
    const Blocks features(whole.out_features, kFeatureUnit,
                          whole.rows < kernel.few_rows ? kFewRowsFeatures
                          : threads == 1               ? kTaskFeatures
                                                       : kSharedFeatures);
    int64_t block_rows = kernel.block_rows;
    while (block_rows > kSharedRows && Blocks(whole.rows, kernel.lanes, block_rows).count * features.count < threads)
        block_rows /= 2;
    const Blocks rows(whole.rows, kernel.lanes, block_rows);
    // Tasks that share weights follow each other.
    parallel_for(rows.count * features.count, execution.threads, [&](int64_t task) {
        const int64_t r = rows.begin(task % rows.count), f = features.begin(task / rows.count);
        Bf16LinearBlock block = whole;
        block.x = static_cast<const char*>(whole.x) + r * whole.x_stride * bytes_of(whole.x_type);
        block.weight = whole.weight + f * whole.weight_stride;
        if (whole.bias != nullptr) block.bias = whole.bias + f;
        if (whole.residual != nullptr) block.residual = whole.residual + r * whole.residual_stride + f;
        block.out = static_cast<char*>(whole.out) + (r * whole.out_stride + f) * bytes_of(whole.out_type);
        block.rows = rows.end(task % rows.count) - r;
        block.out_features = features.end(task / rows.count) - f;
        block.workspace = scratch(kernel.workspace_floats(block.rows, block.in_features, block.out_features));
        kernel.run(block);
    });
}

}  // namespace attn4j
