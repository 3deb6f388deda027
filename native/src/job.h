// SPDX-License-Identifier: Apache-2.0
// One call of the pool: which thread takes which of its tasks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "error.h"
#include "parallel.h"

namespace attn4j {

// Participants of a call that have tasks of their own. Whoever comes beyond them helps the others.
constexpr int kMostRanges = 32;

// What is left of a thread's own tasks, [begin, end), in one word so that both ends move together: the owner takes the
// first, whoever has nothing left of its own takes the last.
class alignas(64) Range {
public:
    void set(uint64_t begin, uint64_t end) { ends_.store(begin << 32 | end, std::memory_order_relaxed); }
    void clear() { set(0, 0); }
    bool empty() const {
        const uint64_t ends = ends_.load(std::memory_order_relaxed);
        return begin_of(ends) >= end_of(ends);
    }
    // -1: none is left.
    int64_t first() {
        return take(uint64_t{1} << 32, 0, [](uint64_t ends) { return begin_of(ends); });
    }
    int64_t last() {
        return take(0, 1, [](uint64_t ends) { return end_of(ends) - 1; });
    }

private:
    static uint64_t begin_of(uint64_t ends) { return ends >> 32; }
    static uint64_t end_of(uint64_t ends) { return ends & 0xffffffff; }

    template <typename Taken>
    int64_t take(uint64_t more, uint64_t fewer, const Taken& taken) {
        uint64_t ends = ends_.load(std::memory_order_relaxed);
        while (begin_of(ends) < end_of(ends))
            if (ends_.compare_exchange_weak(ends, ends + more - fewer, std::memory_order_relaxed))
                return static_cast<int64_t>(taken(ends));
        return -1;
    }

    std::atomic<uint64_t> ends_{0};
};

// Lives on its caller's stack: workers let go of it before the caller may return.
//
// Tasks are dealt out in as many ranges as there may be threads, the caller's first. A worker gets the same one in each
// call if it can: in calls that follow each other a thread then finds in its own cache what it has written before, as
// long as tasks are numbered alike.
struct Job {
    TaskFunction function;
    const void* context;
    int64_t tasks, each;  // a range counts so many tasks as one, more than one only where its ends would not hold them
    int ranges;
    Range range[kMostRanges];
    uint32_t taken = 1;          // ranges with an owner, a bit each; under the mutex
    std::atomic<int> active{0};  // workers inside; changed under the pool's mutex
    int vacancies = 0;           // workers that may still join; under the mutex
    bool waiting = false;        // the caller sleeps until active is 0; under the mutex
    std::atomic<bool> failed{false};
    Error error{};
    Job* following = nullptr;  // in the pool's list

    Job(int64_t n, int threads, TaskFunction f, const void* c)
        : function(f),
          context(c),
          tasks(n),
          each((n >> 32) + 1),
          ranges(threads < kMostRanges ? threads : kMostRanges) {
        const int64_t all = (tasks + each - 1) / each;
        for (int r = 0; r < ranges; ++r)
            range[r].set(static_cast<uint64_t>(r * all / ranges), static_cast<uint64_t>((r + 1) * all / ranges));
    }

    // The range of a worker that joins: the one it likes, if nobody has it. Under the mutex.
    int join(int liked) {
        int own = liked % ranges;
        for (int r = 0; r < ranges && (taken >> own & 1) != 0; ++r) own = (own + 1) % ranges;
        taken |= 1u << own;
        return own;
    }

    void work(int own) {
        for (int64_t unit = take(own); unit >= 0; unit = take(own)) {
            try {
                const int64_t end = std::min((unit + 1) * each, tasks);
                for (int64_t task = unit * each; task < end; ++task) function(context, task);
            } catch (const Error& thrown) {
                if (!failed.exchange(true)) error = thrown;
                for (Range& r : range) r.clear();
            }
        }
    }
    bool open() const {
        if (vacancies == 0) return false;
        for (int r = 0; r < ranges; ++r)
            if (!range[r].empty()) return true;
        return false;
    }

private:
    int64_t take(int own) {
        int64_t task = range[own].first();
        for (int r = 1; r < ranges && task < 0; ++r) task = range[(own + r) % ranges].last();
        return task;
    }
};

}  // namespace attn4j
