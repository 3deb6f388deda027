// SPDX-License-Identifier: Apache-2.0
// Eight tiles of sixteen rows of 64 bytes with AMX-TILE, AMX-BF16 and AMX-INT8, beside the vectors of avx512bf16.h. The
// system's permission is asked by dispatch.cpp. Meaning of every operation: contract.md. Written in assembly, as
// compilers' intrinsics take the number of a tile as a token; everything clobbers memory, so that it stays where it is
// written.
#pragma once

#include "simd/avx512bf16.h"
#include "simd/avx512cells.h"

namespace {

// Sets all tiles to their full size, for this thread, until release_tiles(). A thread that holds tiles has 8 KB more to
// save when it is switched.
inline void configure_tiles() {
    struct alignas(64) Configuration {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } c = {};
    c.palette = 1;
    for (int tile = 0; tile < 8; ++tile) {
        c.row_bytes[tile] = 64;
        c.rows[tile] = 16;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(c) : "memory");
}
inline void release_tiles() { __asm__ volatile("tilerelease" ::: "memory"); }

template <int kTile>
inline __attribute__((always_inline)) void zero_tile() {
    __asm__ volatile("tilezero %%tmm%c0" ::"i"(kTile) : "memory");
}
// Rows `stride` bytes apart.
template <int kTile>
inline __attribute__((always_inline)) void load_tile(const void* p, int64_t stride) {
    __asm__ volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(kTile), "r"(p), "r"(stride) : "memory");
}
template <int kTile>
inline __attribute__((always_inline)) void store_tile(void* p, int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(kTile), "r"(p), "r"(stride) : "memory");
}
// kC[row][lane] += sum over 16 pairs of kA[row][pair] . kB[pair][lane]
template <int kC, int kA, int kB>
inline __attribute__((always_inline)) void dot_tiles() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB) : "memory");
}
// The same of whole numbers over 16 cells of four bytes: those of kA are signed and those of kB are not.
template <int kC, int kA, int kB>
inline __attribute__((always_inline)) void dot_signed_tiles() {
    __asm__ volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB) : "memory");
}
// The other way round.
template <int kC, int kA, int kB>
inline __attribute__((always_inline)) void dot_unsigned_tiles() {
    __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB) : "memory");
}

}  // namespace
