// SPDX-License-Identifier: Apache-2.0
#include "guarded.h"

#include <cstdlib>
#include <new>

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace {

size_t page_bytes() {
#if defined(_WIN32)
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
#else
    return static_cast<size_t>(sysconf(_SC_PAGESIZE));
#endif
}

// Pages of which the first and the last are out of bounds.
char* map(size_t bytes, size_t page) {
#if defined(_WIN32)
    void* mapping = VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_NOACCESS);
    if (mapping == nullptr) throw std::bad_alloc();
    char* first = static_cast<char*>(mapping);
    if (VirtualAlloc(first + page, bytes - 2 * page, MEM_COMMIT, PAGE_READWRITE) == nullptr) throw std::bad_alloc();
#else
    void* mapping = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    char* first = static_cast<char*>(mapping);
    if (mprotect(first + page, bytes - 2 * page, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
#endif
    return first;
}

// Floats between ours and the page that is out of bounds.
size_t distance_to_guard() {
    const char* pages = std::getenv("ATTN4J_TEST_GUARD_PAGES");
    return pages != nullptr && *pages == '0' ? 16 : 0;
}

bool all_canary(const float* from, const float* to) {
    for (; from < to; ++from)
        if (bits_of(*from) != kCanary) return false;
    return true;
}

}  // namespace

GuardedFloats::GuardedFloats(int64_t count, Flush flush) : count_(count) {
    const size_t page = page_bytes(), bytes = static_cast<size_t>(count) * sizeof(float),
                 distance = distance_to_guard();
    // At least a cache line of canary on the side that does not touch a page out of bounds.
    const size_t usable_bytes = (bytes + distance * sizeof(float) + 64 + page - 1) / page * page;
    mapped_bytes_ = usable_bytes + 2 * page;
    mapping_ = map(mapped_bytes_, page);
    usable_ = reinterpret_cast<float*>(mapping_ + page);
    usable_end_ = reinterpret_cast<float*>(mapping_ + page + usable_bytes);
    data_ = flush == Flush::AT_END ? usable_end_ - count - distance : usable_ + distance;
    for (float* at = usable_; at < usable_end_; ++at) std::memcpy(at, &kCanary, sizeof kCanary);
}

GuardedFloats::~GuardedFloats() {
#if defined(_WIN32)
    VirtualFree(mapping_, 0, MEM_RELEASE);
#else
    munmap(mapping_, mapped_bytes_);
#endif
}

bool GuardedFloats::surroundings_untouched() const {
    return all_canary(usable_, data_) && all_canary(data_ + count_, usable_end_);
}
