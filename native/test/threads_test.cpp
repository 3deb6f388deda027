// SPDX-License-Identifier: Apache-2.0
// The interface from many threads at once, error messages of each thread, and what a steady call allocates.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "allocations.h"
#include "attention_case.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"

namespace {

AttentionCase busy(attn4j_isa isa) {
    AttentionCase c;
    c.isa = isa;
    c.batch = 2;
    c.heads = 4;
    c.kv_heads = 2;
    c.queries = 70;
    c.keys = 90;
    c.head_dim = 24;
    c.value_dim = 16;
    return c;
}

TEST(Threads, SetAndRead) {
    const ScopedThreads restore(attn4j_threads());
    for (const int32_t threads : {1, 2, 7}) {
        ASSERT_EQ(attn4j_threads_set(threads), ATTN4J_OK);
        EXPECT_EQ(attn4j_threads(), threads);
    }
    EXPECT_REFUSED(attn4j_threads_set(0), ATTN4J_INVALID_ARGUMENT, {"threads must be at least 1", "threads=0"});
    EXPECT_REFUSED(attn4j_threads_set(-3), ATTN4J_INVALID_ARGUMENT, {"threads=-3"});
    EXPECT_EQ(attn4j_threads(), 7);
}

TEST(Threads, DifferentPlansAtOnceWhileThePoolChanges) {
    const ScopedThreads pool(3);
    std::vector<attn4j_isa> isas = supported_isas();
    struct Work {
        AttentionCase c;
        AttentionData data;
        std::vector<float> expected;
        attn4j_plan plan;
    };
    std::vector<std::unique_ptr<Work>> works;
    for (size_t i = 0; i < 6; ++i) {
        auto work = std::make_unique<Work>();
        work->c = busy(isas[i % isas.size()]);
        work->c.causal = i % 2 == 1;
        work->c.threads = static_cast<int32_t>(i % 4);
        Random random(test_seed() + i);
        work->data = make_data(work->c, random);
        run(work->c, work->data);
        expect_correct(work->c, work->data);
        work->expected = work->data.out.values();
        work->plan = make_plan(work->c, work->data);
        works.push_back(std::move(work));
    }
    std::atomic<int> wrong{0}, running{static_cast<int>(works.size())};
    std::vector<std::thread> threads;
    for (const auto& work : works)
        threads.emplace_back([&, w = work.get()] {
            for (int repeat = 0; repeat < 25; ++repeat) {
                w->data.out.fill(-1);
                if (run_plan(w->plan, w->c, w->data) != ATTN4J_OK) ++wrong;
                if (!difference(w->expected, w->data.out.values()).empty()) ++wrong;
            }
            --running;
        });
    threads.emplace_back([&] {
        for (int i = 0; running > 0; ++i) {
            if (i % 3 == 2) {
                attn4j_threads_shutdown();
            } else {
                attn4j_threads_set(1 + i % 4);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    for (const auto& work : works) attn4j_plan_free(work->plan);
}

TEST(Threads, OnePlanFromManyThreads) {
    const AttentionCase c = busy(supported_isas().back());
    Random random(test_seed());
    const AttentionData data = make_data(c, random);
    run(c, data);
    attn4j_plan plan = make_plan(c, data);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            const AttentionData mine = with_fresh_output(c, data);
            for (int repeat = 0; repeat < 20; ++repeat)
                if (run_plan(plan, c, mine) != ATTN4J_OK || !difference(data.out.values(), mine.out.values()).empty())
                    ++wrong;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    attn4j_plan_free(plan);
}

TEST(Threads, EachHasItsOwnMessage) {
    EXPECT_EQ(attn4j_threads_set(0), ATTN4J_INVALID_ARGUMENT);
    std::thread([] {
        EXPECT_STREQ(attn4j_error_message(), "");
        EXPECT_EQ(attn4j_threads_set(-9), ATTN4J_INVALID_ARGUMENT);
        expect_message({"threads=-9"});
    }).join();
    expect_message({"threads=0"});
    EXPECT_EQ(attn4j_threads_set(attn4j_threads()), ATTN4J_OK);
    expect_message({"threads=0"});  // until the next failure
}

TEST(Threads, ASteadyCallAllocatesNothing) {
    if (!allocations_are_counted()) GTEST_SKIP() << "this linker cannot count allocations";
    const ScopedThreads pool(2);
    for (const attn4j_isa isa : supported_isas())
        for (const int32_t threads : {1, 0})
            for (const bool ragged : {false, true}) {
                AttentionCase c = busy(isa);
                c.threads = threads;
                if (ragged) c.cu_queries = c.cu_keys = {0, 50, 50, 120};
                Random random(test_seed());
                const AttentionData data = make_data(c, random);
                attn4j_plan plan = make_plan(c, data);
                for (int i = 0; i < 20; ++i) ASSERT_EQ(run_plan(plan, c, data), ATTN4J_OK);
                const int64_t before = allocations();
                for (int i = 0; i < 50; ++i) run_plan(plan, c, data);
                // A worker that came to no task in the first runs gets its scratch space in these.
                EXPECT_LE(allocations() - before, threads == 1 ? 0 : 1) << c.describe();
                attn4j_plan_free(plan);
            }
}

TEST(Threads, ASteadyLayerAllocatesNothing) {
    if (!allocations_are_counted()) GTEST_SKIP() << "this linker cannot count allocations";
    const Tensor x = Tensor::matrix(300, 200, 200), gamma = Tensor::vector(200), out = Tensor::matrix(300, 200, 200);
    x.fill(1);
    gamma.fill(1);
    const auto call = [&] {
        attn4j_layer_norm(x.data(), 200, nullptr, 0, gamma.data(), gamma.data(), 1e-5, out.data(), 200, 300, 200,
                          ATTN4J_ISA_DEFAULT, 0);
        attn4j_activate(ATTN4J_GELU, x.data(), 200, out.data(), 200, 300, 200, ATTN4J_ISA_DEFAULT, 0);
        attn4j_normalize(x.data(), 200, 1e-12, out.data(), 200, 300, 200, ATTN4J_ISA_DEFAULT, 0);
    };
    call();
    const int64_t before = allocations();
    for (int i = 0; i < 10; ++i) call();
    EXPECT_EQ(allocations(), before);
}

}  // namespace
