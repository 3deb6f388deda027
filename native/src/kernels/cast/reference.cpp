// SPDX-License-Identifier: Apache-2.0
#include "kernels/cast/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace {

// Sign, exponent with the given bias, fraction.
struct Format {
    int exponent_bits, fraction_bits;
    int bias() const { return (1 << (exponent_bits - 1)) - 1; }
    uint32_t largest_field() const { return (1u << exponent_bits) - 1; }
};

Format format_of(attn4j_dtype dtype) {
    return dtype == ATTN4J_F32 ? Format{8, 23} : dtype == ATTN4J_BF16 ? Format{8, 7} : Format{5, 10};
}

constexpr int kDoubleBias = 1023, kDoubleFractionBits = 52;

// 2^exponent, normal. Tests put and read whole tensors by these functions: std::ldexp and std::frexp were most of the
// time of 16-bit types.
double power_of_two(int exponent) {
    const uint64_t bits = static_cast<uint64_t>(exponent + kDoubleBias) << kDoubleFractionBits;
    double x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// The e of 2^e <= |x| < 2^(e + 1); of a subnormal x, that of the least normal one.
int exponent_of(double x) {
    uint64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const int field = static_cast<int>(bits >> kDoubleFractionBits & 0x7ff);
    return std::max(field, 1) - kDoubleBias;
}

}  // namespace

double value_reference(attn4j_dtype dtype, uint32_t bits) {
    const Format f = format_of(dtype);
    const uint32_t fraction = bits & ((1u << f.fraction_bits) - 1), field = bits >> f.fraction_bits & f.largest_field();
    const double sign = bits >> (f.exponent_bits + f.fraction_bits) & 1 ? -1 : 1;
    if (field == f.largest_field())
        return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    const double significand = fraction + (field == 0 ? 0.0 : power_of_two(f.fraction_bits));
    return sign * significand * power_of_two(static_cast<int>(std::max(field, 1u)) - f.bias() - f.fraction_bits);
}

uint32_t bits_reference(attn4j_dtype dtype, double x) {
    const Format f = format_of(dtype);
    const uint32_t sign = std::signbit(x) && !std::isnan(x) ? 1u << (f.exponent_bits + f.fraction_bits) : 0;
    const uint32_t infinity = f.largest_field() << f.fraction_bits;
    if (std::isnan(x)) return infinity | 1u << (f.fraction_bits - 1);
    if (std::isinf(x)) return sign | infinity;
    if (x == 0) return sign;
    const int unit = std::max(exponent_of(x), 1 - f.bias()) - f.fraction_bits;
    // In units of the last place: below 2^(fraction_bits + 1) + 1, so exact in a double; a carry runs into the exponent
    // field.
    const double units = std::nearbyint(std::fabs(x) * power_of_two(-unit));
    const double field = unit + f.fraction_bits + f.bias() - 1;
    const double bits = units + field * power_of_two(f.fraction_bits);
    return sign | (bits >= infinity ? infinity : static_cast<uint32_t>(bits));
}

double rounded_reference(attn4j_dtype dtype, double x) { return value_reference(dtype, bits_reference(dtype, x)); }
