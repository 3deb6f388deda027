// SPDX-License-Identifier: Apache-2.0
// Blocks of queries that take turns, a block of keys each, so that what they have in common is fetched or made once.
// What a turn does with its block of keys is the kernel's.
#pragma once

#include "kernels/attention/products-inl.h"
#include "kernels/attention/scores-inl.h"

namespace {

// A block of queries under way, of at most `most` vectors.
template <int most>
struct Turn {
    const AttentionBlock* block;
    float *q, *out;     // State's
    int64_t next, end;  // keys still to come
    bool fresh;
    F32 maximum[most], sum[most];

    // What the kernel works on, its sums held in registers.
    template <int V>
    State<V> state(float* scores) const {
        State<V> state;
        state.q = q;
        state.scores = scores;
        state.out = out;
        state.fresh = fresh;
        for (int v = 0; v < V; ++v) {
            state.maximum[v] = maximum[v];
            state.sum[v] = sum[v];
        }
        return state;
    }

    template <int V>
    void keep(const State<V>& state) {
        fresh = state.fresh;
        for (int v = 0; v < V; ++v) {
            maximum[v] = state.maximum[v];
            sum[v] = state.sum[v];
        }
    }

    // Nothing is seen yet but a sink: a score that is there from the start and has no value.
    template <int V>
    void begin() {
        fresh = true;
        const bool sink = block->has_sink && block->sink != -kInfinity;
        for (int v = 0; v < V; ++v) {
            maximum[v] = F32::set(sink ? block->sink * kLog2E : -kInfinity);
            sum[v] = F32::set(sink ? 1.0f : 0.0f);
        }
    }
};

// O^T of a block of queries, which is 0 where nothing was seen.
template <int V>
inline void clear_unseen(const State<V>& state, int64_t value_dim) {
    if (!state.fresh) return;
    for (int64_t i = 0; i < value_dim * State<V>::width; i += F32::lanes) F32::zero().store(state.out + i);
}

// One turn after the other until none has keys to come: advance(vectors, turn) takes one block of them. Returns whether
// it came to that; else it was cancelled.
template <int most, typename Advance>
inline bool take_turns(Turn<most>* turns, int64_t count, const Advance& advance) {
    for (bool more = true; more;) {
        more = false;
        for (int64_t i = 0; i < count; ++i) {
            if (turns[i].next >= turns[i].end) continue;
            if (attn4j::is_set(turns[i].block->cancelled)) return false;
            with_vectors<most>(turns[i].block->queries, [&](auto vectors) { advance(vectors, turns[i]); });
            more = true;
        }
    }
    return true;
}

}  // namespace
