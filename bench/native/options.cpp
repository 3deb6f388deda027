// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <stdexcept>

Options::Options(int argc, char** argv, const std::set<std::string>& values, const std::set<std::string>& flags) {
    for (int i = 0; i < argc; ++i) {
        const std::string argument = argv[i];
        const std::string name = argument.rfind("--", 0) == 0 ? argument.substr(2) : "";
        if (flags.count(name) != 0) {
            given_[name] = "";
        } else if (values.count(name) != 0) {
            if (++i == argc) throw std::invalid_argument("an option lacks its value: " + argument);
            given_[name] = argv[i];
        } else {
            throw std::invalid_argument("unknown option: " + argument);
        }
    }
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
    const auto found = given_.find(name);
    return found == given_.end() ? otherwise : found->second;
}

int64_t Options::number(const std::string& name, int64_t otherwise) const {
    const auto found = given_.find(name);
    if (found == given_.end()) return otherwise;
    size_t used = 0;
    int64_t value = 0;
    try {
        value = std::stoll(found->second, &used);
    } catch (const std::exception&) {
    }
    if (used != found->second.size() || found->second.empty() || value < 0)
        throw std::invalid_argument("not a whole number: --" + name + " " + found->second);
    return value;
}

double Options::real(const std::string& name, double otherwise) const {
    const auto found = given_.find(name);
    if (found == given_.end()) return otherwise;
    size_t used = 0;
    double value = 0;
    try {
        value = std::stod(found->second, &used);
    } catch (const std::exception&) {
    }
    if (used != found->second.size() || !(value >= 0))
        throw std::invalid_argument("not a number: --" + name + " " + found->second);
    return value;
}
