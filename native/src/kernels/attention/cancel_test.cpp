// SPDX-License-Identifier: Apache-2.0
// A run that is cancelled ends within a block of keys, whichever kernel it takes. Kernels are called as they are, with
// a flag that their own work sets, so that no test waits for a clock: what is nonzero once a block of keys is done.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "aligned_floats.h"
#include "attention_case.h"
#include "environment.h"
#include "expect_refused.h"
#include "isas.h"

namespace {

constexpr int64_t kDim = 16;
constexpr float kMark = 7;

const int32_t* flag_at(const float* word) { return reinterpret_cast<const int32_t*>(word); }

// Ones of any type but int8, which holds ones as well.
std::vector<char> ones(attn4j::Element type, int64_t count) {
    const uint16_t bf16 = 0x3f80, f16 = 0x3c00;
    const float f32 = 1;
    const char i8 = 1;
    const void* const one = type == attn4j::Element::f32    ? static_cast<const void*>(&f32)
                            : type == attn4j::Element::bf16 ? static_cast<const void*>(&bf16)
                            : type == attn4j::Element::f16  ? static_cast<const void*>(&f16)
                                                            : &i8;
    const int64_t each = attn4j::bytes_of(type);
    std::vector<char> bytes(static_cast<size_t>(count * each));
    for (int64_t i = 0; i < count; ++i)
        std::memcpy(&bytes[static_cast<size_t>(i * each)], one, static_cast<size_t>(each));
    return bytes;
}

// A block of two queries over several blocks of keys.
class CancelBlocks : public IsaTypeTest {
protected:
    attn4j::Element type() const { return static_cast<attn4j::Element>(dtype()); }
    int64_t keys() const { return 3 * kernel().key_block; }

    const std::vector<char> q = ones(type(), 2 * kDim), k = ones(type(), keys() * kDim), v = k;
    std::vector<float> out = std::vector<float>(2 * kDim, kMark);
    std::vector<float> scores = std::vector<float>(static_cast<size_t>(2 * keys()));

    attn4j::AttentionBlock block() const {
        attn4j::AttentionBlock b{};
        b.q = q.data();
        b.out = const_cast<float*>(out.data());
        b.q_stride = b.out_stride = kDim;
        b.q_type = type();
        b.out_type = attn4j::Element::f32;
        b.k = {k.data(), type(), kDim, nullptr, nullptr, 0, 0, 0};
        b.v = {v.data(), type(), kDim, nullptr, nullptr, 0, 0, 0};
        b.queries = 2;
        b.keys = b.key_length = keys();
        b.head_dim = b.value_dim = kDim;
        b.first_key = -2;
        b.last_key = keys();
        b.scale = 1;
        return b;
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(CancelBlocks);

TEST_P(CancelBlocks, EndBetweenBlocksOfKeys) {
    const AlignedFloats workspace(kernel().workspace_floats(kDim, kDim, 1));
    attn4j::AttentionBlock b = block();
    // The first numbers of the workspace are the scores of a block of keys, then its weights.
    b.cancelled = flag_at(workspace.data);
    kernel().run(&b, 1, workspace.data);
    EXPECT_NE(*b.cancelled, 0) << "the first block of keys was not attended to";
    for (const float number : out) ASSERT_EQ(number, kMark) << "the run went on";
    b.cancelled = nullptr;
    kernel().run(&b, 1, workspace.data);
    for (const float number : out) ASSERT_EQ(number, 1);
}

TEST_P(CancelBlocks, EndBetweenBlocksOfScoresThatAreWritten) {
    const attn4j::AttentionKernel& writing = attn4j::kernels_of(isa()).attention;
    const AlignedFloats workspace(writing.workspace_floats(kDim, kDim, 1));
    for (const attn4j::Stage stage : {attn4j::Stage::scaled, attn4j::Stage::weights})
        for (const bool alone : {false, true}) {
            attn4j::AttentionBlock b = block();
            b.stage = stage;
            b.stage_alone = alone;
            b.scores = scores.data();
            b.scores_stride = keys();
            b.scores_factor = 1;
            b.cancelled = flag_at(scores.data());
            std::fill(scores.begin(), scores.end(), 0.0f);
            writing.run(&b, 1, workspace.data);
            EXPECT_NE(*b.cancelled, 0) << "no score was written";
            EXPECT_EQ(scores.back(), 0) << "the run went on";
            b.cancelled = nullptr;
            writing.run(&b, 1, workspace.data);
            EXPECT_NE(scores.back(), 0);
        }
}

class CancelFew : public IsaTest {
protected:
    // Four queries over a whole chunk, or as many keys as a small kernel takes.
    static attn4j::DecodeChunk chunk(attn4j::Element q_type, const std::vector<char>& q, attn4j::Element type,
                                     const std::vector<char>& rows, const std::vector<float>& scales, int64_t keys) {
        attn4j::DecodeChunk c{};
        c.q = q.data();
        c.q_type = q_type;
        c.q_head_stride = kDim;
        c.q_stride = kDim;
        c.k = {rows.data(), type, kDim, type == attn4j::Element::i8 ? scales.data() : nullptr, nullptr, 0, 0, 0};
        c.v = c.k;
        c.group = 4;
        c.queries = 1;
        c.head_dim = c.value_dim = kDim;
        c.end = keys;
        c.last_key = keys;
        c.scale = 1;
        return c;
    }

    // Whether a chunk that is cancelled from the start leaves another partial result than one that is not.
    static void expect_stopped(const attn4j::DecodeKernel& kernel, attn4j::Element q_type, attn4j::Element type) {
        const std::vector<char> q = ones(q_type, 4 * kDim), rows = ones(type, kernel.chunk * kDim);
        const std::vector<float> scales(static_cast<size_t>(kernel.chunk), 1);
        const AlignedFloats whole(kernel.partial_floats(4, kDim)), part(kernel.partial_floats(4, kDim)),
            workspace(kernel.workspace_floats(kDim, kDim));
        attn4j::DecodeChunk c = chunk(q_type, q, type, rows, scales, kernel.chunk);
        c.workspace = workspace.data;
        c.partial = whole.data;
        kernel.run(&c, 1);
        const int32_t set = 1;
        c.cancelled = &set;
        c.partial = part.data;
        kernel.run(&c, 1);
        EXPECT_GT(whole.data[0], 0);
        EXPECT_EQ(part.data[0], 0);
    }
};
ATTN4J_ON_EVERY_ISA(CancelFew);

TEST_P(CancelFew, EndBetweenBlocksOfAChunk) {
    const attn4j::DecodeKernel& kernel = kernels().decode;
    const std::vector<char> q = ones(attn4j::Element::f32, 4 * kDim),
                            rows = ones(attn4j::Element::f32, kernel.chunk * kDim);
    const AlignedFloats partial(kernel.partial_floats(4, kDim)), workspace(kernel.workspace_floats(kDim, kDim));
    attn4j::DecodeChunk c = chunk(attn4j::Element::f32, q, attn4j::Element::f32, rows, {}, kernel.chunk);
    c.workspace = workspace.data;
    c.partial = partial.data;
    c.cancelled = flag_at(partial.data);  // the sum of weighted values, each of them 1
    kernel.run(&c, 1);
    EXPECT_GT(partial.data[0], 0) << "the first block of keys was not attended to";
    EXPECT_LT(partial.data[0], static_cast<float>(kernel.chunk)) << "the run went on";
}

TEST_P(CancelFew, AChunkThatIsCancelledIsNotAttendedTo) {
    using attn4j::Element;
    for (const Element type : {Element::f32, Element::bf16, Element::f16, Element::i8})
        expect_stopped(kernels().decode, Element::f32, type);
    const attn4j::Bf16Kernels* const bf16 = attn4j::bf16_kernels_of(isa());
    if (bf16 == nullptr) return;
    if (bf16->decode != nullptr) expect_stopped(*bf16->decode, Element::bf16, Element::bf16);
    if (bf16->decode_bytes != nullptr) expect_stopped(*bf16->decode_bytes, Element::f32, Element::i8);
}

TEST_P(CancelFew, SmallEndsBetweenHeads) {
    const attn4j::SmallKernel& kernel = kernels().small;
    const std::vector<char> q = ones(attn4j::Element::f32, 8 * kDim),
                            rows = ones(attn4j::Element::f32, kernel.most_keys * kDim);
    std::vector<float> out(8 * kDim);
    const AlignedFloats workspace(kernel.workspace_floats(kDim, kDim));
    attn4j::DecodeChunk c = chunk(attn4j::Element::f32, q, attn4j::Element::f32, rows, {}, kernel.most_keys);
    c.workspace = workspace.data;
    c.cancelled = flag_at(out.data());
    attn4j::DecodeMerge to{};
    to.group = 4;
    to.queries = 1;
    to.value_dim = kDim;
    to.out = out.data();
    to.out_head_stride = to.out_stride = kDim;
    // Both heads read the same keys.
    kernel.run(c, to, {2, 0, 0, 0, 0});
    for (int64_t i = 0; i < 8 * kDim; ++i) ASSERT_EQ(out[static_cast<size_t>(i)], i < 4 * kDim ? 1 : 0) << i;
}

// Whatever way a run goes, it says that it was cancelled; and a flag that is not set changes nothing.
TEST_P(CancelFew, ARunSaysSo) {
    const int64_t most_small = kernels().small.most_keys, chunk = kernels().decode.chunk;
    for (const int64_t queries : {1, 70})
        for (const int64_t keys : {most_small, 2 * chunk})
            for (const attn4j_dtype dtype : {ATTN4J_F32, ATTN4J_BF16}) {
                AttentionCase c;
                c.isa = isa();
                c.dtype = dtype;
                c.heads = 4;
                c.queries = queries;
                c.keys = keys;
                Random random(test_seed());
                const AttentionData data = make_data(c, random);
                int32_t cancelled = 1;
                const attn4j_plan plan = make_plan(c, data);
                EXPECT_REFUSED(run_plan(plan, c, data, &cancelled), ATTN4J_CANCELLED,
                               {"the run was cancelled", "cancelled=1"});
                EXPECT_TRUE(data.out.untouched()) << c.describe();
                cancelled = 0;
                EXPECT_EQ(run_plan(plan, c, data, &cancelled), ATTN4J_OK) << attn4j_error_message();
                expect_correct(c, data);
                attn4j_plan_free(plan);
            }
}

}  // namespace
