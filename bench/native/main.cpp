// SPDX-License-Identifier: Apache-2.0
// attn4j_bench SCENARIO [--option value ...]: one JSON object a line on standard output.
#include <cstdio>
#include <cstring>
#include <exception>

#include "scenarios.h"

namespace {

struct Scenario {
    const char* name;
    int (*run)(int argc, char** argv);
    const char* options;
};

constexpr Scenario scenarios[] = {
    {"prefill", run_prefill,
     "[--batch 1] [--heads 12] [--kv-heads HEADS] [--queries 512] [--keys QUERIES] [--head-dim 64] "
     "[--value-dim HEAD_DIM] [--causal] [--window LEFT] [--key-lengths full|half] [--mask none|bool|bias] [--unfused]"},
    {"decode", run_decode,
     "[--batch 1] [--heads 32] [--kv-heads 8] [--queries 1] [--keys 32768] [--head-dim 128] [--kv-dtype DTYPE|int8] "
     "[--page ROWS]"},
    {"overhead", run_overhead, "[--heads 12] [--head-dim 64]: prefill of 8 queries and keys"},
    {"linear", run_linear,
     "[--rows 128] [--in 768] [--out 768] [--layout out_in|in_out] [--gelu] [--gemm tiles|openblas]"},
    {"module", run_module, "[--batch 32] [--queries 128] [--width 768] [--heads 12]"},
};

int usage() {
    std::fprintf(stderr,
                 "usage: attn4j_bench SCENARIO [OPTIONS]; every scenario also takes\n"
                 "       [--dtype f32|bf16|f16] [--threads 1] [--isa scalar|avx2|avx512|avx512bf16|amx|neon|neonbf16] "
                 "[--seconds 1]\n");
    for (const Scenario& scenario : scenarios) std::fprintf(stderr, "  %s %s\n", scenario.name, scenario.options);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return usage();
    for (const Scenario& scenario : scenarios) {
        if (std::strcmp(argv[1], scenario.name) != 0) continue;
        try {
            return scenario.run(argc - 2, argv + 2);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "attn4j_bench: %s\n", error.what());
            return 2;
        }
    }
    return usage();
}
