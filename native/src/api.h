// SPDX-License-Identifier: Apache-2.0
// What every function of the C interface does: check what cannot be checked deeper, call, turn what is thrown into a
// status and a message.
#pragma once

#include <cstring>
#include <new>

#include "attn4j/attn4j.h"
#include "error.h"

namespace attn4j {

template <typename Body>
attn4j_status guard(const Body& body) {
    try {
        body();
        return ATTN4J_OK;
    } catch (const Error& error) {
        remember(error);
        return error.status;
    } catch (const std::bad_alloc&) {
        remember({ATTN4J_OUT_OF_MEMORY, "no memory"});
        return ATTN4J_OUT_OF_MEMORY;
    } catch (const std::exception& unexpected) {
        Error error{ATTN4J_INTERNAL, {}};
        std::strncpy(error.message, unexpected.what(), sizeof error.message - 1);
        remember(error);
        return ATTN4J_INTERNAL;
    }
}

inline void require_enum(const char* name, int value, int most) {
    if (value < 0 || value > most) fail(ATTN4J_INVALID_ARGUMENT, "%s must be 0 to %d: %s=%d", name, most, name, value);
}

}  // namespace attn4j
