// SPDX-License-Identifier: Apache-2.0
// Embedding lookup, exactly: awkward widths, strides, repeated numbers, accumulation, threads.
#include <gtest/gtest.h>

#include "environment.h"
#include "isas.h"
#include "kernels/embed/reference.h"
#include "tensor.h"

namespace {

class EmbedTest : public IsaTest {};
ATTN4J_ON_EVERY_ISA(EmbedTest);

TEST_P(EmbedTest, WidthsAndStrides) {
    Random random(test_seed());
    const int32_t ids[] = {0, 6, 6, 3, 1, 0};
    for (const int64_t width : widths())
        for (const int64_t gap : {0, 3})
            for (const bool accumulate : {false, true}) {
                const Tensor table = Tensor::matrix(7, width, width + gap),
                             out = Tensor::matrix(6, width, width + 2 * gap, GuardedFloats::Flush::AT_BEGIN);
                table.fill_normal(random);
                if (accumulate) out.fill_normal(random);
                const Tensor expected = out.copy();
                for (int64_t row = 0; row < 6; ++row)
                    embed_reference(&table.at(ids[row], 0), width, accumulate, &expected.at(row, 0));
                ASSERT_EQ(attn4j_embed(table.data(), 7, width + gap, ids, out.data(), width + 2 * gap, 6, width,
                                       accumulate, isa(), 0),
                          ATTN4J_OK)
                    << attn4j_error_message();
                EXPECT_EQ(difference(expected.values(), out.values()), "") << width;
                EXPECT_TRUE(out.gaps_untouched());
            }
}

TEST_P(EmbedTest, ManyRowsOnManyThreads) {
    const ScopedThreads pool(8);
    Random random(test_seed());
    const Tensor table = Tensor::matrix(50, 100, 100), out = Tensor::matrix(2000, 100, 100);
    table.fill_normal(random);
    std::vector<int32_t> ids(2000);
    for (int32_t& id : ids) id = static_cast<int32_t>(random.between(0, 49));
    ASSERT_EQ(attn4j_embed(table.data(), 50, 100, ids.data(), out.data(), 100, 2000, 100, 0, isa(), 0), ATTN4J_OK);
    for (int64_t row = 0; row < 2000; ++row)
        for (int64_t c = 0; c < 100; ++c) ASSERT_EQ(out.at(row, c), table.at(ids[static_cast<size_t>(row)], c));
}

}  // namespace
