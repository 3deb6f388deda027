// SPDX-License-Identifier: Apache-2.0
// What must not change a bit of attention's result: the number of threads, the rest of the batch, how the batch is laid
// out.
#include <gtest/gtest.h>

#include "attention_case.h"
#include "environment.h"
#include "isas.h"

namespace {

class AttentionInvariants : public IsaTypeTest {
protected:
    // Large enough for several threads: some 10 million floating-point operations.
    AttentionCase large() const {
        AttentionCase c;
        c.isa = isa();
        c.dtype = dtype();
        c.batch = 3;
        c.heads = 4;
        c.kv_heads = 2;
        c.queries = 101;
        c.keys = 131;
        c.head_dim = 24;
        c.value_dim = 20;
        return c;
    }

    // The same of few queries, whose keys are split into chunks.
    AttentionCase decoded() const {
        AttentionCase c = large();
        c.batch = 2;
        c.heads = 8;
        c.queries = 2;
        c.keys = 3 * attn4j::kernels_of(isa()).decode.chunk + 77;
        c.key_lengths = {c.keys, c.keys / 3};
        return c;
    }

    // So many chunks that they are larger, those of the first sequence twice as large as those of the second.
    AttentionCase decoded_in_large_chunks() const {
        AttentionCase c = decoded();
        c.heads = c.kv_heads = 64;
        c.head_dim = c.value_dim = 8;
        c.queries = 1;
        return c;
    }

    // Sequence b of one result, as a dense list: out, then lse.
    static std::vector<float> sequence(const AttentionCase& c, const AttentionData& data, int64_t b) {
        std::vector<float> all;
        const int64_t at = AttentionData::batch_of(c, b), first = AttentionData::query_row(c, b);
        for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < c.queries_of(b); ++i) {
                for (int64_t d = 0; d < c.value_dim; ++d) all.push_back(data.out.at(at, h, first + i, d));
                all.push_back(data.lse.at(at, h, first + i, 0));
            }
        return all;
    }

    // Of batches whose sequences have lengths of their own.
    static void check_alone(const AttentionCase& c) {
        Random random(test_seed());
        const AttentionData data = make_data(c, random);
        run(c, data);
        expect_correct(c, data);
        for (int64_t b = 0; b < c.batch; ++b) {
            AttentionCase alone = c;
            alone.batch = 1;
            alone.keys = c.key_lengths[b];
            alone.key_lengths = {};
            if (!c.offsets.empty()) alone.offsets = {c.offsets[b]};
            Random other(test_seed() + 1);
            const AttentionData part = make_data(alone, other);
            for (int64_t h = 0; h < c.heads; ++h)
                for (int64_t i = 0; i < c.queries; ++i)
                    for (int64_t d = 0; d < c.head_dim; ++d) part.q.at(0, h, i, d) = data.q.at(b, h, i, d);
            for (int64_t h = 0; h < c.kv_heads; ++h)
                for (int64_t j = 0; j < alone.keys; ++j) {
                    for (int64_t d = 0; d < c.head_dim; ++d) part.k.at(0, h, j, d) = data.k.at(b, h, j, d);
                    for (int64_t d = 0; d < c.value_dim; ++d) part.v.at(0, h, j, d) = data.v.at(b, h, j, d);
                }
            run(alone, part);
            EXPECT_EQ(difference(sequence(c, data, b), sequence(alone, part, 0)), "") << alone.describe();
        }
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(AttentionInvariants);

TEST_P(AttentionInvariants, SameBitsOnAnyNumberOfThreads) {
    AttentionCase attended = large();
    attended.key_lengths = {131, 1, 77};
    AttentionCase causal = attended;
    causal.causal = true;
    for (const AttentionCase& c : {attended, causal, decoded(), decoded_in_large_chunks()})
        check_threads(c, test_seed());
}

TEST_P(AttentionInvariants, SameBitsAloneOrInABatch) {
    for (const bool causal : {false, true}) {
        AttentionCase c = large();
        c.causal = causal;
        c.key_lengths = {131, 60, 128};
        c.offsets = {30, -10, 0};
        check_alone(c);
    }
    check_alone(decoded());
    check_alone(decoded_in_large_chunks());
}

TEST_P(AttentionInvariants, SameBitsRaggedOrPadded) {
    for (const bool causal : {false, true}) {
        AttentionCase ragged = large();
        ragged.causal = causal;
        ragged.layout = Layout::BSHD;
        ragged.cu_queries = ragged.cu_keys = {0, 40, 40, 101, 230};
        Random random(test_seed());
        const AttentionData packed = make_data(ragged, random);
        run(ragged, packed);
        expect_correct(ragged, packed);

        // Padding stands in front of nothing here: queries are the first rows, so top-left is what both mean.
        AttentionCase padded = large();
        padded.causal = causal;
        padded.alignment = ATTN4J_TOP_LEFT;
        padded.batch = ragged.sequences();
        padded.queries = padded.keys = 129;
        for (int64_t b = 0; b < padded.batch; ++b) padded.key_lengths.push_back(ragged.keys_of(b));
        const AttentionData data = make_data(padded, random);
        for (int64_t b = 0; b < padded.batch; ++b)
            for (int64_t i = 0; i < ragged.queries_of(b); ++i) {
                const int64_t row = ragged.cu_queries[b] + i;
                for (int64_t h = 0; h < ragged.heads; ++h)
                    for (int64_t d = 0; d < ragged.head_dim; ++d) data.q.at(b, h, i, d) = packed.q.at(0, h, row, d);
                for (int64_t h = 0; h < ragged.kv_heads; ++h) {
                    for (int64_t d = 0; d < ragged.head_dim; ++d) data.k.at(b, h, i, d) = packed.k.at(0, h, row, d);
                    for (int64_t d = 0; d < ragged.value_dim; ++d) data.v.at(b, h, i, d) = packed.v.at(0, h, row, d);
                }
            }
        run(padded, data);
        for (int64_t b = 0; b < padded.batch; ++b)
            for (int64_t h = 0; h < ragged.heads; ++h)
                for (int64_t i = 0; i < ragged.queries_of(b); ++i) {
                    const int64_t row = ragged.cu_queries[b] + i;
                    for (int64_t d = 0; d < ragged.value_dim; ++d)
                        ASSERT_EQ(bits_of(data.out.at(b, h, i, d)), bits_of(packed.out.at(0, h, row, d)))
                            << "b=" << b << " h=" << h << " i=" << i << " d=" << d << " " << padded.describe();
                    ASSERT_EQ(bits_of(data.lse.at(b, h, i, 0)), bits_of(packed.lse.at(0, h, row, 0)));
                }
    }
}

TEST_P(AttentionInvariants, SameBitsInAnyLayout) {
    AttentionCase c = large();
    Random random(test_seed());
    const AttentionData data = make_data(c, random);
    run(c, data);
    for (const Layout layout : {Layout::BSHD, Layout::PACKED, Layout::PADDED}) {
        c.layout = layout;
        Random same(test_seed());
        const AttentionData other = make_data(c, same);
        run(c, other);
        EXPECT_EQ(difference(data.out.values(), other.out.values()), "") << c.describe();
        EXPECT_EQ(difference(data.lse.values(), other.lse.values()), "") << c.describe();
    }
}

// Reads of inputs and writes of out that do not concern each other may interleave in memory: a column block of one
// matrix.
TEST_P(AttentionInvariants, QKVMayShareMemory) {
    AttentionCase c = large();
    c.value_dim = c.head_dim;
    c.kv_heads = c.heads;
    c.queries = c.keys;
    Random random(test_seed());
    AttentionData data = make_data(c, random);
    data.k = data.v = data.q;
    run(c, data);
    expect_correct(c, data);
}

}  // namespace
