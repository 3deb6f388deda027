// SPDX-License-Identifier: Apache-2.0
#include "kernels/gate/reference.h"

#include <cmath>

double gate_reference(double x, double gate) { return x / (1 + std::exp(-gate)); }
