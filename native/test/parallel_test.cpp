// SPDX-License-Identifier: Apache-2.0
// The pool alone: every task once, on no more threads than allowed, errors brought to the caller, callers at once, and
// its end.
#include "parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "environment.h"
#include "error.h"
#include "job.h"

namespace {

using attn4j::parallel_for;

class ParallelTest : public testing::Test {
    const ScopedThreads pool_{4};
};

TEST_F(ParallelTest, RunsEveryTaskOnce) {
    for (const int threads : {0, 1, 2, 4, 9})
        for (const int64_t tasks : {0, 1, 2, 3, 7, 1000}) {
            std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
            parallel_for(tasks, threads, [&](int64_t task) { ++runs[static_cast<size_t>(task)]; });
            EXPECT_TRUE(std::all_of(runs.begin(), runs.end(), [](const auto& count) { return count == 1; }));
        }
}

TEST_F(ParallelTest, UsesNoMoreThreadsThanAllowed) {
    for (const int threads : {1, 2, 3}) {
        std::mutex mutex;
        std::set<std::thread::id> seen;
        parallel_for(200, threads, [&](int64_t) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
            const std::lock_guard<std::mutex> lock(mutex);
            seen.insert(std::this_thread::get_id());
        });
        EXPECT_LE(seen.size(), static_cast<size_t>(threads));
        if (threads == 1) {
            EXPECT_EQ(*seen.begin(), std::this_thread::get_id());
        }
    }
}

TEST_F(ParallelTest, WorkersHelp) {
    // Two tasks that wait for each other end only if two threads run them.
    std::atomic<int> arrived{0};
    parallel_for(2, 2, [&](int64_t) {
        ++arrived;
        while (arrived < 2) std::this_thread::yield();
    });
    EXPECT_EQ(arrived, 2);
}

TEST_F(ParallelTest, AThreadFindsItsTasksAgain) {
    constexpr int threads = 3, calls = 50;
    std::vector<std::thread::id> first(threads);
    for (int call = 0; call < calls; ++call) {
        std::vector<std::thread::id> ran(threads);
        // As each waits for all, nobody runs two.
        std::atomic<int> arrived{0};
        parallel_for(threads, threads, [&](int64_t task) {
            ran[static_cast<size_t>(task)] = std::this_thread::get_id();
            ++arrived;
            while (arrived < threads) std::this_thread::yield();
        });
        if (call == 0) first = ran;
        EXPECT_EQ(ran, first) << "call " << call;
    }
    EXPECT_EQ(first[0], std::this_thread::get_id());
}

TEST_F(ParallelTest, WhoeverIsDoneHelpsTheOthers) {
    // The worker's half waits until the caller has run all the rest.
    std::atomic<int> rest{0};
    parallel_for(8, 2, [&](int64_t task) {
        if (task == 4) {
            while (rest < 7) std::this_thread::yield();
        } else {
            ++rest;
        }
    });
    EXPECT_EQ(rest, 7);
}

TEST(JobTest, MoreTasksThanARangeCounts) {
    constexpr int64_t tasks = (int64_t{1} << 32) + 3;
    std::vector<int64_t> ran;
    attn4j::Job job(
        tasks, 2,
        [](const void* context, int64_t task) {
            auto& seen = *static_cast<std::vector<int64_t>*>(const_cast<void*>(context));
            seen.push_back(task);
            if (seen.size() == 3) attn4j::fail(ATTN4J_INTERNAL, "enough");
        },
        &ran);
    EXPECT_EQ(job.each, 2);
    job.work(1);
    const int64_t second = (tasks + 1) / 2 / 2 * 2;
    EXPECT_EQ(ran, (std::vector<int64_t>{second, second + 1, second + 2}));
    EXPECT_TRUE(job.failed);
}

TEST_F(ParallelTest, ShortWorkStaysWithItsCaller) {
    constexpr double very_short = 1e3, no_reason_to_wake = 2e4;
    for (const double nanoseconds : {very_short, no_reason_to_wake}) {
        if (nanoseconds == very_short) {
            // Awake workers are not asked.
            parallel_for(100, 0, [](int64_t) {});
        } else {
            attn4j::shutdown_pool();
        }
        std::set<std::thread::id> seen;
        int runs = 0;
        parallel_for(100, 0, nanoseconds, [&](int64_t) {
            seen.insert(std::this_thread::get_id());
            ++runs;
        });
        EXPECT_EQ(seen, std::set<std::thread::id>{std::this_thread::get_id()}) << nanoseconds;
        EXPECT_EQ(runs, 100);
    }
}

TEST_F(ParallelTest, WorkOfAnySizeIsDoneBesideCallersThatWakeWorkers) {
    std::vector<std::thread> callers;
    std::atomic<int64_t> total{0};
    for (const double nanoseconds : {0.0, 1e4, 5e4, 1e5})
        callers.emplace_back([&total, nanoseconds] {
            for (int repeat = 0; repeat < 300; ++repeat) {
                std::atomic<int64_t> sum{0};
                parallel_for(20, 0, nanoseconds, [&](int64_t task) { sum += task; });
                if (sum == 190) ++total;
                // Longer than a worker stays awake.
                if (repeat % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        });
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(total, 4 * 300);
}

TEST_F(ParallelTest, AnErrorReachesTheCallerAndDropsTheRest) {
    for (const int threads : {1, 4})
        for (int repeat = 0; repeat < 20; ++repeat) {
            std::atomic<int64_t> runs{0};
            try {
                parallel_for(100'000, threads, [&](int64_t task) {
                    ++runs;
                    if (task == 5) attn4j::fail(ATTN4J_OUT_OF_MEMORY, "task=%d", 5);
                });
                FAIL() << "nothing was thrown";
            } catch (const attn4j::Error& error) {
                EXPECT_EQ(error.status, ATTN4J_OUT_OF_MEMORY);
                EXPECT_STREQ(error.message, "task=5");
            }
            // While one thread throws, the others go on: what they drop is settled only where there are none.
            if (threads == 1) {
                EXPECT_EQ(runs, 6);
            } else {
                EXPECT_LE(runs, 100'000);
            }
            // The pool is as good as before.
            std::atomic<int> after{0};
            parallel_for(50, threads, [&](int64_t) { ++after; });
            EXPECT_EQ(after, 50);
        }
}

TEST_F(ParallelTest, OnlyOneOfManyErrorsIsThrown) {
    EXPECT_THROW(parallel_for(64, 4, [](int64_t task) { attn4j::fail(ATTN4J_INTERNAL, "%d", static_cast<int>(task)); }),
                 attn4j::Error);
}

TEST_F(ParallelTest, ATaskMayCallAgain) {
    std::atomic<int> runs{0};
    parallel_for(8, 0, [&](int64_t) { parallel_for(8, 0, [&](int64_t) { ++runs; }); });
    EXPECT_EQ(runs, 64);
}

TEST_F(ParallelTest, ManyCallersShareTheWorkers) {
    std::vector<std::thread> callers;
    std::atomic<int64_t> total{0};
    for (int caller = 0; caller < 8; ++caller)
        callers.emplace_back([&] {
            for (int repeat = 0; repeat < 300; ++repeat) {
                std::atomic<int64_t> sum{0};
                parallel_for(20, 1 + repeat % 4, [&](int64_t task) { sum += task; });
                if (sum == 190) ++total;
            }
        });
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(total, 8 * 300);
}

TEST_F(ParallelTest, EndsAndStartsAgainWhileInUse) {
    std::atomic<bool> stop{false};
    std::atomic<int64_t> bad{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 3; ++caller)
        callers.emplace_back([&] {
            while (!stop) {
                std::atomic<int64_t> sum{0};
                parallel_for(32, 0, [&](int64_t task) { sum += task; });
                if (sum != 496) ++bad;
            }
        });
    std::vector<std::thread> enders;
    for (int ender = 0; ender < 2; ++ender)
        enders.emplace_back([ender] {
            for (int i = 0; i < 100; ++i) {
                if (ender == 0) attn4j::shutdown_pool();
                if (ender == 1) attn4j::set_pool_threads(1 + i % 5);
            }
        });
    for (std::thread& ender : enders) ender.join();
    stop = true;
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(bad, 0);
}

TEST_F(ParallelTest, KeepsTheNumberItWasGiven) {
    attn4j::set_pool_threads(3);
    EXPECT_EQ(attn4j::pool_threads(), 3);
    attn4j::shutdown_pool();
    attn4j::shutdown_pool();
    EXPECT_EQ(attn4j::pool_threads(), 3);
}

}  // namespace
