// SPDX-License-Identifier: Apache-2.0
// One function a scenario: takes the options after its name, prints one JSON object on one line.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

#include "attn4j/attn4j.h"
#include "limit.h"

int run_prefill(int argc, char** argv);
int run_linear(int argc, char** argv);
int run_module(int argc, char** argv);

// Memory as tensors have it: aligned to cache lines.
template <typename Element>
struct Aligned {
    using value_type = Element;
    Aligned() = default;
    template <typename Other>
    Aligned(const Aligned<Other>&) {}
    Element* allocate(size_t n) {
        return static_cast<Element*>(attn4j_memory_allocate(static_cast<int64_t>(n * sizeof(Element))));
    }
    void deallocate(Element* address, size_t) { attn4j_memory_free(address); }
    bool operator==(const Aligned&) const { return true; }
    bool operator!=(const Aligned&) const { return false; }
};

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
                                 ATTN4J_ISA_AVX512BF16, ATTN4J_ISA_AMX})
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
    throw std::invalid_argument("unknown type: --dtype " + name);
}

inline const char* name_of(attn4j_dtype dtype) {
    return dtype == ATTN4J_BF16 ? "bf16" : dtype == ATTN4J_F16 ? "f16" : "f32";
}

// The fields that every scenario ends with, and the closing brace.
inline void print_measurement(attn4j_dtype dtype, attn4j_isa isa, int threads, const Measurement& m, double max_error) {
    std::printf(
        "\"dtype\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"median_ms\": %.6g, \"min_ms\": %.6g, \"gflops\": "
        "%.5g, "
        "\"limit_gflops\": %.5g, \"share\": %.4f, \"max_error\": %.3g}\n",
        name_of(dtype), attn4j_isa_name(isa), threads, m.median_ms, m.min_ms, m.gflops, m.limit_gflops, m.share,
        max_error);
}
