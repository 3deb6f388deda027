// SPDX-License-Identifier: Apache-2.0
// Fetches the keys and values of the next block evenly over the work on this one, so that memory is never idle and
// never asked for more than it can have under way: one core can have more of it than the hardware's own prefetching
// asks for. To the second cache: the first has no room for as many requests.
#pragma once

#include "kernels/decode/rows-inl.h"

namespace {

class Pace {
public:
    // `units` of work, about, in between. Two halves of the block at once, keys and values, line by line: four streams
    // keep more of memory busy than one (3 to 10 % of the time).
    Pace(const attn4j::DecodeChunk& c, const KeyValueRows& next, int64_t units)
        : next_(next),
          units_(units),
          half_((next.keys.n + 1) / 2),
          key_bytes_(c.head_dim * attn4j::bytes_of(c.k.type)),
          value_bytes_(c.value_dim * attn4j::bytes_of(c.v.type)) {}

    ATTN4J_INLINE void step(int64_t units) {
        for (due_ += units * half_; due_ >= units_ && row_ < half_; due_ -= units_, ++row_) {
            const int64_t other = row_ + half_ < next_.keys.n ? row_ + half_ : row_;
            const char *const k = next_.keys.at[row_], *const l = next_.keys.at[other];
            const char *const v = next_.values.at[row_], *const w = next_.values.at[other];
            int64_t byte = 0;
            for (; byte < key_bytes_ && byte < value_bytes_; byte += kLineBytes) {
                fetch(k + byte);
                fetch(v + byte);
                fetch(l + byte);
                fetch(w + byte);
            }
            for (; byte < key_bytes_; byte += kLineBytes) {
                fetch(k + byte);
                fetch(l + byte);
            }
            for (; byte < value_bytes_; byte += kLineBytes) {
                fetch(v + byte);
                fetch(w + byte);
            }
        }
    }

private:
    static ATTN4J_INLINE void fetch(const char* line) { __builtin_prefetch(line, 0, 2); }
    const KeyValueRows& next_;
    const int64_t units_, half_, key_bytes_, value_bytes_;
    int64_t due_ = 0, row_ = 0;
};

}  // namespace
