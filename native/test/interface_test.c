/* SPDX-License-Identifier: Apache-2.0
 * The C interface as a C program meets it: the shared library, strict C99, every function called at least once. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attn4j/attn4j.h"

static int checks = 0, failures = 0;

static void check(int holds, const char* what, int line) {
    ++checks;
    if (holds) return;
    ++failures;
    printf("interface_test.c:%d: %s (last message: %s)\n", line, what, attn4j_error_message());
}

#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

static int near(double a, double b) { return fabs(a - b) < 1e-6; }

/* Two queries, three keys, causal: the first query sees two keys, the second all three. */
static void attention(attn4j_isa isa) {
    const float q[] = {1, 0, 0, 1}, k[] = {1, 0, 0, 1, 1, 1}, v[] = {1, 2, 4};
    float out[2] = {-1, -1}, lse[2] = {-1, -1};
    const int64_t lengths[] = {3}, offsets[] = {1}, cu_queries[] = {0, 2}, cu_keys[] = {0, 3};
    const double e = exp(1), first = (e * 1 + 2) / (e + 1), second = (1 + e * 2 + e * 4) / (1 + 2 * e);
    int ragged;
    for (ragged = 0; ragged <= 1; ++ragged) {
        attn4j_plan plan = attn4j_plan_create(1, 1, 1, 2, 3, 2, 1);
        CHECK(plan != NULL);
        CHECK(attn4j_plan_set_strides(plan, ATTN4J_Q, 4, 4, 2) == ATTN4J_OK);
        CHECK(attn4j_plan_set_scale(plan, 1.0) == ATTN4J_OK);
        CHECK(attn4j_plan_set_causal(plan) == ATTN4J_OK);
        if (ragged) CHECK(attn4j_plan_set_ragged(plan) == ATTN4J_OK);
        CHECK(attn4j_plan_set_isa(plan, isa) == ATTN4J_OK);
        CHECK(attn4j_plan_set_threads(plan, 1) == ATTN4J_OK);
        CHECK(attn4j_plan_run(plan, 1, 2, 3, q, k, v, out, lse, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                              NULL, NULL, NULL, 0, NULL) == ATTN4J_ILLEGAL_STATE);
        CHECK(attn4j_plan_build(plan) == ATTN4J_OK);
        CHECK(attn4j_plan_isa(plan) == isa);
        CHECK(attn4j_plan_run(plan, 1, 2, 3, q, k, v, out, lse, ragged ? NULL : lengths, offsets,
                              ragged ? cu_queries : NULL, ragged ? cu_keys : NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                              NULL, NULL, 0, NULL) == ATTN4J_OK);
        CHECK(near(out[0], first) && near(out[1], second));
        CHECK(near(lse[0], log(e + 1)) && near(lse[1], log(1 + 2 * e)));
        attn4j_plan_free(plan);
    }
}

/* The same keys as bytes, in two pages of which the second comes first. */
static void cache(attn4j_isa isa) {
    const float q[] = {1, 0}, v[] = {4, 0, 1, 2}, scales[] = {0.5f, 0, 0.25f, 0.5f};
    const int8_t k[] = {4, 9, 99, 99, 4, -3, 4, 1};
    const int64_t table[] = {1, 0};
    float out[1] = {-1};
    const double e = exp(1), all = e + e * e + e * e;
    attn4j_plan plan = attn4j_plan_create(1, 1, 1, 1, 3, 2, 1);
    CHECK(plan != NULL);
    CHECK(attn4j_plan_set_scale(plan, 1.0) == ATTN4J_OK);
    CHECK(attn4j_plan_set_dtype(plan, ATTN4J_K, ATTN4J_INT8) == ATTN4J_OK);
    CHECK(attn4j_plan_set_pages(plan, 2, 2, 2) == ATTN4J_OK);
    CHECK(attn4j_plan_set_scales(plan, ATTN4J_K, 2, 2) == ATTN4J_OK);
    CHECK(attn4j_plan_set_isa(plan, isa) == ATTN4J_OK);
    CHECK(attn4j_plan_build(plan) == ATTN4J_OK);
    CHECK(attn4j_plan_run(plan, 1, 1, 3, q, k, v, out, NULL, NULL, NULL, NULL, NULL, table, scales, NULL, NULL, NULL,
                          NULL, NULL, NULL, 0, NULL) == ATTN4J_OK);
    CHECK(near(out[0], (e * 1 + e * e * 2 + e * e * 4) / all));
    attn4j_plan_free(plan);
}

static void layers(attn4j_isa isa) {
    const float x[] = {3, 4, 0, 0}, y[] = {1, 1, 1, 1}, gamma[] = {1, 1}, beta[] = {0, 1};
    const int32_t ids[] = {1, 0};
    const int64_t cu[] = {0, 2};
    int32_t tokens[2] = {-1, -1};
    float out[4] = {0};
    CHECK(attn4j_normalize(x, 2, 1e-12, out, 2, 2, 2, isa, 0) == ATTN4J_OK);
    CHECK(near(out[0], 0.6) && near(out[1], 0.8) && out[2] == 0 && out[3] == 0);
    CHECK(attn4j_layer_norm(x, 2, NULL, 0, gamma, beta, 0.0, out, 2, 1, 2, isa, 0) == ATTN4J_OK);
    CHECK(near(out[0], -1) && near(out[1], 2));
    CHECK(attn4j_activate(ATTN4J_GELU, y, 2, out, 2, 2, 2, isa, 0) == ATTN4J_OK);
    CHECK(near(out[0], 0.8413447461) && near(out[3], 0.8413447461));
    CHECK(attn4j_add(x, 2, y, 2, out, 2, 2, 2, isa, 0) == ATTN4J_OK);
    CHECK(out[0] == 4 && out[1] == 5 && out[2] == 1 && out[3] == 1);
    CHECK(attn4j_rms_norm(x, 2, gamma, 0.0, out, 2, 2, 2, isa, 0) == ATTN4J_OK);
    CHECK(near(out[0], gamma[0] * 3 / sqrt(12.5)) && near(out[1], gamma[1] * 4 / sqrt(12.5)));
    CHECK(attn4j_gate(x, 2, y, 2, 2, out, 2, 1, 2, isa, 0) == ATTN4J_OK);
    CHECK(near(out[0], 3 / (1 + exp(-y[0]))) && near(out[1], 4 / (1 + exp(-y[0]))));
    CHECK(attn4j_swiglu(y, 2, x, 2, out, 2, 1, 2, isa, 0) == ATTN4J_OK);
    CHECK(near(out[0], 3 / (1 + exp(-y[0]))) && near(out[1], 4 / (1 + exp(-y[1]))));
    CHECK(attn4j_sample(x, 2, 2, 2, 0, 0, 1, 0, 0, tokens, isa, 0) == ATTN4J_OK);
    CHECK(tokens[0] == 1 && tokens[1] == 0);
    CHECK(attn4j_embed(x, 2, 2, ids, out, 2, 2, 2, 0, isa, 0) == ATTN4J_OK);
    CHECK(out[0] == 0 && out[1] == 0 && out[2] == 3 && out[3] == 4);
    CHECK(attn4j_embed(x, 2, 2, ids, out, 2, 2, 2, 1, isa, 0) == ATTN4J_OK);
    CHECK(out[2] == 6 && out[3] == 8);
    CHECK(attn4j_mean_pool(x, 2, cu, 1, out, 2, 2, isa, 0) == ATTN4J_OK);
    CHECK(out[0] == 1.5f && out[1] == 2);
}

static void positions_and_parts(attn4j_isa isa) {
    const float x[] = {1, -2.5f, 3, 4}, zero = 0;
    const float* const outs[] = {x, x + 2};
    const float* const lses[] = {&zero, &zero};
    const int64_t strides[] = {2, 2}, start = 1;
    float cos_table[2], sin_table[2], out[4] = {0}, lse = -1;
    uint16_t half[4];
    int8_t quantized[4] = {0};
    float scale = -1;
    CHECK(attn4j_cast(x, ATTN4J_F32, 4, half, ATTN4J_BF16, 4, 1, 4, isa, 1) == ATTN4J_OK);
    CHECK(half[0] == 0x3f80 && half[1] == 0xc020);
    CHECK(attn4j_cast(half, ATTN4J_BF16, 4, out, ATTN4J_F32, 4, 1, 4, isa, 1) == ATTN4J_OK);
    CHECK(memcmp(x, out, sizeof x) == 0);
    CHECK(attn4j_merge(outs, strides, lses, 2, NULL, 0, 0, out, 2, &lse, 1, 2, isa, 1) == ATTN4J_OK);
    CHECK(near(out[0], 2) && near(out[1], 0.75) && near(lse, log(2)));
    CHECK(attn4j_rotary_tables(cos_table, sin_table, 1, 0, 2, 2, 1e4, ATTN4J_ROTARY_UNSCALED, 1, 0, 0, 0, 0, 1) ==
          ATTN4J_OK);
    CHECK(attn4j_rotary(x, 0, 0, 4, out, 0, 0, 4, ATTN4J_F32, 1, 1, 1, 4, 2, ATTN4J_ROTARY_PAIRS, cos_table, sin_table,
                        2, 1, NULL, 0, &start, isa, 1) == ATTN4J_OK);
    CHECK(near(out[0], cos(1) + 2.5 * sin(1)) && near(out[1], sin(1) - 2.5 * cos(1)) && out[2] == 3 && out[3] == 4);
    CHECK(attn4j_append(x, 0, 0, 4, ATTN4J_F32, quantized, 0, 0, 4, ATTN4J_INT8, &scale, 0, 0, 1, 1, 1, 4, 0,
                        ATTN4J_ROTARY_HALVES, NULL, NULL, 0, 0, NULL, 0, NULL, isa, 1) == ATTN4J_OK);
    CHECK(near(scale, 4 / 127.0) && quantized[0] == 32 && quantized[1] == -79 && quantized[3] == 127);
}

/* By our own tile, and by OpenBLAS where this program was given one. */
static void linear(const char* openblas) {
    const float x[] = {1, 2}, weight[] = {1, 0, 0, 1, 1, 1}, bias[] = {0, 0, 1};
    const uint16_t weight16[] = {0x3f80, 0, 0, 0x3f80, 0x3f80, 0x3f80}; /* 1 */
    float sums[3] = {0};
    int gemm;
    CHECK(attn4j_linear_bf16(x, ATTN4J_F32, 2, weight16, 2, bias, NULL, 0, sums, ATTN4J_F32, 3, 1, 2, 3,
                             ATTN4J_IDENTITY, ATTN4J_ISA_DEFAULT, 1) == ATTN4J_OK);
    CHECK(sums[0] == 1 && sums[1] == 2 && sums[2] == 4);
    CHECK(strcmp(attn4j_openblas_config(), "") == 0);
    CHECK(attn4j_openblas_open("/no/such/openblas") == ATTN4J_UNSUPPORTED);
    CHECK(strstr(attn4j_error_message(), "/no/such/openblas") != NULL);
    if (openblas != NULL) {
        CHECK(attn4j_openblas_open(openblas) == ATTN4J_OK);
        CHECK(strcmp(attn4j_openblas_config(), "") != 0);
    }
    for (gemm = ATTN4J_GEMM_TILES; gemm <= (openblas != NULL ? ATTN4J_GEMM_OPENBLAS : ATTN4J_GEMM_TILES); ++gemm) {
        float out[3] = {0};
        CHECK(attn4j_gemm_set((attn4j_gemm)gemm) == ATTN4J_OK);
        CHECK(attn4j_gemm_uses_openblas(ATTN4J_ISA_DEFAULT) == (gemm == ATTN4J_GEMM_OPENBLAS));
        CHECK(attn4j_linear(x, 2, weight, 2, ATTN4J_OUT_IN, bias, NULL, 0, out, 3, 1, 2, 3, ATTN4J_IDENTITY,
                            ATTN4J_ISA_DEFAULT, 1) == ATTN4J_OK);
        CHECK(out[0] == 1 && out[1] == 2 && out[2] == 4);
    }
    CHECK(attn4j_gemm_set(ATTN4J_GEMM_DEFAULT) == ATTN4J_OK);
}

static void masks(void) {
    const uint8_t hidden[] = {0, 1};
    const float bias[] = {1, 2};
    uint8_t keep[6];
    float sum[6];
    CHECK(attn4j_mask_keep(hidden, 0, 0, 0, NULL, 0, 0, 0, 1, keep, 6, 6, 3, 1, 1, 2, 2, 1) == ATTN4J_OK);
    CHECK(keep[0] == 1 && keep[1] == 0 && keep[2] == 1 && keep[3] == 1 && keep[4] == 0 && keep[5] == 1);
    CHECK(attn4j_mask_bias(bias, 0, 0, 0, bias, 0, 0, 0, sum, 6, 6, 3, 1, 1, 2, 2, 1) == ATTN4J_OK);
    CHECK(sum[0] == 2 && sum[1] == 4 && sum[2] == 0 && sum[5] == 0);
}

static void memory(void) {
    const int64_t sizes[] = {2, 2}, columns[] = {1, 2}, rows[] = {2, 1}, before = attn4j_memory_allocated();
    float* block = attn4j_memory_allocate(64);
    CHECK(block != NULL && block[0] == 0 && attn4j_memory_allocated() == before + 64);
    block[0] = 1, block[1] = 2, block[2] = 3, block[3] = 4;
    CHECK(attn4j_memory_copy_strided(block + 4, rows, block, columns, sizes, 2, 4) == ATTN4J_OK);
    CHECK(block[4] == 1 && block[5] == 3 && block[6] == 2 && block[7] == 4);
    attn4j_memory_copy(block, 0, block, 20, 4);
    CHECK(block[0] == 3);
    attn4j_memory_free(block);
    CHECK(attn4j_memory_allocated() == before);
}

int main(int argc, char** argv) {
    int32_t resolved = -1;
    int isa;
    CHECK(strcmp(attn4j_error_message(), "") == 0);
    CHECK(strchr(attn4j_version(), '.') != NULL);
    CHECK(attn4j_isa_resolve(ATTN4J_ISA_SCALAR, &resolved) == ATTN4J_OK && resolved == ATTN4J_ISA_SCALAR);
    CHECK(attn4j_threads() >= 1);
    CHECK(attn4j_threads_set(2) == ATTN4J_OK && attn4j_threads() == 2);
    CHECK(attn4j_threads_set(0) == ATTN4J_INVALID_ARGUMENT);
    CHECK(strstr(attn4j_error_message(), "threads=0") != NULL);
    CHECK(attn4j_plan_create(1, 12, 5, 1, 1, 1, 1) == NULL);
    CHECK(strstr(attn4j_error_message(), "heads=12 kvHeads=5") != NULL);
    printf("attn4j %s on", attn4j_version());
    for (isa = ATTN4J_ISA_SCALAR; isa <= ATTN4J_ISA_NEONBF16; ++isa) {
        if (!attn4j_isa_supported((attn4j_isa)isa)) continue;
        printf(" %s", attn4j_isa_name((attn4j_isa)isa));
        attention((attn4j_isa)isa);
        cache((attn4j_isa)isa);
        layers((attn4j_isa)isa);
        positions_and_parts((attn4j_isa)isa);
    }
    printf("\n");
    linear(argc > 1 ? argv[1] : NULL);
    masks();
    memory();
    attn4j_threads_shutdown();
    printf("%d checks passed, %d failed\n", checks - failures, failures);
    return failures == 0 ? 0 : 1;
}
