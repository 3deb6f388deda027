// SPDX-License-Identifier: Apache-2.0
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "cores.h"
#include "job.h"

#if defined(__linux__)
#include <pthread.h>
#endif

namespace attn4j {
namespace {

// Work that is not worth another thread: handing over to one that is awake costs some 2 us, and to one that sleeps some
// 10 us of the caller, while the worker comes only after 30 to 60 us.
constexpr double kAlone = 6e3, kAsleep = 60e3;

// After its last task a worker looks for more before it sleeps, as a model's calls follow each other: waking takes
// longer than the little that runs between two of them. At first it keeps its core, then it lets others have it.
constexpr std::chrono::microseconds kSpin{20}, kLinger{100};

// How often a thread tries to get the mutex, which is held for some 100 ns, before it sleeps.
constexpr int kTries = 200;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// True as soon as `done` is, false once kLinger has passed.
template <typename Condition>
bool spin_until(const Condition& done) {
    const auto start = std::chrono::steady_clock::now();
    for (auto now = start; now < start + kLinger; now = std::chrono::steady_clock::now()) {
        for (int i = 0; i < 32; ++i) {
            if (done()) return true;
            relax();
        }
        if (now > start + kSpin) std::this_thread::yield();
    }
    return false;
}

void lock_soon(std::unique_lock<std::mutex>& lock) {
    for (int i = 0; i < kTries; ++i) {
        if (lock.try_lock()) return;
        relax();
    }
    lock.lock();
}

class Pool {
public:
    // Never destroyed: at process exit the workers may still run.
    static Pool& instance() {
        static Pool* pool = new Pool;
        return *pool;
    }

    int threads() const { return threads_.load(std::memory_order_relaxed); }
    int awake() const { return awake_.load(std::memory_order_relaxed); }

    void set_threads(int threads) {
        threads_.store(threads, std::memory_order_relaxed);
        // Fewer than before: end them all, the next call starts as many as it may.
        shutdown();
    }

    void shutdown() {
        std::lock_guard<std::mutex> one_at_a_time(lifecycle_);
        std::vector<std::thread> ended;
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
            ended.swap(workers_);
            posted_.fetch_add(1, std::memory_order_relaxed);
        }
        wake_.notify_all();
        for (std::thread& worker : ended) worker.join();
        std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = false;
    }

    // Without `wake` only workers that are awake may help.
    void run(Job& job, int helpers, bool wake) {
        std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
        lock_soon(lock);
        if (wake) start_workers(helpers);
        job.vacancies = helpers;
        job.following = jobs_;
        jobs_ = &job;
        posted_.fetch_add(1, std::memory_order_release);
        lock.unlock();
        if (wake && sleepers_.load() > 0) {
            if (helpers == 1) {
                wake_.notify_one();
            } else {
                wake_.notify_all();
            }
        }
        job.work(0);
        lock_soon(lock);
        Job** link = &jobs_;
        while (*link != &job) link = &(*link)->following;
        *link = job.following;
        lock.unlock();
        // Nobody joins any more; those inside finish their last task.
        if (spin_until([&] { return job.active.load(std::memory_order_acquire) == 0; })) return;
        lock.lock();
        job.waiting = true;
        finished_.wait(lock, [&] { return job.active.load(std::memory_order_acquire) == 0; });
    }

private:
    Pool() : threads_(available_cores()) {}

    // Under the mutex. Where the system gives no thread the call goes on with those there are.
    void start_workers(int helpers) {
        const int wanted = helpers < threads() - 1 ? helpers : threads() - 1;
        while (!stopping_ && static_cast<int>(workers_.size()) < wanted) {
            try {
                const int number = static_cast<int>(workers_.size()) + 1;
                workers_.emplace_back([this, number] { serve(number); });
            } catch (const std::system_error&) {
                return;
            }
        }
    }

    Job* find_open() const {
        for (Job* job = jobs_; job != nullptr; job = job->following)
            if (job->open()) return job;
        return nullptr;
    }

    // The worker of that number, from 1 on.
    void serve(int number) {
#if defined(__linux__)
        pthread_setname_np(pthread_self(), "attn4j");
#endif
        std::unique_lock<std::mutex> lock(mutex_);
        awake_.fetch_add(1, std::memory_order_relaxed);
        while (!stopping_) {
            if (Job* job = find_open()) {
                --job->vacancies;
                const int own = job->join(number);
                job->active.fetch_add(1, std::memory_order_relaxed);
                lock.unlock();
                job->work(own);
                lock_soon(lock);
                const bool waiting = job->waiting;
                // The last touch: from here on the job may be gone.
                const bool last = job->active.fetch_sub(1, std::memory_order_release) == 1;
                if (last && waiting) finished_.notify_all();
                continue;
            }
            const uint64_t seen = posted_.load(std::memory_order_relaxed);
            lock.unlock();
            const bool more = spin_until([&] { return posted_.load(std::memory_order_acquire) != seen; });
            lock_soon(lock);
            if (more) continue;
            sleepers_.fetch_add(1);
            awake_.fetch_sub(1, std::memory_order_relaxed);
            wake_.wait(lock, [&] { return stopping_ || find_open() != nullptr; });
            awake_.fetch_add(1, std::memory_order_relaxed);
            sleepers_.fetch_sub(1);
        }
        awake_.fetch_sub(1, std::memory_order_relaxed);
    }

    std::mutex lifecycle_;  // one shutdown at a time
    std::mutex mutex_;      // guards what follows, and the fields of jobs that say so
    std::condition_variable wake_, finished_;
    std::vector<std::thread> workers_;
    Job* jobs_ = nullptr;
    bool stopping_ = false;
    std::atomic<int> threads_;
    std::atomic<int> sleepers_{0}, awake_{0};  // workers
    std::atomic<uint64_t> posted_{0};          // counts calls: a spinning worker watches it without the mutex
};

}  // namespace

void set_pool_threads(int threads) { Pool::instance().set_threads(threads); }

int pool_threads() { return Pool::instance().threads(); }

int threads_of(int asked) { return asked == 0 ? pool_threads() : std::min(asked, pool_threads()); }

void shutdown_pool() { Pool::instance().shutdown(); }

void parallel_tasks(int64_t tasks, int threads, double nanoseconds, TaskFunction function, const void* context) {
    Pool& pool = Pool::instance();
    int64_t most = threads == 0 || threads > pool.threads() ? pool.threads() : threads;
    if (most > tasks) most = tasks;
    const bool wake = nanoseconds >= kAsleep;
    if (most <= 1 || nanoseconds < kAlone || (!wake && pool.awake() == 0)) {
        for (int64_t task = 0; task < tasks; ++task) function(context, task);
        return;
    }
    Job job(tasks, static_cast<int>(most), function, context);
    pool.run(job, static_cast<int>(most) - 1, wake);
    if (job.failed.load()) throw job.error;
}

}  // namespace attn4j
