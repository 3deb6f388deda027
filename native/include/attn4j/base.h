/* SPDX-License-Identifier: Apache-2.0
 * What all of the interface is made of: outcomes, types of numbers, instruction sets. */
#ifndef ATTN4J_BASE_H
#define ATTN4J_BASE_H

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

/* How numbers are stored; all arithmetic is float32, but that an ISA may multiply BF16 and INT8 as they are: what meets
 * them is then rounded to what they are multiplied by. INT8 is for the keys and values of attention alone: signed bytes,
 * with one float32 scale for each (kv head, key) by which they are multiplied. */
typedef enum attn4j_dtype {
    ATTN4J_F32 = 0,
    ATTN4J_BF16 = 1, /* the upper half of a float32 */
    ATTN4J_F16 = 2,  /* IEEE 754 binary16 */
    ATTN4J_INT8 = 3  /* rows of a cache, each with a float32 scale: a number is scale * q */
} attn4j_dtype;

/* Instruction sets. DEFAULT is the environment variable ATTN4J_ISA if set, else the widest this CPU has; but not
 * AVX512BF16 on Intel's CPUs, whose dot products are slower than float32. The last three are AVX512 or NEON but where
 * bfloat16 is multiplied by bfloat16, or a query by int8 keys and values. Asking for any of them, DEFAULT included, first
 * asks Linux for the registers of AMX, for the whole process; if that is refused AMX is not supported. */
typedef enum attn4j_isa {
    ATTN4J_ISA_DEFAULT = 0,
    ATTN4J_ISA_SCALAR = 1,
    ATTN4J_ISA_AVX2 = 2,   /* with FMA and F16C */
    ATTN4J_ISA_AVX512 = 3, /* F, DQ, BW, VL */
    ATTN4J_ISA_NEON = 4,
    ATTN4J_ISA_AVX512BF16 = 5, /* AVX512, AVX512-BF16 and AVX512-VNNI */
    ATTN4J_ISA_AMX = 6,        /* AVX512BF16 and AMX-TILE, AMX-BF16, AMX-INT8 */
    ATTN4J_ISA_NEONBF16 = 7    /* NEON and FEAT_BF16 */
} attn4j_isa;

#ifdef __cplusplus
}
#endif

#endif
