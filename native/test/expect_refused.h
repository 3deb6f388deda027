// SPDX-License-Identifier: Apache-2.0
// That a call fails as it should: its status, and parts of its message.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "attn4j/attn4j.h"

inline void expect_message(std::initializer_list<const char*> parts) {
    const std::string message = attn4j_error_message();
    for (const char* part : parts)
        EXPECT_NE(message.find(part), std::string::npos) << '"' << message << "\" lacks \"" << part << '"';
}

#define EXPECT_REFUSED(call, expected_status, ...)                                   \
    do {                                                                             \
        EXPECT_EQ(call, expected_status) << #call << ": " << attn4j_error_message(); \
        expect_message(__VA_ARGS__);                                                 \
    } while (0)
