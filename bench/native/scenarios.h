// SPDX-License-Identifier: Apache-2.0
// One function a scenario: takes the options after its name, prints one JSON object on one line.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

#include "attn4j/attn4j.h"
#include "limit.h"

int run_prefill(int argc, char** argv);
int run_decode(int argc, char** argv);
int run_overhead(int argc, char** argv);
int run_linear(int argc, char** argv);
int run_module(int argc, char** argv);

inline void require(attn4j_status status) {
    if (status != ATTN4J_OK) throw std::runtime_error(attn4j_error_message());
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

inline attn4j_dtype dtype_of(const std::string& name) {
    if (name == "f32") return ATTN4J_F32;
    if (name == "bf16") return ATTN4J_BF16;
    if (name == "f16") return ATTN4J_F16;
    if (name == "int8") return ATTN4J_INT8;
    throw std::invalid_argument("unknown type: --dtype " + name);
}

inline const char* name_of(attn4j_dtype dtype) {
    constexpr const char* names[] = {"f32", "bf16", "f16", "int8"};
    return names[dtype];
}

// The fields that every scenario ends with, and the closing brace.
inline void print_measurement(attn4j_dtype dtype, attn4j_isa isa, int threads, const Measurement& m, double max_error) {
    std::printf("\"dtype\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"median_ms\": %.6g, \"min_ms\": %.6g, ",
                name_of(dtype), attn4j_isa_name(isa), threads, m.median_ms, m.min_ms);
    if (m.limit_gbs > 0) std::printf("\"gbs\": %.5g, \"limit_gbs\": %.5g, ", m.gbs, m.limit_gbs);
    std::printf("\"gflops\": %.5g, \"limit_gflops\": %.5g, \"share\": %.4f, \"max_error\": %.3g}\n", m.gflops,
                m.limit_gflops, m.share, max_error);
}
