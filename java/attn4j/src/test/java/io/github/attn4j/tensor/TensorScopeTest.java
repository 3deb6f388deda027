// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.internal.Owner;
import io.github.attn4j.internal.View;
import io.github.attn4j.nn.Add;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
    @Test
    void closesOnceAndForAll() {
        TensorScope scope = TensorScope.open();
        Tensor tensor = scope.zeros(DType.FLOAT32, 2, 2);
        assertTrue(scope.isOpen());
        scope.close();
        scope.close();
        assertFalse(scope.isOpen());
        thrown(IllegalStateException.class, "TensorScope is closed", tensor::toFloatArray);
        thrown(IllegalStateException.class, "TensorScope is closed", () -> tensor.transpose(0, 1).at(0, 0));
        thrown(IllegalStateException.class, "TensorScope is closed", () -> scope.zeros(DType.FLOAT32, 1));
        try (TensorScope other = TensorScope.open()) {
            Tensor open = other.zeros(DType.FLOAT32, 2, 2);
            Add add = Add.builder().build();
            thrown(IllegalStateException.class, "closed", () -> add.run(open, tensor, open));
            thrown(IllegalStateException.class, "closed", () -> add.run(open, open, tensor));
            // The failed calls have let go of what they held.
            add.run(open, open, open);
        }
    }

    @Test
    void staysOpenUnderACall() {
        TensorScope scope = TensorScope.open();
        Tensor tensor = scope.of(new float[] {5}, 1);
        Owner owner = View.of(tensor, "tensor").owner;
        owner.acquire();
        thrown(IllegalStateException.class, "calls under way=1", scope::close);
        assertEquals(5, tensor.at(0));
        owner.release();
        scope.close();
        assertFalse(scope.isOpen());
    }

    @Test
    void freesOnce() {
        AtomicInteger freed = new AtomicInteger();
        Owner owner = Owner.of("thing", freed::incrementAndGet);
        owner.close();
        owner.close();
        assertEquals(1, freed.get());
    }

    @Test
    void aTensorKeepsAForgottenScopeOpen() throws InterruptedException {
        Tensor tensor = TensorScope.open().of(new float[] {5}, 1);
        AtomicInteger freed = new AtomicInteger();
        WeakReference<Owner> forgotten = new WeakReference<>(Owner.of("forgotten", freed::incrementAndGet));
        for (int i = 0; i < 100 && freed.get() == 0; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertTrue(forgotten.get() == null && freed.get() == 1);
        assertEquals(5, tensor.at(0));
    }
}
