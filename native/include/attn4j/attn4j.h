/* SPDX-License-Identifier: Apache-2.0
 * attn4j: fused multi-head attention on CPUs, and the kernels an encoder needs around it.
 *
 * Conventions. Sizes, strides and lengths are int64_t and count elements, never bytes; the innermost stride is 1.
 * A function that can fail returns attn4j_status (or NULL) and leaves a message for attn4j_error_message(); when it
 * fails it has written nothing. Every function may be called from any number of threads at once.
 */
#ifndef ATTN4J_ATTN4J_H
#define ATTN4J_ATTN4J_H

#include <stdint.h>

#if defined(_WIN32)
#define ATTN4J_API __declspec(dllexport)
#else
#define ATTN4J_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn4j_status {
    ATTN4J_OK = 0,
    ATTN4J_INVALID_ARGUMENT = 1, /* a value breaks a rule; the message names both */
    ATTN4J_UNSUPPORTED = 2,      /* this CPU, this build or a missing library cannot do it */
    ATTN4J_OUT_OF_MEMORY = 3,
    ATTN4J_ILLEGAL_STATE = 4, /* the right call at the wrong time */
    ATTN4J_INTERNAL = 5,      /* a defect of attn4j */
    ATTN4J_CANCELLED = 6      /* as asked; what was to be written is unspecified */
} attn4j_status;

/* How numbers are stored; all arithmetic is float32. INT8 is for the keys and values of attention alone: signed bytes,
 * with one float32 scale for each (kv head, key) by which they are multiplied. */
typedef enum attn4j_dtype {
    ATTN4J_F32 = 0,
    ATTN4J_BF16 = 1, /* the upper half of a float32 */
    ATTN4J_F16 = 2,  /* IEEE 754 binary16 */
    ATTN4J_INT8 = 3  /* rows of a cache, each with a float32 scale: a number is scale * q */
} attn4j_dtype;

/* Instruction sets. DEFAULT is the environment variable ATTN4J_ISA if set, else the widest this CPU has; but not
 * AVX512BF16 on Intel's CPUs, whose dot products are slower than float32. The last three are AVX512 or NEON but where
 * bfloat16 is multiplied by bfloat16. Asking for any of them, DEFAULT included, first asks Linux for the registers of
 * AMX, for the whole process; if that is refused AMX is not supported. */
typedef enum attn4j_isa {
    ATTN4J_ISA_DEFAULT = 0,
    ATTN4J_ISA_SCALAR = 1,
    ATTN4J_ISA_AVX2 = 2,   /* with FMA and F16C */
    ATTN4J_ISA_AVX512 = 3, /* F, DQ, BW, VL */
    ATTN4J_ISA_NEON = 4,
    ATTN4J_ISA_AVX512BF16 = 5, /* AVX512 and AVX512-BF16 */
    ATTN4J_ISA_AMX = 6,        /* AVX512BF16 and AMX-TILE, AMX-BF16 */
    ATTN4J_ISA_NEONBF16 = 7    /* NEON and FEAT_BF16 */
} attn4j_isa;

/* The four operands of attention, for attn4j_plan_set_strides. */
typedef enum attn4j_operand { ATTN4J_Q = 0, ATTN4J_K = 1, ATTN4J_V = 2, ATTN4J_OUT = 3 } attn4j_operand;

/* Where query 0 stands among the keys when a run gives no offsets. */
typedef enum attn4j_alignment {
    ATTN4J_BOTTOM_RIGHT = 0, /* offset = keys - queries: the last query sees the last key */
    ATTN4J_TOP_LEFT = 1      /* offset = 0 */
} attn4j_alignment;

/* What a run writes into `scores`, step numbers as in the definition of attention below. */
typedef enum attn4j_stage {
    ATTN4J_STAGE_NONE = 0,
    ATTN4J_STAGE_SCALED = 1, /* after step 1, of all keys */
    ATTN4J_STAGE_CAPPED = 2, /* after step 2, of all keys */
    ATTN4J_STAGE_HIDDEN = 3, /* after step 5, -inf where hidden */
    ATTN4J_STAGE_WEIGHTS = 4 /* after step 7 */
} attn4j_stage;

/* How a linear layer's weight lies in memory. */
typedef enum attn4j_weight_layout {
    ATTN4J_OUT_IN = 0, /* [out, in], PyTorch's nn.Linear */
    ATTN4J_IN_OUT = 1  /* [in, out], the right-hand side of an ONNX MatMul */
} attn4j_weight_layout;

typedef enum attn4j_activation {
    ATTN4J_IDENTITY = 0,
    ATTN4J_GELU = 1 /* x/2 * (1 + erf(x / sqrt 2)), exact to float32, not the tanh approximation */
} attn4j_activation;

/* Who multiplies in attn4j_linear. DEFAULT is the environment variable ATTN4J_GEMM (tiles, openblas) if set, else our
 * own tile wherever it has vectors to work with, and OpenBLAS for the scalar instruction set. */
typedef enum attn4j_gemm { ATTN4J_GEMM_DEFAULT = 0, ATTN4J_GEMM_TILES = 1, ATTN4J_GEMM_OPENBLAS = 2 } attn4j_gemm;

typedef struct attn4j_plan_s* attn4j_plan;

/* ---- the library ------------------------------------------------------------------------------------------------- */

/* "major.minor.patch" */
ATTN4J_API const char* attn4j_version(void);

/* The message of this thread's last failure, "" if there was none. Valid until this thread's next failure. */
ATTN4J_API const char* attn4j_error_message(void);

/* 1 if this build has the ISA and this CPU and operating system run it, else 0. DEFAULT: 1 unless ATTN4J_ISA is bad. */
ATTN4J_API int32_t attn4j_isa_supported(attn4j_isa isa);

/* Resolves DEFAULT. INVALID_ARGUMENT if ATTN4J_ISA names none, UNSUPPORTED if this CPU lacks it; else *resolved. */
ATTN4J_API attn4j_status attn4j_isa_resolve(attn4j_isa isa, int32_t* resolved);

/* "scalar", "avx2", "avx512", "neon", "avx512bf16", "amx", "neonbf16", "default" */
ATTN4J_API const char* attn4j_isa_name(attn4j_isa isa);

/* Threads of the library's own pool, the calling one included: at first the number of physical cores this process may
 * use (affinity mask and container quota respected). Takes effect for calls that start later. threads >= 1. */
ATTN4J_API attn4j_status attn4j_threads_set(int32_t threads);
ATTN4J_API int32_t attn4j_threads(void);

/* Ends the pool's threads, once running calls are done. A later call starts them again. */
ATTN4J_API void attn4j_threads_shutdown(void);

/* ---- linear layers: our own tile, or OpenBLAS opened late -------------------------------------------------------- */

/* Opens OpenBLAS from `path`, or by its usual name if path is NULL; it is then set to one thread, process-wide, and
 * attn4j's own pool shares out the work. Calling again after success does nothing. */
ATTN4J_API attn4j_status attn4j_openblas_open(const char* path);

/* Process-wide, for calls that start later. */
ATTN4J_API attn4j_status attn4j_gemm_set(attn4j_gemm gemm);

/* Whether linear layers on this ISA go through OpenBLAS (1) or our tile (0); -1 if the ISA or ATTN4J_GEMM is bad. */
ATTN4J_API int32_t attn4j_gemm_uses_openblas(attn4j_isa isa);

/* Its own description with the core it chose, "" before it is open. */
ATTN4J_API const char* attn4j_openblas_config(void);

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Zeroed memory, aligned to 64 bytes; NULL if there is none. bytes = 0 gives a valid address of nothing. */
ATTN4J_API void* attn4j_memory_allocate(int64_t bytes);
ATTN4J_API void attn4j_memory_free(void* address);

/* Bytes handed out by attn4j_memory_allocate and not yet freed, in this process. */
ATTN4J_API int64_t attn4j_memory_allocated(void);

/* Copies bytes between to + to_offset and from + from_offset (in bytes), which do not overlap. */
ATTN4J_API void attn4j_memory_copy(void* to, int64_t to_offset, const void* from, int64_t from_offset, int64_t bytes);

/* Copies a strided view of rank <= 8 (sizes and strides in elements, outermost first) of elements of `element_bytes`
 * to another of the same sizes. The two do not overlap. */
ATTN4J_API attn4j_status attn4j_memory_copy_strided(void* to, const int64_t* to_strides, const void* from,
                                                    const int64_t* from_strides, const int64_t* sizes, int32_t rank,
                                                    int32_t element_bytes);

/* ---- attention ----------------------------------------------------------------------------------------------------
 * For query i and key j of each batch entry b and head h (with kv head h / (heads / kv_heads)), in this order:
 *   1  s = scale * q_i . k_j
 *   2  s = softcap * tanh(s / softcap)                     if softcap > 0
 *   3  s -= slope[h] * |i + offset[b] - j|                 with ALiBi
 *   4  s += bias[b, h, i, j]                               with a bias; -inf hides
 *   5  visible(i, j) = j < key_length[b]  and  (not causal or j <= i + offset[b])
 *                      and (window_left < 0 or j >= i + offset[b] - window_left)
 *                      and (window_right < 0 or j <= i + offset[b] + window_right)
 *                      and (no mask or mask[b, h, i, j] != 0)
 *   6  w_i = softmax over the visible keys; a sink adds exp(sink[h]) to the denominator and nothing to the numerator
 *   7  dropout: w_ij is kept with probability 1 - p and divided by it; the draw for (seed, b, h, i, j) depends on
 * nothing else
 *   8  out_i = sum_j w_ij v_j         lse_i = log of the denominator, sink included
 *   q   [batch, heads,    queries, head_dim]      k [batch, kv_heads, keys, head_dim]
 *   out [batch, heads,    queries, value_dim]     v [batch, kv_heads, keys, value_dim]
 *   lse [batch, heads, queries], contiguous, natural logarithm
 * A row that sees no key gives out = 0 and lse = -inf (the sink, if there is one). A key or value that a row does not
 * see has no influence on it, whatever is stored there. NaN that is seen comes out as NaN. The result does not depend
 * on the number of threads, nor on the rest of the batch. Nothing of size queries x keys is ever stored, unless
 * `scores` is asked for. Papers: online softmax arXiv:1805.02867, FlashAttention-2 arXiv:2307.08691, grouped queries
 * arXiv:2305.13245, ALiBi arXiv:2108.12409, sinks arXiv:2309.17453, Philox (Salmon and others, SC 2011).
 *
 * A plan is made once (create, set..., build) and run many times, from any thread. It holds what does not change from
 * call to call; a run gives lengths and addresses and allocates nothing once each thread has run the plan once. */

/* A plan for up to batch, queries and keys. Every size >= 0, heads, kv_heads, head_dim, value_dim >= 1, and kv_heads
 * divides heads. In a ragged plan batch bounds the sequences, queries and keys bound each sequence. NULL on failure. */
ATTN4J_API attn4j_plan attn4j_plan_create(int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                                          int64_t head_dim, int64_t value_dim);

/* Strides of an operand; contiguous [batch, heads, rows, dim] if not set. Ragged: the batch stride is not used. */
ATTN4J_API attn4j_status attn4j_plan_set_strides(attn4j_plan plan, attn4j_operand operand, int64_t batch, int64_t head,
                                                 int64_t row);
/* 1/sqrt(head_dim) if not set. Finite. */
ATTN4J_API attn4j_status attn4j_plan_set_scale(attn4j_plan plan, double scale);
ATTN4J_API attn4j_status attn4j_plan_set_causal(attn4j_plan plan);
/* BOTTOM_RIGHT if not set. For causal attention, windows and ALiBi, where a run gives no offsets. */
ATTN4J_API attn4j_status attn4j_plan_set_alignment(attn4j_plan plan, attn4j_alignment alignment);
/* F32 if not set. Arithmetic is float32 in any case. */
ATTN4J_API attn4j_status attn4j_plan_set_dtype(attn4j_plan plan, attn4j_operand operand, attn4j_dtype dtype);
/* Strides of the scales of K or V where that is INT8, [batch, kv_heads, keys]; the key stride is 1. Contiguous if not
 * set. Ragged: the batch stride is not used. */
ATTN4J_API attn4j_status attn4j_plan_set_scales(attn4j_plan plan, attn4j_operand operand, int64_t batch, int64_t head);
/* Keys and values lie in `count` >= 0 pages of `rows` >= 1 rows: runs give a table of page numbers [batch,
 * table_stride], and key j of sequence b is row j % rows of page table[b, j / rows]. The batch strides of k, v and their
 * scales are then those from page to page; those of k and v become contiguous [count, kv_heads, rows, dim] here. */
ATTN4J_API attn4j_status attn4j_plan_set_pages(attn4j_plan plan, int64_t count, int64_t rows, int64_t table_stride);
/* Keys before i + offset - left and after i + offset + right are hidden; -1 leaves a side open. */
ATTN4J_API attn4j_status attn4j_plan_set_window(attn4j_plan plan, int64_t left, int64_t right);
/* >= 0; 0 for none. */
ATTN4J_API attn4j_status attn4j_plan_set_softcap(attn4j_plan plan, double softcap);
/* Runs give a float32 bias, or a byte mask (0 hides), with these strides; 0 repeats a dimension, and the key stride is
 * 0 or 1. In a ragged plan its rows and keys are counted within each sequence. */
ATTN4J_API attn4j_status attn4j_plan_set_bias(attn4j_plan plan, int64_t batch, int64_t head, int64_t query,
                                              int64_t key);
ATTN4J_API attn4j_status attn4j_plan_set_mask(attn4j_plan plan, int64_t batch, int64_t head, int64_t query,
                                              int64_t key);
/* 0 <= p < 1. */
ATTN4J_API attn4j_status attn4j_plan_set_dropout(attn4j_plan plan, double p);
/* Runs write a stage into `scores` [batch, heads, queries, keys] with these strides; the key stride is 1. averaged !=
 * 0: the mean over heads, [batch, queries, keys], and the head stride is not used. */
ATTN4J_API attn4j_status attn4j_plan_set_stage(attn4j_plan plan, attn4j_stage stage, int32_t averaged, int64_t batch,
                                               int64_t head, int64_t query);
/* Sequences lie end to end, rows given by cumulative lengths at run. */
ATTN4J_API attn4j_status attn4j_plan_set_ragged(attn4j_plan plan);
ATTN4J_API attn4j_status attn4j_plan_set_isa(attn4j_plan plan, attn4j_isa isa);
/* At most this many threads work on a run, 0 for all of the pool; 1 never leaves the calling thread. */
ATTN4J_API attn4j_status attn4j_plan_set_threads(attn4j_plan plan, int32_t threads);

/* Checks the whole and chooses the kernel; nothing can be set afterwards. */
ATTN4J_API attn4j_status attn4j_plan_build(attn4j_plan plan);

/* batch, queries, keys: this run's sizes, within the plan's. q, k, v and out have the plan's types.
 * lse, key_lengths [batch] and offsets [batch] may be NULL: no lse, `keys` for each, the plan's alignment. A ragged
 * plan takes cu_queries and cu_keys [batch + 1] instead of queries and keys (which are then ignored): sequence b has
 * rows cu[b] to cu[b+1] - 1; its lse is [heads, cu_queries[batch]].
 * pages, k_scales and v_scales (see set_pages, set_scales), bias, mask and scores: exactly where the plan has them.
 * slopes [heads] (ALiBi) and sinks [heads]: NULL for none. seed: of the dropout. cancelled: NULL, or a flag that another
 * thread may set to nonzero; the run then ends within a tile. out, lse and scores overlap nothing; q, k and v may
 * overlap each other. */
ATTN4J_API attn4j_status attn4j_plan_run(attn4j_plan plan, int64_t batch, int64_t queries, int64_t keys, const void* q,
                                         const void* k, const void* v, void* out, float* lse,
                                         const int64_t* key_lengths, const int64_t* offsets, const int64_t* cu_queries,
                                         const int64_t* cu_keys, const int64_t* pages, const float* k_scales,
                                         const float* v_scales, const float* bias, const uint8_t* mask,
                                         const float* slopes, const float* sinks, float* scores, int64_t seed,
                                         const int32_t* cancelled);

/* One line: kernel, ISA, tile sizes, blocks, workspace, and why. Of a run of the plan's largest sizes. */
ATTN4J_API attn4j_status attn4j_plan_explain(attn4j_plan plan, char* text, int64_t capacity);

/* The ISA a built plan runs on. */
ATTN4J_API attn4j_isa attn4j_plan_isa(attn4j_plan plan);

/* No run may be under way. NULL is allowed. */
ATTN4J_API void attn4j_plan_free(attn4j_plan plan);

/* ---- the layers around it -----------------------------------------------------------------------------------------
 * Row-major float32 matrices with a row stride. isa and threads as in a plan. Unless said
 * otherwise out may be the same matrix as x or residual (address and stride), and overlaps nothing else. */

/* out[r, o] = activation(sum_i x[r, i] * weight[o, i] + bias[o]) + residual[r, o]; bias and residual may be NULL.
 * out overlaps nothing. With our own tile a row's result depends on that row alone, to the last bit; with OpenBLAS it
 * is the same for any number of threads. UNSUPPORTED if it needs OpenBLAS and that cannot be opened. */
ATTN4J_API attn4j_status attn4j_linear(const float* x, int64_t x_stride, const float* weight, int64_t weight_stride,
                                       attn4j_weight_layout layout, const float* bias, const float* residual,
                                       int64_t residual_stride, float* out, int64_t out_stride, int64_t rows,
                                       int64_t in_features, int64_t out_features, attn4j_activation activation,
                                       attn4j_isa isa, int32_t threads);

/* The same with a weight [out, in] of BF16 and x rounded to BF16; x and out are F32 or BF16, bias and residual float32.
 * Sums are float32 in an order of the ISA's own; one that multiplies bfloat16 treats subnormal numbers as 0. Always our
 * own tile: a row's result depends on that row alone, to the last bit. */
ATTN4J_API attn4j_status attn4j_linear_bf16(const void* x, attn4j_dtype x_dtype, int64_t x_stride, const void* weight,
                                            int64_t weight_stride, const float* bias, const float* residual,
                                            int64_t residual_stride, void* out, attn4j_dtype out_dtype,
                                            int64_t out_stride, int64_t rows, int64_t in_features, int64_t out_features,
                                            attn4j_activation activation, attn4j_isa isa, int32_t threads);

/* out = (y - mean(y)) / sqrt(var(y) + epsilon) * gamma + beta over each row of y = x + residual; the variance is the
 * mean of squares about the mean (biased), as PyTorch's. residual may be NULL. arXiv:1607.06450. */
ATTN4J_API attn4j_status attn4j_layer_norm(const float* x, int64_t x_stride, const float* residual,
                                           int64_t residual_stride, const float* gamma, const float* beta,
                                           double epsilon, float* out, int64_t out_stride, int64_t rows, int64_t width,
                                           attn4j_isa isa, int32_t threads);

/* out = activation(x) */
ATTN4J_API attn4j_status attn4j_activate(attn4j_activation activation, const float* x, int64_t x_stride, float* out,
                                         int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                         int32_t threads);

/* out = a + b */
ATTN4J_API attn4j_status attn4j_add(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* out,
                                    int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa, int32_t threads);

/* out overlaps nothing. out[r] = table[ids[r]], or with accumulate != 0 out[r] += table[ids[r]]. ids in [0,
 * table_rows). */
ATTN4J_API attn4j_status attn4j_embed(const float* table, int64_t table_rows, int64_t table_stride, const int32_t* ids,
                                      float* out, int64_t out_stride, int64_t rows, int64_t width, int32_t accumulate,
                                      attn4j_isa isa, int32_t threads);

/* out[b] = the mean of rows cu[b] to cu[b+1] - 1 of x, 0 if there are none. cu [batch + 1]; out [batch, width]
 * overlaps nothing. */
ATTN4J_API attn4j_status attn4j_mean_pool(const float* x, int64_t x_stride, const int64_t* cu, int64_t batch,
                                          float* out, int64_t out_stride, int64_t width, attn4j_isa isa,
                                          int32_t threads);

/* out = x / max(|x|_2, epsilon) for each row; PyTorch's functional.normalize has epsilon = 1e-12. */
ATTN4J_API attn4j_status attn4j_normalize(const float* x, int64_t x_stride, double epsilon, float* out,
                                          int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                          int32_t threads);

/* out = x / sqrt(mean of x^2 + epsilon) * gamma for each row; gamma [width]. out may be x. arXiv:1910.07467. */
ATTN4J_API attn4j_status attn4j_rms_norm(const float* x, int64_t x_stride, const float* gamma, double epsilon,
                                         float* out, int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                         int32_t threads);

/* out[r, c] = x[r, c] * sigmoid(gate[r, c / group]), gate [rows, width / group]; group >= 1 divides width: 1 gates each
 * element, a head's width each head. out may be x, and where group is 1 also the gate. arXiv:2505.06708. */
ATTN4J_API attn4j_status attn4j_gate(const float* x, int64_t x_stride, const float* gate, int64_t gate_stride,
                                     int64_t group, float* out, int64_t out_stride, int64_t rows, int64_t width,
                                     attn4j_isa isa, int32_t threads);

/* out = silu(gate) * up, with silu(g) = g * sigmoid(g), all [rows, width]. out may be either. arXiv:2002.05202. */
ATTN4J_API attn4j_status attn4j_swiglu(const float* gate, int64_t gate_stride, const float* up, int64_t up_stride,
                                       float* out, int64_t out_stride, int64_t rows, int64_t width, attn4j_isa isa,
                                       int32_t threads);

/* tokens[r] = a token drawn by row r of logits [rows, vocabulary]: of the top_k largest logits (0: of all), those of
 * the least number whose weights exp(logit / temperature) come to top_p of the sum (1: all; one at least); of equal
 * logits those of lower tokens come first. A token is drawn by its weight. temperature 0: the token of the largest
 * logit, whatever else is given. The draw of (seed, step, r) is a Philox number that depends on nothing else.
 * temperature >= 0 and finite, 0 < top_p <= 1, top_k, step >= 0, 1 <= vocabulary < 2^31. A logit may be -inf (never
 * drawn), but neither NaN nor inf, and not all of a row -inf. tokens [rows] overlaps nothing. arXiv:1904.09751. */
ATTN4J_API attn4j_status attn4j_sample(const float* logits, int64_t logits_stride, int64_t rows, int64_t vocabulary,
                                       double temperature, int64_t top_k, double top_p, int64_t seed, int64_t step,
                                       int32_t* tokens, attn4j_isa isa, int32_t threads);

/* ---- masks ------------------------------------------------------------------------------------------------------- */

/* What other libraries' masks come to in the terms of attention above, over [batch, heads, queries, keys + extra]: the
 * last `extra` keys are ones no mask knows of, and every query sees them. a and b are [batch, heads, queries, keys]
 * with strides of the first three dimensions, 0 to repeat, and key stride 1; NULL for none. out has strides likewise,
 * none of which is 0 where the size is above 1, and overlaps neither. */

/* out = 1 where the query sees the key: neither a nor b hides it (nonzero hides, as in PyTorch), and, if causal != 0,
 * it is not after the query. */
ATTN4J_API attn4j_status attn4j_mask_keep(const uint8_t* a, int64_t a_batch, int64_t a_head, int64_t a_query,
                                          const uint8_t* b, int64_t b_batch, int64_t b_head, int64_t b_query,
                                          int32_t causal, uint8_t* out, int64_t out_batch, int64_t out_head,
                                          int64_t out_query, int64_t batch, int64_t heads, int64_t queries,
                                          int64_t keys, int64_t extra);

/* out = a + b, and 0 for the extra keys. */
ATTN4J_API attn4j_status attn4j_mask_bias(const float* a, int64_t a_batch, int64_t a_head, int64_t a_query,
                                          const float* b, int64_t b_batch, int64_t b_head, int64_t b_query, float* out,
                                          int64_t out_batch, int64_t out_head, int64_t out_query, int64_t batch,
                                          int64_t heads, int64_t queries, int64_t keys, int64_t extra);

/* ---- types, partial results, positions --------------------------------------------------------------------------- */

/* out = x, both [rows, width] with row strides, from one type to another: rounded to the nearest, ties to even; too
 * large becomes infinity, subnormals are kept, a NaN stays one. out overlaps nothing. */
ATTN4J_API attn4j_status attn4j_cast(const void* x, attn4j_dtype x_dtype, int64_t x_stride, void* out,
                                     attn4j_dtype out_dtype, int64_t out_stride, int64_t rows, int64_t width,
                                     attn4j_isa isa, int32_t threads);

/* Attention over disjoint sets of keys, `count` >= 0 of them, from the result over each: for every row
 *     lse = log(exp(sink) + sum_p exp(lses[p]))        out = sum_p exp(lses[p] - lse) outs[p]
 * outs[p] [rows, width] with row stride out_strides[p], lses[p] [rows]. A partial of lse -inf is not looked at; where
 * there is nothing else, out = 0 and lse = -inf, or the sink. sinks [heads]: row r belongs to head r / queries % heads
 * (rows of [batch, heads, queries]), and partials must not have had the sink already; NULL: none, and heads and queries
 * are not looked at. lse may be NULL. out and lse may be outs[0] and lses[0], and overlap nothing else. */
ATTN4J_API attn4j_status attn4j_merge(const float* const* outs, const int64_t* out_strides, const float* const* lses,
                                      int64_t count, const float* sinks, int64_t heads, int64_t queries, float* out,
                                      int64_t out_stride, float* lse, int64_t rows, int64_t width, attn4j_isa isa,
                                      int32_t threads);

/* Which of a row's numbers turn together, for d < rotary_dim / 2. */
typedef enum attn4j_rotary_layout {
    ATTN4J_ROTARY_HALVES = 0, /* d and d + rotary_dim / 2: GPT-NeoX, Llama in Hugging Face's form */
    ATTN4J_ROTARY_PAIRS = 1   /* 2d and 2d + 1, interleaved: the paper, GPT-J, Meta's Llama */
} attn4j_rotary_layout;

/* Rotary position embedding, arXiv:2104.09864: the pairs (a, b) of each row become
 *     a cos[p][d] - b sin[p][d],  b cos[p][d] + a sin[p][d]
 * and numbers from rotary_dim on stay. x and out: [batch, heads, rows, head_dim] of dtype, with strides; out may be x
 * with the same strides, and overlaps nothing else. rotary_dim is even, 2 to head_dim. cos, sin: float32 [positions,
 * rotary_dim / 2] with row stride table_stride. A row's position p, from 0 to positions - 1, is position_ids[b *
 * position_stride + row] (position_stride 0: the same for all); or, where position_ids is NULL, start[b] + row, with
 * start [batch], NULL for 0. */
ATTN4J_API attn4j_status attn4j_rotary(const void* x, int64_t x_batch, int64_t x_head, int64_t x_row, void* out,
                                       int64_t out_batch, int64_t out_head, int64_t out_row, attn4j_dtype dtype,
                                       int64_t batch, int64_t heads, int64_t rows, int64_t head_dim, int64_t rotary_dim,
                                       attn4j_rotary_layout layout, const float* cos, const float* sin,
                                       int64_t positions, int64_t table_stride, const int64_t* position_ids,
                                       int64_t position_stride, const int64_t* start, attn4j_isa isa, int32_t threads);

/* New rows of keys or values into a cache, in one pass: turned as attn4j_rotary does (keys; rotary_dim 0 for rows that
 * are not turned, and no word of it is looked at), and stored in the cache's type. x [batch, heads, rows, head_dim] of
 * x_dtype, F32, BF16 or F16; cache likewise of cache_dtype, which may be INT8, its first row that of the first new row.
 * INT8: scales [batch, heads, rows] with strides of batch and head, not looked at for other types. scale = max|x| / 127
 * over a row of head_dim numbers, q = x / scale rounded to the nearest, ties to even. Where the scale would be below
 * 2^-126, the smallest normal number, it is 0 and so is every q; where a number is NaN or infinite, the scale is NaN and
 * every q 0, so that the row reads as NaN. Other types: rounded as attn4j_cast does. cache and scales overlap nothing. */
ATTN4J_API attn4j_status attn4j_append(const void* x, int64_t x_batch, int64_t x_head, int64_t x_row,
                                       attn4j_dtype x_dtype, void* cache, int64_t cache_batch, int64_t cache_head,
                                       int64_t cache_row, attn4j_dtype cache_dtype, float* scales, int64_t scales_batch,
                                       int64_t scales_head, int64_t batch, int64_t heads, int64_t rows,
                                       int64_t head_dim, int64_t rotary_dim, attn4j_rotary_layout layout,
                                       const float* cos, const float* sin, int64_t positions, int64_t table_stride,
                                       const int64_t* position_ids, int64_t position_stride, const int64_t* start,
                                       attn4j_isa isa, int32_t threads);

/* How pair d's frequency f = base^(-2 d / rotary_dim) is changed for more positions than a model was trained with. It
 * makes original_positions * f / (2 pi) rotations within those. */
typedef enum attn4j_rotary_scaling {
    ATTN4J_ROTARY_UNSCALED = 0,
    ATTN4J_ROTARY_LINEAR = 1, /* f / factor */
    ATTN4J_ROTARY_NTK = 2,    /* base * factor^(rotary_dim / (rotary_dim - 2)) in place of base */
    /* arXiv:2309.00071: f from high_rotations up, f / factor from low_rotations down, between them linear in d, from
     * pair to pair rounded outwards. Usual: low 1, high 32 */
    ATTN4J_ROTARY_YARN = 3,
    ATTN4J_ROTARY_LLAMA3 = 4,        /* likewise, but linear in the rotations. Usual: low 1, high 4 */
    ATTN4J_ROTARY_YARN_UNROUNDED = 5 /* YARN, but the ramp begins and ends between pairs ("truncate": false) */
} attn4j_rotary_scaling;

/* cos[p][d] = cos(q f) * attention_factor with q = first_position + p, for p < positions, d < rotary_dim / 2; sin
 * likewise; rows table_stride apart. Angles are double precision. base > 1, factor >= 1. original_positions and 0 <
 * low_rotations < high_rotations are looked at for YARN and LLAMA3 only, factor not for UNSCALED. attention_factor 0:
 * 0.1 ln(factor) + 1 for YARN, else 1. */
ATTN4J_API attn4j_status attn4j_rotary_tables(float* cos, float* sin, int64_t table_stride, int64_t first_position,
                                              int64_t positions, int64_t rotary_dim, double base,
                                              attn4j_rotary_scaling scaling, double factor, int64_t original_positions,
                                              double low_rotations, double high_rotations, double attention_factor,
                                              int32_t threads);

#ifdef __cplusplus
}
#endif

#endif
