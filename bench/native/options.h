// SPDX-License-Identifier: Apache-2.0
// Command-line options `--name value` and `--flag`; whatever is not understood is an error that names it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

class Options {
public:
    // Throws std::invalid_argument.
    Options(int argc, char** argv, const std::set<std::string>& values, const std::set<std::string>& flags);

    bool flag(const std::string& name) const { return given_.count(name) != 0; }
    std::string text(const std::string& name, const std::string& otherwise) const;
    int64_t number(const std::string& name, int64_t otherwise) const;
    double real(const std::string& name, double otherwise) const;

private:
    std::map<std::string, std::string> given_;
};
