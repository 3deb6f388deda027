// SPDX-License-Identifier: Apache-2.0
// A validated problem with its kernel: made once, run many times from any thread.
#pragma once

#include "kernel_table.h"
#include "problem.h"
#include "run.h"

namespace attn4j {

class Plan {
public:
    explicit Plan(const AttentionProblem& problem) : problem_(problem) {}

    // Before build().
    AttentionProblem& open_problem();
    void set_isa(attn4j_isa isa);
    void set_threads(int32_t threads);
    void build();

    // After build().
    attn4j_isa isa() const { return isa_; }
    void run(const AttentionOperands& operands) const;
    void explain(char* text, int64_t capacity) const;

private:
    void require_open() const;
    void require_built() const;
    double flops_of(double scores) const;
    int threads_for(double scores) const;
    const char* kernel_name(Way way) const;
    const char* kernel_reason(Way way) const;

    AttentionProblem problem_;
    attn4j_isa isa_ = ATTN4J_ISA_DEFAULT;
    const char* isa_reason_ = nullptr;
    int32_t threads_ = 0;
    AttentionKernels kernels_{};  // null until built
};

}  // namespace attn4j
