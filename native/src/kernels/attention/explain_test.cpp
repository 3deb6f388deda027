// SPDX-License-Identifier: Apache-2.0
// What a plan says of itself is what its runs do: the kernel they take, the tasks they are cut into, their memory.
#include <gtest/gtest.h>

#include <string>

#include "aligned_floats.h"
#include "attn4j/attn4j.h"
#include "isas.h"
#include "parallel.h"
#include "run.h"

namespace {

using attn4j::Way;

struct Plan {
    attn4j::AttentionProblem problem;
    attn4j::AttentionKernels kernels;
};

class ExplainTest : public IsaTypeTest {
protected:
    // 8 heads over 2, as large as it takes for several tasks.
    Plan sized(int64_t queries, int64_t keys, attn4j_dtype kv, attn4j_stage stage, bool pages) const {
        Plan plan{attn4j::plain_problem(3, 8, 2, queries, keys, 64, 64), {}};
        attn4j::AttentionProblem& p = plan.problem;
        p.types[ATTN4J_Q] = static_cast<attn4j::Element>(dtype());
        p.types[ATTN4J_K] = p.types[ATTN4J_V] = static_cast<attn4j::Element>(kv);
        p.stage = stage;
        p.scores = {stage != ATTN4J_STAGE_NONE, 8 * queries * keys, queries * keys, keys, 1};
        if (pages) set_pages(p, keys, 16, keys);
        plan.kernels = choose_kernels(p, isa());
        return plan;
    }

    std::string explain(const attn4j::AttentionProblem& p) const {
        const attn4j_plan plan = attn4j_plan_create(p.batch, p.heads, p.kv_heads, p.queries, p.keys, 64, 64);
        for (const attn4j_operand operand : {ATTN4J_Q, ATTN4J_K, ATTN4J_V}) {
            EXPECT_EQ(attn4j_plan_set_dtype(plan, operand, static_cast<attn4j_dtype>(p.types[operand])), ATTN4J_OK);
        }
        if (p.pages.present) {
            EXPECT_EQ(attn4j_plan_set_pages(plan, p.pages.count, p.pages.rows, p.pages.table_stride), ATTN4J_OK);
        }
        EXPECT_EQ(attn4j_plan_set_stage(plan, p.stage, 0, p.scores.batch, p.scores.head, p.scores.query), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        char text[600];
        EXPECT_EQ(attn4j_plan_explain(plan, text, sizeof text), ATTN4J_OK);
        attn4j_plan_free(plan);
        return text;
    }

    std::string kernel_of(const Plan& plan, Way way) const {
        const attn4j::Bf16Kernels* const bf16 = attn4j::bf16_kernels_of(isa());
        if (way == Way::small) return "small";
        if (way == Way::blocks)
            return bf16 != nullptr && plan.kernels.blocks == &bf16->attention ? "fused-forward-bf16" : "fused-forward";
        return plan.kernels.chunks == &attn4j::kernels_of(isa()).decode       ? "decode"
               : bf16 != nullptr && plan.kernels.chunks == bf16->decode_bytes ? "decode-int8"
                                                                              : "decode-bf16";
    }

    static void expect_part(const std::string& text, const std::string& part) {
        EXPECT_NE(text.find(part), std::string::npos) << text << " lacks " << part;
    }

    // What a run of the largest sizes is cut into. Nothing is attended to.
    static int64_t tasks_of(const Plan& plan, int threads) {
        const AlignedFloats memory(run_floats(plan.problem, plan.kernels, plan.problem.queries));
        attn4j::AttentionOperands operands{};
        operands.batch = plan.problem.batch;
        operands.queries = plan.problem.queries;
        operands.keys = plan.problem.keys;
        attn4j::Run run(plan.problem, operands, plan.kernels, memory.data);
        run.cut(threads);
        return run.tasks();
    }
};
ATTN4J_ON_EVERY_ISA_AND_TYPE(ExplainTest);

TEST_P(ExplainTest, SaysWhatRunsDo) {
    const int64_t few = attn4j::kernels_of(isa()).small.most_keys;
    for (const int64_t queries : {int64_t{1}, int64_t{4}, int64_t{200}})
        for (const int64_t keys : {few, int64_t{3000}})
            for (const attn4j_dtype kv : {dtype(), ATTN4J_INT8})
                for (const attn4j_stage stage : {ATTN4J_STAGE_NONE, ATTN4J_STAGE_WEIGHTS})
                    for (const bool pages : {false, true}) {
                        const Plan plan = sized(queries, keys, kv, stage, pages);
                        const Way way = way_of(plan.problem, plan.kernels, queries, keys);
                        const std::string text = explain(plan.problem);
                        ASSERT_EQ(text.find("kernel=" + kernel_of(plan, way) + " ("), 0u) << text;
                        expect_part(text, std::string(" isa=") + attn4j_isa_name(isa()) + " (as asked)");
                        const size_t at = text.find("threads<=");
                        ASSERT_NE(at, std::string::npos) << text;
                        const int threads = std::stoi(text.substr(at + 9));
                        expect_part(text, " tasks=" + std::to_string(tasks_of(plan, threads)) + " (");
                        expect_part(text, " workspace=" + std::to_string(plan.kernels.workspace_floats * 4) +
                                              " bytes a thread, " +
                                              std::to_string(run_floats(plan.problem, plan.kernels, queries) * 4) +
                                              " more for a run");
                        EXPECT_EQ(text.find("the scores are written after them") != std::string::npos,
                                  stage != ATTN4J_STAGE_NONE && way != Way::blocks)
                            << text;
                    }
}

TEST_P(ExplainTest, SaysWhyInAWord) {
    const auto says = [&](int64_t queries, int64_t keys, double dropout, const char* part) {
        const attn4j_plan plan = attn4j_plan_create(1, 2, 2, queries, keys, 16, 16);
        EXPECT_EQ(attn4j_plan_set_isa(plan, isa()), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_set_dropout(plan, dropout), ATTN4J_OK);
        EXPECT_EQ(attn4j_plan_build(plan), ATTN4J_OK) << attn4j_error_message();
        char text[600];
        EXPECT_EQ(attn4j_plan_explain(plan, text, sizeof text), ATTN4J_OK);
        attn4j_plan_free(plan);
        expect_part(text, part);
    };
    const attn4j::SmallKernel& small = attn4j::kernels_of(isa()).small;
    const bool takes_one = small.most_rows >= 1 && small.most_keys >= 1;
    says(1, 1, 0, takes_one ? "kernel=small (few queries a kvHead, few keys)" : "kernel=decode (few queries a kvHead)");
    says(1, 3000, 0, "kernel=decode (few queries a kvHead)");
    says(200, 3000, 0, "kernel=fused-forward (many queries a kvHead)");
    says(1, 3000, 0.5, "kernel=fused-forward (dropout)");
    says(0, 3000, 0, "kernel=fused-forward (no queries)");
}

TEST_P(ExplainTest, SaysWhyFloat32) {
    const attn4j::Bf16Kernels* const bf16 = attn4j::bf16_kernels_of(isa());
    const bool products = bf16 != nullptr && dtype() == ATTN4J_BF16;
    const auto reason = [&](attn4j_stage stage, bool pages) {
        return explain(sized(200, 3000, dtype(), stage, pages).problem);
    };
    const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    EXPECT_EQ(says(reason(ATTN4J_STAGE_NONE, false), "(many queries a kvHead, all of bfloat16)"), products);
    EXPECT_EQ(says(reason(ATTN4J_STAGE_WEIGHTS, false), "(many queries a kvHead; scores are float32)"), products);
    EXPECT_EQ(says(reason(ATTN4J_STAGE_NONE, true), "(many queries a kvHead; pages are read as float32)"), products);
}

}  // namespace
