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

int64_t shares(int64_t n, int64_t each) { return (n + each - 1) / each; }

// Chunks of a key-value head of a sequence of so many keys, at least one; most_chunks() if all were as small as any.
int64_t chunks_of(int64_t keys, int64_t chunk) { return std::max<int64_t>(1, shares(keys, chunk)); }
int64_t chunks_of_head(const AttentionProblem& p, const DecodeKernel& kernel, int64_t keys) {
    return chunks_of(keys, chunk_keys(p, kernel, keys));
}
int64_t most_chunks(int64_t keys, const DecodeKernel& kernel) { return chunks_of(keys, kernel.chunk); }

// Rows of a key-value head of a sequence of so many queries, or of the longest of a ragged batch, as far as a kernel
// takes them; 0 where it takes none.
int64_t rows_of(const AttentionProblem& p, int64_t queries, int64_t most_queries, int64_t most_rows) {
    const int64_t group = p.heads / p.kv_heads, most = std::min(most_queries, most_rows / group);
    if (p.dropout != 0) return 0;
    if (p.ragged) return group * std::min(p.queries, most);
    return queries <= most ? group * queries : 0;
}

int64_t rows_of(const AttentionProblem& p, const DecodeKernel& kernel, int64_t queries) {
    return rows_of(p, queries, kernel.most_queries, kernel.most_rows);
}

// Most heads that take turns over a bias in common. More gain nothing.
constexpr int64_t kHeadsTogether = 4;
// A head's keys and values beyond the second cache come from further away each time: more blocks then share one reading
// (8 % at 32768 keys of 64; nothing at 4096).
constexpr int64_t kNearFloats = int64_t{1} << 19, kBlocksOfDistant = 12;
static_assert(kBlocksOfDistant <= kTogether);
// Those that have to be widened are so once for as many blocks as a kernel takes: for kBlocksTogether that took 4 % of
// the time with AVX2, now 1 to 2 %. Halved for threads, they come by kBlocksTogether.
constexpr int64_t kBlocksOfWidened = kTogether;
static_assert(kBlocksTogether * kHeadsTogether <= kTogether, "a kernel takes no more");

// Whether heads have a mask or a bias in common that differs from query to query, and so is worth sharing.
bool shared(const ScoreStrides& s) { return s.present && s.head == 0 && s.query != 0; }

// Whether keys or values are not what products of float32 read.
bool widens(const AttentionProblem& p) {
    return p.pages.present || p.types[ATTN4J_K] != Element::f32 || p.types[ATTN4J_V] != Element::f32;
}

// The largest share: blocks that have keys or a bias in common. Where scores are averaged a task takes all heads in
// turn.
Share largest_share(const AttentionProblem& p) {
    if (p.averaged) return {p.heads, 1, p.kv_heads, 1};
    if (shared(p.bias)) return {std::min(p.heads, kHeadsTogether), kBlocksTogether, p.kv_heads, 1};
    if (widens(p)) return {1, kBlocksOfWidened, p.kv_heads, 1};
    const bool distant = p.keys > kNearFloats / (p.head_dim + p.value_dim);
    return {1, distant ? kBlocksOfDistant : kBlocksTogether, p.kv_heads, 1};
}

// A Seen for each block of keys.
int64_t seen_of_block(const AttentionProblem& p, const AttentionKernels& kernels) {
    return shares(p.keys, kernels.blocks->key_block);
}

// The same for each block of queries of a sequence, where heads have a mask in common.
int64_t seen_of_sequence(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries) {
    if (!shared(p.mask)) return 0;
    const Blocks blocks(p.ragged ? p.queries : queries, kernels.blocks->lanes, kernels.blocks->block_queries);
    return blocks.count * seen_of_block(p, kernels);
}

// Where the parts of a run's memory begin, in floats.
struct Memory {
    int64_t starts, unfinished, seen, partials, end;  // starts: 64-bit

    Memory(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries) {
        const DecodeKernel& chunks = *kernels.chunks;
        const int64_t units = p.batch * p.kv_heads;
        const int64_t chunk_rows = rows_of(p, chunks, queries);
        starts = 0;
        unfinished = whole_lines(2 * (p.batch + 1));
        seen = unfinished + whole_lines(chunk_rows == 0 ? 0 : units);
        partials = seen + whole_lines(shares(p.batch * seen_of_sequence(p, kernels, queries), sizeof(float)));
        const int64_t most = units * most_chunks(p.keys, chunks);
        end = partials + (chunk_rows == 0 ? 0 : most * chunks.partial_floats(chunk_rows, p.value_dim));
    }
};

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

// Key-value heads of which chunks of the same keys are decoded at once: of caches in pages of which as many fit a block
// as are read together, and not in very small ones, where the CPU's own fetching brings much. Rows of int8 have scales,
// and a mask or a bias says something about single keys: such pages are not read together.
int64_t heads_together(const AttentionProblem& p, const DecodeKernel& kernel) {
    constexpr int64_t fewest_page_rows = 16, most_page_rows = 64;
    const bool fit = p.pages.rows >= fewest_page_rows && p.pages.rows <= most_page_rows && p.pages.rows % 2 == 0;
    const bool bytes = p.types[ATTN4J_K] == Element::i8 || p.types[ATTN4J_V] == Element::i8;
    if (!p.pages.present || !fit || bytes || p.mask.present || p.bias.present || wants_every_line()) return 1;
    return std::min(p.kv_heads, kernel.most_heads);
}

int64_t chunk_workspace(const AttentionProblem& p, const DecodeKernel& kernel) {
    return whole_lines(kernel.workspace_floats(p.head_dim, p.value_dim));
}

}  // namespace

bool all_bf16(const AttentionProblem& p) {
    return p.types[ATTN4J_Q] == Element::bf16 && p.types[ATTN4J_K] == Element::bf16 &&
           p.types[ATTN4J_V] == Element::bf16;
}

AttentionKernels choose_kernels(const AttentionProblem& p, attn4j_isa isa) {
    const KernelTable& table = kernels_of(isa);
    const Bf16Kernels* const bf16 = bf16_kernels_of(isa);
    const AttentionKernel& blocks = bf16 != nullptr && multiplies_bf16(p) ? bf16->attention : table.attention;
    const Share share = largest_share(p);
    const int64_t together = p.averaged ? 1 : share.heads * share.blocks;
    const DecodeKernel& chunks = decode_kernel(p, table, bf16);
    // Whole cache lines, so that what follows it is aligned as well.
    return {&blocks,
            &chunks,
            &table.small,
            &blocks != &table.attention,
            heads_together(p, chunks),
            whole_lines(std::max({blocks.workspace_floats(p.head_dim, p.value_dim, together),
                                  heads_together(p, chunks) * chunk_workspace(p, chunks),
                                  table.small.workspace_floats(p.head_dim, p.value_dim)}))};
}

// Each costs about a microsecond of its own, so they are larger where there are more than threads want (chunks of 2048
// keys of int8 instead of 1024: 3 % of the time of decoding). By the sequence alone, or results would depend on others.
int64_t chunk_keys(const AttentionProblem& p, const DecodeKernel& kernel, int64_t keys) {
    constexpr int64_t many = 128, most = 4;
    return kernel.chunk * std::clamp<int64_t>(p.kv_heads * most_chunks(keys, kernel) / many, 1, most);
}

Way way_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries, int64_t keys) {
    const DecodeKernel& chunks = *kernels.chunks;
    const SmallKernel& small = *kernels.small;
    const int64_t group = p.heads / p.kv_heads;
    if (queries == 0 || p.dropout != 0) return Way::blocks;
    const bool few = queries <= chunks.most_queries && queries <= chunks.most_rows / group;
    // The small kernel multiplies float32.
    if ((few || !kernels.bf16) && keys <= small.most_keys && queries <= small.most_rows / group) return Way::small;
    return few ? Way::chunks : Way::blocks;
}

Share share_of(const AttentionProblem& p, int64_t blocks, int64_t chunks, int threads) {
    Share share = largest_share(p);
    constexpr int64_t tasks_per_thread = 4, decodes_per_thread = 16;
    share.chunks = std::max<int64_t>(1, threads == 1 ? chunks : chunks / (decodes_per_thread * threads));
    if (threads == 1) return share;
    share.kv_heads = std::clamp<int64_t>(p.kv_heads * p.batch / (tasks_per_thread * threads), 1, p.kv_heads);
    if (p.averaged) return share;
    while (share.heads * share.blocks > 1 && blocks < tasks_per_thread * threads * share.heads * share.blocks) {
        share.heads = (share.heads + 1) / 2;
        share.blocks = (share.blocks + 1) / 2;
    }
    return share;
}

int64_t chunks_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t keys) {
    return p.kv_heads * chunks_of_head(p, *kernels.chunks, keys);
}

int64_t blocks_of(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries) {
    return p.heads * Blocks(queries, kernels.blocks->lanes, kernels.blocks->block_queries).count;
}

int64_t tasks_of(const AttentionProblem& p, const AttentionKernels& kernels, const Share& share, int64_t queries,
                 int64_t keys) {
    switch (way_of(p, kernels, queries, keys)) {
        case Way::small:
            return shares(p.kv_heads, share.kv_heads);
        case Way::chunks:
            return shares(chunks_of(p, kernels, keys), share.chunks);
        case Way::blocks:
            break;
    }
    return shares(p.heads, share.heads) * shares(blocks_of(p, kernels, queries) / p.heads, share.blocks);
}

int64_t run_floats(const AttentionProblem& p, const AttentionKernels& kernels, int64_t queries) {
    return Memory(p, kernels, queries).end;
}

Run::Run(const AttentionProblem& problem, const AttentionOperands& operands, const AttentionKernels& kernels,
         float* memory)
    : p_(problem), o_(operands), kernels_(kernels) {
    const Memory parts(p_, kernels_, o_.queries);
    starts_ = reinterpret_cast<int64_t*>(memory + parts.starts);
    unfinished_ = reinterpret_cast<int32_t*>(memory + parts.unfinished);
    seen_ = reinterpret_cast<Seen*>(memory + parts.seen);
    seen_each_ = seen_of_sequence(p_, kernels_, o_.queries);
    std::fill_n(seen_, o_.batch * seen_each_, Seen::unknown);
    partials_ = memory + parts.partials;
    for (int64_t b = 0; b < o_.batch; ++b) {
        const Sequence s = sequence(p_, o_, b);
        blocks_ += blocks_of(p_, kernels_, s.queries);
        scores_ += static_cast<double>(s.queries) * static_cast<double>(s.keys);
        if (way_of_sequence(s) != Way::chunks) continue;
        chunks_ += chunks_of(p_, kernels_, s.key_length);
        std::fill_n(unfinished_ + b * p_.kv_heads, p_.kv_heads,
                    static_cast<int32_t>(chunks_of_head(p_, *kernels_.chunks, s.key_length)));
    }
}

void Run::cut(int threads) {
    share_ = share_of(p_, blocks_, chunks_, threads);
    tasks_ = 0;
    for (int64_t b = 0; b < o_.batch; ++b) {
        const Sequence s = sequence(p_, o_, b);
        starts_[b] = tasks_;
        tasks_ += tasks_of(p_, kernels_, share_, s.queries, s.key_length);
    }
    starts_[o_.batch] = tasks_;
}

void Run::task(int64_t number) const {
    if (is_set(o_.cancelled)) return;
    const int64_t b = std::upper_bound(starts_, starts_ + o_.batch + 1, number) - starts_ - 1;
    number -= starts_[b];
    const Sequence s = sequence(p_, o_, b);
    switch (way_of_sequence(s)) {
        case Way::small:
            return attend_small(s, number);
        case Way::chunks:
            return decode(s, number);
        case Way::blocks:
            return attend(s, number);
    }
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
            AttentionBlock& block = together[count++];
            block = make_block(p_, o_, s, head, blocks.begin(i), blocks.end(i));
            if (seen_each_ > 0) block.seen = seen_ + s.number * seen_each_ + i * seen_of_block(p_, kernels_);
            if (!p_.averaged) continue;
            kernel.run(together, count, workspace);
            count = 0;
        }
    if (count > 0) kernel.run(together, count, workspace);
}

void Run::decode(const Sequence& s, int64_t within) const {
    const int64_t all = chunks_of(p_, kernels_, s.key_length), first = within * share_.chunks;
    const int64_t end = share_.chunks < all - first ? first + share_.chunks : all;
    ChunkGroup groups[2];
    find_group(s, first, end, groups[0]);
    for (int64_t i = first, turn = 0; i < end && !is_set(o_.cancelled); ++turn) {
        ChunkGroup &group = groups[turn % 2], &following = groups[(turn + 1) % 2];
        const int64_t after = i + group.count;
        if (after < end) {
            find_group(s, after, end, following);
            group.chunks[group.count - 1].following = following.chunks;
        }
        kernels_.chunks->run(group.chunks, group.count);
        for (; i < after; ++i) finish_chunk(s, place_of(s, i).kv_head);
    }
}

void Run::find_group(const Sequence& s, int64_t first, int64_t end, ChunkGroup& group) const {
    const int64_t heads_left = p_.kv_heads - place_of(s, first).kv_head;
    group.count = std::min({kernels_.heads_together, heads_left, end - first});
    for (int64_t i = 0; i < group.count; ++i) {
        DecodeChunk& chunk = group.chunks[i];
        chunk = chunk_of(s, first + i);
        chunk.workspace = scratch(kernels_.workspace_floats) + i * chunk_workspace(p_, *kernels_.chunks);
    }
}

Run::ChunkPlace Run::place_of(const Sequence& s, int64_t number) const {
    if (kernels_.heads_together > 1) return {number % p_.kv_heads, number / p_.kv_heads};
    const int64_t chunks = chunks_of_head(p_, *kernels_.chunks, s.key_length);
    return {number / chunks, number % chunks};
}

float* Run::partials_of(const Sequence& s, int64_t kv_head) const {
    const DecodeKernel& kernel = *kernels_.chunks;
    return partials_ + (s.number * p_.kv_heads + kv_head) * most_chunks(p_.keys, kernel) *
                           kernel.partial_floats(rows_of(p_, kernel, o_.queries), p_.value_dim);
}

DecodeChunk Run::chunk_of(const Sequence& s, int64_t number) const {
    const DecodeKernel& kernel = *kernels_.chunks;
    const ChunkPlace place = place_of(s, number);
    const int64_t keys = chunk_keys(p_, kernel, s.key_length);
    DecodeChunk chunk = make_chunk(p_, o_, s, place.kv_head, place.number * keys, (place.number + 1) * keys);
    chunk.partial =
        partials_of(s, place.kv_head) + place.number * kernel.partial_floats(chunk.group * s.queries, p_.value_dim);
    chunk.short_blocks = kernels_.heads_together > 1;
    return chunk;
}

void Run::finish_chunk(const Sequence& s, int64_t kv_head) const {
    // The last one sees what the others have written.
    const bool last = __atomic_sub_fetch(&unfinished_[s.number * p_.kv_heads + kv_head], 1, __ATOMIC_ACQ_REL) == 0;
    if (!last || is_set(o_.cancelled)) return;
    DecodeMerge merge = make_merge(p_, o_, s, kv_head);
    merge.partials = partials_of(s, kv_head);
    merge.count = chunks_of_head(p_, *kernels_.chunks, s.key_length);
    kernels_.chunks->merge(merge);
}

void Run::attend_small(const Sequence& s, int64_t within) const {
    const int64_t first = within * share_.kv_heads;
    DecodeChunk chunk = make_chunk(p_, o_, s, first, 0, s.key_length);
    chunk.workspace = scratch(kernels_.workspace_floats);
    kernels_.small->run(chunk, make_merge(p_, o_, s, first),
                        make_heads(p_, std::min(share_.kv_heads, p_.kv_heads - first)));
}

int64_t Run::stage_tasks() const { return p_.stage == ATTN4J_STAGE_NONE ? 0 : o_.batch * (p_.heads / task_heads()); }

void Run::stage_task(int64_t number) const {
    const int64_t each = p_.heads / task_heads();
    const Sequence s = sequence(p_, o_, number / each);
    if (way_of_sequence(s) == Way::blocks) return;
    const Blocks blocks = Blocks(s.queries, kernels_.blocks->lanes, kernels_.blocks->block_queries);
    const int64_t first_head = number % each * task_heads();
    for (int64_t head = first_head; head < first_head + task_heads(); ++head)
        for (int64_t i = 0; i < blocks.count && !is_set(o_.cancelled); ++i) {
            AttentionBlock block = make_block(p_, o_, s, head, blocks.begin(i), blocks.end(i));
            block.stage_alone = true;
            kernels_.blocks->run(&block, 1, scratch(kernels_.workspace_floats));
        }
}

}  // namespace attn4j
