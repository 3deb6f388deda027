// SPDX-License-Identifier: Apache-2.0
// attn4j_bench SCENARIO [--option value ...]: one JSON object a line on standard output. Exits with 2 if it is asked
// for what cannot be, with 1 if it fails, also if a result is not what it should be.
#include <algorithm>
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
    {"overhead", run_overhead, "[--queries 8] and the other options of prefill"},
    {"linear", run_linear,
     "[--rows 128] [--in 768] [--out 768] [--layout out_in|in_out] [--gelu] [--gemm default|tiles|openblas]"},
    {"module", run_module, "[--batch 32] [--queries 128] [--width 768] [--heads 12]"},
    {"model", run_model, "[--lengths 20,69,...], the tokens of each sentence"},
};

void print_usage(std::FILE* to) {
    std::fprintf(to,
                 "usage: attn4j_bench SCENARIO [OPTIONS]; every scenario also takes\n"
                 "       [--dtype f32|bf16|f16] [--threads 1] [--isa scalar|avx2|avx512|avx512bf16|amx|neon|neonbf16] "
                 "[--seconds 1]\n");
    for (const Scenario& scenario : scenarios) std::fprintf(to, "  %s %s\n", scenario.name, scenario.options);
}

bool is_help(const char* argument) { return std::strcmp(argument, "--help") == 0; }

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (is_help(argv[1])) {
        print_usage(stdout);
        return 0;
    }
    for (const Scenario& scenario : scenarios) {
        if (std::strcmp(argv[1], scenario.name) != 0) continue;
        if (std::any_of(argv + 2, argv + argc, is_help)) {
            std::printf("attn4j_bench %s %s\n", scenario.name, scenario.options);
            return 0;
        }
        try {
            return scenario.run(argc - 2, argv + 2);
        } catch (const std::invalid_argument& error) {
            std::fprintf(stderr, "attn4j_bench: %s\n", error.what());
            return 2;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "attn4j_bench: %s\n", error.what());
            return 1;
        }
    }
    std::fprintf(stderr, "attn4j_bench: unknown scenario, see --help: %s\n", argv[1]);
    return 2;
}
