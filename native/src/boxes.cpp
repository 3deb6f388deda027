// SPDX-License-Identifier: Apache-2.0
#include "boxes.h"

namespace attn4j {

Box box(const AttentionProblem& p, attn4j_operand operand, const Layout& layout) {
    const bool of_queries = operand == ATTN4J_Q || operand == ATTN4J_OUT;
    const bool of_values = operand == ATTN4J_V || operand == ATTN4J_OUT;
    const Strides& s = p.strides[operand];
    if (p.pages.present && !of_queries)
        return {{{p.pages.count, s.batch},
                 {p.kv_heads, s.head},
                 {p.pages.rows, s.row},
                 {of_values ? p.value_dim : p.head_dim, 1}}};
    return {{{layout.batch, s.batch},
             {of_queries ? p.heads : p.kv_heads, s.head},
             {of_queries ? layout.queries : layout.keys, s.row},
             {of_values ? p.value_dim : p.head_dim, 1}}};
}

Box box(const AttentionProblem& p, const ScoreStrides& s, const Layout& layout) {
    return {{{layout.batch, s.batch},
             {p.averaged && &s == &p.scores ? 1 : p.heads, s.head},
             {layout.queries, s.query},
             {layout.keys, s.key}}};
}

int64_t bytes(const AttentionProblem& p, attn4j_operand operand, const Layout& layout) {
    return extent(kOperandNames[operand], box(p, operand, layout).axes, 4) * bytes_of(p.types[operand]);
}

int64_t scale_bytes(const AttentionProblem& p, attn4j_operand operand, const Layout& layout) {
    if (p.types[operand] != Element::i8) return 0;
    const ScaleStrides s = scale_strides(p, operand);
    const Axis axes[] = {{p.pages.present ? p.pages.count : layout.batch, s.batch},
                         {p.kv_heads, s.head},
                         {p.pages.present ? p.pages.rows : layout.keys, 1}};
    return extent(operand == ATTN4J_K ? "kScales" : "vScales", axes, 3) * static_cast<int64_t>(sizeof(float));
}

void check_out(const AttentionProblem& p, const Layout& layout) {
    const Box out = box(p, ATTN4J_OUT, layout);
    if (extent("out", out.axes, 4) > 0) check_distinct("out", out.axes, 4);
}

}  // namespace attn4j
