// SPDX-License-Identifier: Apache-2.0
#include "linear.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "blocks.h"
#include "dispatch.h"
#include "error.h"
#include "gemm.h"
#include "memory.h"
#include "parallel.h"

namespace attn4j {
namespace {

using Long = long long;

// Output features of a task of ours, whole panels of the kernel: at most so many where sums are kept for all of them
// (0.6 MB with 192 rows); and at least so many where threads share few rows, as each task transposes its rows anew,
// which costs 3 % of one with 256 features.
constexpr int64_t kPanel = 48, kTaskFeatures = 768, kSharedFeatures = 256;

// Tasks that a thread should have, so that all end together.
constexpr int64_t kTasksOfThread = 4;

// Output features of a task where there are fewer rows than lanes, so that a few threads end together; whole panels on
// any instruction set. With a weight [in, out] they are what is read of each of its rows, which is fast in long runs:
// more, as far as the sums of all rows stay in the first cache. (Measured with 4096 x 4096 numbers and one row on
// Zen 4: 20.3 GB/s by 192 features, 25.2 by 1008, 28.3 by 2064, of 28.6 that can be read.)
constexpr int64_t kFewRowsFeatures = 192, kFeatureUnit = 48, kFewRowsSums = 4096;

// With a weight [in, out] and rows enough for a vector: rows and features of a task. Half as many features where one
// block holds all rows, which make up for the one more reading of x.
constexpr int64_t kInOutRows = 192, kInOutFeatures = 384, kInOutFewFeatures = 96;

// Multiply-adds and bytes of weight in a nanosecond, about what one core manages where they are few.
constexpr double kMultiplyAdds = 40, kBytes = 16;

// A task of OpenBLAS: at most this many rows and features. It packs both operands anew in every task, which costs some
// 3 % at this size.
constexpr int64_t kBlasRows = 256, kBlasFeatures = 576;

std::atomic<attn4j_gemm> chosen{ATTN4J_GEMM_DEFAULT};

// Everything of a call, checked.
struct Problem {
    const Matrix &x, &weight;
    const float* bias;
    const Matrix& residual;
    const MutableMatrix& out;
    int64_t rows, in_features, out_features;
    bool out_in, gelu;
    int32_t threads;

    double nanoseconds() const {
        const double weights = static_cast<double>(in_features) * static_cast<double>(out_features);
        return std::max(weights * static_cast<double>(rows) / kMultiplyAdds, 4 * weights / kBytes);
    }

    // The weights of output features from `feature` on.
    const float* weights(int64_t feature) const { return weight.data + (out_in ? feature * weight.stride : feature); }
};

int64_t shares(int64_t n, int64_t each) { return (n + each - 1) / each; }

// The call in blocks of rows and of features, a task each. Results do not depend on it.
struct Cut {
    Blocks rows, features;
};

int64_t few_rows_features(const Problem& p) {
    if (p.out_in) return kFewRowsFeatures;
    const int64_t threads = threads_of(p.threads);
    const int64_t most = threads == 1 ? p.out_features : p.out_features / (kTasksOfThread * threads);
    return std::max(kFewRowsFeatures, std::min(most, kFewRowsSums / p.rows));
}

Cut cut(const Problem& p, const LinearKernel& kernel) {
    if (p.rows < kernel.lanes)
        return {Blocks(p.rows, kernel.lanes, kernel.lanes), Blocks(p.out_features, kFeatureUnit, few_rows_features(p))};
    if (!p.out_in) {
        const Blocks rows(p.rows, kernel.lanes, std::max(kInOutRows, kernel.block_rows));
        return {rows, Blocks(p.out_features, kFeatureUnit, rows.count > 1 ? kInOutFeatures : kInOutFewFeatures)};
    }
    const int64_t threads = threads_of(p.threads), panels = shares(p.out_features, kPanel);
    int64_t block_rows = kernel.block_rows;
    while (threads > 1 && block_rows > kernel.lanes && shares(p.rows, block_rows) * panels < 2 * threads)
        block_rows = shares(block_rows / 2, kernel.lanes) * kernel.lanes;
    const Blocks rows(p.rows, kernel.lanes, block_rows);
    const int64_t least = p.in_features > kernel.chunk ? shares(p.out_features, kTaskFeatures) : 1;
    int64_t count = least;
    if (threads > 1) {
        const int64_t most = std::max(p.out_features / kSharedFeatures, shares(threads, rows.count));
        count = std::max(count, std::min(most, shares(kTasksOfThread * threads, rows.count)));
        // As many tasks for each thread if it can be.
        for (int64_t fewer = count; fewer * rows.count >= threads; --fewer)
            if (fewer * rows.count % threads == 0) {
                count = std::max(fewer, least);
                break;
            }
    }
    return {rows, Blocks(p.out_features, kPanel, shares(panels, count) * kPanel)};
}

// By our own tile. A row's result does not depend on the other rows.
void by_tiles(const Problem& p, const LinearKernel& kernel) {
    const auto [rows, features] = cut(p, kernel);
    // Tasks that share weights follow each other.
    parallel_for(
        rows.count * features.count, p.threads, p.nanoseconds(), [&, &rows = rows, &features = features](int64_t task) {
            const int64_t r = rows.begin(task % rows.count), f = features.begin(task / rows.count);
            LinearBlock block;
            block.x = p.x.data + r * p.x.stride;
            block.weight = p.weights(f);
            block.bias = p.bias == nullptr ? nullptr : p.bias + f;
            block.residual = p.residual.data == nullptr ? nullptr : p.residual.data + r * p.residual.stride + f;
            block.out = p.out.data + r * p.out.stride + f;
            block.x_stride = p.x.stride;
            block.weight_stride = p.weight.stride;
            block.residual_stride = p.residual.stride;
            block.out_stride = p.out.stride;
            block.rows = rows.end(task % rows.count) - r;
            block.in_features = p.in_features;
            block.out_features = features.end(task / rows.count) - f;
            block.out_in = p.out_in;
            block.gelu = p.gelu;
            block.workspace =
                scratch(kernel.workspace_floats(p.out_in, block.rows, block.in_features, block.out_features));
            kernel.run(block);
        });
}

void by_openblas(const Problem& p, PointwiseKernel finish) {
    require_openblas();
    const Blocks rows(p.rows, 16, kBlasRows), features(p.out_features, 16, kBlasFeatures);
    parallel_for(rows.count * features.count, p.threads, [&](int64_t task) {
        const int64_t r = rows.begin(task / features.count), m = rows.end(task / features.count) - r;
        const int64_t f = features.begin(task % features.count), n = features.end(task % features.count) - f;
        float* const out = p.out.data + r * p.out.stride + f;
        sgemm(p.out_in, m, n, p.in_features, p.x.data + r * p.x.stride, p.x.stride, p.weights(f), p.weight.stride, out,
              p.out.stride);
        if (p.bias == nullptr && p.residual.data == nullptr && !p.gelu) return;
        finish({out, p.bias == nullptr ? nullptr : p.bias + f,
                p.residual.data == nullptr ? nullptr : p.residual.data + r * p.residual.stride + f, out, p.out.stride,
                p.residual.stride, p.out.stride, m, n, p.gelu});
    });
}

}  // namespace

void set_gemm(attn4j_gemm gemm) {
    if (gemm < ATTN4J_GEMM_DEFAULT || gemm > ATTN4J_GEMM_OPENBLAS)
        fail(ATTN4J_INVALID_ARGUMENT, "gemm must be 0 to 2: gemm=%d", static_cast<int>(gemm));
    chosen.store(gemm, std::memory_order_relaxed);
}

bool uses_openblas(attn4j_isa resolved) {
    const attn4j_gemm gemm = chosen.load(std::memory_order_relaxed);
    if (gemm != ATTN4J_GEMM_DEFAULT) return gemm == ATTN4J_GEMM_OPENBLAS;
    const char* wanted = std::getenv("ATTN4J_GEMM");
    if (wanted == nullptr || *wanted == '\0') return resolved == ATTN4J_ISA_SCALAR;
    if (std::strcmp(wanted, "openblas") == 0) return true;
    if (std::strcmp(wanted, "tiles") == 0) return false;
    fail(ATTN4J_INVALID_ARGUMENT, "ATTN4J_GEMM must be tiles or openblas: ATTN4J_GEMM=%.40s", wanted);
}

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
    const attn4j_isa isa = resolve_isa(execution.isa);
    const bool openblas = uses_openblas(isa);
    // OpenBLAS counts in int.
    for (const int64_t number : {rows, in_features, out_features, x.stride, weight.stride, out.stride})
        if (number > INT32_MAX)
            fail(ATTN4J_INVALID_ARGUMENT, "sizes and strides of a linear layer must be below 2^31: size=%lld",
                 Long{number});
    if (rows == 0) return;
    const int64_t out_floats = span(out, rows, out_features);
    require_apart(out, out_floats, x.name, x.data, span(x, rows, in_features));
    require_apart(out, out_floats, weight.name, weight.data,
                  span(weight, out_in ? out_features : in_features, out_in ? in_features : out_features));
    require_apart(out, out_floats, "bias", bias, out_features);
    // Not even the same matrix: OpenBLAS writes the product before the residual is read.
    if (residual.data != nullptr)
        require_apart(out, out_floats, residual.name, residual.data, span(residual, rows, out_features));

    const KernelTable& kernels = kernels_of(isa);
    const Problem problem{x,
                          weight,
                          bias,
                          residual,
                          out,
                          rows,
                          in_features,
                          out_features,
                          out_in,
                          activation == ATTN4J_GELU,
                          execution.threads};
    if (openblas) {
        by_openblas(problem, kernels.pointwise);
    } else {
        by_tiles(problem, kernels.linear);
    }
}

}  // namespace attn4j
