// SPDX-License-Identifier: Apache-2.0
#include "limit.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

#if defined(__linux__)
std::vector<int> allowed_processors() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    std::vector<int> processors;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &allowed)) processors.push_back(cpu);
    return processors;
}

void pin_thread(const std::vector<int>& processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : processors) CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}
#endif

// What `work(thread)` reports having done, per second, over at least `seconds`.
template <typename Work>
double run_limit(int thread, double seconds, const Work& work) {
    const Clock::time_point start = Clock::now();
    double done = 0, elapsed = 0;
    do {
        done += work(thread);
        elapsed = seconds_since(start);
    } while (elapsed < seconds);
    return done / elapsed;
}

// The same of pinned threads all at once, added up.
template <typename Work>
double run_limits(int threads, double seconds, const Work& work) {
    if (threads == 1) return run_limit(0, seconds, work);
    std::vector<double> rates(static_cast<size_t>(threads));
    std::vector<std::thread> workers;
    std::atomic<int> ready{0};
#if defined(__linux__)
    const std::vector<int> processors = allowed_processors();
#endif
    for (int i = 0; i < threads; ++i)
        workers.emplace_back([&, i] {
#if defined(__linux__)
            pin_thread({processors[static_cast<size_t>(i) % processors.size()]});
#endif
            ready.fetch_add(1);
            while (ready.load() < threads) {
            }
            rates[static_cast<size_t>(i)] = run_limit(i, seconds, work);
        });
    for (std::thread& worker : workers) worker.join();
    return std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace

void pin_process(int threads) {
#if defined(__linux__)
    std::vector<int> processors = allowed_processors();
    if (static_cast<int>(processors.size()) > threads) processors.resize(static_cast<size_t>(threads));
    pin_thread(processors);
#else
    (void)threads;
#endif
}

double measure_limit(attn4j_isa isa, attn4j_dtype dtype, int threads, double seconds) {
    const attn4j::Bf16Kernels* const bf16 = attn4j::bf16_kernels_of(isa);
    const bool bytes = dtype == ATTN4J_INT8 && bf16 != nullptr && bf16->decode_bytes != nullptr;
    const bool pairs = dtype == ATTN4J_BF16 && bf16 != nullptr;
    const auto flops = pairs || bytes ? bf16->flops : attn4j::kernels_of(isa).fma_flops;
    // What multiplies pairs of bfloat16 multiplies fours of bytes as fast.
    const double times = bytes ? 2 : 1;
    return run_limits(threads, seconds, [&](int) { return times * flops(20000); }) * 1e-9;
}

double measure_read_bandwidth(attn4j_isa isa, int threads, int64_t bytes, double seconds) {
    const attn4j::KernelTable& kernels = attn4j::kernels_of(isa);
    const int64_t part = std::max<int64_t>(bytes / static_cast<int64_t>(sizeof(float)) / threads, 128) / 128 * 128;
    // Kept, as touching new memory takes far longer than reading it.
    static AlignedFloats memory;
    if (memory.size() < static_cast<size_t>(part * threads)) memory.assign(static_cast<size_t>(part * threads), 1.0f);
    const auto read = [&](int thread) {
        volatile const float sink = kernels.read_sum(memory.data() + thread * part, part);
        (void)sink;
        return static_cast<double>(part) * sizeof(float);
    };
    // Once untimed, as with what is measured: both find the caches as they themselves left them.
    run_limits(threads, 0, read);
    return run_limits(threads, seconds, read) * 1e-9;
}

Measurement measure(attn4j_isa isa, attn4j_dtype dtype, int threads, double seconds, double flops,
                    const std::function<void()>& call, int64_t bytes) {
    // A repetition lasts some milliseconds, so that neither the clock nor the limit's own noise matters.
    constexpr double repetition_seconds = 8e-3, limit_seconds = 2e-3, bandwidth_seconds = 4e-3;
    call();
    Clock::time_point start = Clock::now();
    call();
    const int inner = std::max(1, static_cast<int>(std::ceil(repetition_seconds / seconds_since(start))));
    const auto bandwidth = [&] {
        return bytes == 0 ? 0 : measure_read_bandwidth(isa, threads, bytes, bandwidth_seconds);
    };

    std::vector<double> times, limits, bandwidths, shares;
    const Clock::time_point begin = Clock::now();
    do {
        const double limit_before = measure_limit(isa, dtype, threads, limit_seconds), bandwidth_before = bandwidth();
        // Once untimed: the limit's threads have just had the processors.
        call();
        start = Clock::now();
        for (int i = 0; i < inner; ++i) call();
        const double time = seconds_since(start) / inner;
        const double bandwidth_limit = (bandwidth_before + bandwidth()) / 2;
        const double limit = (limit_before + measure_limit(isa, dtype, threads, limit_seconds)) / 2;
        times.push_back(time);
        limits.push_back(limit);
        bandwidths.push_back(bandwidth_limit);
        const double reading = bytes == 0 ? 0 : static_cast<double>(bytes) * 1e-9 / bandwidth_limit;
        shares.push_back(std::max(flops * 1e-9 / limit, reading) / time);
        // Three are enough where they last long.
    } while (seconds_since(begin) < seconds || times.size() < (seconds_since(begin) < 2 * seconds ? 5 : 3));
    const double time = median(times);
    return {time * 1e3,          *std::min_element(times.begin(), times.end()) * 1e3,
            flops / time * 1e-9, median(limits),
            median(shares),      static_cast<double>(bytes) / time * 1e-9,
            median(bandwidths)};
}
