// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <algorithm>

#include "blocks.h"
#include "dispatch.h"
#include "memory.h"

namespace attn4j {
namespace {

constexpr int64_t kLine = kAlignment / static_cast<int64_t>(sizeof(float));

int64_t whole_lines(int64_t floats) { return (floats + kLine - 1) / kLine * kLine; }

int64_t chunks_of(int64_t keys, const DecodeKernel& kernel) {
    return std::max<int64_t>(1, (keys + kernel.chunk - 1) / kernel.chunk);
}

// Where the parts of a run's memory begin, in floats.
struct Memory {
    int64_t most_rows;  // of a decoded sequence
    int64_t starts, unfinished, lse, partials, end;

    Memory(const AttentionProblem& p, const DecodeKernel& kernel) {
        const int64_t group = p.heads / p.kv_heads, units = p.batch * p.kv_heads;
        most_rows = group * std::min(p.queries, most_decoded(p, kernel));
        starts = 0;
        unfinished = whole_lines(p.ragged ? 2 * (p.batch + 1) : 0);
        lse = unfinished + whole_lines(most_rows == 0 ? 0 : units);
        partials = lse + whole_lines(p.stage == ATTN4J_STAGE_NONE ? 0 : units * most_rows);
        end = partials +
              (most_rows == 0 ? 0 : units * chunks_of(p.keys, kernel) * kernel.partial_floats(most_rows, p.value_dim));
    }
};

// Most heads in a task, which look at their mask and transpose their bias once for all. More gain nothing.
constexpr int64_t kHeadsTogether = 4;
static_assert(kBlocksTogether * kHeadsTogether <= kTogether, "a kernel takes no more");

// Whether heads have a mask or a bias in common that differs from query to query, and so is worth sharing.
bool shares_mask(const AttentionProblem& p) {
    const auto shared = [](const ScoreStrides& s) { return s.present && s.head == 0 && s.query != 0; };
    return shared(p.bias) || shared(p.mask);
}

// The largest share: blocks that have keys or a bias in common. Where scores are averaged a task takes all heads in turn.
Share largest_share(const AttentionProblem& p) {
    if (p.averaged) return {p.heads, 1};
    if (shares_mask(p)) return {std::min(p.heads, kHeadsTogether), kBlocksTogether};
    return {1, kBlocksTogether};
}

bool all_bf16(const AttentionProblem& p) {
    return p.types[ATTN4J_Q] == Element::bf16 && p.types[ATTN4J_K] == Element::bf16 &&
           p.types[ATTN4J_V] == Element::bf16;
}

// Whether all that is multiplied is bfloat16 and lies as the kernels for it read it. They write no stage.
bool multiplies_bf16(const AttentionProblem& p) {
    return all_bf16(p) && !p.pages.present && p.stage == ATTN4J_STAGE_NONE;
}

const DecodeKernel& decode_kernel(const AttentionProblem& p, const KernelTable& table, const Bf16Kernels* bf16) {
    if (bf16 == nullptr) return table.decode;
    if (bf16->decode != nullptr && all_bf16(p)) return *bf16->decode;
    // Sums of so many products of bytes fit 32 bits.
    constexpr int64_t most_dims = 65536;
    const bool bytes = p.types[ATTN4J_K] == Element::i8 && p.types[ATTN4J_V] == Element::i8;
    if (bf16->decode_bytes != nullptr && bytes && p.head_dim <= most_dims) return *bf16->decode_bytes;
    return table.decode;
}

int64_t shares(int64_t n, int64_t each) { return (n + each - 1) / each; }

}  // namespace

AttentionKernels choose_kernels(const AttentionProblem& p, attn4j_isa isa) {
    const KernelTable& table = kernels_of(isa);
    const Bf16Kernels* const bf16 = bf16_kernels_of(isa);
    const AttentionKernel& blocks = bf16 != nullptr && multiplies_bf16(p) ? bf16->attention : table.attention;
    const Share share = largest_share(p);
    const int64_t together = p.averaged ? 1 : share.heads * share.blocks;
    // Whole cache lines, so that what follows it is aligned as well.
    const DecodeKernel& chunks = decode_kernel(p, table, bf16);
    return {&blocks, &chunks,
            whole_lines(std::max(blocks.workspace_floats(p.head_dim, p.value_dim, together),
                                 chunks.workspace_floats(p.head_dim, p.value_dim)))};
}

Share share_of(const AttentionProblem& p, int64_t blocks, int threads) {
    Share share = largest_share(p);
    if (p.averaged || threads == 1) return share;
    constexpr int64_t tasks_per_thread = 4;
    while (share.heads * share.blocks > 1 && blocks < tasks_per_thread * threads * share.heads * share.blocks) {
        share.heads = (share.heads + 1) / 2;
        share.blocks = (share.blocks + 1) / 2;
    }
    return share;
}

int64_t blocks_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries) {
    return p.heads * Blocks(queries, kernels.blocks->lanes, kernels.blocks->block_queries).count;
}

int64_t tasks_of(const AttentionProblem& p, const AttentionKernels& kernels, const Share& share, int64_t queries,
                 int64_t keys) {
    if (decodes(p, *kernels.chunks, queries)) return p.kv_heads * chunks_of(keys, *kernels.chunks);
    return shares(p.heads, share.heads) * shares(blocks_of(p, kernels, queries) / p.heads, share.blocks);
}

int64_t most_decoded(const AttentionProblem& p, const DecodeKernel& kernel) {
    return p.dropout == 0 ? std::min(kernel.most_queries, kernel.most_rows / (p.heads / p.kv_heads)) : 0;
}

bool decodes(const AttentionProblem& p, const DecodeKernel& kernel, int64_t queries) {
    return queries > 0 && queries <= most_decoded(p, kernel);
}

int64_t run_floats(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries) {
    return p.ragged || decodes(p, *kernels.chunks, queries) ? Memory(p, *kernels.chunks).end : 0;
}

Run::Run(const AttentionProblem& problem, const AttentionOperands& operands, const AttentionKernels& kernels,
         float* memory)
    : p_(problem), o_(operands), kernels_(kernels), most_decoded_(attn4j::most_decoded(problem, *kernels.chunks)) {
    const Memory parts(p_, *kernels_.chunks);
    starts_ = reinterpret_cast<int64_t*>(memory + parts.starts);
    unfinished_ = reinterpret_cast<int32_t*>(memory + parts.unfinished);
    lse_ = memory + parts.lse;
    partials_ = memory + parts.partials;
    for (int64_t b = 0; b < o_.batch; ++b) {
        const Sequence s = sequence(p_, o_, b);
        blocks_ += blocks_of(p_, kernels_, s.queries);
        scores_ += static_cast<double>(s.queries) * static_cast<double>(s.keys);
        if (decodes(s))
            std::fill_n(unfinished_ + b * p_.kv_heads, p_.kv_heads,
                        static_cast<int32_t>(chunks_of(s.keys, *kernels_.chunks)));
    }
}

void Run::cut(int threads) {
    share_ = share_of(p_, blocks_, threads);
    tasks_ = 0;
    for (int64_t b = 0; b < o_.batch; ++b) {
        const Sequence s = sequence(p_, o_, b);
        if (p_.ragged) starts_[b] = tasks_;
        tasks_ += tasks_of(p_, kernels_, share_, s.queries, s.keys);
    }
    if (p_.ragged) starts_[o_.batch] = tasks_;
}

void Run::task(int64_t number) const {
    if (is_set(o_.cancelled)) return;
    int64_t b;
    if (p_.ragged) {
        b = std::upper_bound(starts_, starts_ + o_.batch + 1, number) - starts_ - 1;
        number -= starts_[b];
    } else {
        const int64_t each = tasks_ / o_.batch;
        b = number / each;
        number %= each;
    }
    const Sequence s = sequence(p_, o_, b);
    decodes(s) ? decode(s, number) : attend(s, number);
}

void Run::attend(const Sequence& s, int64_t within) const {
    const AttentionKernel& kernel = *kernels_.blocks;
    const Blocks blocks = Blocks(s.queries, kernel.lanes, kernel.block_queries);
    const int64_t block_shares = shares(blocks.count, share_.blocks);
    const int64_t first_head = within / block_shares * share_.heads, first = within % block_shares * share_.blocks;
    const int64_t end_head = std::min(first_head + share_.heads, p_.heads);
    const int64_t end = std::min(first + share_.blocks, blocks.count);
    float* const workspace = scratch(kernels_.workspace_floats);
    AttentionBlock together[kTogether];
    int64_t count = 0;
    // Blocks of one head follow each other: keys and values read for one are near for the next.
    for (int64_t head = first_head; head < end_head; ++head)
        for (int64_t i = first; i < end; ++i) {
            together[count++] = make_block(p_, o_, s, head, blocks.begin(i), blocks.end(i));
            if (!p_.averaged) continue;
            kernel.run(together, count, workspace);
            count = 0;
        }
    if (count > 0) kernel.run(together, count, workspace);
}

void Run::decode(const Sequence& s, int64_t within) const {
    const DecodeKernel& kernel = *kernels_.chunks;
    const int64_t chunks = chunks_of(s.keys, kernel), kv_head = within / chunks, i = within % chunks;
    const int64_t unit = s.number * p_.kv_heads + kv_head, group = p_.heads / p_.kv_heads;
    const int64_t each = kernel.partial_floats(group * s.queries, p_.value_dim);
    float* const partials = partials_ + unit * chunks_of(p_.keys, kernel) *
                                            kernel.partial_floats(Memory(p_, kernel).most_rows, p_.value_dim);
    DecodeChunk chunk = make_chunk(p_, o_, s, kv_head, i * kernel.chunk, (i + 1) * kernel.chunk);
    chunk.partial = partials + i * each;
    chunk.workspace = scratch(kernels_.workspace_floats);
    kernel.run(chunk);
    // The last one sees what the others have written.
    if (__atomic_sub_fetch(&unfinished_[unit], 1, __ATOMIC_ACQ_REL) != 0 || is_set(o_.cancelled)) return;
    DecodeMerge merge = make_merge(p_, o_, s, kv_head);
    merge.partials = partials;
    merge.count = chunks;
    if (merge.lse == nullptr && p_.stage != ATTN4J_STAGE_NONE) {
        merge.lse = lse_of(s, kv_head * group);
        merge.lse_head_stride = s.queries;
    }
    kernel.merge(merge);
}

// [queries]
float* Run::lse_of(const Sequence& s, int64_t head) const {
    if (o_.lse != nullptr) return o_.lse + s.lse + head * s.lse_head_stride;
    const int64_t group = p_.heads / p_.kv_heads, unit = s.number * p_.kv_heads + head / group;
    return lse_ + unit * Memory(p_, *kernels_.chunks).most_rows + head % group * s.queries;
}

int64_t Run::stage_tasks() const { return p_.stage == ATTN4J_STAGE_NONE ? 0 : o_.batch * (p_.heads / task_heads()); }

void Run::stage_task(int64_t number) const {
    const int64_t each = p_.heads / task_heads();
    const Sequence s = sequence(p_, o_, number / each);
    if (!decodes(s)) return;
    const Blocks blocks = Blocks(s.queries, kernels_.blocks->lanes, kernels_.blocks->block_queries);
    const int64_t first_head = number % each * task_heads();
    for (int64_t head = first_head; head < first_head + task_heads(); ++head)
        for (int64_t i = 0; i < blocks.count && !is_set(o_.cancelled); ++i) {
            AttentionBlock block = make_block(p_, o_, s, head, blocks.begin(i), blocks.end(i));
            block.known_lse = lse_of(s, head) + blocks.begin(i);
            kernels_.blocks->run(&block, 1, scratch(kernels_.workspace_floats));
        }
}

}  // namespace attn4j
