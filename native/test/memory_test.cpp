// SPDX-License-Identifier: Apache-2.0
// Allocation and its accounting, and copies of strided views.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>

#include "attn4j/attn4j.h"
#include "environment.h"
#include "expect_refused.h"
#include "random.h"

namespace {

TEST(Memory, IsZeroedAlignedAndCounted) {
    const int64_t before = attn4j_memory_allocated();
    std::vector<void*> blocks;
    int64_t total = 0;
    for (const int64_t bytes : {0, 1, 63, 64, 65, 4096, 1'000'003}) {
        char* block = static_cast<char*>(attn4j_memory_allocate(bytes));
        ASSERT_NE(block, nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
        for (int64_t i = 0; i < bytes; ++i) ASSERT_EQ(block[i], 0);
        std::memset(block, 0xab, static_cast<size_t>(bytes));
        blocks.push_back(block);
        total += bytes;
        EXPECT_EQ(attn4j_memory_allocated(), before + total);
    }
    for (void* block : blocks) attn4j_memory_free(block);
    attn4j_memory_free(nullptr);
    EXPECT_EQ(attn4j_memory_allocated(), before);
}

TEST(Memory, ThatCannotBeIsNullWithAMessage) {
    const int64_t before = attn4j_memory_allocated();
    EXPECT_EQ(attn4j_memory_allocate(-1), nullptr);
    expect_message({"bytes must be at least 0", "bytes=-1"});
    for (const int64_t bytes : {INT64_MAX, INT64_MAX - 100, INT64_MAX / 2}) {
        EXPECT_EQ(attn4j_memory_allocate(bytes), nullptr);
        expect_message({"no memory", ("bytes=" + std::to_string(bytes)).c_str()});
    }
    EXPECT_EQ(attn4j_memory_allocated(), before);
}

TEST(Memory, IsCountedAcrossThreads) {
    const int64_t before = attn4j_memory_allocated();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([t] {
            for (int i = 0; i < 500; ++i) attn4j_memory_free(attn4j_memory_allocate(100 * t + i));
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(attn4j_memory_allocated(), before);
}

TEST(MemoryCopy, HonoursOffsets) {
    char from[] = "0123456789", to[] = "..........";
    attn4j_memory_copy(to, 2, from, 5, 3);
    EXPECT_STREQ(to, "..567.....");
    attn4j_memory_copy(to, 0, from, 0, 0);
    attn4j_memory_copy(nullptr, 0, nullptr, 0, 0);
    EXPECT_STREQ(to, "..567.....");
}

// Copies by counting through all indices; the strides are those of a random permutation of axes, with gaps.
template <typename Element>
void check_copy(Random& random, int32_t rank) {
    std::vector<int64_t> sizes(static_cast<size_t>(rank));
    for (int64_t& size : sizes) size = random.between(1, rank > 5 ? 3 : 5);
    const auto strides = [&](int64_t* extent) {
        std::vector<size_t> axes(sizes.size());
        std::iota(axes.begin(), axes.end(), size_t{0});
        for (size_t i = axes.size(); i > 1; --i) std::swap(axes[i - 1], axes[random.next() % i]);
        std::vector<int64_t> result(sizes.size());
        int64_t stride = random.between(1, 2);
        for (const size_t axis : axes) {
            result[axis] = stride;
            stride = stride * sizes[axis] + random.between(0, 1);
        }
        *extent = stride + 1;
        return result;
    };
    int64_t to_extent, from_extent;
    const std::vector<int64_t> to_strides = strides(&to_extent), from_strides = strides(&from_extent);
    std::vector<Element> to(static_cast<size_t>(to_extent), Element{77}), from(static_cast<size_t>(from_extent));
    for (Element& element : from) element = static_cast<Element>(random.next());
    std::vector<Element> expected = to;
    std::vector<int64_t> index(sizes.size());
    for (bool more = true; more;) {
        int64_t t = 0, f = 0;
        for (size_t axis = 0; axis < sizes.size(); ++axis)
            t += index[axis] * to_strides[axis], f += index[axis] * from_strides[axis];
        expected[static_cast<size_t>(t)] = from[static_cast<size_t>(f)];
        more = false;
        for (size_t axis = sizes.size(); axis-- > 0 && !more;) {
            more = ++index[axis] < sizes[axis];
            if (!more) index[axis] = 0;
        }
    }
    ASSERT_EQ(attn4j_memory_copy_strided(to.data(), to_strides.data(), from.data(), from_strides.data(), sizes.data(),
                                         rank, sizeof(Element)),
              ATTN4J_OK)
        << attn4j_error_message();
    EXPECT_EQ(to, expected) << "rank " << rank;
}

TEST(MemoryCopy, StridedViewsOfAnyRankAndType) {
    Random random(test_seed());
    for (int32_t rank = 0; rank <= 8; ++rank)
        for (int repeat = 0; repeat < 8; ++repeat) {
            check_copy<uint8_t>(random, rank);
            check_copy<uint16_t>(random, rank);
            check_copy<uint32_t>(random, rank);
            check_copy<uint64_t>(random, rank);
        }
}

TEST(MemoryCopy, StridesMayBeZeroOrNegative) {
    const int32_t from[] = {1, 2, 3};
    int32_t to[6] = {};
    const int64_t sizes[] = {2, 3}, to_strides[] = {3, 1}, from_strides[] = {0, -1};
    ASSERT_EQ(attn4j_memory_copy_strided(to, to_strides, from + 2, from_strides, sizes, 2, 4), ATTN4J_OK);
    const int32_t expected[] = {3, 2, 1, 3, 2, 1};
    EXPECT_EQ(std::memcmp(to, expected, sizeof to), 0);
}

TEST(MemoryCopy, Refusals) {
    int32_t to[4] = {7, 7, 7, 7};
    const int32_t from[4] = {1, 2, 3, 4};
    const int64_t sizes[] = {2, 2}, strides[] = {2, 1}, negative[] = {2, -1}, none[] = {2, 0};
    const auto copy = [&](void* t, const int64_t* ts, const void* f, const int64_t* fs, const int64_t* n, int32_t rank,
                          int32_t bytes) { return attn4j_memory_copy_strided(t, ts, f, fs, n, rank, bytes); };
    EXPECT_REFUSED(copy(to, strides, from, strides, sizes, 9, 4), ATTN4J_INVALID_ARGUMENT,
                   {"rank must be 0 to 8", "rank=9"});
    EXPECT_REFUSED(copy(to, strides, from, strides, sizes, -1, 4), ATTN4J_INVALID_ARGUMENT, {"rank=-1"});
    EXPECT_REFUSED(copy(to, strides, from, strides, sizes, 2, 3), ATTN4J_INVALID_ARGUMENT, {"elementBytes=3"});
    EXPECT_REFUSED(copy(to, strides, from, strides, negative, 2, 4), ATTN4J_INVALID_ARGUMENT,
                   {"sizes must not be negative", "sizes[1]=-1"});
    EXPECT_REFUSED(copy(nullptr, strides, from, strides, sizes, 2, 4), ATTN4J_INVALID_ARGUMENT,
                   {"to must not be null"});
    EXPECT_REFUSED(copy(to, strides, nullptr, strides, sizes, 2, 4), ATTN4J_INVALID_ARGUMENT,
                   {"from must not be null"});
    EXPECT_REFUSED(copy(to, nullptr, from, strides, sizes, 2, 4), ATTN4J_INVALID_ARGUMENT,
                   {"toStrides must not be null"});
    EXPECT_REFUSED(copy(to, strides, from, nullptr, sizes, 2, 4), ATTN4J_INVALID_ARGUMENT,
                   {"fromStrides must not be null"});
    EXPECT_REFUSED(copy(to, strides, from, strides, nullptr, 2, 4), ATTN4J_INVALID_ARGUMENT,
                   {"sizes must not be null"});
    EXPECT_EQ(copy(nullptr, strides, nullptr, strides, none, 2, 4), ATTN4J_OK);
    for (const int32_t value : to) EXPECT_EQ(value, 7);
}

}  // namespace
