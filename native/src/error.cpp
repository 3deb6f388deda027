// SPDX-License-Identifier: Apache-2.0
#include "error.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace attn4j {
namespace {
thread_local char message_of_thread[sizeof(Error::message)] = "";
}

void fail(attn4j_status status, const char* format, ...) {
    Error error{status, {}};
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    throw error;
}

void remember(const Error& error) { std::memcpy(message_of_thread, error.message, sizeof error.message); }

const char* last_message() { return message_of_thread; }

}  // namespace attn4j
