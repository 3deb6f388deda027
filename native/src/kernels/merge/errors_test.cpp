// SPDX-License-Identifier: Apache-2.0
// The rules of attn4j_merge, each broken once: the status, a message with the values and the rule, and nothing written.
#include <gtest/gtest.h>

#include <functional>

#include "attn4j/attn4j.h"
#include "expect_refused.h"
#include "tensor.h"

namespace {

TEST(MergeErrors, RefusedAndNothingWritten) {
    const Tensor a = Tensor::matrix(6, 4, 4), b = Tensor::matrix(6, 4, 4), out = Tensor::matrix(6, 4, 4),
                 lses = Tensor::matrix(2, 6, 6), lse = Tensor::vector(6), sinks = Tensor::vector(3);
    for (const Tensor& t : {a, b, lses, sinks}) t.fill(1);
    struct Arguments {
        const float* outs[2];
        int64_t strides[2];
        const float* lses[2];
        int64_t count;
        const float* sinks;
        int64_t heads, queries;
        float* out;
        int64_t out_stride;
        float* lse;
        int64_t rows, width;
        int32_t threads;
    };
    const Arguments good = {{a.data(), b.data()},
                            {4, 4},
                            {&lses.at(0, 0), &lses.at(1, 0)},
                            2,
                            sinks.data(),
                            3,
                            2,
                            out.data(),
                            4,
                            lse.data(),
                            6,
                            4,
                            0};
    const auto refused = [&](const std::function<void(Arguments&)>& change, std::initializer_list<const char*> parts) {
        Arguments x = good;
        change(x);
        EXPECT_REFUSED(attn4j_merge(x.outs, x.strides, x.lses, x.count, x.sinks, x.heads, x.queries, x.out,
                                    x.out_stride, x.lse, x.rows, x.width, ATTN4J_ISA_DEFAULT, x.threads),
                       ATTN4J_INVALID_ARGUMENT, parts);
    };
    refused([](Arguments& x) { x.count = -1; }, {"count must be at least 0", "count=-1"});
    refused([](Arguments& x) { x.rows = -1; }, {"rows must be at least 0", "rows=-1"});
    refused([](Arguments& x) { x.width = 0; }, {"width must be at least 1", "width=0"});
    refused([](Arguments& x) { x.threads = -2; }, {"threads=-2"});
    refused([](Arguments& x) { x.heads = 0; }, {"heads must be at least 1", "heads=0"});
    refused([](Arguments& x) { x.queries = 4; },
            {"heads * queries must divide rows", "rows=6", "heads=3", "queries=4"});
    refused([](Arguments& x) { x.heads = INT64_MAX; }, {"heads * queries must divide rows"});
    refused([](Arguments& x) { x.outs[1] = nullptr; }, {"outs[1] must not be null"});
    refused([](Arguments& x) { x.lses[0] = nullptr; }, {"lses[0] must not be null"});
    refused([](Arguments& x) { x.out = nullptr; }, {"out must not be null"});
    refused([](Arguments& x) { x.strides[1] = 3; }, {"row stride of outs[1]", "stride=3", "width=4"});
    refused([](Arguments& x) { x.out_stride = 2; }, {"row stride of out", "stride=2", "width=4"});
    refused([&](Arguments& x) { x.out = const_cast<float*>(x.outs[1]); }, {"out must not overlap outs[1]"});
    refused([&](Arguments& x) { x.outs[0] = x.out + 4; }, {"out must not overlap outs[0]"});
    refused([&](Arguments& x) { x.lse = &lses.at(1, 0); }, {"lse must not overlap lses[1]"});
    refused([&](Arguments& x) { x.lse = x.out; }, {"lse must not overlap out"});
    refused([&](Arguments& x) { x.lse = const_cast<float*>(x.outs[0]); }, {"lse must not overlap outs[0]"});
    refused([&](Arguments& x) { x.sinks = x.out; }, {"out must not overlap sinks"});
    EXPECT_REFUSED(attn4j_merge(nullptr, good.strides, good.lses, 2, nullptr, 0, 0, out.data(), 4, nullptr, 6, 4,
                                ATTN4J_ISA_DEFAULT, 0),
                   ATTN4J_INVALID_ARGUMENT, {"outs must not be null", "count=2"});
    EXPECT_TRUE(out.untouched() && lse.untouched());
    EXPECT_EQ(
        attn4j_merge(nullptr, nullptr, nullptr, 0, nullptr, 0, 0, nullptr, 4, nullptr, 0, 4, ATTN4J_ISA_DEFAULT, 0),
        ATTN4J_OK);
}

}  // namespace
