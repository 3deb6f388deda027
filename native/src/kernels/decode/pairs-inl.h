// SPDX-License-Identifier: Apache-2.0
// The body of decode.h where queries, keys and values are bfloat16 and vectors multiply its pairs: nothing is widened,
// and an instruction does two multiply-adds a lane. Weights are rounded to bfloat16; products treat subnormal numbers
// as 0.
//     s[row][key] = sum_d q[row][d] k[key][d]      four rows by the quarters of a vector, which meet the same eight d
//     o[row][d]  += sum_key p[row][key] v[key][d]  lanes along d, pairs of keys
#pragma once

#include "kernels/decode/decode-inl.h"
#include "kernels/decode/infinite-inl.h"
#include "kernels/decode/quarters-inl.h"
#include "kernels/decode/zipped_values-inl.h"

namespace {

struct PairNumbers : ZippedHalves {
    static constexpr Element element = Element::bf16;
    static constexpr int keys = 2;
    static constexpr int digits = 1;
    static constexpr bool infinite = true;  // some may be
    using Number = uint16_t;
    using Weight = uint16_t;
    using Vector = Pairs;
    using Splat = PairSplat;
    using Sum = F32;
    using SumNumber = float;
    static Pairs repeat(const uint16_t* p) { return Pairs::repeat(p); }
    static Pairs repeat_first(const uint16_t* p, int64_t n) { return Pairs::repeat_first(p, n); }
    static Pairs load(const char* p) { return Pairs::load(reinterpret_cast<const uint16_t*>(p)); }
    static Pairs load_first(const char* p, int64_t n) {
        return Pairs::load_first(reinterpret_cast<const uint16_t*>(p), n);
    }
    static void zip(Pairs (&x)[2]) { zip_halves(x[0], x[1]); }
    static F32 start(const float*, int) { return F32::zero(); }
    static F32 rescaled(F32 sum, F32 factor) { return sum * factor; }
    static F32 dot(Pairs row, Pairs key, F32 sum) { return ::dot(row, key, sum); }
};
template <int kFours>
using PairScores = QuarterScores<PairNumbers, kFours>;
using PairValues = ZippedValues<PairNumbers>;
constexpr int64_t kQuarterDims = PairScores<1>::dims;

class PairDecoding {
public:
    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        return kMostRows * (round_up(head_dim, kQuarterDims) / 2 + F32::lanes + round_up(value_dim, PairValues::dims)) +
               kScores + kScores / 2 + 2 * kQuarters * kQuarterStripKeys;
    }

    PairDecoding(const DecodeChunk& chunk, bool careful)
        : c_(chunk), careful_(careful), factor_(score_factor(chunk.scale, chunk.softcap)) {
        rows_ = c_.group * c_.queries;
        most_keys_ = block_keys(rows_);
        dims_ = round_up(c_.head_dim, kQuarterDims);
        columns_ = round_up(c_.value_dim, PairValues::dims);
        Workspace memory{c_.workspace};
        q_ = reinterpret_cast<uint16_t*>(memory.take(kMostRows * dims_ / 2));
        scores_ = memory.take(kScores);
        weights_ = reinterpret_cast<uint16_t*>(memory.take(kScores / 2));
        products_ = memory.take(2 * kQuarters * kQuarterStripKeys);
        out_ = memory.take(kMostRows * columns_);
        state_.begin(rows_, memory.take(kMostRows * F32::lanes));
        load_rows();
    }

    int64_t most_keys() const { return most_keys_; }  // of a block

    // The weights of a block.
    void weigh(const CacheBlock& block) {
        const int64_t n = block.n;
        const RowRuns keys(c_, &DecodeChunk::k, c_.head_dim, block);
        for_each_strip(keys, n, kQuarterStripKeys, [&](const RowRuns& strip, int64_t begin, int64_t count) {
            cover<2>((rows_ + kQuarters - 1) / kQuarters, 0, Scores{*this, strip, begin, count});
        });
        soften_rows(c_, DecodeBlock{scores_, most_keys_, block.first, n, nullptr, nullptr}, rows_, state_, [] {});
        for (int64_t row = 0; row < rows_; ++row)
            for (int64_t key = 0; key < n; key += 2 * F32::lanes) {
                const float* const from = scores_ + row * most_keys_ + key;
                Pairs::side_by_side(F32::load(from), F32::load(from + F32::lanes))
                    .store(weights_ + row * most_keys_ + key);
            }
    }

    // Its values.
    void add(const CacheBlock& block) {
        const int64_t n = block.n;
        const RowRuns values(c_, &DecodeChunk::v, c_.value_dim, block);
        const bool in_strips = rows_ <= kQuarters && !PairValues::at_once(rows_, c_.value_dim);
        for_each_strip(values, n, in_strips ? kStripKeys : n, weights_, most_keys_, rows_,
                       [&](const RowRuns& strip, int64_t begin, int64_t count) { add(strip, begin, count); });
        if (careful_)
            add_infinite(values, n, c_.value_dim, scores_, most_keys_, rows_, out_, columns_, ZippedHalves::position);
    }

    // Whether the result is right: no value that was infinite or NaN took part.
    bool finite() const { return fresh_ || all_finite(out_, rows_ * columns_); }

    void finish() const {
        const int64_t width = round_up(c_.value_dim, F32::lanes);
        state_.finish(rows_, c_.partial + rows_ * width);
        for (int64_t row = 0; row < rows_ && !fresh_; ++row)
            store_straight<ZippedHalves>(out_ + row * columns_, width, c_.partial + row * width);
    }

private:
    void load_rows() {
        for (int64_t row = 0; row < round_up(rows_, kQuarters); ++row) {
            const uint16_t* const from = static_cast<const uint16_t*>(c_.q) + query_at(c_, row);
            uint16_t* const to = q_ + row / kQuarters * kQuarters * dims_ + row % kQuarters * kQuarterDims;
            for (int64_t d = 0; d < dims_; d += kQuarterDims) {
                const int64_t left = row < rows_ ? c_.head_dim - d : 0, n = left < kQuarterDims ? left : kQuarterDims;
                __builtin_memset(to + d * kQuarters, 0, kQuarterDims * sizeof *to);
                if (n > 0) __builtin_memcpy(to + d * kQuarters, from + d, static_cast<size_t>(n) * sizeof *to);
            }
        }
    }

    // Keys [begin, begin + count) of a block.
    void add(const RowRuns& values, int64_t begin, int64_t count) {
        // One pass over whole rows leaves fetching to the hardware where that sees what comes.
        const int64_t fetching_row = PairValues::at_once(rows_, c_.value_dim) && !values.every_line() ? -1 : 0;
        const float* const rescale = begin == 0 ? state_.rescale : nullptr;
        const PairValues add_values{values, count,    fetching_row, weights_ + begin, most_keys_, c_.value_dim,
                                    out_,   columns_, rescale,      fresh_,           careful_};
        if (rows_ == PairValues::whole_rows) {
            cover<4>(rows_, 0, add_values);
        } else {
            cover<5>(rows_, 0, add_values);
        }
        fresh_ = false;
    }

    struct Scores {
        const PairDecoding& d;
        const RowRuns& keys;
        int64_t begin, n;  // keys of the block
        template <int kFours>
        void operator()(int64_t four) const {
            const int64_t row = four * kQuarters;
            PairScores<kFours>{keys, n, d.c_.head_dim, four == 0, d.q_ + row * d.dims_, nullptr, d.products_}.run();
            for (int i = 0; i < kFours; ++i)
                d.straighten(d.products_ + i * kQuarterStripKeys * kQuarters, n, row + i * kQuarters, begin);
        }
    };

    // Products of four rows from `row` on with n keys to their scores, from the one numbered `begin` on.
    void straighten(const float* products, int64_t n, int64_t row, int64_t begin) const {
        for (int64_t key = 0; key < n; key += F32::lanes)
            store_rows(
                scores_ + row * most_keys_ + begin + key, most_keys_,
                [&](int i) { return F32::load(products + key * kQuarters + i * F32::lanes); },
                [&](int) { return factor_; });
    }

    const DecodeChunk& c_;
    const bool careful_;  // values may be infinite or NaN
    const F32 factor_;
    int64_t rows_, most_keys_, dims_, columns_;
    uint16_t* q_;        // fours of rows, as PairScores takes them
    float* scores_;      // [rows][most_keys]
    uint16_t* weights_;  // [rows][most_keys]
    float* products_;    // of two fours of rows, as PairScores gives them
    float* out_;         // [rows][columns]
    DecodeState state_;
    bool fresh_ = true;  // out holds nothing yet
};

inline void decode_pairs(const DecodeChunk* chunks, int64_t count) {
    if (chunks->group * chunks->queries < kFewestQuarterRows) return decode(chunks, count);
    std::optional<PairDecoding> decodings[attn4j::kMostHeadsTogether];
    for (int64_t i = 0; i < count; ++i) decodings[i].emplace(chunks[i], false);
    take_blocks(chunks, decodings, count);
    for (int64_t i = 0; i < count; ++i) {
        if (!decodings[i]->finite()) {
            decodings[i].emplace(chunks[i], true);
            take_blocks(&chunks[i], &decodings[i], 1);
        }
        decodings[i]->finish();
    }
}

inline int64_t pairs_workspace_floats(int64_t head_dim, int64_t value_dim) {
    return or_plain(PairDecoding::floats(head_dim, value_dim), head_dim, value_dim);
}

constexpr attn4j::DecodeKernel pairs_decode_kernel(int64_t most_queries) {
    return {kMostRows,    most_queries, 1024, attn4j::kMostHeadsTogether, decode_partial_floats, pairs_workspace_floats,
            decode_pairs, merge_chunks};
}

}  // namespace
