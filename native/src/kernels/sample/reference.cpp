// SPDX-License-Identifier: Apache-2.0
#include "kernels/sample/reference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

std::vector<double> sample_reference(const std::vector<float>& logits, double temperature, int64_t top_k,
                                     double top_p) {
    std::vector<size_t> order(logits.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
    if (top_k > 0 && top_k < static_cast<int64_t>(order.size())) order.resize(static_cast<size_t>(top_k));
    std::vector<double> weights(logits.size());
    double total = 0;
    for (const size_t i : order)
        total += weights[i] = std::exp((static_cast<double>(logits[i]) - logits[order[0]]) / temperature);
    double sum = 0;
    for (size_t rank = 0; rank < order.size(); ++rank) {
        if (rank > 0 && sum >= top_p * total) {
            weights[order[rank]] = 0;
        } else {
            sum += weights[order[rank]];
        }
    }
    for (double& weight : weights) weight /= sum;
    return weights;
}

double uniform_reference(uint64_t seed, uint64_t step, uint32_t row) {
    std::array<uint32_t, 4> c = {static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32), row, 1};
    uint32_t key[] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
        c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(b),
             static_cast<uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(a)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return static_cast<double>((uint64_t{c[0]} << 32 | c[1]) >> 11) * 0x1p-53;
}
