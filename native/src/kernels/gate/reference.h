// SPDX-License-Identifier: Apache-2.0
// What gate.h computes of one element, in double precision.
#pragma once

double gate_reference(double x, double gate);
