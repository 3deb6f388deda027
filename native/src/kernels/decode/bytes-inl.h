// SPDX-License-Identifier: Apache-2.0
// The body of decode.h where keys and values are bytes and vectors multiply fours of them: nothing is widened, and an
// instruction does four multiply-adds a lane. Queries and the weights of a block are whole multiples of a part of their
// largest number, in digits of the base 256: of float32 three, which keep what float32 keeps; where queries are of 16
// bits, two.
//     s[row][key] = sum_d q[row][d] k[key][d]      four rows by the quarters of a vector, a digit of each
//     o[row][d]  += sum_key p[row][key] v[key][d]  lanes along d, fours of keys
// Instructions multiply unsigned bytes by signed ones. Of scores, keys are made so, 128 too large, and sums begin with
// -128 times those of the row's digits; of values, the weights are.
#pragma once

#include "kernels/decode/decode-inl.h"
#include "kernels/decode/multiples-inl.h"
#include "kernels/decode/quarters-inl.h"
#include "kernels/decode/zipped_values-inl.h"

namespace {

template <int kDigits>
struct ByteNumbers : ZippedBytes {
    static constexpr Element element = Element::i8;
    static constexpr int keys = 4;
    static constexpr int digits = kDigits;
    static constexpr bool infinite = false;
    using Number = int8_t;
    using Weight = uint8_t;
    using Vector = Cells;
    using Splat = CellSplat;
    using Sum = Integers;
    using SumNumber = int32_t;
    static Cells repeat(const int8_t* p) { return repeat_plus_128(p); }
    static Cells repeat_first(const int8_t* p, int64_t n) { return repeat_plus_128_first(p, n); }
    static Cells load(const char* p) { return Cells::load(p); }
    static Cells load_first(const char* p, int64_t n) { return Cells::load_first(p, n); }
    static void zip(Cells (&x)[4]) { zip_bytes(x); }
    static Integers start(const int32_t* p, int group) { return Integers::load(p + group * Integers::lanes); }
    static Integers rescaled(Integers sum, F32) { return sum; }  // begun anew with each block, they owe nothing
    static Integers join(Integers low, Integers high) { return low + times_256(high); }
    static Integers dot(Cells row, Cells key, Integers sum) { return ::dot(key, row, sum); }
};

template <int kDigits>
class ByteDecoding {
    // The largest numbers of so many digits, less what two roundings may add.
    static constexpr float kMostSigned = kDigits == 2 ? 32638.0f : 8355708.0f;
    static constexpr float kMostUnsigned = kDigits == 2 ? 65534.0f : 16777212.0f;
    // Fours of rows that are multiplied at once.
    static constexpr int kMostFours = kDigits == 2 ? 2 : 1;

    template <int kFours>
    using Scores = QuarterScores<ByteNumbers<kDigits>, kFours>;
    using Values = ZippedValues<ByteNumbers<kDigits>>;
    static constexpr int64_t kQuarterDims = Scores<1>::dims;
    static constexpr int kSums = Scores<1>::sums;  // of products, two digits each

public:
    static int64_t floats(int64_t head_dim, int64_t value_dim) {
        const int64_t dims = round_up(head_dim, kQuarterDims), columns = round_up(value_dim, Values::dims);
        return round_up(head_dim, F32::lanes) + kMostRows * kDigits * (dims / 4 + F32::lanes / kQuarters) + kScores +
               kDigits * kScores / 4 + kMostFours * kSums * kQuarters * kQuarterStripKeys +
               kMostRows * (F32::lanes + (1 + kDigits) * columns);
    }

    explicit ByteDecoding(const DecodeChunk& chunk) : c_(chunk) {
        rows_ = c_.group * c_.queries;
        most_keys_ = block_keys(rows_);
        dims_ = round_up(c_.head_dim, kQuarterDims);
        columns_ = round_up(c_.value_dim, Values::dims);
        Workspace memory{c_.workspace};
        q_ = reinterpret_cast<int8_t*>(memory.take(kMostRows * kDigits * dims_ / 4));
        starts_ = reinterpret_cast<int32_t*>(memory.take(kMostRows * kDigits * F32::lanes / kQuarters));
        scores_ = memory.take(kScores);
        weights_ = reinterpret_cast<uint8_t*>(memory.take(kDigits * kScores / 4));
        products_ = reinterpret_cast<int32_t*>(memory.take(kMostFours * kSums * kQuarters * kQuarterStripKeys));
        out_ = memory.take(kMostRows * columns_);
        sums_ = reinterpret_cast<int32_t*>(memory.take(kMostRows * kDigits * columns_));
        state_.begin(rows_, memory.take(kMostRows * F32::lanes));
        load_rows(memory.take(round_up(c_.head_dim, F32::lanes)));
    }

    int64_t most_keys() const { return most_keys_; }  // of a block

    // A block, as for_each_block() gives it.
    void take(const CacheBlock& block) {
        const int64_t first = block.first, n = block.n;
        alignas(64) float k_copy[kMostBlockKeys], v_copy[kMostBlockKeys];
        const float* const k_scales = scales_of(c_.k, first, n, k_copy);
        const float* const v_scales = scales_of(c_.v, first, n, v_copy);
        const RowRuns keys(c_, &DecodeChunk::k, c_.head_dim, block);
        for_each_strip(keys, n, kQuarterStripKeys, [&](const RowRuns& strip, int64_t begin, int64_t count) {
            cover<kMostFours>((rows_ + kQuarters - 1) / kQuarters, 0, Strip{*this, strip, begin, count});
            fetch_scales(c_.k, first + n + begin, count);
            fetch_scales(c_.v, first + n + begin, count);
        });
        const RowRuns values(c_, &DecodeChunk::v, c_.value_dim, block);
        Magnitude magnitudes[kMostRows];
        soften_rows(c_, DecodeBlock{scores_, most_keys_, first, n, k_scales, v_scales, magnitudes}, rows_, state_,
                    FetchMeanwhile(values, c_));
        for (int64_t row = 0; row < rows_; ++row) weigh_digits(row, n, magnitudes[row].unit(kMostUnsigned));
        for_each_strip(values, n, rows_ <= kQuarters ? kByteStripKeys : n, weights_, most_keys_, rows_ * kDigits,
                       [&](const RowRuns& strip, int64_t begin, int64_t count) {
                           cover<2>(rows_, 0,
                                    Values{strip, count, rows_ <= kQuarters ? last_rows(rows_, 2) : 0, weights_ + begin,
                                           most_keys_, c_.value_dim, sums_, columns_, nullptr, begin == 0, false});
                       });
        for (int64_t row = 0; row < rows_; ++row) add_sums(row);
        fresh_ = false;
    }

    void finish() const {
        const int64_t width = round_up(c_.value_dim, F32::lanes);
        state_.finish(rows_, c_.partial + rows_ * width);
        for (int64_t row = 0; row < rows_ && !fresh_; ++row)
            store_straight<ZippedBytes>(out_ + row * columns_, width, c_.partial + row * width);
    }

private:
    // So many keys' values are added to all rows before the next are read, where memory is waited for.
    static constexpr int64_t kByteStripKeys = 64;

    static F32 number(const F32 (&digit)[kDigits]) {
        F32 x = digit[kDigits - 1];
        for (int i = kDigits - 2; i >= 0; --i) x = fma(x, F32::set(256), digit[i]);
        return x;
    }

    // Digit `digit` of fours of rows.
    int8_t* digits_of(int64_t four, int64_t digit) const { return q_ + (four * kDigits + digit) * kQuarters * dims_; }

    void load_rows(float* row_numbers) {
        const F32 factor = score_factor(c_.scale, c_.softcap);
        const int64_t fours = (rows_ + kQuarters - 1) / kQuarters;
        __builtin_memset(q_, 0, static_cast<size_t>(fours * kDigits * kQuarters * dims_));
        for (int64_t row = 0; row < rows_; ++row) {
            const Unit unit = load_query(c_, row, factor, dims_, row_numbers).unit(kMostSigned);
            units_[row] = unit.size;
            for (int64_t d = 0; d < c_.head_dim; d += kQuarterDims)
                signed_digits<kDigits>(F32::load(row_numbers + d) * F32::set(unit.inverse),
                                       digits_of(row / kQuarters, 0) + d * kQuarters + row % kQuarters * kQuarterDims,
                                       kQuarters * dims_);
        }
        alignas(64) uint8_t all_128[64];
        __builtin_memset(all_128, 128, sizeof all_128);
        for (int64_t part = 0; part < fours * kDigits; ++part) {
            Integers total = Integers::zero();
            for (int64_t d = 0; d < dims_; d += kQuarterDims)
                total = dot(CellSplat::load(all_128), Cells::load(q_ + (part * dims_ + d) * kQuarters), total);
            (Integers::zero() - total).store(starts_ + part * F32::lanes);
        }
    }

    struct Strip {
        const ByteDecoding& d;
        const RowRuns& keys;
        int64_t begin, n;  // keys of the block
        template <int kFours>
        void operator()(int64_t four) const {
            Scores<kFours>{
                keys,       n, d.c_.head_dim, four == 0, d.digits_of(four, 0), d.starts_ + four * kDigits * F32::lanes,
                d.products_}
                .run();
            for (int i = 0; i < kFours; ++i)
                d.straighten(d.products_ + i * kSums * kQuarterStripKeys * kQuarters, n, (four + i) * kQuarters, begin);
        }
    };

    // Products of four rows' digits from `row` on with n keys to their scores, from the one numbered `begin` on.
    void straighten(const int32_t* products, int64_t n, int64_t row, int64_t begin) const {
        for (int64_t key = 0; key < n; key += F32::lanes)
            store_rows(
                scores_ + row * most_keys_ + begin + key, most_keys_,
                [&](int i) {
                    const auto sum = [&](int64_t j) {
                        return Integers::load(products + (j * kQuarterStripKeys + key) * kQuarters + i * F32::lanes)
                            .to_f32();
                    };
                    return kSums == 1 ? sum(0) : fma(sum(kSums - 1), F32::set(65536), sum(0));
                },
                [&](int r) { return F32::set(units_[row + r]); });
    }

    // The weights of a row and n keys to digits.
    void weigh_digits(int64_t row, int64_t n, const Unit& unit) {
        const float* const from = scores_ + row * most_keys_;
        weight_units_[row] = unit.size;
        for (int64_t key = 0; key < n; key += F32::lanes)
            unsigned_digits<kDigits>(F32::load(from + key) * F32::set(unit.inverse),
                                     weights_ + row * kDigits * most_keys_ + key, most_keys_);
    }

    // What a block adds to the result of a row.
    void add_sums(int64_t row) const {
        const F32 factor = F32::set(state_.rescale[row]), unit = F32::set(weight_units_[row]);
        for (int64_t d = 0; d < columns_; d += F32::lanes) {
            float* const to = out_ + row * columns_ + d;
            F32 digit[kDigits];
            for (int64_t j = 0; j < kDigits; ++j)
                digit[j] = Integers::load(sums_ + (row * kDigits + j) * columns_ + d).to_f32();
            const F32 before = fresh_ ? F32::zero() : F32::load(to) * factor;
            fma(number(digit), unit, before).store(to);
        }
    }

    const DecodeChunk& c_;
    int64_t rows_, most_keys_, dims_, columns_;
    int8_t* q_;          // fours of rows, [kDigits] as Scores takes them
    int32_t* starts_;    // [fours][kDigits][lanes]
    float* scores_;      // [rows][most_keys]
    uint8_t* weights_;   // [rows][kDigits][most_keys]
    int32_t* products_;  // of kMostFours fours of rows, as Scores gives them
    float* out_;         // [rows][columns]
    int32_t* sums_;      // [rows][kDigits][columns], of a block
    alignas(64) float units_[kMostRows];
    float weight_units_[kMostRows];  // of a block
    DecodeState state_;
    bool fresh_ = true;  // out holds nothing yet
};

template <int kDigits>
inline void decode_bytes_of(const DecodeChunk& c) {
    ByteDecoding<kDigits> decoding(c);
    for_each_block(c, decoding.most_keys(), [&](const CacheBlock& block) { decoding.take(block); });
    decoding.finish();
}

// Sums over more products of bytes with two joined digits, 2^22 or less each, might not fit 32 bits.
constexpr int64_t kMostByteDims = 256;

inline void decode_bytes(const DecodeChunk* chunks, int64_t count) {
    const DecodeChunk& c = *chunks;
    if (c.group * c.queries < kFewestQuarterRows || c.head_dim > kMostByteDims) return decode(chunks, count);
    c.q_type == Element::f32 ? decode_bytes_of<3>(c) : decode_bytes_of<2>(c);
}

inline int64_t bytes_workspace_floats(int64_t head_dim, int64_t value_dim) {
    return or_plain(ByteDecoding<3>::floats(head_dim, value_dim), head_dim, value_dim);
}

constexpr attn4j::DecodeKernel bytes_decode_kernel(int64_t most_queries) {
    return {kMostRows,    most_queries, 1024, 1, decode_partial_floats, bytes_workspace_floats,
            decode_bytes, merge_chunks};
}

}  // namespace
