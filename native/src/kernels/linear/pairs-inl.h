// SPDX-License-Identifier: Apache-2.0
// The body of linear_bf16.h where the instruction set multiplies pairs of bfloat16. Lanes are rows, packed once; the
// weight is multiplied as it lies, but for what the units of the product do not divide, which is copied first. For
// fewer rows than lanes that of few_rows_out_in-inl.h, if the product has it. A matrix unit is faster than the weight
// comes from memory: a panel of it meets several parts of the rows, while the next is fetched.
#pragma once

#include "kernels/bf16/pack-inl.h"
#include "kernels/linear/finish_bf16-inl.h"

namespace {

// Features of a panel, whose sums (of a part of the rows 16 KiB at four vectors) stay in the first cache while they are
// added to, and inputs of a block.
constexpr int64_t kPairFeatures = 64, kPairInputs = 512;

// Of packed rows, at most, but for a single part: the second cache holds panels beside them.
constexpr int64_t kPackedBytes = 1 << 20;

// Fetches a panel's block of inputs, a line after the other, evenly over so many steps of products: few columns of a row
// are read at a time, too few for the hardware to foresee what comes.
class InputsAhead {
public:
    // Inputs from `first` on of the features from `panel` on, or nothing if there are none.
    InputsAhead(const Bf16LinearBlock& block, int64_t panel, int64_t first, int64_t steps)
        : at_(reinterpret_cast<const char*>(block.weight +
                                            (panel < block.out_features ? panel * block.weight_stride + first : 0))),
          row_bytes_(2 * (block.in_features - first < kPairInputs ? block.in_features - first : kPairInputs)),
          to_next_(2 * block.weight_stride - round_up(row_bytes_, kLineBytes)),
          steps_(steps) {
        const int64_t left = block.out_features - panel, rows = left < kPairFeatures ? left : kPairFeatures;
        lines_ = left_ = left <= 0 ? 0 : rows * (round_up(row_bytes_, kLineBytes) / kLineBytes);
    }

    ATTN4J_INLINE void step() {
        for (due_ += lines_; due_ >= steps_ && left_ > 0; due_ -= steps_, --left_) {
            __builtin_prefetch(at_, 0, 2);
            at_ += kLineBytes;
            byte_ += kLineBytes;
            if (byte_ < row_bytes_) continue;
            byte_ = 0;
            at_ += to_next_;
        }
    }

private:
    const char* at_;
    const int64_t row_bytes_, to_next_, steps_;
    int64_t lines_, left_, due_ = 0, byte_ = 0;
};

template <typename Tiles>
class PairsLinear {
    using Products = typename Tiles::Products;
    static constexpr int most_vectors = Products::max_vectors;
    static constexpr int64_t part_rows = most_vectors * F32::lanes, most_parts = Products::parts_together;

    static int64_t packed_floats(int64_t in_features) { return round_up(in_features, kPairRow) / 2 * part_rows; }

    // Parts whose packed rows leave the second cache room for the panels.
    static int64_t parts_at_once(int64_t in_features) {
        const int64_t fit = kPackedBytes / (4 * packed_floats(in_features));
        return fit < 1 ? 1 : fit < most_parts ? fit : most_parts;
    }
    static int64_t parts_of(int64_t rows) { return (rows + part_rows - 1) / part_rows; }

public:
    static constexpr int64_t most_rows = most_parts * part_rows;

    static int64_t floats(int64_t rows, int64_t in_features) {
        const int64_t most = parts_at_once(in_features), parts = parts_of(rows) < most ? parts_of(rows) : most;
        return parts * (kPairFeatures * part_rows + packed_floats(in_features)) + kPairFeatures * kPairInputs / 2;
    }

    explicit PairsLinear(const Bf16LinearBlock& block)
        : block_(block),
          inputs_(round_up(block.in_features, kPairRow)),
          copy_(reinterpret_cast<uint16_t*>(block.workspace)) {}

    void run() {
        // As few times as packed rows fit, evenly.
        const int64_t parts = parts_of(block_.rows), most = parts_at_once(block_.in_features);
        const int64_t times = (parts + most - 1) / most, at_once = (parts + times - 1) / times * part_rows;
        for (int64_t row = 0; row < block_.rows; row += at_once) {
            pack(row, block_.rows - row < at_once ? block_.rows - row : at_once);
            for (int64_t panel = 0; panel < block_.out_features; panel += kPairFeatures) multiply(panel);
        }
    }

private:
    // Up to part_rows rows of x, in as few vectors as they need.
    struct Part {
        int64_t first, rows;
        uint16_t* x;  // [inputs / 2][V * lanes] pairs
        float* sums;  // [kPairFeatures][V * lanes]
    };

    template <typename Work>
    ATTN4J_INLINE void each_part(const Work& work) {
        for (int64_t i = 0; i < parts_count_; ++i)
            with_vectors<most_vectors>(parts_[i].rows, [&](auto vectors) { work(vectors, parts_[i]); });
    }

    void pack(int64_t first, int64_t rows) {
        float* memory = block_.workspace + kPairFeatures * kPairInputs / 2;
        parts_count_ = parts_of(rows);
        for (int64_t i = 0; i < parts_count_; ++i) {
            Part& part = parts_[i];
            part.first = first + i * part_rows;
            part.rows = first + rows - part.first < part_rows ? first + rows - part.first : part_rows;
            part.sums = memory;
            part.x = reinterpret_cast<uint16_t*>(memory + kPairFeatures * part_rows);
            memory += kPairFeatures * part_rows + packed_floats(block_.in_features);
        }
        each_part([&](auto vectors, Part& part) {
            constexpr int V = decltype(vectors)::count;
            const char* const x =
                static_cast<const char*>(block_.x) + part.first * block_.x_stride * attn4j::bytes_of(block_.x_type);
            pack_rows<V>(block_.x_type, x, block_.x_stride, part.rows, block_.in_features, inputs_ / 2, part.x);
            Products::template arrange<V>(part.x, inputs_ / 2);
        });
    }

    // All parts by the features from `panel` on.
    void multiply(int64_t panel) {
        const int64_t left = block_.out_features - panel, features = left < kPairFeatures ? left : kPairFeatures;
        const int64_t rows = round_up(features, Products::row_unit);
        for (int64_t first = 0; first < block_.in_features; first += kPairInputs) {
            const int64_t rest = block_.in_features - first, n = rest < kPairInputs ? rest : kPairInputs;
            const int64_t pairs = round_up((n + 1) / 2, Products::pair_unit);
            const uint16_t* weight = block_.weight + panel * block_.weight_stride + first;
            int64_t stride = block_.weight_stride;
            if (rows != features || 2 * pairs != n) {
                for (int64_t row = 0; row < rows; ++row)
                    for (int64_t c = 0; c < 2 * pairs; c += kPairRow) {
                        const int64_t some = row < features ? n - c : 0;
                        Pairs::load_first(weight + row * stride + c, some < kPairRow ? some : kPairRow)
                            .store(copy_ + row * kPairInputs + c);
                    }
                weight = copy_;
                stride = kPairInputs;
            }
            multiply_parts(panel, first, PairRows{weight, stride}, rows, pairs);
        }
        each_part([&](auto vectors, const Part& part) {
            finish_panel<decltype(vectors)::count>(block_, part.sums, part.first, part.rows, panel, features);
        });
    }

    // All parts by a block of inputs, from `first` on, of so many features. Of one part alone, the hardware reads the
    // weight faster than fetches of ours do (4096 x 4096 by 1 row: 1.6 and 2.2 ms).
    void multiply_parts(int64_t panel, int64_t first, PairRows weight, int64_t rows, int64_t pairs) {
        const auto multiply = [&](const auto&... meanwhile) {
            each_part([&](auto vectors, const Part& part) {
                constexpr int V = decltype(vectors)::count;
                Products::template multiply<V>(weight.data, weight.stride, rows, part.x + first * V * F32::lanes, pairs,
                                               part.sums, first > 0, meanwhile...);
            });
        };
        if constexpr (most_parts > 1) {
            if (parts_count_ > 1) {
                int64_t steps = 0;
                each_part([&](auto vectors, const Part&) {
                    steps += Products::template steps<decltype(vectors)::count>(rows, pairs);
                });
                const bool last = first + kPairInputs >= block_.in_features;
                InputsAhead ahead(block_, last ? panel + kPairFeatures : panel, last ? 0 : first + kPairInputs, steps);
                return multiply([&] { ahead.step(); });
            }
        }
        multiply();
    }

    const Bf16LinearBlock& block_;
    const int64_t inputs_;
    uint16_t* const copy_;  // [kPairFeatures][kPairInputs]
    Part parts_[most_parts];
    int64_t parts_count_ = 0;
};

template <typename Tiles>
inline void pairs_linear(const Bf16LinearBlock& block) {
    using Products = typename Tiles::Products;
    if constexpr (Products::few_rows) {
        if (block.rows < F32::lanes)
            return few_rows_bf16<typename Products::Cells>(
                block, [&](int64_t row, int64_t first, int64_t n, uint16_t* to) {
                    load_pairs(block.x_type, block.x, row * block.x_stride + first, n).store(to);
                });
    }
    Products::begin();
    PairsLinear<Tiles>(block).run();
    Products::end();
}

template <typename Tiles>
inline int64_t pairs_linear_workspace_floats(int64_t rows, int64_t in_features, int64_t out_features) {
    if (Tiles::Products::few_rows && rows < F32::lanes) return few_rows_out_in_floats(out_features);
    return PairsLinear<Tiles>::floats(rows, in_features);
}

template <typename Tiles>
constexpr attn4j::Bf16LinearKernel pairs_linear_kernel() {
    using Products = typename Tiles::Products;
    return {F32::lanes, PairsLinear<Tiles>::most_rows, Products::few_rows ? F32::lanes : 0,
            pairs_linear_workspace_floats<Tiles>, pairs_linear<Tiles>};
}

}  // namespace
