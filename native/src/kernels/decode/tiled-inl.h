// SPDX-License-Identifier: Apache-2.0
// The body of decode.h where queries, keys and values are bfloat16, or keys and values are bytes, and the instruction
// set multiplies tiles of cells: far faster than memory gives them. Of bfloat16 weights are rounded, and products treat
// subnormal numbers as 0; a query row that is not finite makes bytes' scores NaN.
#pragma once

#include "kernels/decode/decode-inl.h"
#include "kernels/decode/tiled_scores-inl.h"
#include "kernels/decode/tiled_values-inl.h"

namespace {

template <typename Kind, typename Products>
class TiledDecoding {
public:
    static constexpr int64_t most_keys = TiledScores<Kind, Products>::most_keys;
    static_assert(most_keys <= kMostTiledKeys);

    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return TiledScores<Kind, Products>::floats(head_dim) + TiledValues<Kind, Products>::floats(value_dim) +
               kMostRows * F32::lanes;
    }

    TiledDecoding(const DecodeChunk& chunk, bool careful)
        : c_(chunk),
          careful_(careful),
          memory_{chunk.workspace},
          scores_(chunk, memory_),
          values_(chunk, careful, memory_) {
        rows_ = c_.group * c_.queries;
        state_.begin(rows_, memory_.take(kMostRows * F32::lanes));
    }

    // A block of keys with their values; `next` is the one after it. The matrix unit takes a third of a microsecond to
    // awake once it had nothing to do for as long: it works once a block, on its keys and on the values of the one
    // before.
    void take(int64_t first, const KeyValueRows& block, const KeyValueRows& next) {
        const int64_t n = block.keys.n;
        Pace pace(c_, next, scores_.units(n) + (owed_ ? values_.units(owed_->n) : 0) + 3 * rows_ * soften_units(n));
        scores_.multiply(block.keys, pace);
        settle(pace);
        scores_.finish(n, pace);
        const bool bytes = Kind::element == Element::i8;
        float* const scores = scores_.scores();
        soften_rows(c_,
                    DecodeBlock{scores, most_keys, first, n, bytes ? block.keys.scales : nullptr,
                                bytes ? block.values.scales : nullptr},
                    rows_, state_, [&] { pace.step(soften_units(F32::lanes)); });
        for (int64_t row = 0; row < rows_; ++row) {
            pace.step(soften_units(n));
            float* const of_row = scores + row * most_keys;
            // Beyond the last key nothing weighs.
            for (int64_t key = round_up(n, F32::lanes); key < most_keys; key += F32::lanes)
                F32::zero().store(of_row + key);
            values_.pack_weights(row, of_row, n);
        }
        owed_ = &block.values;
        if (careful_) {
            settle();
            values_.add_infinite(first, n, scores, most_keys);
        }
    }

    // What the last block owes; after that its rows may be forgotten.
    void settle() {
        const KeyValueRows nothing{};
        Pace pace(c_, nothing, 1);
        settle(pace);
    }

    bool finite() const { return values_.finite(); }

    void finish() const {
        const int64_t width = round_up(c_.value_dim, F32::lanes);
        state_.finish(rows_, c_.partial + rows_ * width);
        values_.finish(c_.partial, width);
    }

private:
    // What each of the three passes over a row's weights takes, in cycles or so.
    static int64_t soften_units(int64_t n) { return n / 2; }

    void settle(Pace& pace) {
        if (owed_ == nullptr) return;
        values_.add(*owed_, state_.rescale, pace);
        owed_ = nullptr;
    }

    const DecodeChunk& c_;
    const bool careful_;  // values may be infinite or NaN
    Workspace memory_;
    TiledScores<Kind, Products> scores_;
    TiledValues<Kind, Products> values_;
    int64_t rows_;
    DecodeState state_;
    const RowAddresses* owed_ = nullptr;  // values of the last block, yet to be weighted and added
};

template <typename Kind, typename Products>
inline bool decode_tiled(const DecodeChunk& c, bool careful) {
    const int64_t keys = Kind::per_cell * kTile * Kind::steps(c.group * c.queries);
    TiledDecoding<Kind, Products> decoding(c, careful);
    const KeyRange range(c, kTile);
    KeyValueRows blocks[3];
    if (range.begin < range.end) find_block(c, range.begin, keys, kTile, blocks[0]);
    Products::begin();
    for (int64_t first = range.begin, i = 0; first < range.end && !attn4j::is_set(c.cancelled); first += keys, ++i) {
        const KeyValueRows& block = blocks[i % 3];
        KeyValueRows& next = blocks[(i + 1) % 3];
        find_block(c, first + keys, keys, kTile, next);
        all_hidden(c, first, block.keys.n) ? decoding.settle() : decoding.take(first, block, next);
    }
    decoding.settle();
    Products::end();
    if (Kind::element == Element::bf16 && !careful && !decoding.finite()) return false;
    decoding.finish();
    return true;
}

template <typename Kind, typename Products>
inline void decode_tiled(const DecodeChunk* chunks, int64_t count) {
    const DecodeChunk& c = *chunks;
    if (c.group * c.queries < Kind::fewest_rows) return decode(chunks, count);
    if (!decode_tiled<Kind, Products>(c, false)) decode_tiled<Kind, Products>(c, true);
}

template <typename Kind, typename Products>
inline int64_t tiled_workspace_floats(int64_t head_dim, int64_t value_dim) {
    return or_plain(TiledDecoding<Kind, Products>::floats(head_dim, value_dim), head_dim, value_dim);
}

template <typename Kind, typename Products>
constexpr attn4j::DecodeKernel tiled_decode_kernel(int64_t most_queries) {
    return {kMostRows,
            most_queries,
            1024,
            1,
            decode_partial_floats,
            tiled_workspace_floats<Kind, Products>,
            decode_tiled<Kind, Products>,
            merge_chunks};
}

}  // namespace
