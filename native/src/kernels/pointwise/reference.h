// SPDX-License-Identifier: Apache-2.0
// What pointwise.h computes of one element, in double precision.
#pragma once

double gelu_reference(double x);
double pointwise_reference(double x, double bias, double residual, bool gelu);
