// SPDX-License-Identifier: Apache-2.0
// The smallest attention that is of use, so that what a call costs beside its arithmetic shows: prefill of 8 queries
// and 8 keys. What the same call costs more from Java is the boundary.
#include "scenarios.h"

int run_overhead(int argc, char** argv) { return measure_prefill("overhead", 8, argc, argv); }
