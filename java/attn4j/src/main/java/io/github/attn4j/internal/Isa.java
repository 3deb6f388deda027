// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.util.Locale;

/** The instruction sets of attn4j/base.h; the ordinal is the native code. */
public enum Isa {
    /** The environment variable ATTN4J_ISA if it is set, else the widest this CPU has. */
    DEFAULT,
    /** Plain C++. */
    SCALAR,
    /** AVX2 with FMA. */
    AVX2,
    /** AVX-512 F, DQ, BW, VL. */
    AVX512,
    /** Advanced SIMD of arm64. */
    NEON,
    /** AVX512, AVX512-BF16 and AVX512-VNNI. */
    AVX512BF16,
    /** AVX512BF16 and AMX-TILE, AMX-BF16, AMX-INT8. */
    AMX,
    /** NEON and FEAT_BF16. */
    NEONBF16;

    /** Whether this build has it and this machine runs it. */
    public boolean isSupported() {
        return Native.attn4j_isa_supported(ordinal()) != 0;
    }

    /** The name as ATTN4J_ISA has it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What DEFAULT stands for. IllegalArgumentException or UnsupportedOperationException if ATTN4J_ISA is bad. */
    public static Isa resolveDefault() {
        Blocks blocks = new Blocks();
        try {
            long address = blocks.allocate(Integer.BYTES);
            Status.check(Native.attn4j_isa_resolve(DEFAULT.ordinal(), address));
            int[] resolved = new int[1];
            Native.attn4j_memory_copy(resolved, 0, address, 0, Integer.BYTES);
            return of(resolved[0]);
        } finally {
            blocks.run();
        }
    }

    static Isa of(int code) {
        return values()[code];
    }
}
