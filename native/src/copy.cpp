// SPDX-License-Identifier: Apache-2.0
#include "copy.h"

#include <cstring>

#include "error.h"

namespace attn4j {
namespace {

constexpr int kMaxRank = 8;

template <typename Element>
void copy_row(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t n) {
    if (to_stride == 1 && from_stride == 1) {
        std::memcpy(to, from, static_cast<size_t>(n) * sizeof(Element));
        return;
    }
    Element* const target = reinterpret_cast<Element*>(to);
    const Element* const source = reinterpret_cast<const Element*>(from);
    for (int64_t i = 0; i < n; ++i) target[i * to_stride] = source[i * from_stride];
}

void require_given(const char* name, const void* pointer) {
    if (pointer == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "%s must not be null: %s=null", name, name);
}

}  // namespace

void copy_strided(void* to, const int64_t* to_strides, const void* from, const int64_t* from_strides,
                  const int64_t* sizes, int rank, int element_bytes) {
    if (rank < 0 || rank > kMaxRank) fail(ATTN4J_INVALID_ARGUMENT, "rank must be 0 to %d: rank=%d", kMaxRank, rank);
    void (*row)(char*, int64_t, const char*, int64_t, int64_t) = element_bytes == 1   ? copy_row<uint8_t>
                                                                 : element_bytes == 2 ? copy_row<uint16_t>
                                                                 : element_bytes == 4 ? copy_row<uint32_t>
                                                                 : element_bytes == 8 ? copy_row<uint64_t>
                                                                                      : nullptr;
    if (row == nullptr)
        fail(ATTN4J_INVALID_ARGUMENT, "an element must have 1, 2, 4 or 8 bytes: elementBytes=%d", element_bytes);
    if (rank > 0) require_given("sizes", sizes);
    for (int i = 0; i < rank; ++i) {
        if (sizes[i] < 0)
            fail(ATTN4J_INVALID_ARGUMENT, "sizes must not be negative: sizes[%d]=%lld", i,
                 static_cast<long long>(sizes[i]));
        if (sizes[i] == 0) return;
    }
    require_given("to", to);
    require_given("from", from);
    if (rank > 0) {
        require_given("toStrides", to_strides);
        require_given("fromStrides", from_strides);
    }
    char* target = static_cast<char*>(to);
    const char* source = static_cast<const char*>(from);
    const int outer = rank == 0 ? 0 : rank - 1;
    const int64_t n = rank == 0 ? 1 : sizes[outer];
    const int64_t to_stride = rank == 0 ? 1 : to_strides[outer], from_stride = rank == 0 ? 1 : from_strides[outer];
    int64_t index[kMaxRank] = {};
    for (;;) {
        row(target, to_stride, source, from_stride, n);
        // The next row, as an odometer counts: what overflows goes back to 0 and carries.
        int axis = outer - 1;
        for (; axis >= 0; --axis) {
            target += to_strides[axis] * element_bytes;
            source += from_strides[axis] * element_bytes;
            if (++index[axis] < sizes[axis]) break;
            target -= to_strides[axis] * element_bytes * sizes[axis];
            source -= from_strides[axis] * element_bytes * sizes[axis];
            index[axis] = 0;
        }
        if (axis < 0) return;
    }
}

}  // namespace attn4j
