// SPDX-License-Identifier: Apache-2.0
// PyTorch's bf16 kernels use Intel's tile registers (AMX) wherever the CPU has them, but Linux grants them only to a
// process that asks. From Python, PyTorch asks by itself; its C++ interface does not, and dies of SIGILL.
package io.github.attn4j.bench;

import com.sun.jna.Function;
import com.sun.jna.Platform;

final class Tiles {
    private static final int SYS_ARCH_PRCTL = 158;
    private static final int ARCH_REQ_XCOMP_PERM = 0x1023;
    private static final int XFEATURE_XTILEDATA = 18;

    private Tiles() {}

    /** Asks for them. Where there are none the system refuses, and no kernel uses them. */
    static void request() {
        if (Platform.isLinux() && Platform.isIntel() && Platform.is64Bit()) {
            Function.getFunction(Platform.C_LIBRARY_NAME, "syscall")
                    .invokeLong(new Object[] {SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA});
        }
    }
}
