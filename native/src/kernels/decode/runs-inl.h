// SPDX-License-Identifier: Apache-2.0
// Goes through rows of keys or values in runs of them that lie evenly, as do those to fetch meanwhile. Not by a table of
// addresses: while a cache streams through it, the first level keeps nothing for long, and what is missed there, though
// it be no further than the second, waits behind all that is under way from memory (a table of 128 addresses made
// decoding 1.5 times as slow on an EPYC of 2022).
#pragma once

#include "kernels/decode/rows-inl.h"

namespace {

// Whether so many query rows wait for memory rather than for their products.
constexpr bool waits_for_memory(Element type, int64_t rows) { return rows <= (type == Element::f32 ? 8 : 3); }

// While a row is read, others are fetched so far ahead.
constexpr int64_t kMostAheadBytes = 384 * kLineBytes;
constexpr int64_t ahead_bytes(Element type, int64_t rows, bool every_line) {
    if (every_line || !waits_for_memory(type, rows)) return kMostAheadBytes;
    return (type == Element::f32 ? 64 : 128) * kLineBytes;
}

// Of them a line of so many bytes. Where memory is waited for, it is the hardware's own fetching that brings the most (an
// EPYC of 2022: 32 GB/s; a core has room for 24 lines it waits for, so that fetches alone bring 20), helped by some of
// ours for where it does not know yet that a row goes on; a fetch of each line would take its room. What waits for its
// products does so as long as it is fetched line by line (20 rows of float32: 39 ms, 34), and in small pages the hardware
// does not see what comes. Other CPUs' own fetching brings too little anywhere (DecodeChunk::every_line).
constexpr int64_t fetch_bytes(Element type, int64_t rows, bool every_line) {
    return !every_line && waits_for_memory(type, rows) ? 2 * kLineBytes : kLineBytes;
}

// So many pages are read together, or as few where a block has no more of them: by turns, 512 bytes or so of each. What
// comes in a page the hardware's own fetching sees too late, but it follows several, and fetches of ours alone bring 15
// to 17 of 30 GB/s (an EPYC of 2022: only reading pages of 4 to 8 KB in any order, four together bring 18 to 22, eight 22
// to 26, and no more of them more). Where every line is fetched, four: more were not tried there.
constexpr int64_t kMostPagesTogether = 8, kFewestPagesTogether = 4;
// Where rows are in no pages and every line is fetched, parts of so many that lie one behind the other are read as pages
// are: four together bring more there, too (Emerald Rapids: bfloat16 10.7 to 9.4 ms, float16 10.1 to 9.0, float32 18.8
// to 17.6; by 256 rows bfloat16 13.6). Not with AVX2, where products are waited for (bfloat16 16.6 to 17.5), nor of
// larger rows: what is fetched, four parts ahead, is to stay in the second cache.
constexpr int64_t kRowsOfPart = 64, kMostPartRowBytes = 512;
inline bool in_parts(const attn4j::DecodeChunk& c) {
    return c.every_line && F32::lanes >= 16 && c.k.pages == nullptr && c.v.pages == nullptr &&
           c.head_dim * attn4j::bytes_of(c.k.type) <= kMostPartRowBytes &&
           c.value_dim * attn4j::bytes_of(c.v.type) <= kMostPartRowBytes;
}
inline int64_t page_rows(const attn4j::CacheRows& cache) {
    return cache.pages != nullptr ? cache.page_rows : kRowsOfPart;
}
inline int64_t rows_of_turn(const attn4j::DecodeChunk& c) {
    return c.k.type == Element::f32 && c.v.type == Element::f32 ? 1 : 2;
}

// Whether pages or parts may be: their keys are then taken in an order that is not theirs, so nothing may say anything
// about a single one. Rows of float32 that wait for their products wait longer where keys come by turns (an EPYC of 2022,
// pages of 32, 20 rows: 38 and 42 ms), but not those of 16 bits, which are converted first (25 and 23).
inline bool reads_together(const attn4j::DecodeChunk& c) {
    const bool in_pages = c.k.pages != nullptr && c.v.pages != nullptr;
    if (in_pages && c.k.type == Element::f32 && !waits_for_memory(c.k.type, c.group * c.queries)) return false;
    return (in_pages || in_parts(c)) && page_rows(c.k) == page_rows(c.v) && page_rows(c.k) % 2 == 0 &&
           c.k.scales == nullptr && c.v.scales == nullptr && c.bias == nullptr && c.keep == nullptr &&
           c.slopes == nullptr;
}

// How many of so many pages or parts are then: so far ahead lie those that are fetched, also where some are read one by
// one, so that each is.
inline int64_t most_together(const attn4j::DecodeChunk& c, int64_t pages) {
    return c.every_line || pages < kMostPagesTogether ? kFewestPagesTogether : kMostPagesTogether;
}

// The same of the keys [first, first + n), which begin with one: of whole ones which every query sees. Makes n the keys
// of as many such runs of them as there are; 0, and n as it is, where there is none.
inline int64_t pages_together(const attn4j::DecodeChunk& c, int64_t first, int64_t& n) {
    const int64_t seen = c.last_key + 1 - first, whole = (n < seen ? n : seen) / page_rows(c.k);
    if (first < c.first_key + c.queries - 1 || whole < kFewestPagesTogether) return 0;
    const int64_t pages = most_together(c, whole);
    n = whole / pages * pages * page_rows(c.k);
    return pages;
}

// Keys [first, first + n) of a chunk, and the pages or parts of them that are read together, as pages_together() says.
struct CacheBlock {
    int64_t first, n, together;
    // While a page is read, the one so many on is fetched; of the chunk `next`, where that is read next. 0 where there is
    // none: it is up to the size of pages.
    int64_t pages_on;
    const attn4j::DecodeChunk* next = nullptr;
};

struct Run {
    const char *at, *ahead;  // the first row, and the one to fetch while it is read
    int64_t rows;
};

class RowRuns {
public:
    // The keys or values of a block.
    RowRuns(const attn4j::DecodeChunk& c, attn4j::CacheRows attn4j::DecodeChunk::*member, int64_t dim,
            const CacheBlock& block)
        : chunk_(&c), member_(member), paged_((c.*member).pages != nullptr), turns_(block.together) {
        const attn4j::CacheRows& cache = c.*member;
        const int64_t row_bytes = dim * attn4j::bytes_of(cache.type), page_bytes = page_rows(cache) * row_bytes;
        const bool in_order = block.next != nullptr || block.pages_on > 0, small = page_bytes < kMostAheadBytes;
        every_line_ = c.every_line || (paged_ && (in_order || small));
        const int64_t most = ahead_bytes(cache.type, c.group * c.queries, every_line_);
        const int64_t rows_ahead = row_bytes < most ? most / row_bytes : 1;
        stride_ = cache.stride * attn4j::bytes_of(cache.type);
        ahead_ = rows_ahead * stride_;
        if (!paged_ && !together()) {
            at_ = static_cast<const char*>(cache.data) + block.first * stride_;
            return;
        }
        page_ = block.first / page_rows(cache);
        slot_ = block.first % page_rows(cache);
        fetched_ = block.next != nullptr ? block.next : &c;
        if (in_order) {
            pages_on_ = block.pages_on;
        } else if (small) {
            pages_on_ = most / page_bytes;
        } else {
            pages_on_ = 1;
            edge_ = page_rows(cache) - rows_ahead;
        }
        if (together()) {
            turn_rows_ = rows_of_turn(c);
            find_together();
            return;
        }
        at_ = page_at(page_) + slot_ * stride_;
        begin_run();
    }
    // Rows of float32 one behind the other, so many floats apart, which need not be fetched.
    RowRuns(const float* first, int64_t stride)
        : stride_(stride * static_cast<int64_t>(sizeof(float))), at_(reinterpret_cast<const char*>(first)) {}

    int64_t stride() const { return stride_; }  // in bytes, of all runs
    bool paged() const { return paged_; }
    bool every_line() const { return every_line_; }  // of what is ahead is to be fetched
    bool together() const { return turns_ > 0; }

    // Whether the next n rows are one run. Rows that are together are none.
    bool even(int64_t n) const { return !together() && (!paged_ || n <= run_end_ - slot_); }

    // The next rows, at most so many, and at least one. Pages that are together give those of a turn, which must be
    // asked for.
    ATTN4J_INLINE Run take(int64_t most) {
        if (together()) return take_turn();
        if (paged_) {
            if (slot_ == run_end_) next_run();
            if (most > run_end_ - slot_) most = run_end_ - slot_;
            slot_ += most;
        }
        const Run run = look(most);
        at_ += most * stride_;
        return run;
    }

    // The next n rows, which are one run.
    Run look(int64_t n) const { return {at_, at_ + ahead_, n}; }

    void skip(int64_t rows) {
        for (; together() && turn_ == 0 && rows >= turns_ * turn_rows_; rows -= turns_ * turn_rows_) next_slot();
        for (; rows > 0;) rows -= take(rows).rows;
    }

private:
    ATTN4J_INLINE Run take_turn() {
        const Run run{turn_at_[turn_] + offset_, turn_ahead_[turn_] + offset_, turn_rows_};
        if (++turn_ == turns_) next_slot();
        return run;
    }

    void next_slot() {
        turn_ = 0;
        offset_ += turn_rows_ * stride_;
        slot_ += turn_rows_;
        if (slot_ < page_rows(chunk_->*member_)) return;
        page_ += turns_;
        find_together();
    }

    // Pages from page_ on, and those to fetch while they are read. Behind the last there need not be any, and nothing is
    // looked up.
    void find_together() {
        slot_ = offset_ = 0;
        if ((page_ + turns_) * page_rows(chunk_->*member_) > chunk_->end) return;
        for (int64_t i = 0; i < turns_; ++i) {
            turn_at_[i] = page_at(page_ + i);
            turn_ahead_[i] = page_ahead(page_ + i);
        }
    }

    const char* page_at(int64_t number) const { return page_at(*chunk_, number); }
    const char* page_at(const attn4j::DecodeChunk& c, int64_t number) const {
        const attn4j::CacheRows& cache = c.*member_;
        const int64_t elements = paged_ ? cache.pages[number] * cache.page_stride : number * kRowsOfPart * cache.stride;
        return static_cast<const char*>(cache.data) + elements * attn4j::bytes_of(cache.type);
    }

    // A page is looked up no sooner than it is asked for: behind the last there need not be one.
    void next_run() {
        if (slot_ == (chunk_->*member_).page_rows) {
            at_ = page_at(++page_);
            slot_ = 0;
        }
        begin_run();
    }

    // What is ahead lies in the same page up to its edge, from there on in a page some pages on, from its beginning.
    void begin_run() {
        const int64_t rows = (chunk_->*member_).page_rows;
        run_end_ = slot_ < edge_ ? edge_ : rows;
        ahead_ = slot_ < edge_ ? (rows - edge_) * stride_ : page_ahead(page_) - page_at(page_) - edge_ * stride_;
    }

    // The page to fetch while that one is read; beyond the chunk's keys it is the following one's, and where that has
    // none, that page again.
    const char* page_ahead(int64_t page) const {
        const int64_t rows = page_rows(chunk_->*member_), behind = page + pages_on_ - (chunk_->end - 1) / rows - 1;
        if (behind < 0) return page_at(*fetched_, page + pages_on_);
        const attn4j::DecodeChunk* const c = chunk_->following;
        const bool has = c != nullptr && c->begin < c->end && c->begin / rows + behind <= (c->end - 1) / rows;
        return has ? page_at(*c, c->begin / rows + behind) : page_at(page);
    }

    const attn4j::DecodeChunk* chunk_ = nullptr;
    attn4j::CacheRows attn4j::DecodeChunk::*member_ = nullptr;
    bool paged_ = false, every_line_ = false;
    int64_t turns_ = 0;  // of pages that are together, 0 for none
    // What is ahead of rows from edge_ on lies in that chunk, so many pages on. 0: of all rows.
    const attn4j::DecodeChunk* fetched_ = nullptr;
    int64_t pages_on_ = 0, edge_ = 0;
    int64_t run_end_ = 0;         // the edge or the end of a page
    int64_t stride_, ahead_ = 0;  // ahead_: from a row to the one to fetch, in bytes
    int64_t page_ = 0, slot_ = 0;
    const char* at_ = nullptr;
    // Pages that are together: where they and those to fetch begin, whose turn it is, and how far into them.
    const char *turn_at_[kMostPagesTogether], *turn_ahead_[kMostPagesTogether];
    int64_t turn_ = 0, turn_rows_ = 0, offset_ = 0;
};

// Calls of(rows, begin, count) with n rows, so many at a time, `rows` standing at the one numbered `begin`.
template <typename Of>
inline void for_each_strip(RowRuns rows, int64_t n, int64_t strip, const Of& of) {
    for (int64_t begin = 0; begin < n; begin += strip) {
        const int64_t count = n - begin < strip ? n - begin : strip;
        of(rows, begin, count);
        rows.skip(count);
    }
}

// Fetches values while scores become weights: nothing is read then, and what the hardware fetches by itself stands still
// with it. With each call a line, every other one of what is ahead; in pages, or where rows have others between them,
// nothing, nor for more query rows, which wait for their products. Of int8 only: four rows of float32 and of
// bfloat16 read values in one pass, leave fetching to the hardware and gain nothing.
class FetchMeanwhile {
public:
    FetchMeanwhile(const RowRuns& values, const attn4j::DecodeChunk& c) {
        const bool streams = !values.paged() && values.stride() == c.value_dim * attn4j::bytes_of(c.v.type);
        if (streams && c.group * c.queries <= kMostQueryRows) next_ = values.look(1).ahead;
    }
    ATTN4J_INLINE void operator()() const {
        if (next_ == nullptr) return;
        __builtin_prefetch(next_, 0, 2);
        next_ += 2 * kLineBytes;
    }

private:
    static constexpr int64_t kMostQueryRows = 4;
    mutable const char* next_ = nullptr;
};

// n rows of them that are one run, one by one: what EachRow gives, without what it takes to begin.
class EvenRows {
public:
    EvenRows(const RowRuns& runs, int64_t n) : stride_(runs.stride()), run_(runs.look(n)) {}
    const char* at() const { return run_.at; }
    const char* ahead() const { return run_.ahead; }
    ATTN4J_INLINE void next() {
        run_.at += stride_;
        run_.ahead += stride_;
    }

private:
    const int64_t stride_;
    Run run_;
};

// n rows of them, one by one; behind the last the last again.
class EachRow {
public:
    EachRow(const RowRuns& runs, int64_t n) : runs_(runs), stride_(runs.stride()), left_(n) { take(); }
    const char* at() const { return at_; }
    const char* ahead() const { return at_ + ahead_; }
    ATTN4J_INLINE void next() {
        --left_;
        if (--rows_ > 0) {
            at_ += stride_;
        } else if (left_ > 0) {
            take();
        }
    }

private:
    ATTN4J_INLINE void take() {
        const Run run = runs_.take(left_);
        at_ = run.at;
        ahead_ = run.ahead - run.at;
        rows_ = run.rows;
    }

    RowRuns runs_;
    const int64_t stride_;
    int64_t left_, rows_;
    const char* at_;
    int64_t ahead_;  // from a row to the one to fetch, in bytes: two addresses GCC would keep in a vector
};

}  // namespace
