// SPDX-License-Identifier: Apache-2.0
// Angles in double precision. Scalings: linear arXiv:2306.15595, NTK-aware (bloc97, 2023), YaRN arXiv:2309.00071, Llama
// 3 arXiv:2407.21783; each as Hugging Face transformers has them.
#include <algorithm>
#include <cmath>

#include "error.h"
#include "extent.h"
#include "rotary.h"
#include "rows.h"

namespace attn4j {
namespace {

using Long = long long;

constexpr double kTurn = 6.283185307179586476925286766559;

bool by_rotations(attn4j_rotary_scaling scaling) {
    return scaling == ATTN4J_ROTARY_YARN || scaling == ATTN4J_ROTARY_YARN_UNROUNDED || scaling == ATTN4J_ROTARY_LLAMA3;
}

void check(const RotaryTables& t) {
    require_size("firstPosition", t.first_position, 0);
    require_size("positions", t.positions, 0);
    if (t.rotary_dim < 2 || t.rotary_dim % 2 != 0)
        fail(ATTN4J_INVALID_ARGUMENT, "rotaryDim must be even and at least 2: rotaryDim=%lld", Long{t.rotary_dim});
    if (!(t.base > 1) || !std::isfinite(t.base))
        fail(ATTN4J_INVALID_ARGUMENT, "base must be finite and greater than 1: base=%g", t.base);
    if (!(t.attention_factor >= 0) || !std::isfinite(t.attention_factor))
        fail(ATTN4J_INVALID_ARGUMENT, "attentionFactor must be finite and not negative: attentionFactor=%g",
             t.attention_factor);
    if (t.scaling == ATTN4J_ROTARY_UNSCALED) return;
    if (!(t.factor >= 1) || !std::isfinite(t.factor))
        fail(ATTN4J_INVALID_ARGUMENT, "factor must be finite and at least 1: factor=%g", t.factor);
    if (t.scaling == ATTN4J_ROTARY_NTK && t.rotary_dim < 4)
        fail(ATTN4J_INVALID_ARGUMENT, "rotaryDim must be at least 4 with NTK scaling: rotaryDim=%lld",
             Long{t.rotary_dim});
    if (!by_rotations(t.scaling)) return;
    require_size("originalPositions", t.original_positions, 1);
    if (!(t.low_rotations > 0) || !(t.high_rotations > t.low_rotations) || !std::isfinite(t.high_rotations))
        fail(ATTN4J_INVALID_ARGUMENT,
             "rotations must be finite, and 0 < lowRotations < highRotations: lowRotations=%g highRotations=%g",
             t.low_rotations, t.high_rotations);
}

// The dimension, a fraction, that turns so many times within the original positions.
double dimension_of(const RotaryTables& t, double rotations) {
    const double d = static_cast<double>(t.rotary_dim);
    return d * std::log(static_cast<double>(t.original_positions) / (rotations * kTurn)) / (2 * std::log(t.base));
}

// How far pair d is interpolated, 0 to 1: ramps over pairs, between the two that have highRotations and lowRotations.
double yarn_share(const RotaryTables& t, double d) {
    double low = dimension_of(t, t.high_rotations), high = dimension_of(t, t.low_rotations);
    if (t.scaling == ATTN4J_ROTARY_YARN) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(t.rotary_dim - 1));
    if (low == high) high += 0.001;
    return std::clamp((d - low) / (high - low), 0.0, 1.0);
}

// Radians a position of pair d.
double frequency(const RotaryTables& t, int64_t pair) {
    const double d = static_cast<double>(pair), dim = static_cast<double>(t.rotary_dim);
    const double plain = std::pow(t.base, -2 * d / dim);
    double share = 0;  // interpolated
    switch (t.scaling) {
        case ATTN4J_ROTARY_UNSCALED:
            return plain;
        case ATTN4J_ROTARY_LINEAR:
            return plain / t.factor;
        case ATTN4J_ROTARY_NTK:
            return std::pow(t.base * std::pow(t.factor, dim / (dim - 2)), -2 * d / dim);
        case ATTN4J_ROTARY_YARN:
        case ATTN4J_ROTARY_YARN_UNROUNDED:
            share = yarn_share(t, d);
            break;
        case ATTN4J_ROTARY_LLAMA3: {
            const double rotations = static_cast<double>(t.original_positions) * plain / kTurn;
            share = 1 - std::clamp((rotations - t.low_rotations) / (t.high_rotations - t.low_rotations), 0.0, 1.0);
        }
    }
    return plain / t.factor * share + plain * (1 - share);
}

double magnitude(const RotaryTables& t) {
    if (t.attention_factor > 0) return t.attention_factor;
    const bool yarn = t.scaling == ATTN4J_ROTARY_YARN || t.scaling == ATTN4J_ROTARY_YARN_UNROUNDED;
    return yarn ? 0.1 * std::log(t.factor) + 1 : 1;
}

}  // namespace

void rotary_tables(const RotaryTables& t, float* cos, float* sin, int32_t threads) {
    check(t);
    require_threads(threads);
    if (t.positions == 0) return;
    const int64_t half = t.rotary_dim / 2;
    check_apart("cos", cos, 4 * span("cos", cos, t.table_stride, t.positions, half), "sin", sin,
                4 * span("sin", sin, t.table_stride, t.positions, half));
    const double length = magnitude(t);
    // A column at a time within a run of rows: its frequency is worked out once. An angle takes some 30 ns.
    for_rows(t.positions, half * 32, threads, [&](int64_t first, int64_t count) {
        for (int64_t pair = 0; pair < half; ++pair) {
            const double step = frequency(t, pair);
            for (int64_t row = first; row < first + count; ++row) {
                const double angle = static_cast<double>(t.first_position + row) * step;
                cos[row * t.table_stride + pair] = static_cast<float>(std::cos(angle) * length);
                sin[row * t.table_stride + pair] = static_cast<float>(std::sin(angle) * length);
            }
        }
    });
}

}  // namespace attn4j
