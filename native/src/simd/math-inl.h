// SPDX-License-Identifier: Apache-2.0
// exp2, log, erf and tanh over the vector type of the ISA header included before. Polynomials fitted in double
// precision by iterated reweighting (Lawson), coefficients rounded to float32; error bounds measured over every float32
// of the range in steps of 1e-4.
#pragma once

namespace {

// 2^x for x <= 127: relative error below 1.5e-7, exactly 1 at 0; 0 from -151 down to -infinity; NaN stays NaN.
inline F32 exp2(F32 x) {
    const F32 f = fraction(x);
    F32 p = F32::set(0.0018671395955607295f);
    p = fma(p, f, F32::set(0.00901701021939516f));
    p = fma(p, f, F32::set(0.055799927562475204f));
    p = fma(p, f, F32::set(0.24016444385051727f));
    p = fma(p, f, F32::set(0.6931512951850891f));
    p = fma(p, f, F32::set(1.0f));
    return scale2(p, x);
}

// Natural logarithm of positive normal numbers: relative error below 2e-7, absolute near 1. +inf and NaN are not
// handled.
inline F32 log(F32 x) {
    // m in [1/sqrt 2, sqrt 2), then log m = 2 atanh((m - 1) / (m + 1)); the series' next term is below 3e-9.
    const F32 m1 = mantissa(x);
    const Mask large = F32::set(1.41421356f) < m1;
    const F32 m = select(large, m1 * F32::set(0.5f), m1);
    const F32 e = exponent(x) + select(large, F32::set(1.0f), F32::zero());
    const F32 s = (m - F32::set(1.0f)) / (m + F32::set(1.0f)), u = s * s;
    F32 p = F32::set(2.0f / 9);
    p = fma(p, u, F32::set(2.0f / 7));
    p = fma(p, u, F32::set(2.0f / 5));
    p = fma(p, u, F32::set(2.0f / 3));
    p = fma(p, u, F32::set(2.0f));
    return fma(e, F32::set(0.693147181f), p * s);
}

// erf(x) as x P(x^2) / Q(x^2) for |x| <= 3.95, where it differs from 1 by less than half a unit: absolute error below
// 3e-7.
inline F32 erf(F32 x) {
    const F32 z = min(F32::set(3.95f), abs(x)), u = z * z;
    F32 p = F32::set(2.0117029180255486e-06f);
    p = fma(p, u, F32::set(0.00028760003624483943f));
    p = fma(p, u, F32::set(0.00391738023608923f));
    p = fma(p, u, F32::set(0.05320724472403526f));
    p = fma(p, u, F32::set(0.19403740763664246f));
    p = fma(p, u, F32::set(1.128378987312317f));
    F32 q = F32::set(3.7839268770767376e-05f);
    q = fma(q, u, F32::set(0.0011982122668996453f));
    q = fma(q, u, F32::set(0.01527082733809948f));
    q = fma(q, u, F32::set(0.11559142172336578f));
    q = fma(q, u, F32::set(0.5052926540374756f));
    q = fma(q, u, F32::set(1.0f));
    return copysign(z * p / q, x);
}

// tanh(x) as x P(x^2) / Q(x^2) for |x| <= 9.01, where it rounds to 1: relative error below 3e-7. Up to |x| = 1 as
// x + x (P - Q) / Q, of which only the small correction is rounded often: a softcap, mostly far above its scores, costs
// them next to nothing.
inline F32 tanh(F32 x) {
    const F32 z = min(F32::set(9.01f), abs(x)), u = z * z;
    F32 p = F32::set(1.3318742553281027e-08f);
    p = fma(p, u, F32::set(2.0583249352057464e-05f));
    p = fma(p, u, F32::set(0.0034940207842737436f));
    p = fma(p, u, F32::set(0.1337970644235611f));
    p = fma(p, u, F32::set(1.0f));
    F32 q = F32::set(7.761885854051798e-07f);
    q = fma(q, u, F32::set(0.0003283070109318942f));
    q = fma(q, u, F32::set(0.025871021673083305f));
    q = fma(q, u, F32::set(0.46713021397590637f));
    q = fma(q, u, F32::set(1.0f));
    F32 r = F32::set(-7.628698428518988e-07f);
    r = fma(r, u, F32::set(-0.00030772376157983674f));
    r = fma(r, u, F32::set(-0.022377000888809562f));
    r = fma(r, u, F32::set(-0.33333314955234527f));
    const F32 near = fma(z, r * u / q, z);
    return copysign(select(z < F32::set(1.0f), near, z * p / q), x);
}

}  // namespace
