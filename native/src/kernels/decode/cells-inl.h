// SPDX-License-Identifier: Apache-2.0
// What goes into the products of tiled-inl.h: cells of 32 bits along the summed dimension, of bfloat16 or of bytes. A
// number that is finer than bytes is taken in parts, a row of the product each, whose results are added up afterwards.
#pragma once

#include "kernels/decode/multiples-inl.h"
#include "kernels/decode/rows-inl.h"
#include "kernels/decode/soften-inl.h"
#include "kernels/decode/zipped-inl.h"

namespace {

// Rows of a product's tile, or its lanes.
constexpr int64_t kTile = 16;

// Up to 64 of `bytes` from `at` on of row i of n; kWhole: there are as many, and n is not looked at.
template <bool kWhole>
ATTN4J_INLINE Cells load_cells(const char* const* rows, int64_t n, int64_t i, int64_t at, int64_t bytes) {
    if (kWhole) return Cells::load(rows[i] + at);
    return i >= n ? Cells::zero() : Cells::load_first(rows[i] + at, bytes < 64 ? bytes : 64);
}

// Queries, keys and values of bfloat16: queries are exact as they are, weights are rounded.
struct HalfCells : ZippedHalves {
    static constexpr Element element = Element::bf16;
    // Of fewer, vectors are as fast or faster: what is put together for the products is little used.
    static constexpr int64_t fewest_rows = 5;
    static constexpr int64_t per_cell = 2;
    static constexpr int64_t query_rows = kTile, weight_rows = kTile;  // in a tile
    static constexpr int64_t most_steps = 4;                           // of kTile cells in a block of keys
    static int64_t steps(int64_t) { return most_steps; }

    // Rows [first, first + query_rows) to the lanes of cells [cells][kTile].
    static void pack_queries(const DecodeChunk& c, int64_t first, int64_t rows, int64_t cells, char* to, float*,
                             float*) {
        const auto* const q = static_cast<const uint16_t*>(c.q);
        for (int64_t cell = 0; cell < cells; cell += kTile) {
            const int64_t left = c.head_dim - per_cell * cell;
            Pairs lanes[kTile];
            for (int64_t i = 0; i < kTile; ++i)
                lanes[i] = first + i < rows ? Pairs::load_first(q + query_at(c, first + i) + per_cell * cell,
                                                                left < per_cell * kTile ? left : per_cell * kTile)
                                            : Pairs::zero();
            transpose(lanes);
            for (int64_t i = 0; i < kTile; ++i) lanes[i].store(reinterpret_cast<uint16_t*>(to + (cell + i) * 64));
        }
    }
    static F32 score(const F32 (&lanes)[kTile], int64_t r, F32 factor) { return lanes[r] * factor; }
    static F32 product_factor(const DecodeChunk& c, const float*, int64_t) { return score_factor(c.scale, c.softcap); }

    // Weights of `steps` steps of keys, cell i of a step those of its keys i and kTile + i, to row r.
    static void pack_weights(const float* weights, int64_t steps, int64_t r, char* to, float&) {
        for (int64_t step = 0; step < steps; ++step) {
            const F32 even = F32::load(weights + 2 * step * kTile), odd = F32::load(weights + (2 * step + 1) * kTile);
            Pairs::narrow(even, odd).store(reinterpret_cast<uint16_t*>(to + (step + r * most_steps) * 64));
        }
    }
    static void pack_ones(char*) {}

    // 32 dimensions of the keys of cells row `i` of a step, in the order of position().
    template <bool kWhole>
    static ATTN4J_INLINE void pack_values(const char* const* rows, int64_t n, int64_t i, int64_t d, int64_t bytes,
                                          char* to) {
        Cells a = load_cells<kWhole>(rows, n, i, d * 2, bytes),
              b = load_cells<kWhole>(rows, n, i + kTile, d * 2, bytes);
        zip_halves(a, b);
        a.store(to);
        b.store(to + 64);
    }

    // Of products [kTile][stride].
    static F32 sum(const float* products, int64_t stride, int64_t r, F32) { return F32::load(products + r * stride); }
};

// Keys and values of bytes: queries and weights are whole multiples, below 2^23, of a part of their largest number, in
// three digits. As those are unsigned, 2^23 too much, a row of ones tells what to take away.
struct ByteCells : ZippedBytes {
    static constexpr Element element = Element::i8;
    static constexpr int64_t fewest_rows = 1;
    static constexpr int64_t per_cell = 4;
    static constexpr int64_t query_rows = 5, weight_rows = 5;
    static constexpr int64_t most_steps = 2;
    // In a block of keys. Of more rows, more keys for each time the matrix unit is awoken (a tenth of the time).
    static int64_t steps(int64_t rows) { return rows <= query_rows ? 1 : most_steps; }
    static constexpr int64_t ones = kTile - 1;

    static constexpr float most_units = 8388604.0f;  // less what two roundings may add

    static void pack_queries(const DecodeChunk& c, int64_t first, int64_t rows, int64_t cells, char* to, float* units,
                             float* row_buffer) {
        const F32 factor = score_factor(c.scale, c.softcap);
        for (int64_t i = 0; i < cells * kTile; i += F32::lanes) F32::zero().store(reinterpret_cast<float*>(to) + i);
        for (int64_t r = 0; r < query_rows && first + r < rows; ++r) {
            const Unit unit = load_query(c, first + r, factor, per_cell * cells, row_buffer).unit(most_units);
            units[first + r] = unit.size;
            for (int64_t cell = 0; cell < cells; cell += kTile) {
                F32 x[4];
                for (int64_t i = 0; i < 4; ++i)
                    x[i] = F32::load(row_buffer + per_cell * cell + i * F32::lanes) * F32::set(unit.inverse);
                unzip(x[0], x[1]);
                unzip(x[2], x[3]);
                unzip(x[0], x[2]);
                unzip(x[1], x[3]);
                const F32 by_place[4] = {x[0], x[1], x[2], x[3]};
                Cells digit[3];
                digits(by_place, digit);
                for (int64_t part = 0; part < 3; ++part) {
                    alignas(64) int32_t column[kTile];
                    digit[part].store(column);
                    for (int64_t i = 0; i < kTile; ++i)
                        __builtin_memcpy(to + (cell + i) * 64 + 4 * (part * query_rows + r), &column[i], 4);
                }
            }
        }
        for (int64_t cell = 0; cell < cells; ++cell) __builtin_memset(to + cell * 64 + 4 * ones, 1, 4);
    }
    static F32 number(F32 low, F32 middle, F32 high, F32 sum_of_ones) {
        return fma(from_integers(less_times_128(high, sum_of_ones)), F32::set(65536),
                   fma(from_integers(middle), F32::set(256), from_integers(low)));
    }
    static F32 score(const F32 (&lanes)[kTile], int64_t r, F32 factor) {
        return number(lanes[r], lanes[query_rows + r], lanes[2 * query_rows + r], lanes[ones]) * factor;
    }
    static F32 product_factor(const DecodeChunk&, const float* units, int64_t row) { return F32::set(units[row]); }

    // Cell i of a step is of its keys i, kTile + i, 2 * kTile + i and 3 * kTile + i.
    static void pack_weights(const float* weights, int64_t steps, int64_t r, char* to, float& size) {
        const Unit unit = magnitude_of(weights, per_cell * steps * kTile).unit(most_units);
        size = unit.size;
        for (int64_t step = 0; step < steps; ++step) {
            F32 of_step[4];
            for (int i = 0; i < 4; ++i)
                of_step[i] = F32::load(weights + (4 * step + i) * kTile) * F32::set(unit.inverse);
            Cells digit[3];
            digits(of_step, digit);
            for (int64_t part = 0; part < 3; ++part)
                digit[part].store(to + ((part * weight_rows + r) * most_steps + step) * 64);
        }
    }
    static void pack_ones(char* to) { __builtin_memset(to + ones * most_steps * 64, 1, most_steps * 64); }

    template <bool kWhole>
    static ATTN4J_INLINE void pack_values(const char* const* rows, int64_t n, int64_t i, int64_t d, int64_t bytes,
                                          char* to) {
        Cells x[4];
        for (int64_t j = 0; j < 4; ++j) x[j] = load_cells<kWhole>(rows, n, i + j * kTile, d, bytes);
        zip_bytes(x);
        for (int64_t j = 0; j < 4; ++j) x[j].store(to + j * 64);
    }
    static F32 sum(const float* products, int64_t stride, int64_t r, F32 size) {
        const auto at = [&](int64_t row) { return F32::load(products + row * stride); };
        return number(at(r), at(weight_rows + r), at(2 * weight_rows + r), at(ones)) * size;
    }
};

}  // namespace
