// SPDX-License-Identifier: Apache-2.0
// One function a scenario: takes the options after its name, prints one JSON object on one line.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

#include "attn4j/attn4j.h"
#include "limit.h"
#include "options.h"

int run_prefill(int argc, char** argv);
int run_decode(int argc, char** argv);
int run_overhead(int argc, char** argv);
int run_linear(int argc, char** argv);
int run_module(int argc, char** argv);
int run_model(int argc, char** argv);

// Prefill under the name of a scenario, with so many queries where the options do not say.
int measure_prefill(const char* scenario, int64_t queries, int argc, char** argv);

// What is measured, with what; every scenario has these options.
struct Setting {
    attn4j_dtype dtype;
    int threads;
    attn4j_isa isa;
    double seconds;

    // Pins the process to as many processors as threads.
    explicit Setting(const Options& options);
};

inline void require(attn4j_status status) {
    if (status == ATTN4J_OK) return;
    if (status == ATTN4J_INVALID_ARGUMENT || status == ATTN4J_UNSUPPORTED)
        throw std::invalid_argument(attn4j_error_message());
    throw std::runtime_error(attn4j_error_message());
}

inline attn4j_isa isa_of(const std::string& name) {
    if (name.empty()) {
        int32_t resolved = 0;
        require(attn4j_isa_resolve(ATTN4J_ISA_DEFAULT, &resolved));
        return static_cast<attn4j_isa>(resolved);
    }
    for (const attn4j_isa isa : {ATTN4J_ISA_SCALAR, ATTN4J_ISA_AVX2, ATTN4J_ISA_AVX512, ATTN4J_ISA_NEON,
                                 ATTN4J_ISA_AVX512BF16, ATTN4J_ISA_AMX, ATTN4J_ISA_NEONBF16})
        if (name == attn4j_isa_name(isa)) {
            int32_t resolved = 0;
            require(attn4j_isa_resolve(isa, &resolved));
            return isa;
        }
    throw std::invalid_argument("unknown ISA: --isa " + name);
}

constexpr const char* dtype_names[] = {"f32", "bf16", "f16", "int8"};  // by attn4j_dtype

// The value of an option.
inline attn4j_dtype dtype_of(const std::string& option, const std::string& name) {
    for (const attn4j_dtype dtype : {ATTN4J_F32, ATTN4J_BF16, ATTN4J_F16, ATTN4J_INT8})
        if (name == dtype_names[dtype]) return dtype;
    throw std::invalid_argument("unknown type: --" + option + " " + name);
}

inline Setting::Setting(const Options& options)
    : dtype(dtype_of("dtype", options.text("dtype", "f32"))),
      threads(static_cast<int>(options.number("threads", 1, 1, 1024))),
      isa(isa_of(options.text("isa", ""))),
      seconds(options.real("seconds", 1)) {
    pin_process(threads);
    require(attn4j_threads_set(threads));
}

// The fields that every scenario ends with, and the closing brace.
inline void print_measurement(const Setting& setting, const Measurement& m, double max_error) {
    std::printf("\"dtype\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"median_ms\": %.6g, \"min_ms\": %.6g, ",
                dtype_names[setting.dtype], attn4j_isa_name(setting.isa), setting.threads, m.median_ms, m.min_ms);
    if (m.limit_gbs > 0) std::printf("\"gbs\": %.5g, \"limit_gbs\": %.5g, ", m.gbs, m.limit_gbs);
    std::printf("\"gflops\": %.5g, \"limit_gflops\": %.5g, \"share\": %.4f, \"max_error\": %.3g}\n", m.gflops,
                m.limit_gflops, m.share, max_error);
}
