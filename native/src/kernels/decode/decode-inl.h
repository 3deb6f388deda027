// SPDX-License-Identifier: Apache-2.0
// The body of decode.h, written once over the vector type.
#pragma once

#include <optional>

#include "kernels/decode/merge-inl.h"
#include "kernels/decode/products-inl.h"
#include "kernels/decode/soften-inl.h"

namespace {

// More rows than this read a block from its float32 copy: widened once, not once for each few rows.
constexpr int64_t kFewRows = 8;

// Keys of a block of so many rows: its scores, weights later, fill half of the first cache at most. Keys and values each
// begin to be read anew with a block, and until the hardware's own fetching follows a third of a microsecond is lost.
constexpr int64_t kScores = 4096;
constexpr int64_t kMostBlockKeys = kScores / kFewRows;
constexpr int64_t block_keys(int64_t rows) { return rows > kFewRows ? kScores / kMostRows : kMostBlockKeys; }

// n rows as float32, in `copy` [rows][stride]. Meanwhile those ahead of them are fetched.
inline void widen_block(const attn4j::CacheRows& cache, int64_t dim, RowRuns runs, int64_t n, const float* scales,
                        float* copy, int64_t stride) {
    const int64_t row_bytes = dim * attn4j::bytes_of(cache.type);
    with_type(cache.type, [&](auto of) {
        for (int64_t key = 0; key < n;) {
            const Run run = runs.take(n - key);
            for (int64_t i = 0; i < run.rows; ++i, ++key) {
                const int64_t offset = i * runs.stride();
                for (int64_t byte = 0; byte < row_bytes; byte += kLineBytes)
                    __builtin_prefetch(run.ahead + offset + byte, 0, 2);
                widen_row<decltype(of)::type>(run.at + offset, cache.scales == nullptr ? 1.0f : scales[key], dim,
                                              copy + key * stride);
            }
        }
    });
}

inline bool finite_rows(const RowRuns& runs, int64_t n, Element type, int64_t dim) {
    Finite of;
    EachRow each(runs, n);
    for (int64_t key = 0; key < n; ++key, each.next())
        for (int64_t d = 0; d < dim; d += F32::lanes)
            of.see(load_elements(type, each.at(), d, dim - d < F32::lanes ? dim - d : F32::lanes));
    return of.all();
}

struct Decoding {
    const DecodeChunk& c;
    int64_t rows, q_stride, out_stride;
    Element k_type, v_type;  // of what the products read
    float* q;                // [rows][q_stride], times scale * log2(e)
    float* scores;           // [rows][most_keys()]
    float* copy;             // [most_keys()][copy_stride], of more rows than kFewRows
    int64_t copy_stride;
    DecodeState state;
    bool hides;  // the last block holds a key that some row does not see
    bool fresh;  // out holds nothing yet

    explicit Decoding(const DecodeChunk& chunk) : c(chunk) {
        rows = c.group * c.queries;
        q_stride = round_up(c.head_dim, F32::lanes);
        out_stride = round_up(c.value_dim, F32::lanes);
        copy_stride = q_stride > out_stride ? q_stride : out_stride;
        k_type = rows > kFewRows ? Element::f32 : c.k.type;
        v_type = rows > kFewRows ? Element::f32 : c.v.type;
        q = c.workspace;
        scores = q + kMostRows * q_stride;
        state.begin(rows, scores + kScores);
        copy = state.sums + kMostRows * F32::lanes;
        fresh = true;
        load_rows();
    }

    void load_rows() {
        const F32 factor = score_factor(c.scale, c.softcap);
        for (int64_t row = 0; row < rows; ++row) {
            const int64_t from = query_at(c, row);
            float* const to = q + row * q_stride;
            for (int64_t d = 0; d < c.head_dim; d += F32::lanes) {
                const int64_t n = c.head_dim - d < F32::lanes ? c.head_dim - d : F32::lanes;
                (load_elements(c.q_type, c.q, from + d, n) * factor).store(to + d);
            }
            for (int64_t d = 0; k_type == Element::bf16 && d + kPair <= c.head_dim; d += kPair) {
                F32 even = F32::load(to + d), odd = F32::load(to + d + F32::lanes);
                unzip(even, odd);
                even.store(to + d);
                odd.store(to + d + F32::lanes);
            }
        }
    }

    int64_t most_keys() const { return block_keys(rows); }  // of a block

    // The weights of a block.
    void weigh(const CacheBlock& block) {
        const int64_t first = block.first, n = block.n;
        alignas(64) float k_copy[kMostBlockKeys], v_copy[kMostBlockKeys];
        const float* const k_scales = scales_of(c.k, first, n, k_copy);
        const float* const v_scales = v_type == Element::i8 ? scales_of(c.v, first, n, v_copy) : nullptr;
        const RowRuns keys(c, &DecodeChunk::k, c.head_dim, block), copied(copy, copy_stride);
        const bool keys_widen = k_type != c.k.type;
        if (keys_widen) widen_block(c.k, c.head_dim, keys, n, k_scales, copy, copy_stride);
        score(keys_widen ? copied : keys, n, !keys_widen);
        const float* const score_scales = k_type == Element::i8 ? k_scales : nullptr;
        hides = soften_rows(c, DecodeBlock{scores, most_keys(), first, n, score_scales, v_scales}, rows, state, [] {});
    }

    // Its values.
    void add(const CacheBlock& block) {
        const int64_t n = block.n;
        const RowRuns values(c, &DecodeChunk::v, c.value_dim, block);
        const bool takes_care = hides && !finite_rows(values, n, c.v.type, c.value_dim);
        if (v_type != c.v.type) {
            alignas(64) float v_copy[kMostBlockKeys];
            widen_block(c.v, c.value_dim, values, n, scales_of(c.v, block.first, n, v_copy), copy, copy_stride);
            add(takes_care, 0, n, RowRuns(copy, copy_stride), false);
        } else {
            for_each_strip(values, n, in_strips() ? kStripKeys : n, scores, most_keys(), rows,
                           [&](const RowRuns& strip, int64_t begin, int64_t count) {
                               add(takes_care, begin, count, strip, true);
                           });
        }
        fresh = false;
    }

    // Whether all rows meet some values before the next are read.
    bool in_strips() const { return waits_for_memory(v_type, rows) && rows != kWholeRows; }

    // Meanwhile what is ahead is fetched, if it is asked for.
    void score(const RowRuns& keys, int64_t n, bool fetch) const {
        with_type(k_type, [&](auto of) {
            with_dim(c.head_dim, [&](auto fixed) {
                cover<4>(rows, 0,
                         ScoreRows<decltype(of)::type, decltype(fixed)::dim>{keys, n, fetch, q, q_stride, c.head_dim,
                                                                             scores, most_keys()});
            });
        });
    }

    // Keys [begin, begin + count) of the block.
    void add(bool hides, int64_t begin, int64_t count, const RowRuns& values, bool fetch) const {
        hides ? add<true>(begin, count, values, fetch) : add<false>(begin, count, values, fetch);
    }

    template <bool kHidden>
    void add(int64_t begin, int64_t count, const RowRuns& values, bool fetch) const {
        with_type(v_type, [&](auto of) {
            with_dim(kHidden ? 0 : c.value_dim, [&](auto fixed) {
                using Add = ValueRows<decltype(of)::type, kHidden, decltype(fixed)::dim>;
                int64_t fetching_row = -1;
                if (fetch && in_strips()) fetching_row = last_rows(rows, rows < kWholeRows ? 2 : Add::most_rows);
                if (fetch && !in_strips() && (rows > kWholeRows || values.every_line())) fetching_row = 0;
                cover<Add::most_rows>(
                    rows, 0,
                    Add{values, count, fetching_row, scores + begin, most_keys(), c.value_dim, c.partial, out_stride,
                        begin == 0 ? state.rescale : nullptr, fresh && begin == 0});
            });
        });
    }

    void finish() const {
        state.finish(rows, c.partial + rows * out_stride);
        if (v_type != Element::bf16 || fresh) return;
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t d = 0; d + kPair <= c.value_dim; d += kPair) {
                float* const out = c.partial + row * out_stride + d;
                F32 even = F32::load(out), odd = F32::load(out + F32::lanes);
                zip(even, odd);
                even.store(out);
                odd.store(out + F32::lanes);
            }
    }
};

// Calls take(block) with each block of at most so many of a chunk's keys that is not all hidden, until the call is
// cancelled.
template <typename Take>
inline void for_each_block(const DecodeChunk& c, int64_t most, const Take& take) {
    const KeyRange range(c, 1);
    if (c.short_blocks && most > kMostPagesTogether * page_rows(c.k)) most = kMostPagesTogether * page_rows(c.k);
    const bool in_turns = reads_together(c) && most >= kFewestPagesTogether * page_rows(c.k);
    const int64_t pages_on = in_turns ? most_together(c, (c.end - c.begin) / page_rows(c.k)) : 0;
    for (int64_t first = range.begin, n = 0; first < range.end && !attn4j::is_set(c.cancelled); first += n) {
        n = range.end - first < most ? range.end - first : most;
        int64_t together = 0;
        if (in_turns) {
            // A window may begin within a page or part: the rest of it goes first.
            const int64_t slot = first % page_rows(c.k), rest = page_rows(c.k) - slot;
            if (slot > 0) n = n < rest ? n : rest;
            together = slot > 0 ? 0 : pages_together(c, first, n);
        }
        if (!all_hidden(c, first, n)) take(CacheBlock{first, n, together, pages_on});
    }
}

// Chunks of the same keys of so many heads. The weights of a block of all heads come before the values of any: what
// heads have in a page lies one behind the other, and so each of a block's pages goes on as the hardware's own fetching
// has seen it go (an EPYC of 2022, pages of 16 rows of 8 heads, bfloat16: 8.0 to 6.7 ms, float32 13.6 to 12.5).
template <typename HeadDecoding>
inline void take_blocks(const DecodeChunk* chunks, std::optional<HeadDecoding>* decodings, int64_t count) {
    for_each_block(*chunks, decodings[0]->most_keys(), [&](CacheBlock block) {
        const int64_t pages = (block.first + block.n) / page_rows(chunks->k) - block.first / page_rows(chunks->k);
        const auto take_heads = [&](const auto& take) {
            for (int64_t i = 0; i < count; ++i) {
                if (count > 1) {
                    const bool last = i == count - 1;
                    block.next = last ? chunks : &chunks[i + 1];
                    block.pages_on = last ? pages : 0;
                }
                take(*decodings[i]);
            }
        };
        take_heads([&](HeadDecoding& d) { d.weigh(block); });
        take_heads([&](HeadDecoding& d) { d.add(block); });
    });
}

inline void decode(const DecodeChunk* chunks, int64_t count) {
    std::optional<Decoding> decodings[attn4j::kMostHeadsTogether];
    for (int64_t i = 0; i < count; ++i) decodings[i].emplace(chunks[i]);
    take_blocks(chunks, decodings, count);
    for (int64_t i = 0; i < count; ++i) decodings[i]->finish();
}

inline int64_t decode_workspace_floats(int64_t head_dim, int64_t value_dim) {
    const int64_t q = round_up(head_dim, F32::lanes), v = round_up(value_dim, F32::lanes);
    return kMostRows * (q + F32::lanes) + kScores + block_keys(kMostRows) * (q > v ? q : v);
}

// Floats of a kernel that leaves some chunks to decode().
inline int64_t or_plain(int64_t floats, int64_t head_dim, int64_t value_dim) {
    const int64_t plain = decode_workspace_floats(head_dim, value_dim);
    return floats > plain ? floats : plain;
}

template <typename Tiles>
constexpr attn4j::DecodeKernel decode_kernel() {
    return {kMostRows,
            Tiles::most_decode_queries,
            1024,
            attn4j::kMostHeadsTogether,
            decode_partial_floats,
            decode_workspace_floats,
            decode,
            merge_chunks};
}

}  // namespace
