// SPDX-License-Identifier: Apache-2.0
// Rows of a block of keys or values by their addresses.
#pragma once

#include "kernels/decode/decode.h"
#include "kernels/elements-inl.h"

namespace {

// Sums that are reduced at once.
constexpr int kSums = F32::lanes >= 8 ? F32::lanes : 4 * F32::lanes;

constexpr int64_t kMostBlockKeys = 128;

// Addresses of a block's rows, and their scales.
struct RowAddresses {
    const char* at[kMostBlockKeys];
    alignas(64) float scales[kMostBlockKeys];
    int64_t n;
};

inline void find_rows(const attn4j::CacheRows& cache, int64_t first, int64_t n, RowAddresses& rows) {
    rows.n = n;
    RowCursor cursor(cache, first);
    // As many at once as lie one behind the other.
    for (int64_t done = 0; done < n;) {
        const int64_t in_page = cache.pages == nullptr ? n : cache.page_rows - cursor.slot;
        const int64_t end = n - done < in_page ? n : done + in_page;
        const char* const row = cursor.row();
        const int64_t stride = cache.stride * attn4j::bytes_of(cache.type);
        for (int64_t i = done; i < end; ++i) rows.at[i] = row + (i - done) * stride;
        if (cache.scales != nullptr)
            __builtin_memcpy(rows.scales + done, &cursor.scale(), static_cast<size_t>(end - done) * sizeof(float));
        cursor.skip(end - done);
        done = end;
    }
    // Tiles take whole vectors of sums: what they find here is read, and not looked at.
    for (int64_t i = n; i < round_up(n, kSums); ++i) {
        rows.at[i] = rows.at[n - 1];
        rows.scales[i] = 0;
    }
}

// A block's keys and values.
struct KeyValueRows {
    RowAddresses keys, values;
};

// The block of up to `most` keys at `first` of [begin, end), or behind it those that are likely to be wanted next.
inline void find_block(const attn4j::DecodeChunk& c, int64_t begin, int64_t end, int64_t first, int64_t most,
                       KeyValueRows& block) {
    const int64_t limit = first < end ? end : c.next;
    const int64_t n = begin >= end || limit <= first ? 0 : limit - first < most ? limit - first : most;
    block.keys.n = n;
    if (n == 0) return;
    find_rows(c.k, first, n, block.keys);
    find_rows(c.v, first, n, block.values);
}

}  // namespace
