// SPDX-License-Identifier: Apache-2.0
// How anything inside the library says no: it throws an Error, and api.cpp turns that into a status and a message.
#pragma once

#include "attn4j/attn4j.h"

namespace attn4j {

struct Error {
    attn4j_status status;
    char message[480];
};

#if defined(__GNUC__)
[[noreturn, gnu::format(printf, 2, 3)]]
#else
[[noreturn]]
#endif
void fail(attn4j_status status, const char* format, ...);

// The message of this thread's last failure.
void remember(const Error& error);
const char* last_message();

}  // namespace attn4j
