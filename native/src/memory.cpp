// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <atomic>
#include <cstdlib>

#include "error.h"

namespace attn4j {
namespace {

std::atomic<int64_t> total{0};

// Stands in the 64 bytes before what is handed out.
struct Header {
    void* block;
    int64_t bytes;
};

struct Scratch {
    void* address = nullptr;
    int64_t floats = 0;
    ~Scratch() { std::free(address); }
};
thread_local Scratch scratch_of_thread;

char* align(void* block) {
    const auto address = reinterpret_cast<uintptr_t>(block);
    return static_cast<char*>(block) + (kAlignment - address % kAlignment) % kAlignment;
}

}  // namespace

void* allocate(int64_t bytes) noexcept {
    if (bytes < 0 || bytes > INT64_MAX - 3 * kAlignment) return nullptr;
    // calloc and not memset: large blocks come from the system as zero pages, untouched until used.
    void* block = std::calloc(1, static_cast<size_t>(bytes + 2 * kAlignment));
    if (block == nullptr) return nullptr;
    char* address = align(block) + kAlignment;
    *reinterpret_cast<Header*>(address - sizeof(Header)) = {block, bytes};
    total.fetch_add(bytes, std::memory_order_relaxed);
    return address;
}

void release(void* address) noexcept {
    if (address == nullptr) return;
    const Header header = *reinterpret_cast<Header*>(static_cast<char*>(address) - sizeof(Header));
    total.fetch_sub(header.bytes, std::memory_order_relaxed);
    std::free(header.block);
}

int64_t allocated_bytes() noexcept { return total.load(std::memory_order_relaxed); }

float* scratch(int64_t floats) {
    Scratch& mine = scratch_of_thread;
    if (floats > mine.floats) {
        std::free(mine.address);
        mine.floats = 0;
        mine.address = std::malloc(static_cast<size_t>(floats) * sizeof(float) + kAlignment);
        if (mine.address == nullptr)
            fail(ATTN4J_OUT_OF_MEMORY, "no memory for a workspace: floats=%lld", static_cast<long long>(floats));
        mine.floats = floats;
    }
    return reinterpret_cast<float*>(align(mine.address));
}

}  // namespace attn4j
