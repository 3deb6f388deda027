// SPDX-License-Identifier: Apache-2.0
// The one pool of threads. A call's tasks are defined without regard to threads. Each thread begins with a part of them
// that follow each other, the same part in each call if it can be, and then helps the others.
#pragma once

#include <cstdint>

namespace attn4j {

// Threads of the pool, callers included, from now on. threads >= 1.
void set_pool_threads(int threads);
int pool_threads();
// Of a call that asks for so many, or with 0 for all.
int threads_of(int asked);

// Ends the workers once they are idle. The next call that wants them starts them again.
void shutdown_pool();

using TaskFunction = void (*)(const void* context, int64_t task);

// Work of unknown size, which is worth any number of threads.
constexpr double kLong = 1e18;

// Runs function(context, task) for each task in [0, tasks), on the calling thread and at most threads - 1 workers
// (threads = 0: as many as the pool has); returns when all are done. `nanoseconds` is about what one thread takes for
// all: workers are not woken, or not even asked, for less than that costs. Many callers at once share the workers. If a
// task throws an Error, tasks not yet begun are dropped and the first Error is thrown here.
void parallel_tasks(int64_t tasks, int threads, double nanoseconds, TaskFunction function, const void* context);

template <typename Task>
void parallel_for(int64_t tasks, int threads, double nanoseconds, const Task& task) {
    parallel_tasks(
        tasks, threads, nanoseconds,
        [](const void* context, int64_t index) { (*static_cast<const Task*>(context))(index); }, &task);
}

template <typename Task>
void parallel_for(int64_t tasks, int threads, const Task& task) {
    parallel_for(tasks, threads, kLong, task);
}

}  // namespace attn4j
