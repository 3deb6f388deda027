// SPDX-License-Identifier: Apache-2.0
// What the kernels of few queries share: the keys of a chunk that any query sees, and the rows and scales of a block of
// them.
#pragma once

#include "kernels/decode/decode.h"
#include "kernels/elements-inl.h"

namespace {

// Sums that are reduced at once.
constexpr int kSums = F32::lanes >= 8 ? F32::lanes : 4 * F32::lanes;

constexpr int64_t kMostTiledKeys = 128;

// Parts of a workspace, one after the other.
struct Workspace {
    float* at;
    float* take(int64_t floats) {
        float* const part = at;
        at += floats;
        return part;
    }
};

// Addresses of a block's rows, and their scales.
struct RowAddresses {
    const char* at[kMostTiledKeys];
    alignas(64) float scales[kMostTiledKeys];
    int64_t n;
};

// Calls of(cursor, done, count) for n rows, as many at once as lie one behind the other.
template <typename Of>
inline void for_each_part(const attn4j::CacheRows& cache, int64_t first, int64_t n, const Of& of) {
    RowCursor cursor(cache, first);
    for (int64_t done = 0; done < n;) {
        const int64_t in_page = cache.pages == nullptr ? n : cache.page_rows - cursor.slot;
        const int64_t count = n - done < in_page ? n - done : in_page;
        of(cursor, done, count);
        cursor.skip(count);
        done += count;
    }
}

// Of n rows, and 0 for the rest of a vector.
inline void copy_scales(const attn4j::CacheRows& cache, int64_t first, int64_t n, float* to) {
    for_each_part(cache, first, n, [&](const RowCursor& cursor, int64_t done, int64_t count) {
        __builtin_memcpy(to + done, &cursor.scale(), static_cast<size_t>(count) * sizeof(float));
    });
    for (int64_t i = n; i < round_up(n, kSums); ++i) to[i] = 0;
}

// Scales of n rows to be read in whole vectors, null if there are none: where they lie, if they do so one behind the
// other and fill vectors, else copied to `copy`.
inline const float* scales_of(const attn4j::CacheRows& cache, int64_t first, int64_t n, float* copy) {
    if (cache.scales == nullptr) return nullptr;
    if (cache.pages == nullptr && n % kSums == 0) return cache.scales + first;
    copy_scales(cache, first, n, copy);
    return copy;
}

// Fetches those of [first, first + n) where they lie one behind the other; they need not exist.
inline void fetch_scales(const attn4j::CacheRows& cache, int64_t first, int64_t n) {
    constexpr int64_t line = kLineBytes / static_cast<int64_t>(sizeof(float));
    for (int64_t i = 0; i < n && cache.pages == nullptr; i += line) __builtin_prefetch(cache.scales + first + i, 0, 2);
}

inline void find_rows(const attn4j::CacheRows& cache, int64_t first, int64_t n, RowAddresses& rows) {
    rows.n = n;
    const int64_t stride = cache.stride * attn4j::bytes_of(cache.type);
    for_each_part(cache, first, n, [&](const RowCursor& cursor, int64_t done, int64_t count) {
        const char* const row = cursor.row();
        for (int64_t i = 0; i < count; ++i) rows.at[done + i] = row + i * stride;
    });
    if (cache.scales != nullptr) copy_scales(cache, first, n, rows.scales);
    // Tiles take whole vectors of sums: what they find here is read, and not looked at.
    for (int64_t i = n; i < round_up(n, kSums); ++i) rows.at[i] = rows.at[n - 1];
}

// Where query row `row` begins, in elements.
inline int64_t query_at(const attn4j::DecodeChunk& c, int64_t row) {
    return row / c.queries * c.q_head_stride + row % c.queries * c.q_stride;
}

// A block's keys and values.
struct KeyValueRows {
    RowAddresses keys, values;
};

// The keys of a chunk that any query sees: none is before the first one's window or after the last one's edge. The
// first is at a multiple of `unit` keys from where the chunk begins.
struct KeyRange {
    int64_t begin, end;
    KeyRange(const attn4j::DecodeChunk& c, int64_t unit) {
        const int64_t before = c.first_key - c.begin, last = c.last_key + c.queries;
        begin = c.begin + (before > 0 ? before / unit * unit : 0);
        end = last < c.end ? last : c.end;
    }
};

// The block of up to `most` keys at `first` of a chunk's range, or behind it the first of the following chunk.
inline void find_block(const attn4j::DecodeChunk& chunk, int64_t first, int64_t most, int64_t unit,
                       KeyValueRows& block) {
    const attn4j::DecodeChunk* c = &chunk;
    KeyRange range(*c, unit);
    if (first >= range.end && c->following != nullptr) {
        c = c->following;
        range = KeyRange(*c, unit);
        first = range.begin;
    }
    const int64_t left = range.end - first, n = left < 0 ? 0 : left < most ? left : most;
    block.keys.n = n;
    if (n == 0) return;
    find_rows(c->k, first, n, block.keys);
    find_rows(c->v, first, n, block.values);
    // Who fetches it goes by the block before, which may have more rows.
    for (int64_t i = n; i < most; ++i) {
        block.keys.at[i] = block.keys.at[n - 1];
        block.values.at[i] = block.values.at[n - 1];
    }
}

}  // namespace
