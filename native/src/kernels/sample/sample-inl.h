// SPDX-License-Identifier: Apache-2.0
// The body of sample.h, written once over the vector type.
#pragma once

#include "kernels/philox-inl.h"
#include "kernels/sample/sample.h"
#include "kernels/tile-inl.h"

namespace {

inline int64_t largest_logit(const float* logits, int64_t n) {
    constexpr int64_t lanes = F32::lanes;
    const F32 infinity = F32::set(__builtin_inff());
    F32 most = F32::set(-__builtin_inff());
    bool bad = false;
    for (int64_t i = 0; i < n; i += lanes) {
        const F32 x = i + lanes <= n ? F32::load(logits + i)
                                     : select(Mask::from(n - i), most, F32::load_first(logits + i, n - i));
        bad |= any(!(x < infinity));
        most = max(most, x);
    }
    if (bad)
        for (int64_t i = 0; i < n; ++i)
            if (!(logits[i] < __builtin_inff())) return -1 - i;
    float each[lanes];
    most.store(each);
    for (int64_t lane = 1; lane < lanes; ++lane) each[0] = each[0] < each[lane] ? each[lane] : each[0];
    int64_t first = 0;
    while (logits[first] != each[0]) ++first;
    return first;
}

// A number with the order of the logit; -0 is 0.
inline uint32_t order_of(float logit) {
    const float x = logit + 0.0f;
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

// The first tokens by falling logits: all above `order`, and so many of those at it.
struct Kept {
    uint32_t order;
    int64_t ties;
};

// The least first tokens whose weights, weight(i), come to `target`.
template <typename Weight>
inline Kept keep(const float* logits, int64_t n, double target, const Weight& weight) {
    uint32_t order = 0, known = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        double sums[256] = {};
        bool there[256] = {};
        for (int64_t i = 0; i < n; ++i) {
            const uint32_t o = order_of(logits[i]);
            if ((o & known) != order) continue;
            sums[o >> shift & 255] += weight(i);
            there[o >> shift & 255] = true;
        }
        int at = 255, last = -1;
        for (; at >= 0; --at) {
            if (!there[at]) continue;
            if (sums[at] >= target) break;
            last = at;
            target -= sums[at];
        }
        // Rounding may leave a little of the target behind the last.
        if (at < 0) {
            at = last;
            target = sums[at];
        }
        order |= static_cast<uint32_t>(at) << shift;
        known |= 255u << shift;
    }
    // Equal logits have equal weights.
    int64_t first = 0, ties = 1;
    while (order_of(logits[first]) != order) ++first;
    const double each = weight(first);
    while (ties < n && static_cast<double>(ties) * each < target) ++ties;
    return {order, ties};
}

// Calls visit(i) for the tokens kept, in their own order, until it says true.
template <typename Visit>
inline void each_kept(const attn4j::Sample& w, const Kept& kept, const Visit& visit) {
    int64_t ties = kept.ties;
    for (int64_t i = 0; i < w.count; ++i) {
        const uint32_t order = order_of(w.logits[i]);
        if (order < kept.order || (order == kept.order && ties-- <= 0)) continue;
        if (visit(i)) return;
    }
}

// In [0, 1).
inline double uniform(const attn4j::Sample& w) {
    RandomWords random;
    for (int i = 0; i < F32::lanes; ++i) {
        random.word[0][i] = static_cast<uint32_t>(w.step);
        random.word[1][i] = static_cast<uint32_t>(w.step >> 32);
        random.word[2][i] = w.row;
        random.word[3][i] = 1;
    }
    philox(random, static_cast<uint32_t>(w.seed), static_cast<uint32_t>(w.seed >> 32));
    const uint64_t bits = static_cast<uint64_t>(random.word[0][0]) << 32 | random.word[1][0];
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

inline int64_t draw_token(const attn4j::Sample& w) {
    constexpr int64_t lanes = F32::lanes;
    constexpr double log2_e = 1.4426950408889634;
    // Within these, neither 0 nor -infinity times it is NaN; beyond, a weight is 0 or 1 anyway.
    double by = log2_e / w.temperature;
    by = by < 0x1p-126 ? 0x1p-126 : by > 0x1p100 ? 0x1p100 : by;
    const F32 largest = F32::set(w.largest), factor = F32::set(static_cast<float>(by));
    for (int64_t i = 0; i < w.count; i += lanes) {
        const int64_t n = w.count - i < lanes ? w.count - i : lanes;
        store_some(exp2((load_some(w.logits + i, n) - largest) * factor), w.weights + i, n);
    }
    const auto weight = [&](int64_t i) { return static_cast<double>(w.weights[i]); };
    const auto sum = [&](const Kept& kept) {
        double total = 0;
        each_kept(w, kept, [&](int64_t i) {
            total += weight(i);
            return false;
        });
        return total;
    };
    Kept kept = {0, w.count};
    if (w.top_k < w.count) kept = keep(w.logits, w.count, static_cast<double>(w.top_k), [](int64_t) { return 1.0; });
    double total = sum(kept);
    if (w.top_p < 1) {
        const Kept likely = keep(w.logits, w.count, w.top_p * total, weight);
        // Rounding may take it past the top k, where these are all.
        if (likely.order > kept.order || (likely.order == kept.order && likely.ties < kept.ties)) kept = likely;
        total = sum(kept);
    }
    const double target = uniform(w) * total;
    double below = 0;
    int64_t token = -1;
    each_kept(w, kept, [&](int64_t i) {
        below += weight(i);
        if (weight(i) > 0) token = i;
        return below > target;
    });
    return token;
}

constexpr attn4j::SampleKernel sample_kernel() { return {largest_logit, draw_token}; }

}  // namespace
