// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/**
 * How a TensorScope takes over memory that it did not allocate, such as a mapped file: what it does with its own
 * tensors, none of it public.
 */
public abstract class Adoption {
    private static Adoption adoption;

    protected Adoption() {}

    /** Called once, by TensorScope. */
    public static void by(Adoption scopes) {
        adoption = scopes;
    }

    /** The scope frees this when it closes; at once if that is so already, with an IllegalStateException. */
    public static void keep(Object scope, Runnable freed) {
        adoption.adopt(scope, freed);
    }

    /** A read-only contiguous tensor over memory that the scope keeps. */
    public static Object tensor(Object scope, long address, int type, long[] sizes) {
        return adoption.wrap(scope, address, type, sizes);
    }

    /** See {@link #keep}. */
    protected abstract void adopt(Object scope, Runnable freed);

    /** See {@link #tensor}. */
    protected abstract Object wrap(Object scope, long address, int type, long[] sizes);
}
