// SPDX-License-Identifier: Apache-2.0
#include "roofline.h"

#include <algorithm>
#include <chrono>

#include "parallel.h"

namespace {

using Clock = std::chrono::steady_clock;
using Vector = long long __attribute__((vector_size(16), aligned(1), may_alias));

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

volatile long long never_read;

// Several streams of loads and prefetching well ahead: without it one core leaves a fifth of the bandwidth unused.
void read(const char* data, int64_t bytes) {
    constexpr int64_t line = 64, step = 4 * line, ahead = 8192;
    Vector sum[16] = {};
    for (int64_t i = 0; i + step <= bytes; i += step) {
        for (int64_t j = 0; j < 4; ++j) __builtin_prefetch(data + i + j * line + ahead);
        for (int64_t j = 0; j < 16; ++j) sum[j] ^= *reinterpret_cast<const Vector*>(data + i + j * 16);
    }
    for (int64_t j = 1; j < 16; ++j) sum[0] ^= sum[j];
    never_read = sum[0][0] ^ sum[0][1];
}

// Bytes per second.
double read_rate(const std::vector<Range>& memory, int threads) {
    constexpr int64_t piece = 1 << 19;
    const Clock::time_point start = Clock::now();
    double bytes = 0;
    for (const Range& range : memory) {
        bytes += static_cast<double>(range.bytes);
        attn4j::parallel_for((range.bytes + piece - 1) / piece, threads, [&](int64_t i) {
            read(static_cast<const char*>(range.data) + i * piece, std::min(piece, range.bytes - i * piece));
        });
    }
    return bytes / seconds_since(start);
}

}  // namespace

RooflineMeasurement measure_roofline(attn4j_isa isa, int threads, double seconds, double flops,
                                     const std::vector<Range>& memory, const std::function<void()>& call) {
    constexpr double repetition_seconds = 8e-3, limit_seconds = 2e-3;
    double bytes = 0;
    for (const Range& range : memory) bytes += static_cast<double>(range.bytes);
    call();
    Clock::time_point start = Clock::now();
    call();
    const int inner = std::max(1, static_cast<int>(repetition_seconds / seconds_since(start)));
    std::vector<double> times, limits, rates, shares;
    const Clock::time_point begin = Clock::now();
    do {
        double limit = measure_limit(isa, threads, limit_seconds) / 2;
        double rate = read_rate(memory, threads) / 2;
        call();
        start = Clock::now();
        for (int i = 0; i < inner; ++i) call();
        const double time = seconds_since(start) / inner;
        rate += read_rate(memory, threads) / 2;
        limit += measure_limit(isa, threads, limit_seconds) / 2;
        times.push_back(time);
        limits.push_back(limit);
        rates.push_back(rate);
        shares.push_back(std::max(bytes / rate, flops / (limit * 1e9)) / time);
    } while (seconds_since(begin) < seconds || times.size() < 5);
    const double time = median(times);
    return {{time * 1e3, *std::min_element(times.begin(), times.end()) * 1e3, flops / time * 1e-9, median(limits),
             median(shares)},
            bytes / time * 1e-9,
            median(rates) * 1e-9};
}
