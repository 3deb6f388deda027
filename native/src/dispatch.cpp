// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

#include <cstdlib>
#include <cstring>

#include "error.h"

#if defined(ATTN4J_ARM64) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(ATTN4J_ARM64) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#if defined(ATTN4J_X86)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace attn4j {
namespace {

struct Entry {
    attn4j_isa isa;
    const char* name;
    const KernelTable* table;  // null where this build has none
    const Bf16Kernels* bf16;   // null where the ISA does not multiply bfloat16
};

// Widest last.
const Entry entries[] = {
    {ATTN4J_ISA_SCALAR, "scalar", &scalar_table, nullptr},
#if defined(ATTN4J_X86)
    {ATTN4J_ISA_AVX2, "avx2", &avx2_table, nullptr},
    {ATTN4J_ISA_AVX512, "avx512", &avx512_table, nullptr},
    {ATTN4J_ISA_NEON, "neon", nullptr, nullptr},
#elif defined(ATTN4J_ARM64)
    {ATTN4J_ISA_AVX2, "avx2", nullptr, nullptr},
    {ATTN4J_ISA_AVX512, "avx512", nullptr, nullptr},
    {ATTN4J_ISA_NEON, "neon", &neon_table, nullptr},
#else
    {ATTN4J_ISA_AVX2, "avx2", nullptr, nullptr},
    {ATTN4J_ISA_AVX512, "avx512", nullptr, nullptr},
    {ATTN4J_ISA_NEON, "neon", nullptr, nullptr},
#endif
#if defined(ATTN4J_X86) && !defined(ATTN4J_EMULATE_AVX512)
    {ATTN4J_ISA_AVX512BF16, "avx512bf16", &avx512_table, &avx512bf16_table},
    {ATTN4J_ISA_AMX, "amx", &avx512_table, &amx_table},
#else
    {ATTN4J_ISA_AVX512BF16, "avx512bf16", nullptr, nullptr},
    {ATTN4J_ISA_AMX, "amx", nullptr, nullptr},
#endif
#if defined(ATTN4J_ARM64)
    {ATTN4J_ISA_NEONBF16, "neonbf16", &neon_table, &neonbf16_table},
#else
    {ATTN4J_ISA_NEONBF16, "neonbf16", nullptr, nullptr},
#endif
};

#if defined(ATTN4J_X86)
// Tile registers are 8 KB that Linux saves for a process only once it has asked; granted, it is for good, and for all
// threads. Other systems are not known to grant it.
bool tiles_permitted() {
#if defined(__linux__) && defined(SYS_arch_prctl)
    constexpr int request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

struct X86Features {
    bool avx2 = false, avx512 = false, avx512bf16 = false, amx = false;
    bool intel = false;

    X86Features() {
        unsigned a, b, c, d;
        if (__get_cpuid(0, &a, &b, &c, &d) == 0) return;
        intel = b == signature_INTEL_ebx && c == signature_INTEL_ecx && d == signature_INTEL_edx;
        if (__get_cpuid(1, &a, &b, &c, &d) == 0) return;
        const bool fma = (c >> 12) & 1, osxsave = (c >> 27) & 1, avx = (c >> 28) & 1, f16c = (c >> 29) & 1;
        if (!osxsave || !avx) return;
        unsigned low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        const bool ymm_saved = (low & 0x06) == 0x06, zmm_saved = (low & 0xe6) == 0xe6;
        const bool tiles_saved = (low & 0x60000) == 0x60000;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return;
        avx2 = ymm_saved && fma && f16c && ((b >> 5) & 1);
        const unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
        avx512 = avx2 && zmm_saved && (b & (f | dq | bw | vl)) == (f | dq | bw | vl);
#if defined(ATTN4J_EMULATE_AVX512)
        avx512 = avx2;
#endif
        const bool tiles = ((d >> 24) & 1) && ((d >> 22) & 1) && ((d >> 25) & 1);  // AMX-TILE, -BF16, -INT8
        const bool vnni = (c >> 11) & 1;  // all CPUs that multiply bfloat16 have it
        if (!avx512 || !vnni || a < 1 || __get_cpuid_count(7, 1, &a, &b, &c, &d) == 0) return;
        avx512bf16 = (a >> 5) & 1;
        amx = avx512bf16 && tiles && tiles_saved && tiles_permitted();
    }
};
#endif

#if defined(ATTN4J_X86)
const X86Features& x86_features() {
    static const X86Features features;
    return features;
}
#endif

#if defined(ATTN4J_ARM64)
// Other systems are not known to say.
bool has_bf16() {
#if defined(__linux__)
    constexpr unsigned long bf16 = 1ul << 14;  // HWCAP2_BF16
    return (getauxval(AT_HWCAP2) & bf16) != 0;
#elif defined(__APPLE__)
    int value = 0;
    size_t bytes = sizeof value;
    return sysctlbyname("hw.optional.arm.FEAT_BF16", &value, &bytes, nullptr, 0) == 0 && value != 0;
#else
    return false;
#endif
}
#endif

bool cpu_has(attn4j_isa isa) {
#if defined(ATTN4J_X86)
    const X86Features& features = x86_features();
    if (isa == ATTN4J_ISA_AVX2) return features.avx2;
    if (isa == ATTN4J_ISA_AVX512) return features.avx512;
    if (isa == ATTN4J_ISA_AVX512BF16) return features.avx512bf16;
    if (isa == ATTN4J_ISA_AMX) return features.amx;
#elif defined(ATTN4J_ARM64)
    if (isa == ATTN4J_ISA_NEONBF16) return has_bf16();
#endif
    // Every AArch64 CPU has NEON, every CPU the scalar kernels.
    return isa == ATTN4J_ISA_SCALAR || isa == ATTN4J_ISA_NEON;
}

// Whether it is chosen unasked. On AMD's Zen 5 vdpbf16ps does twice the float32 multiply-adds' work; on Intel's Emerald
// Rapids half of it (110 for 220 GFLOP/s a core), so that widening is faster there. Its matrix unit is another matter.
bool worth_it(attn4j_isa isa) {
#if defined(ATTN4J_X86)
    if (isa == ATTN4J_ISA_AVX512BF16) return !x86_features().intel;
#endif
    (void)isa;
    return true;
}

const Entry* find(attn4j_isa isa) {
    for (const Entry& entry : entries)
        if (entry.isa == isa) return &entry;
    return nullptr;
}

const Entry& require(attn4j_isa isa) {
    const Entry* entry = find(isa);
    if (entry == nullptr) fail(ATTN4J_INVALID_ARGUMENT, "isa must be 0 to 7: isa=%d", static_cast<int>(isa));
    if (!isa_supported(isa)) {
        fail(ATTN4J_UNSUPPORTED, "this %s does not have the instruction set: isa=%s",
             entry->table == nullptr ? "build" : "CPU", entry->name);
    }
    return *entry;
}

// What ATTN4J_ISA names, null for nothing.
const char* wanted_isa() {
    const char* wanted = std::getenv("ATTN4J_ISA");
    return wanted != nullptr && *wanted != '\0' ? wanted : nullptr;
}

attn4j_isa default_isa() {
    if (const char* wanted = wanted_isa()) {
        for (const Entry& entry : entries)
            if (std::strcmp(wanted, entry.name) == 0) return require(entry.isa).isa;
        fail(ATTN4J_INVALID_ARGUMENT,
             "ATTN4J_ISA must be scalar, avx2, avx512, avx512bf16, amx, neon or neonbf16: ATTN4J_ISA=%.40s", wanted);
    }
    attn4j_isa widest = ATTN4J_ISA_SCALAR;
    for (const Entry& entry : entries)
        if (isa_supported(entry.isa) && worth_it(entry.isa)) widest = entry.isa;
    return widest;
}

}  // namespace

bool isa_supported(attn4j_isa isa) {
    const Entry* entry = find(isa);
    return entry != nullptr && entry->table != nullptr && cpu_has(isa);
}

attn4j_isa resolve_isa(attn4j_isa isa) { return isa == ATTN4J_ISA_DEFAULT ? default_isa() : require(isa).isa; }

const char* default_isa_reason() { return wanted_isa() != nullptr ? "by ATTN4J_ISA" : "the fastest this CPU runs"; }

const char* isa_name(attn4j_isa isa) {
    const Entry* entry = find(isa);
    return entry != nullptr ? entry->name : isa == ATTN4J_ISA_DEFAULT ? "default" : "unknown";
}

// Decoding of float32, bfloat16 and float16, one thread, on Intel's Emerald Rapids in a noisy hour: 30.7, 17.5 and 17.4 ms
// without such fetches, 23.5, 13.5 and 12.1 with them; on AMD's Zen 4 they made it slower (decode: fetch_bytes()).
bool wants_every_line() {
#if defined(ATTN4J_X86)
    return x86_features().intel;
#else
    return false;
#endif
}

const KernelTable& kernels_of(attn4j_isa isa) { return *find(isa)->table; }

const Bf16Kernels* bf16_kernels_of(attn4j_isa isa) { return find(isa)->bf16; }

}  // namespace attn4j
