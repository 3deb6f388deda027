// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace {

// All of the text.
template <typename Number, typename Parse>
Number parsed(const std::string& name, const std::string& text, const char* what, const Parse& parse) {
    size_t used = 0;
    Number value = 0;
    try {
        value = parse(text, &used);
    } catch (const std::exception&) {
    }
    if (used != text.size() || text.empty())
        throw std::invalid_argument(std::string("not ") + what + ": --" + name + " " + text);
    return value;
}

int64_t whole(const std::string& name, const std::string& text, int64_t least, int64_t most) {
    const auto value = parsed<int64_t>(name, text, "a whole number",
                                       [](const std::string& all, size_t* used) { return std::stoll(all, used); });
    if (value < least || value > most)
        throw std::invalid_argument("not from " + std::to_string(least) + " to " + std::to_string(most) + ": --" +
                                    name + " " + text);
    return value;
}

}  // namespace

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

int64_t Options::number(const std::string& name, int64_t otherwise, int64_t least, int64_t most) const {
    const auto found = given_.find(name);
    return found == given_.end() ? otherwise : whole(name, found->second, least, most);
}

std::vector<int64_t> Options::numbers(const std::string& name, const std::string& otherwise, int64_t least,
                                      int64_t most) const {
    const std::string all = text(name, otherwise);
    std::vector<int64_t> values;
    for (size_t begin = 0; begin <= all.size();) {
        const size_t end = std::min(all.find(',', begin), all.size());
        values.push_back(whole(name, all.substr(begin, end - begin), least, most));
        begin = end + 1;
    }
    return values;
}

double Options::real(const std::string& name, double otherwise) const {
    const auto found = given_.find(name);
    if (found == given_.end()) return otherwise;
    const auto value = parsed<double>(name, found->second, "a number",
                                      [](const std::string& text, size_t* used) { return std::stod(text, used); });
    if (!std::isfinite(value) || value < 0)
        throw std::invalid_argument("not finite or negative: --" + name + " " + found->second);
    return value;
}

std::string Options::choice(const std::string& name, const std::vector<std::string>& allowed) const {
    const std::string value = text(name, allowed.front());
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
    std::string message = "not one of";
    for (const std::string& one : allowed) message += " " + one;
    throw std::invalid_argument(message + ": --" + name + " " + value);
}
