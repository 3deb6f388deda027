// SPDX-License-Identifier: Apache-2.0
// Where the operands of a problem lie in memory, each of a given number of sequences and rows.
#pragma once

#include "extent.h"
#include "problem.h"

namespace attn4j {

constexpr const char* kOperandNames[] = {"q", "k", "v", "out"};
constexpr attn4j_operand kOperands[] = {ATTN4J_Q, ATTN4J_K, ATTN4J_V, ATTN4J_OUT};

// How many sequences and rows are laid out one behind the other. A ragged batch is one long sequence.
struct Layout {
    int64_t batch, queries, keys;
};

struct Box {
    Axis axes[4];
};

Box box(const AttentionProblem& p, attn4j_operand operand, const Layout& layout);
// Of a bias, a mask or the scores, one of the problem's own.
Box box(const AttentionProblem& p, const ScoreStrides& s, const Layout& layout);

int64_t bytes(const AttentionProblem& p, attn4j_operand operand, const Layout& layout);
// Of an operand's scales, 0 where it has none.
int64_t scale_bytes(const AttentionProblem& p, attn4j_operand operand, const Layout& layout);

// Throws where two elements of out share an address.
void check_out(const AttentionProblem& p, const Layout& layout);

}  // namespace attn4j
