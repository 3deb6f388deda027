// SPDX-License-Identifier: Apache-2.0
// A linear layer with bias, checked against doubles before it is timed. The limit is the larger of the time for its
// multiply-adds and the time to read its weight.
#include <algorithm>
#include <cmath>
#include <vector>

#include "expected.h"
#include "operands.h"
#include "options.h"
#include "scenarios.h"
#include "tolerance.h"

namespace {

using Halves = std::vector<uint16_t, LineAllocator<uint16_t>>;

}  // namespace

int run_linear(int argc, char** argv) {
    const Options options(argc, argv, {"rows", "in", "out", "layout", "gemm", "dtype", "threads", "isa", "seconds"},
                          {"gelu"});
    const int64_t rows = options.number("rows", 128), in = options.number("in", 768), out = options.number("out", 768);
    const bool in_out = options.choice("layout", {"out_in", "in_out"}) == "in_out";
    const std::string gemm = options.choice("gemm", {"default", "tiles", "openblas"});
    const Setting setting(options);
    const attn4j_dtype dtype = setting.dtype;
    if (dtype != ATTN4J_F32 && (dtype != ATTN4J_BF16 || in_out || gemm == "openblas"))
        throw std::invalid_argument(
            std::string("linear layers are f32, or bf16 with the layout out_in and by tiles: --dtype ") +
            dtype_names[dtype]);
    if (gemm != "default") require(attn4j_gemm_set(gemm == "tiles" ? ATTN4J_GEMM_TILES : ATTN4J_GEMM_OPENBLAS));
    const bool openblas = dtype == ATTN4J_F32 && attn4j_gemm_uses_openblas(setting.isa) == 1;
    if (openblas) {
        const std::string library = ATTN4J_OPENBLAS_LIBRARY;
        require(attn4j_openblas_open(library.empty() ? nullptr : library.c_str()));
    }

    AlignedFloats x = normal(rows * in, 1), weight = normal(in * out, 2), y(static_cast<size_t>(rows * out));
    const AlignedFloats bias = normal(out, 3);
    // Operands of bfloat16 are rounded copies, as are then the numbers that the result is compared with.
    Halves x16, weight16, y16(y.size());
    const auto halve = [](AlignedFloats& values, Halves& halves) {
        const auto n = static_cast<int64_t>(values.size());
        halves.resize(values.size());
        require(attn4j_cast(values.data(), ATTN4J_F32, n, halves.data(), ATTN4J_BF16, n, 1, n, ATTN4J_ISA_DEFAULT, 1));
        require(attn4j_cast(halves.data(), ATTN4J_BF16, n, values.data(), ATTN4J_F32, n, 1, n, ATTN4J_ISA_DEFAULT, 1));
    };
    if (dtype == ATTN4J_BF16) {
        halve(x, x16);
        halve(weight, weight16);
    }
    const attn4j_activation activation = options.flag("gelu") ? ATTN4J_GELU : ATTN4J_IDENTITY;
    const auto call = [&] {
        if (dtype == ATTN4J_BF16)
            return require(attn4j_linear_bf16(x16.data(), dtype, in, weight16.data(), in, bias.data(), nullptr, 0,
                                              y16.data(), dtype, out, rows, in, out, activation, setting.isa,
                                              setting.threads));
        require(attn4j_linear(x.data(), in, weight.data(), in_out ? out : in, in_out ? ATTN4J_IN_OUT : ATTN4J_OUT_IN,
                              bias.data(), nullptr, 0, y.data(), out, rows, in, out, activation, setting.isa,
                              setting.threads));
    };
    call();
    if (dtype == ATTN4J_BF16) {
        const auto n = static_cast<int64_t>(y.size());
        require(attn4j_cast(y16.data(), dtype, n, y.data(), ATTN4J_F32, n, 1, n, ATTN4J_ISA_DEFAULT, 1));
    }
    double error = 0;
    const int64_t step = std::max<int64_t>(1, rows * out / 997);
    for (int64_t element = 0; element < rows * out; element += step) {
        const int64_t r = element / out, o = element % out;
        double expected = bias[static_cast<size_t>(o)], size = std::fabs(expected);
        for (int64_t i = 0; i < in; ++i) {
            const double term = static_cast<double>(x[static_cast<size_t>(r * in + i)]) *
                                weight[static_cast<size_t>(in_out ? i * out + o : o * in + i)];
            expected += term;
            size += std::fabs(term);
        }
        double tolerance = linear_tolerance(in, size);
        if (activation == ATTN4J_GELU) {
            expected *= 0.5 * std::erfc(-expected / std::sqrt(2.0));
            tolerance += gelu_tolerance(size);
        }
        // Half a unit of a result of bfloat16.
        if (dtype == ATTN4J_BF16) tolerance += 0x1p-8 * std::fabs(expected);
        error = std::max(error, checked_error(expected, y[static_cast<size_t>(element)], tolerance));
    }
    const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out);
    const Measurement m =
        measure(setting.isa, dtype, setting.threads, setting.seconds, flops, call, in * out * bytes_of(dtype));
    std::printf(
        "{\"scenario\": \"linear\", \"rows\": %lld, \"in\": %lld, \"out\": %lld, \"layout\": \"%s\", \"gemm\": "
        "\"%s\", ",
        static_cast<long long>(rows), static_cast<long long>(in), static_cast<long long>(out),
        in_out ? "in_out" : "out_in", openblas ? attn4j_openblas_config() : "tiles");
    print_measurement(setting, m, error);
    return 0;
}
