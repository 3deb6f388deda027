// SPDX-License-Identifier: Apache-2.0
#include "kernels/gate/reference.h"

#include <cmath>

double gate_reference(double x, double gate) { return x / (1 + std::exp(-gate)); }

double swiglu_reference(double gate, double up) { return up * gate / (1 + std::exp(-gate)); }
