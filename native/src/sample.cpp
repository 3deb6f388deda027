// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <cmath>

#include "dispatch.h"
#include "error.h"
#include "extent.h"
#include "memory.h"
#include "parallel.h"

namespace attn4j {
namespace {

using Long = long long;

void check(const Sampling& s) {
    if (!(s.temperature >= 0) || std::isinf(s.temperature))
        fail(ATTN4J_INVALID_ARGUMENT, "temperature must be at least 0 and finite: temperature=%g", s.temperature);
    if (!(s.top_p > 0 && s.top_p <= 1))
        fail(ATTN4J_INVALID_ARGUMENT, "topP must be above 0 and at most 1: topP=%g", s.top_p);
    require_size("topK", s.top_k, 0);
    require_size("step", s.step, 0);
}

// The token of the largest logit.
int64_t largest(const SampleKernel& kernel, const float* logits, int64_t vocabulary, int64_t row) {
    const int64_t at = kernel.largest(logits, vocabulary);
    if (at < 0)
        fail(ATTN4J_INVALID_ARGUMENT, "logits must be numbers below infinity: logits[%lld, %lld]=%g", Long{row},
             Long{-1 - at}, static_cast<double>(logits[-1 - at]));
    if (std::isinf(logits[at]))
        fail(ATTN4J_INVALID_ARGUMENT, "a row of logits must not be -inf throughout: row=%lld vocabulary=%lld",
             Long{row}, Long{vocabulary});
    return at;
}

}  // namespace

void sample(const Matrix& logits, int64_t rows, int64_t vocabulary, const Sampling& s, int32_t* tokens,
            const Execution& execution) {
    require_size("rows", rows, 0);
    require_size("vocabulary", vocabulary, 1);
    if (vocabulary > INT32_MAX)
        fail(ATTN4J_INVALID_ARGUMENT, "vocabulary must be below 2^31: vocabulary=%lld", Long{vocabulary});
    check(s);
    require_threads(execution.threads);
    const SampleKernel& kernel = kernels_of(resolve_isa(execution.isa)).sample;
    if (rows == 0) return;
    if (tokens == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "tokens must not be null: tokens=null rows=%lld", Long{rows});
    check_apart("tokens", tokens, 4 * rows, logits.name, logits.data, 4 * span(logits, rows, vocabulary));
    // All rows are looked at before a token is written.
    for (int64_t row = 0; row < rows; ++row) largest(kernel, logits.data + row * logits.stride, vocabulary, row);
    parallel_for(rows, execution.threads, [&](int64_t row) {
        const float* const numbers = logits.data + row * logits.stride;
        const int64_t most = kernel.largest(numbers, vocabulary);
        int64_t token = most;
        if (s.temperature > 0)
            token =
                kernel.draw({numbers, scratch(vocabulary), vocabulary, numbers[most], s.temperature, s.top_p,
                             s.top_k == 0 || s.top_k > vocabulary ? vocabulary : s.top_k, static_cast<uint64_t>(s.seed),
                             static_cast<uint64_t>(s.step), static_cast<uint32_t>(row)});
        tokens[row] = static_cast<int32_t>(token);
    });
}

}  // namespace attn4j
