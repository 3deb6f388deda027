// SPDX-License-Identifier: Apache-2.0
// The body of decode.h where queries, keys and values are bfloat16, or keys and values are bytes, and the instruction
// set multiplies tiles of cells: far faster than memory gives them. Keys are multiplied as they lie, sixteen at a time
// by sixteen lanes of query rows or their parts; values once cells of several keys are put together:
//     s[key][lane] = sum_d k[key][d] q[lane][d]        o[part][d] = sum_key p[part][key] v[key][d]
// Products treat subnormal numbers of bfloat16 as 0, and a query row that is not finite makes bytes' scores NaN.
#pragma once

#include "kernels/decode/cells-inl.h"
#include "kernels/decode/decode-inl.h"

namespace {

template <typename Kind, typename Products>
struct TiledDecoding {
    static constexpr int64_t block_keys = Kind::per_cell * kTile * Kind::steps, groups = block_keys / kTile;
    static constexpr int64_t most_query_tiles = (kMostRows + Kind::query_rows - 1) / Kind::query_rows;
    static constexpr int64_t most_weight_tiles = (kMostRows + Kind::weight_rows - 1) / Kind::weight_rows;
    static constexpr int64_t weight_bytes = kTile * Kind::steps * 64;  // of a tile of rows

    const DecodeChunk& c;
    const bool careful;  // values may be infinite or NaN
    int64_t rows, query_cells, columns;
    bool in_place;         // keys lie as the product takes them, but for the last of them
    char* queries;         // tiles of [query_cells][kTile] cells
    char* weights;         // tiles of [kTile][Kind::steps][kTile] cells
    char* values;          // [Kind::steps * kTile][columns] cells
    char* copy;            // [block_keys][query_cells] cells
    float* products;       // [block_keys][kTile], of keys
    float* weighted;       // tiles of [kTile][columns], of values
    float* scores;         // [rows][block_keys]
    float* out;            // [rows][columns], in the order of position()
    float *units, *sizes;  // [rows], of queries and of weights
    DecodeState state;
    bool fresh;  // out holds nothing yet
    bool owing;  // the last block's weighted values are yet to be added to out

    static int64_t cells_of(int64_t dim) { return round_up(dim, Kind::per_cell * kTile) / Kind::per_cell; }
    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        const int64_t cells = cells_of(head_dim), wide = round_up(value_dim, Kind::dims);
        return most_query_tiles * cells * kTile + most_weight_tiles * (weight_bytes / 4 + kTile * wide) +
               Kind::steps * kTile * wide + block_keys * (cells + kTile + kMostRows) + kMostRows * wide +
               2 * kMostRows + kMostRows * F32::lanes;
    }

    TiledDecoding(const DecodeChunk& chunk, bool with_infinite) : c(chunk), careful(with_infinite) {
        rows = c.group * c.queries;
        query_cells = cells_of(c.head_dim);
        columns = round_up(c.value_dim, Kind::dims);
        in_place = c.head_dim == query_cells * Kind::per_cell && (c.k.pages == nullptr || c.k.page_rows % kTile == 0);
        float* at = c.workspace;
        const auto take = [&](int64_t count) {
            float* const part = at;
            at += count;
            return part;
        };
        queries = reinterpret_cast<char*>(take(most_query_tiles * query_cells * kTile));
        weights = reinterpret_cast<char*>(take(most_weight_tiles * weight_bytes / 4));
        values = reinterpret_cast<char*>(take(Kind::steps * kTile * columns));
        copy = reinterpret_cast<char*>(take(block_keys * query_cells));
        products = take(block_keys * kTile);
        weighted = take(most_weight_tiles * kTile * columns);
        scores = take(kMostRows * block_keys);
        out = take(kMostRows * columns);
        units = take(kMostRows);
        sizes = take(kMostRows);
        state.sums = take(kMostRows * F32::lanes);
        for (int64_t row = 0; row < kMostRows; ++row) state.maximum[row] = -kInfinity;
        for (int64_t i = 0; i < rows * F32::lanes; ++i) state.sums[i] = 0;
        fresh = true;
        owing = false;
        for (int64_t tile = 0; tile * Kind::query_rows < rows; ++tile)
            Kind::pack_queries(c, tile * Kind::query_rows, rows, query_cells, queries + tile * query_cells * 64, units,
                               reinterpret_cast<float*>(copy));
        for (int64_t tile = 0; tile * Kind::weight_rows < rows; ++tile) {
            char* const to = weights + tile * weight_bytes;
            for (int64_t i = 0; i < weight_bytes; i += 64) Cells::zero().store(to + i);
            Kind::pack_ones(to);
        }
    }

    // Addresses of a block's keys, kTile at a time: where they lie, or from `whole` on their copy.
    struct Groups {
        const char* at[groups];
        int64_t count, whole;
    };
    Groups groups_of(const RowAddresses& keys) const {
        Groups g;
        g.count = (keys.n + kTile - 1) / kTile;
        g.whole = in_place ? keys.n / kTile : 0;
        const int64_t key_bytes = c.head_dim * attn4j::bytes_of(Kind::element);
        for (int64_t group = 0; group < g.whole; ++group) g.at[group] = keys.at[group * kTile];
        for (int64_t i = g.whole * kTile; i < g.count * kTile; ++i)
            for (int64_t cell = 0; cell < query_cells; cell += kTile) {
                const int64_t left = i < keys.n ? key_bytes - cell * 4 : 0;
                Cells::load_first(keys.at[i] + cell * 4, left < 64 ? left : 64)
                    .store(copy + (i * query_cells + cell) * 4);
            }
        for (int64_t group = g.whole; group < g.count; ++group) g.at[group] = copy + group * kTile * query_cells * 4;
        return g;
    }

    // Products of a block of keys, which begins at a multiple of kTile, with the queries of a tile.
    void multiply_keys(const Groups& g, int64_t tile) const {
        const char* const lanes = queries + tile * query_cells * 64;
        const int64_t stride = c.k.stride * attn4j::bytes_of(Kind::element), copy_stride = query_cells * 4;
        for (int64_t group = 0; group < g.whole; group += 4)
            multiply(g.at + group, g.whole - group, stride, lanes, products + group * kTile * kTile);
        for (int64_t group = g.whole; group < g.count; group += 4)
            multiply(g.at + group, g.count - group, copy_stride, lanes, products + group * kTile * kTile);
    }

    ATTN4J_APART void multiply(const char* const* keys, int64_t count, int64_t stride, const char* lanes,
                               float* to) const {
        switch (count) {
            case 1:
                return Products::template scores<1>(keys, stride, lanes, query_cells, to);
            case 2:
                return Products::template scores<2>(keys, stride, lanes, query_cells, to);
            case 3:
                return Products::template scores<3>(keys, stride, lanes, query_cells, to);
            default:
                return Products::template scores<4>(keys, stride, lanes, query_cells, to);
        }
    }

    // [key][lane] to [row][key].
    ATTN4J_APART void finish_scores(int64_t first, int64_t group) const {
        F32 lanes[kTile];
        for (int64_t i = 0; i < kTile; ++i) lanes[i] = F32::load(products + (group * kTile + i) * kTile);
        transpose(lanes);
        for (int64_t r = 0; r < Kind::query_rows && first + r < rows; ++r)
            Kind::score(lanes, r, Kind::product_factor(c, units, first + r))
                .store(scores + (first + r) * block_keys + group * kTile);
    }

    // A block of keys with its values; `next` is the one after it. The matrix unit works on a block's values when vectors
    // have long made its weights, and on its keys while they put its values together.
    void take(int64_t first, const KeyValueRows& block, const KeyValueRows& next) {
        const int64_t n = block.keys.n;
        const int64_t query_tiles = (rows + Kind::query_rows - 1) / Kind::query_rows;
        const Groups g = groups_of(block.keys);
        const int64_t steps = Kind::steps * kTile + query_tiles * g.count + 4 * rows;
        Pace pace(c, next, steps);
        const auto meanwhile = [&] { pace.step(1); };
        multiply_keys(g, 0);
        if (owing) multiply_values();
        pack_values(block.values, n, meanwhile);
        if (owing) add_weighted(meanwhile);
        for (int64_t tile = 0; tile < query_tiles; ++tile) {
            if (tile > 0) multiply_keys(g, tile);
            for (int64_t group = 0; group < g.count; ++group) {
                meanwhile();
                finish_scores(tile * Kind::query_rows, group);
            }
        }
        const bool bytes = Kind::element == Element::i8;
        soften_rows(c,
                    DecodeBlock{scores, block_keys, first, n, bytes ? block.keys.scales : nullptr,
                                bytes ? block.values.scales : nullptr},
                    rows, state, meanwhile);
        for (int64_t row = 0; row < rows; ++row) {
            meanwhile();
            float* const of_row = scores + row * block_keys;
            // Beyond the last key nothing weighs.
            for (int64_t key = round_up(n, F32::lanes); key < block_keys; key += F32::lanes)
                F32::zero().store(of_row + key);
            Kind::pack_weights(of_row, row % Kind::weight_rows, weights + row / Kind::weight_rows * weight_bytes,
                               sizes[row]);
        }
        owing = true;
        if (careful) {
            leave_out_infinite_values();
            settle();
            add_infinite_values(block.values);
        }
    }

    // What the last block owes.
    void settle() {
        if (!owing) return;
        multiply_values();
        add_weighted([] {});
    }

    void multiply_values() const {
        for (int64_t tile = 0; tile * Kind::weight_rows < rows; ++tile)
            Products::values(weights + tile * weight_bytes, values, columns, columns,
                             weighted + tile * kTile * columns);
    }

    template <typename Meanwhile>
    ATTN4J_APART void pack_values(const RowAddresses& from, int64_t n, const Meanwhile& meanwhile) const {
        const int64_t element_bytes = attn4j::bytes_of(Kind::element), value_bytes = c.value_dim * element_bytes;
        for (int64_t i = 0; i < Kind::steps * kTile; ++i) {
            meanwhile();
            const int64_t key = i / kTile * Kind::per_cell * kTile;
            for (int64_t d = 0; d < c.value_dim; d += Kind::dims)
                Kind::pack_values(from.at + key, n - key, i % kTile, d, value_bytes - d * element_bytes,
                                  values + (i * columns + d) * 4);
        }
    }

    template <typename Meanwhile>
    ATTN4J_APART void add_weighted(const Meanwhile& meanwhile) {
        for (int64_t row = 0; row < rows; ++row) {
            meanwhile();
            const float* const from = weighted + row / Kind::weight_rows * kTile * columns;
            float* const to = out + row * columns;
            const F32 rescale = F32::set(state.rescale[row]), size = F32::set(sizes[row]);
            for (int64_t d = 0; d < columns; d += kTile) {
                const F32 x = Kind::sum(from + d, columns, row % Kind::weight_rows, size);
                (fresh ? x : fma(F32::load(to + d), rescale, x)).store(to + d);
            }
        }
        fresh = owing = false;
    }

    // 0 times an infinity or a NaN would be NaN, and not every row sees each key.
    ATTN4J_APART void leave_out_infinite_values() const {
        if constexpr (Kind::element == Element::bf16)
            for (int64_t i = 0; i < Kind::steps * kTile * columns; i += kTile) {
                auto* const at = reinterpret_cast<uint16_t*>(values + i * 4);
                finite_or_zero(Pairs::load(at)).store(at);
            }
    }

    // Whether the result is right: no value that was infinite or NaN took part.
    bool finite() const {
        F32 total = F32::zero();
        for (int64_t i = 0; i < rows * columns && !fresh; i += F32::lanes)
            total = fma(F32::load(out + i), F32::zero(), total);
        return !any(!(total == F32::zero()));
    }

    // What infinities and NaN among the values add, row by row that sees them.
    ATTN4J_APART void add_infinite_values(const RowAddresses& of_values) const {
        if constexpr (Kind::element != Element::bf16) return;
        for (int64_t key = 0; key < of_values.n; ++key)
            for (int64_t d = 0; d < c.value_dim; ++d) {
                const uint16_t value = reinterpret_cast<const uint16_t*>(of_values.at[key])[d];
                if ((value & 0x7f80) != 0x7f80) continue;
                const uint32_t bits = uint32_t{value} << 16;
                float number;
                __builtin_memcpy(&number, &bits, sizeof number);
                for (int64_t row = 0; row < rows; ++row) {
                    const float weight = scores[row * block_keys + key];
                    if (!__builtin_signbit(weight)) out[row * columns + Kind::position(d)] += weight * number;
                }
            }
    }

    void finish() const {
        const int64_t width = round_up(c.value_dim, F32::lanes);
        float* const maximum = c.partial + rows * width;
        float* const sums = maximum + rows;
        for (int64_t row = 0; row < rows; ++row) {
            maximum[row] = state.maximum[row];
            sums[row] = sum(F32::load(state.sums + row * F32::lanes));
            for (int64_t d = 0; d < width && !fresh; d += Kind::dims) {
                constexpr int vectors = Kind::dims / kTile;
                F32 x[vectors];
                for (int i = 0; i < vectors; ++i) x[i] = F32::load(out + row * columns + d + i * kTile);
                Kind::straighten(x);
                for (int i = 0; i < vectors && d + i * kTile < width; ++i)
                    x[i].store(c.partial + row * width + d + i * kTile);
            }
        }
    }
};

template <typename Kind, typename Products>
inline bool decode_tiled(const DecodeChunk& c, bool careful) {
    constexpr int64_t kKeys = TiledDecoding<Kind, Products>::block_keys;
    TiledDecoding<Kind, Products> decoding(c, careful);
    // Nobody sees what is before the first query's window or after the last query's edge.
    const int64_t last = c.last_key + c.queries, before = c.first_key - c.begin;
    const int64_t begin = c.begin + (before > 0 ? before / kTile * kTile : 0), end = last < c.end ? last : c.end;
    KeyValueRows blocks[2];
    find_block(c, begin, end, begin, kKeys, blocks[0]);
    Products::begin();
    for (int64_t first = begin, i = 0; first < end && !attn4j::is_set(c.cancelled); first += kKeys, ++i) {
        find_block(c, begin, end, first + kKeys, kKeys, blocks[(i + 1) % 2]);
        if (!all_hidden(c, first, blocks[i % 2].keys.n)) decoding.take(first, blocks[i % 2], blocks[(i + 1) % 2]);
    }
    decoding.settle();
    Products::end();
    if (Kind::element == Element::bf16 && !careful && !decoding.finite()) return false;
    decoding.finish();
    return true;
}

template <typename Kind, typename Products>
inline void decode_tiled(const DecodeChunk& c) {
    if (c.group * c.queries < Kind::fewest_rows) return decode(c);
    if (!decode_tiled<Kind, Products>(c, false)) decode_tiled<Kind, Products>(c, true);
}

template <typename Kind, typename Products>
inline int64_t tiled_workspace_floats(int64_t head_dim, int64_t value_dim) {
    const int64_t tiled = TiledDecoding<Kind, Products>::floats(head_dim, value_dim);
    const int64_t plain = decode_workspace_floats(head_dim, value_dim);
    return tiled > plain ? tiled : plain;
}

template <typename Kind, typename Products>
constexpr attn4j::DecodeKernel tiled_decode_kernel(int64_t most_queries) {
    return {kMostRows,
            most_queries,
            1024,
            decode_partial_floats,
            tiled_workspace_floats<Kind, Products>,
            decode_tiled<Kind, Products>,
            merge_chunks};
}

}  // namespace
