// SPDX-License-Identifier: Apache-2.0
// The smallest attention that is of use, so that what a call costs beside its arithmetic shows: prefill of 8 queries
// and 8 keys. What the same call costs more from Java is the boundary.
#include <vector>

#include "scenarios.h"

int run_overhead(int argc, char** argv) {
    char queries[] = "--queries", eight[] = "8";
    std::vector<char*> arguments = {queries, eight};
    arguments.insert(arguments.end(), argv, argv + argc);
    return run_prefill(static_cast<int>(arguments.size()), arguments.data());
}
