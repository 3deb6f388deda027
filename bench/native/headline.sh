#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the README's table of forward attention as Markdown: bench/native/headline.sh [SECONDS]. Run on an idle machine.
set -euo pipefail
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
cd "$(dirname "$0")/../.."
bench=build/release/bin/attn4j_bench
seconds=${1:-3}

field() { sed -E "s/.*\"$1\": \"?([^,\"}]*)\"?.*/\1/" <<<"$2"; }

row() {
    local label=$1
    shift
    local json
    json=$("$bench" prefill --seconds "$seconds" "$@")
    printf '| %s | %s | %s | %.0f | %.0f | %.1f %% |\n' "$label" "$(field isa "$json")" "$(field threads "$json")" \
        "$(field gflops "$json")" "$(field limit_gflops "$json")" "$(awk "BEGIN {print 100 * $(field share "$json")}")"
}

grep -m1 'model name' /proc/cpuinfo | sed 's/.*: /Machine: /'
echo
echo '| heads, queries x keys x headDim | ISA | threads | GFLOP/s | limit | share |'
echo '| --- | --- | --- | --- | --- | --- |'
for threads in 1 2; do
    row '12, 128 x 128 x 64' --threads $threads --queries 128
    row '12, 512 x 512 x 64' --threads $threads --queries 512
    row '16, 2048 x 2048 x 64' --threads $threads --heads 16 --queries 2048
    row '16, 2048 x 2048 x 64, causal' --threads $threads --heads 16 --queries 2048 --causal
    row '8, 2048 x 2048 x 128' --threads $threads --heads 8 --queries 2048 --head-dim 128
done
row '16, 2048 x 2048 x 64' --isa avx2 --heads 16 --queries 2048
