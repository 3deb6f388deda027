// SPDX-License-Identifier: Apache-2.0
// Command-line options `--name value` and `--flag`; whatever is not understood is an error that names it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

class Options {
public:
    // Throws std::invalid_argument.
    Options(int argc, char** argv, const std::set<std::string>& values, const std::set<std::string>& flags);

    bool flag(const std::string& name) const { return given_.count(name) != 0; }
    std::string text(const std::string& name, const std::string& otherwise) const;
    // What is given must be from `least` to `most`, by default such that two of them multiply without overflow.
    int64_t number(const std::string& name, int64_t otherwise, int64_t least = 1, int64_t most = 1 << 24) const;
    // One or more of them, with commas between them.
    std::vector<int64_t> numbers(const std::string& name, const std::string& otherwise, int64_t least,
                                 int64_t most) const;
    // Finite and not negative.
    double real(const std::string& name, double otherwise) const;
    // One of `allowed`, whose first it is if it is not given.
    std::string choice(const std::string& name, const std::vector<std::string>& allowed) const;

private:
    std::map<std::string, std::string> given_;
};
