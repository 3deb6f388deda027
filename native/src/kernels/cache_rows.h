// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/element.h"

namespace attn4j {

// Rows [keys, dim] of one key-value head, one behind the other or in pages: row j lies at
//     data + pages[j / page_rows] * page_stride + j % page_rows * stride
// in elements, and its scale, where there are any, at
//     scales + pages[j / page_rows] * scale_page_stride + j % page_rows
struct CacheRows {
    const void* data;
    Element type;
    int64_t stride;
    const float* scales;   // what is stored times this is meant; null for 1
    const int64_t* pages;  // null where all rows are one page
    int64_t page_rows, page_stride, scale_page_stride;
};

}  // namespace attn4j
