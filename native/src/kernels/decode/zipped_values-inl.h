// SPDX-License-Identifier: Apache-2.0
// Weights times values for numbers that are multiplied in cells of 32 bits, pairs of bfloat16 or fours of bytes: as many
// keys at once as a cell holds, lanes along d.
//     o[row][d] += sum_key p[row][key] v[key][d]
#pragma once

#include "kernels/decode/products-inl.h"
#include "kernels/decode/zipped-inl.h"

namespace {

// Weights of `count` keys times their values, columns in the order that Numbers leaves them in. A weight has as
// many parts as Numbers has digits, each with sums of its own.
template <typename Numbers>
struct ZippedValues {
    using Vector = typename Numbers::Vector;
    using Sum = typename Numbers::Sum;
    static constexpr int64_t dims = Numbers::dims;
    static constexpr int kParts = Numbers::digits;
    static constexpr int keys = Numbers::keys;  // of a cell, and vectors of `dims` sums
    // Of so many rows all sums over 128 columns stay in registers, as in ValueRows.
    static constexpr int whole_rows = kParts == 1 && keys == 2 ? kWholeRows : 0;
    // Whether so many rows go through values of so many columns in one pass.
    static bool at_once(int64_t rows, int64_t dim) {
        return rows == whole_rows && (dim == dims || dim == 2 * dims || dim == 4 * dims);
    }

    const RowRuns& values;
    int64_t count;
    int64_t fetching_row;  // as in ValueRows
    const typename Numbers::Weight*
        weights;  // [rows][kParts][stride]; 0 behind the last key, if it does not fill a cell
    int64_t stride;
    int64_t dim;
    typename Numbers::SumNumber* out;  // [rows][kParts][out_stride]
    int64_t out_stride;
    const float* rescale;  // [rows], owed to out, or null
    bool fresh;            // out holds nothing yet
    bool careful;          // infinities and NaN count as 0

    template <int R>
    ATTN4J_APART void operator()(int64_t row) const {
        careful               ? columns<R, Numbers::infinite, false>(row)
        : row == fetching_row ? columns<R, false, true>(row)
                              : columns<R, false, false>(row);
    }

private:
    template <int R, bool kCareful, bool kFetch>
    ATTN4J_INLINE void columns(int64_t row) const {
        // As many sums as registers hold beside the values.
        constexpr int most = R * kParts * keys <= 4 || R == whole_rows ? 4 : R * kParts * keys <= 12 ? 2 : 1;
        const auto load = [](const char* at) { return Numbers::load(at); };
        int64_t d = 0;
        for (; most >= 4 && dim - d >= 4 * dims; d += 4 * dims) add<R, most, kCareful, kFetch>(row, d, load);
        for (; most >= 2 && dim - d >= 2 * dims; d += 2 * dims)
            add < R, most<2 ? most : 2, kCareful, kFetch>(row, d, load);
        for (; dim - d >= dims; d += dims) add<R, 1, kCareful, kFetch>(row, d, load);
        if (d < dim)
            add<R, 1, kCareful, kFetch>(row, d, [&](const char* at) { return Numbers::load_first(at, dim - d); });
    }

    // C times `dims` columns from d on.
    template <int R, int C, bool kCareful, bool kFetch, typename Load>
    ATTN4J_INLINE void add(int64_t row, int64_t d, const Load& load) const {
        values.even(count) && count % keys == 0 ? add<R, C, kCareful, kFetch>(EvenRows(values, count), row, d, load)
                                                : add<R, C, kCareful, kFetch>(EachRow(values, count), row, d, load);
    }

    template <int R, int C, bool kCareful, bool kFetch, typename Each, typename Load>
    ATTN4J_INLINE void add(Each each, int64_t row, int64_t d, const Load& load) const {
        constexpr int64_t lanes = F32::lanes;
        constexpr int parts = R * kParts, vectors = C * keys;
        typename Numbers::SumNumber* const to = out + row * kParts * out_stride + d;
        Sum o[parts][vectors];
#pragma GCC unroll 64
        for (int r = 0; r < parts; ++r) {
            const F32 factor = rescale == nullptr ? F32::set(1) : F32::set(rescale[row + r / kParts]);
#pragma GCC unroll 64
            for (int c = 0; c < vectors; ++c)
                o[r][c] = fresh ? Sum::zero() : Numbers::rescaled(Sum::load(to + r * out_stride + c * lanes), factor);
        }
        const typename Numbers::Weight* const p = weights + row * kParts * stride;
        for (int64_t key = 0; key < count; key += keys) {
            if constexpr (R == whole_rows) {
                add_by_vectors<R, C, kCareful, kFetch>(each, d, load, p + key, o);
            } else {
                add_by_rows<parts, C, kCareful, kFetch>(each, d, load, p + key, o);
            }
        }
#pragma GCC unroll 64
        for (int r = 0; r < parts; ++r)
#pragma GCC unroll 64
            for (int c = 0; c < vectors; ++c) o[r][c].store(to + r * out_stride + c * lanes);
    }

    // A vector, which is a line, from column d on of the value that `each` stands at.
    template <bool kCareful, bool kFetch, typename Each, typename Load>
    ATTN4J_INLINE static Vector read(const Each& each, int64_t d, const Load& load) {
        static_assert(dims * attn4j::bytes_of(Numbers::element) == kLineBytes);
        if (kFetch) __builtin_prefetch(each.ahead() + d * attn4j::bytes_of(Numbers::element), 0, 2);
        const Vector x = load(each.at() + d * attn4j::bytes_of(Numbers::element));
        if constexpr (kCareful) {
            return finite_or_zero(x);
        } else {
            return x;
        }
    }

    // The values of a cell's keys are read before the first is used.
    template <int parts, int C, bool kCareful, bool kFetch, typename Each, typename Load>
    ATTN4J_INLINE void add_by_rows(Each& each, int64_t d, const Load& load, const typename Numbers::Weight* p,
                                   Sum (&o)[parts][C * keys]) const {
        constexpr int vectors = C * keys;
        Vector v[C][keys];
#pragma GCC unroll 4
        for (int i = 0; i < keys; ++i) {
#pragma GCC unroll 64
            for (int c = 0; c < C; ++c) v[c][i] = read<kCareful, kFetch>(each, d + c * dims, load);
            each.next();
        }
#pragma GCC unroll 64
        for (int c = 0; c < C; ++c) Numbers::zip(v[c]);
#pragma GCC unroll 64
        for (int r = 0; r < parts; ++r) {
            const auto weight = Numbers::Splat::load(p + r * stride);
#pragma GCC unroll 64
            for (int c = 0; c < vectors; ++c) o[r][c] = ::dot(weight, v[c / keys][c % keys], o[r][c]);
        }
    }

    // The vectors of two keys' values that make pairs meet all rows before the next are read, those of the first key
    // being read ahead, so that memory is read in its order; weights are read where they are used.
    template <int R, int C, bool kCareful, bool kFetch, typename Each, typename Load>
    ATTN4J_INLINE void add_by_vectors(Each& each, int64_t d, const Load& load, const typename Numbers::Weight* p,
                                      Sum (&o)[R][C * keys]) const {
        Vector first[C];
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
            first[c] = read<kCareful, kFetch>(each, d + c * dims, load);
            conceal(first[c]);
        }
        each.next();
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
            Vector v[keys] = {first[c], read<kCareful, kFetch>(each, d + c * dims, load)};
            Numbers::zip(v);
#pragma GCC unroll 2
            for (int i = 0; i < keys; ++i) {
                conceal(v[i]);
#pragma GCC unroll 4
                for (int r = 0; r < R; ++r) o[r][c * keys + i] = dot_from(p + r * stride, v[i], o[r][c * keys + i]);
            }
        }
        each.next();
    }
};

}  // namespace
