// SPDX-License-Identifier: Apache-2.0
// AMX-TILE and AMX-BF16, beside AVX-512 and AVX512-BF16: products in a matrix unit, some fifteen times as fast as
// vectors.
#include "simd/amx.h"

#include "isa/bf16-inl.h"
#include "kernels/bf16/tiles-inl.h"
#include "kernels/decode/tile_products-inl.h"
#include "kernels/decode/tiled-inl.h"

namespace {

struct Tiles {
    static constexpr int64_t key_block = 128;
    using Products = TileProducts;
};

constexpr attn4j::DecodeKernel decode_halves = tiled_decode_kernel<HalfCells, CellTiles<HalfCells>>(12);
constexpr attn4j::DecodeKernel decode_bytes = tiled_decode_kernel<ByteCells, CellTiles<ByteCells>>(12);

}  // namespace

namespace attn4j {
constexpr Bf16Kernels amx_table = bf16_kernels<Tiles>(&decode_halves, &decode_bytes);
}  // namespace attn4j
