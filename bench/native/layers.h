// SPDX-License-Identifier: Apache-2.0
// What module and model are made of: layers of float32 with random weights, each with its definition in doubles.
#pragma once

#include <vector>

#include "expected.h"
#include "scenarios.h"

using Doubles = std::vector<double>;

// Random numbers; a row of the weight that makes one feature has a length of about one.
struct Linear {
    int64_t in, out;
    attn4j_weight_layout layout;
    AlignedFloats weight, bias;

    Linear(int64_t in, int64_t out, attn4j_weight_layout layout, unsigned seed);

    // x [rows, in], residual [rows, out] or null, y [rows, out]
    void run(const Setting& setting, const float* x, const float* residual, float* y, int64_t rows,
             attn4j_activation activation = ATTN4J_IDENTITY) const;
    // Features [first, first + n) of a row x [in].
    Doubles expected(const Doubles& x, int64_t first, int64_t n) const;
    // What the terms of each feature add up to without their signs.
    Doubles sizes(const Doubles& x) const;
};

// A built plan over rows of queries, keys and values side by side, [batch, rows, 3 heads head_dim], to [batch, rows,
// heads head_dim]; or over up to batch sequences that lie end to end.
attn4j_plan packed_plan(const Setting& setting, int64_t batch, int64_t rows, int64_t heads, int64_t head_dim,
                        bool ragged);

// All heads of one query [width] over rows of key and value side by side, [2 width]: out [width].
ExpectedRow expected_heads(int64_t heads, const Doubles& query, const std::vector<Doubles>& rows);

// Throws unless what is measured, `what`, is to be float32.
void require_f32(const Setting& setting, const char* what);
