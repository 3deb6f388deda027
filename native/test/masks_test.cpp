// SPDX-License-Identifier: Apache-2.0
// Masks brought together: every way of repeating, with and without keys of no mask, causal; and each rule broken once.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "attn4j/attn4j.h"
#include "environment.h"
#include "expect_refused.h"
#include "random.h"

namespace {

// Which of batch, heads, queries an operand repeats, as bits; 8 for no operand.
constexpr int kAbsent = 8;

struct Shape {
    int64_t batch = 2, heads = 3, queries = 5, keys = 4, extra = 0;
    int64_t size(int dim) const { return dim == 0 ? batch : dim == 1 ? heads : dim == 2 ? queries : keys; }
};

template <typename Element>
struct Operand {
    int64_t strides[3];
    std::vector<Element> values;
    bool absent;

    Operand(const Shape& s, int repeats) : absent(repeats == kAbsent) {
        int64_t stride = s.keys + 1;  // a gap behind each row
        for (int dim = 2; dim >= 0; --dim) {
            strides[dim] = repeats & 1 << dim ? 0 : stride;
            stride *= repeats & 1 << dim ? 1 : s.size(dim);
        }
        values.resize(static_cast<size_t>(stride));
    }
    const Element* data() const { return absent ? nullptr : values.data(); }
    Element at(int64_t b, int64_t h, int64_t i, int64_t j) const {
        return absent ? Element{0} : values[static_cast<size_t>(b * strides[0] + h * strides[1] + i * strides[2] + j)];
    }
};

template <typename Check>
void each(const Shape& s, const Check& check) {
    for (int64_t b = 0; b < s.batch; ++b)
        for (int64_t h = 0; h < s.heads; ++h)
            for (int64_t i = 0; i < s.queries; ++i)
                for (int64_t j = 0; j < s.keys + s.extra; ++j)
                    check(b, h, i, j,
                          static_cast<size_t>(((b * s.heads + h) * s.queries + i) * (s.keys + s.extra) + j));
}

std::vector<int64_t> dense(const Shape& s) {
    const int64_t row = s.keys + s.extra;
    return {s.heads * s.queries * row, s.queries * row, row};
}

TEST(Masks, Keep) {
    Random random(test_seed());
    for (int repeats_a = 0; repeats_a <= kAbsent; ++repeats_a)
        for (int repeats_b = 0; repeats_b <= kAbsent; ++repeats_b)
            for (const int64_t extra : {0, 2})
                for (const bool causal : {false, true}) {
                    Shape s;
                    s.extra = extra;
                    Operand<uint8_t> a(s, repeats_a), b(s, repeats_b);
                    for (uint8_t& value : a.values) value = random.normal() < 0 ? 0 : 3;
                    for (uint8_t& value : b.values) value = random.normal() < 0 ? 0 : 1;
                    std::vector<uint8_t> out(static_cast<size_t>(2 * 3 * 5 * (4 + extra)), uint8_t{7});
                    ASSERT_EQ(
                        attn4j_mask_keep(a.data(), a.strides[0], a.strides[1], a.strides[2], b.data(), b.strides[0],
                                         b.strides[1], b.strides[2], causal, out.data(), dense(s)[0], dense(s)[1],
                                         dense(s)[2], s.batch, s.heads, s.queries, s.keys, extra),
                        ATTN4J_OK)
                        << attn4j_error_message();
                    each(s, [&](int64_t n, int64_t h, int64_t i, int64_t j, size_t at) {
                        const bool keep =
                            j >= s.keys || (a.at(n, h, i, j) == 0 && b.at(n, h, i, j) == 0 && (!causal || j <= i));
                        ASSERT_EQ(out[at], keep) << repeats_a << ' ' << repeats_b << " at " << at;
                    });
                }
}

TEST(Masks, Bias) {
    Random random(test_seed());
    for (int repeats_a = 0; repeats_a <= kAbsent; ++repeats_a)
        for (const int repeats_b : {0, 5, 6, kAbsent})
            for (const int64_t extra : {0, 1}) {
                Shape s;
                s.extra = extra;
                Operand<float> a(s, repeats_a), b(s, repeats_b);
                for (float& value : a.values) value = random.normal() < 0 ? -INFINITY : random.normal();
                for (float& value : b.values) value = random.normal();
                std::vector<float> out(static_cast<size_t>(2 * 3 * 5 * (4 + extra)), 7.0f);
                ASSERT_EQ(attn4j_mask_bias(a.data(), a.strides[0], a.strides[1], a.strides[2], b.data(), b.strides[0],
                                           b.strides[1], b.strides[2], out.data(), dense(s)[0], dense(s)[1],
                                           dense(s)[2], s.batch, s.heads, s.queries, s.keys, extra),
                          ATTN4J_OK)
                    << attn4j_error_message();
                each(s, [&](int64_t n, int64_t h, int64_t i, int64_t j, size_t at) {
                    ASSERT_EQ(out[at], j >= s.keys ? 0 : a.at(n, h, i, j) + b.at(n, h, i, j)) << at;
                });
            }
}

TEST(Masks, Rules) {
    uint8_t bytes[64] = {}, out[64];
    float floats[64] = {};
    std::fill(out, out + 64, uint8_t{7});
    const auto keep = [&](const uint8_t* a, uint8_t* to, int64_t batch_stride, int64_t keys, int64_t extra) {
        return attn4j_mask_keep(a, 8, 4, 2, nullptr, 0, 0, 0, 0, to, batch_stride, 4, 2, 2, 2, 2, keys, extra);
    };
    EXPECT_REFUSED(keep(bytes, out, 8, -1, 0), ATTN4J_INVALID_ARGUMENT, {"keys must be at least 0", "keys=-1"});
    EXPECT_REFUSED(keep(bytes, out, 8, 2, -2), ATTN4J_INVALID_ARGUMENT, {"extra must be at least 0", "extra=-2"});
    EXPECT_REFUSED(keep(bytes, nullptr, 8, 2, 0), ATTN4J_INVALID_ARGUMENT, {"out must not be null"});
    EXPECT_REFUSED(keep(bytes, out, 0, 2, 0), ATTN4J_INVALID_ARGUMENT, {"elements of out must not share memory"});
    EXPECT_REFUSED(keep(bytes, out, 8, 2, 1), ATTN4J_INVALID_ARGUMENT, {"elements of out must not share memory"});
    EXPECT_REFUSED(keep(out + 15, out, 8, 2, 0), ATTN4J_INVALID_ARGUMENT, {"out must not overlap a"});
    EXPECT_REFUSED(attn4j_mask_bias(nullptr, 0, 0, 0, floats, 8, 4, 2, floats + 1, 8, 4, 2, 2, 2, 2, 2, 0),
                   ATTN4J_INVALID_ARGUMENT, {"out must not overlap b"});
    for (const uint8_t value : out) EXPECT_EQ(value, 7);
    EXPECT_EQ(keep(nullptr, nullptr, 0, 0, 0), ATTN4J_OK);
}

}  // namespace
