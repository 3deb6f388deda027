// SPDX-License-Identifier: Apache-2.0
// Rotary embedding of a batch: checks and tasks; and its tables. Contracts: attn4j_rotary, attn4j_rotary_tables.
#pragma once

#include "kernels/rotary/rotary.h"
#include "matrix.h"

namespace attn4j {

// What one batch entry's Rotary does not know. In `entry`, positions and first_position are not looked at.
struct RotaryBatch {
    Rotary entry;
    int64_t batch, x_stride, out_stride;  // of batch entries
    int64_t table_rows;
    const int64_t* ids;    // [batch, rows], batch stride ids_stride, 0 to repeat; or null
    const int64_t* start;  // [batch], or null for 0
    int64_t ids_stride;
};

void rotary(const RotaryBatch& batch, const Execution& execution);

// Words as in attn4j_rotary_tables.
struct RotaryTables {
    int64_t table_stride, first_position, positions, rotary_dim;
    double base;
    attn4j_rotary_scaling scaling;
    double factor;
    int64_t original_positions;
    double low_rotations, high_rotations, attention_factor;
};

void rotary_tables(const RotaryTables& tables, float* cos, float* sin, int32_t threads);

}  // namespace attn4j
