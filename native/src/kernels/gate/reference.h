// SPDX-License-Identifier: Apache-2.0
// What gate.h computes of one element, without and with silu, in double precision.
#pragma once

double gate_reference(double x, double gate);
double swiglu_reference(double gate, double up);
