// SPDX-License-Identifier: Apache-2.0
// One ISA's kernels. Each file of isa/ exports one; dispatch chooses among those that this CPU runs.
#pragma once

#include "kernels/append/append.h"
#include "kernels/attention/attention.h"
#include "kernels/cast/cast.h"
#include "kernels/decode/decode.h"
#include "kernels/embed/embed.h"
#include "kernels/gate/gate.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_bf16.h"
#include "kernels/merge/merge.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pool/pool.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rotary/rotary.h"
#include "kernels/sample/sample.h"
#include "kernels/small/small.h"

namespace attn4j {

struct KernelTable {
    AttentionKernel attention;     // a block of queries of one head over all its keys
    DecodeKernel decode;           // few queries of a key-value head over a chunk of its keys
    SmallKernel small;             // few queries of key-value heads over few keys
    LinearKernel linear;           // a block of rows through a run of output features
    PointwiseKernel pointwise;     // bias, activation and residual of rows
    LayerNormKernel layer_norm;    // residual and layer normalisation of rows
    EmbedKernel embed;             // rows of a table by number
    MeanPoolKernel mean_pool;      // the mean of rows
    NormalizeKernel normalize;     // rows to length one
    CastKernel cast;               // rows from one type to another
    MergeKernel merge;             // rows of attention over disjoint keys
    RotaryKernel rotary;           // rows turned by their positions
    AppendKernel append;           // the same into a cache of 8-bit numbers
    GateKernel gate;               // rows times the sigmoid of others
    RmsNormKernel rms_norm;        // rows to a mean square of one
    SampleKernel sample;           // a token by a row of logits
    Bf16LinearKernel linear_bf16;  // a block of rows through a weight of bfloat16
    // Runs so many rounds of register-only multiply-adds, returns their FLOPs: the limit.
    double (*fma_flops)(int64_t rounds);
    // Reads n floats, but for a remainder of less than 128, and nothing else: the limit of memory. Returns their sum.
    float (*read_sum)(const float* from, int64_t n);
};

// What an ISA that multiplies bfloat16, or bytes as well, puts in place of the kernels above where all that is
// multiplied is of the type.
struct Bf16Kernels {
    AttentionKernel attention;  // q, k and v are bfloat16, Stage::none
    Bf16LinearKernel linear;
    double (*flops)(int64_t rounds);  // as fma_flops
    // Of q, k and v that are bfloat16, and of k and v that are bytes; null where KernelTable's does it as well.
    const DecodeKernel *decode, *decode_bytes;
};

extern const KernelTable scalar_table, avx2_table, avx512_table, neon_table;
extern const Bf16Kernels avx512bf16_table, amx_table, neonbf16_table;

}  // namespace attn4j
