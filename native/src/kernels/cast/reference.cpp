// SPDX-License-Identifier: Apache-2.0
#include "kernels/cast/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

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

double value_of(const Format& f, uint32_t bits) {
    const uint32_t fraction = bits & ((1u << f.fraction_bits) - 1), field = bits >> f.fraction_bits & f.largest_field();
    const double sign = bits >> (f.exponent_bits + f.fraction_bits) & 1 ? -1 : 1;
    if (field == f.largest_field())
        return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    const double significand = fraction + (field == 0 ? 0.0 : std::ldexp(1.0, f.fraction_bits));
    return sign * std::ldexp(significand, static_cast<int>(std::max(field, 1u)) - f.bias() - f.fraction_bits);
}

// Tests read whole tensors.
std::vector<double> all_values_of(const Format& f) {
    std::vector<double> values(1 << 16);
    for (uint32_t bits = 0; bits < values.size(); ++bits) values[bits] = value_of(f, bits);
    return values;
}

}  // namespace

double value_reference(attn4j_dtype dtype, uint32_t bits) {
    static const std::vector<double> bf16 = all_values_of(format_of(ATTN4J_BF16));
    static const std::vector<double> f16 = all_values_of(format_of(ATTN4J_F16));
    if (dtype == ATTN4J_BF16) return bf16[bits];
    if (dtype == ATTN4J_F16) return f16[bits];
    return value_of(format_of(dtype), bits);
}

uint32_t bits_reference(attn4j_dtype dtype, double x) {
    const Format f = format_of(dtype);
    uint64_t magnitude;
    std::memcpy(&magnitude, &x, sizeof magnitude);
    const uint32_t sign = static_cast<uint32_t>(magnitude >> 63) << (f.exponent_bits + f.fraction_bits);
    magnitude &= ~(uint64_t{1} << 63);
    const uint64_t infinity = uint64_t{f.largest_field()} << f.fraction_bits;
    if (std::isnan(x)) return static_cast<uint32_t>(infinity | 1u << (f.fraction_bits - 1));
    // A subnormal double has no leading one, but is nothing in any of the formats either.
    const uint64_t leading = uint64_t{1} << kDoubleFractionBits;
    const uint64_t significand = (magnitude & (leading - 1)) | leading;
    const int exponent = static_cast<int>(magnitude >> kDoubleFractionBits) - kDoubleBias, least = 1 - f.bias();
    // To units of the last place, ties to even; beyond 54 bits nothing is left.
    const int dropped = std::min(kDoubleFractionBits - f.fraction_bits + std::max(least - exponent, 0), 54);
    const uint64_t half = uint64_t{1} << (dropped - 1), odd = significand >> dropped & 1;
    const uint64_t units = (significand + half - 1 + odd) >> dropped;
    // The leading one, and a carry, run into the exponent's field.
    const uint64_t bits = units + (static_cast<uint64_t>(std::max(exponent, least) - least) << f.fraction_bits);
    return sign | static_cast<uint32_t>(std::min(bits, infinity));
}

double rounded_reference(attn4j_dtype dtype, double x) { return value_reference(dtype, bits_reference(dtype, x)); }
