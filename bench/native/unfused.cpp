// SPDX-License-Identifier: Apache-2.0
#include "unfused.h"

#include <algorithm>
#include <cmath>

#include "gemm.h"
#include "parallel.h"

void UnfusedAttention::run(const float* q, const float* k, const float* v, float* out) {
    const float scale = 1 / std::sqrt(static_cast<float>(head_dim));
    scores.resize(static_cast<size_t>(batch * heads * queries * keys));
    attn4j::parallel_for(batch * heads, threads, [&](int64_t head) {
        const int64_t kv = head / heads * kv_heads + head % heads / (heads / kv_heads);
        float* const weights = scores.data() + head * queries * keys;
        attn4j::sgemm(true, queries, keys, head_dim, q + head * queries * head_dim, head_dim, k + kv * keys * head_dim,
                      head_dim, weights, keys);
        for (int64_t i = 0; i < queries; ++i)
            softmax(weights + i * keys, causal ? std::clamp<int64_t>(i + 1 + keys - queries, 0, keys) : keys, keys,
                    scale);
        attn4j::sgemm(false, queries, value_dim, keys, weights, keys, v + kv * keys * value_dim, value_dim,
                      out + head * queries * value_dim, value_dim);
    });
}
