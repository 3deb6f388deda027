// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

#include <cstdlib>
#include <cstring>

#include "error.h"

#if defined(ATTN4J_X86)
#include <cpuid.h>
#endif

namespace attn4j {
namespace {

struct Entry {
    attn4j_isa isa;
    const char* name;
    const KernelTable* table;  // null where this build has none
};

// Widest last.
const Entry entries[] = {
    {ATTN4J_ISA_SCALAR, "scalar", &scalar_table},
#if defined(ATTN4J_X86)
    {ATTN4J_ISA_AVX2, "avx2", &avx2_table},
    {ATTN4J_ISA_AVX512, "avx512", &avx512_table},
    {ATTN4J_ISA_NEON, "neon", nullptr},
#elif defined(ATTN4J_ARM64)
    {ATTN4J_ISA_AVX2, "avx2", nullptr},
    {ATTN4J_ISA_AVX512, "avx512", nullptr},
    {ATTN4J_ISA_NEON, "neon", &neon_table},
#else
    {ATTN4J_ISA_AVX2, "avx2", nullptr},
    {ATTN4J_ISA_AVX512, "avx512", nullptr},
    {ATTN4J_ISA_NEON, "neon", nullptr},
#endif
};

#if defined(ATTN4J_X86)
struct X86Features {
    bool avx2 = false, avx512 = false;

    X86Features() {
        unsigned a, b, c, d;
        if (__get_cpuid(1, &a, &b, &c, &d) == 0) return;
        const bool fma = (c >> 12) & 1, osxsave = (c >> 27) & 1, avx = (c >> 28) & 1, f16c = (c >> 29) & 1;
        if (!osxsave || !avx) return;
        unsigned low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        const bool ymm_saved = (low & 0x06) == 0x06, zmm_saved = (low & 0xe6) == 0xe6;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return;
        avx2 = ymm_saved && fma && f16c && ((b >> 5) & 1);
        const unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
        avx512 = avx2 && zmm_saved && (b & (f | dq | bw | vl)) == (f | dq | bw | vl);
#if defined(ATTN4J_EMULATE_AVX512)
        avx512 = avx2;
#endif
    }
};
#endif

bool cpu_has(attn4j_isa isa) {
#if defined(ATTN4J_X86)
    static const X86Features features;
    if (isa == ATTN4J_ISA_AVX2) return features.avx2;
    if (isa == ATTN4J_ISA_AVX512) return features.avx512;
#endif
    // Every AArch64 CPU has NEON, every CPU the scalar kernels.
    return isa == ATTN4J_ISA_SCALAR || isa == ATTN4J_ISA_NEON;
}

const Entry* find(attn4j_isa isa) {
    for (const Entry& entry : entries)
        if (entry.isa == isa) return &entry;
    return nullptr;
}

const Entry& require(attn4j_isa isa) {
    const Entry* entry = find(isa);
    if (entry == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "isa must be 0 to 4: isa=%d", static_cast<int>(isa));
    if (!isa_supported(isa)) {
        fail(ATTN4J_UNSUPPORTED, "this %s does not have the instruction set: isa=%s",
             entry->table == nullptr ? "build" : "CPU", entry->name);
    }
    return *entry;
}

attn4j_isa default_isa() {
    const char* wanted = std::getenv("ATTN4J_ISA");
    if (wanted != nullptr && *wanted != '\0') {
        for (const Entry& entry : entries)
            if (std::strcmp(wanted, entry.name) == 0) return require(entry.isa).isa;
        fail(ATTN4J_INVALID_ARGUMENT, "ATTN4J_ISA must be scalar, avx2, avx512 or neon: ATTN4J_ISA=%.40s", wanted);
    }
    attn4j_isa widest = ATTN4J_ISA_SCALAR;
    for (const Entry& entry : entries)
        if (isa_supported(entry.isa)) widest = entry.isa;
    return widest;
}

}  // namespace

bool isa_supported(attn4j_isa isa) {
    const Entry* entry = find(isa);
    return entry != nullptr && entry->table != nullptr && cpu_has(isa);
}

attn4j_isa resolve_isa(attn4j_isa isa) { return isa == ATTN4J_ISA_DEFAULT ? default_isa() : require(isa).isa; }

const char* isa_name(attn4j_isa isa) {
    const Entry* entry = find(isa);
    return entry != nullptr ? entry->name : isa == ATTN4J_ISA_DEFAULT ? "default" : "unknown";
}

const KernelTable& kernels_of(attn4j_isa isa) { return *find(isa)->table; }

}  // namespace attn4j
