// SPDX-License-Identifier: Apache-2.0
// Rotary embedding of a batch: checks and tasks; and its tables. Contracts: attn4j_rotary, attn4j_rotary_tables.
#pragma once

#include <functional>

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
    const char* out_name;
    bool may_be_same;       // out may be x
    bool may_turn_nothing;  // rotary_dim may be 0: tables and positions are then not looked at
};

// The rules of sizes, and of what lies in memory.
void check_sizes(const RotaryBatch& batch);
void check_memory(const RotaryBatch& batch);

// Throws where what is written lies upon the tables or the positions, if those are looked at.
void check_apart_from_turn(const RotaryBatch& batch, const char* name, const void* data, int64_t bytes);

// Rows from `first` on of a batch entry.
struct RotaryRun {
    Rotary part;
    int64_t entry, first;
};

// Calls work for runs of rows, each a task.
void for_runs(const RotaryBatch& batch, int32_t threads, const std::function<void(const RotaryRun&)>& work);

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
