// SPDX-License-Identifier: Apache-2.0
// The split of row-wise work into tasks of fixed size.
#pragma once

#include <algorithm>
#include <cstdint>

#include "parallel.h"

namespace attn4j {

// Elements of a task: some 10 us of work, the least worth handing to another thread.
constexpr int64_t kTaskElements = 16384;
constexpr double kNanosecondsPerElement = 0.6;

// Calls work(first, rows) for runs of rows, each a task.
template <typename Work>
void for_rows(int64_t rows, int64_t width, int32_t threads, const Work& work) {
    const int64_t each = std::max<int64_t>(1, kTaskElements / width);
    parallel_for((rows + each - 1) / each, threads,
                 kNanosecondsPerElement * static_cast<double>(rows) * static_cast<double>(width),
                 [&](int64_t task) { work(task * each, std::min(each, rows - task * each)); });
}

}  // namespace attn4j
