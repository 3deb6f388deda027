// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HeldTest {
    private static final int COUNT = 5;

    private final Owner[] owners = new Owner[COUNT];
    private final View[] views = new View[COUNT];

    private void own(int... ownerOf) {
        for (int i = 0; i < COUNT; i++) {
            owners[i] = Owner.of("owner " + i, () -> {});
        }
        for (int i = 0; i < COUNT; i++) {
            views[i] = ownerOf[i] < 0 ? null
                : new View(owners[ownerOf[i]], 64, View.FLOAT32, false, new long[] {1}, new long[] {1});
        }
    }

    private void acquire() {
        Held.acquire(views[0], views[1], views[2], views[3], views[4]);
    }

    private void release() {
        Held.release(views[0], views[1], views[2], views[3], views[4]);
    }

    /** Whether it may be closed, and closes it. */
    private static boolean closes(Owner owner) {
        try {
            owner.close();
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    @Test
    void whatIsHeldCannotBeClosedUntilItIsReleased() {
        int[][] cases = {{0, 1, 2, 3, 4}, {0, 0, 0, 0, 0}, {0, 1, 0, 1, 0}, {-1, 1, -1, 1, 2}, {0, 0, -1, 0, -1},
            {-1, -1, -1, -1, -1}};
        for (int[] ownerOf : cases) {
            own(ownerOf);
            acquire();
            for (int of : ownerOf) {
                if (of >= 0) {
                    assertThrows(IllegalStateException.class, owners[of]::close);
                }
            }
            release();
            for (Owner owner : owners) {
                assertTrue(closes(owner));
            }
        }
    }

    @Test
    void nothingIsHeldWhereOneIsClosed() {
        for (int closed = 0; closed < COUNT; closed++) {
            own(0, 1, 2, 3, 4);
            owners[closed].close();
            String message = assertThrows(IllegalStateException.class, this::acquire).getMessage();
            assertTrue(message.contains("this owner " + closed + " is closed"), message);
            for (int i = 0; i < COUNT; i++) {
                assertEquals(i == closed, owners[i].isClosed());
                assertTrue(closes(owners[i]), i + " is held");
            }
        }
    }
}
