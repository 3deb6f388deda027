// SPDX-License-Identifier: Apache-2.0
// Every message gives the rule and both values. None of the methods allocates unless it throws.
package io.github.attn4j.internal;

import java.util.Arrays;

/** The rules for the arguments of a native call, checked before anything is written. */
public final class Check {
    private Check() {}

    /** A tensor of this type and rank. */
    public static View tensor(Object tensor, String name, int type, int rank) {
        View view = View.of(tensor, name);
        if (view.type != type) {
            throw new IllegalArgumentException(name + " has the wrong type: dtype=" + view.typeName() + " expected="
                + View.typeName(type));
        }
        rank(view, name, rank);
        return view;
    }

    /** FLOAT32 of this rank whose innermost stride is 1. */
    public static View rows(Object tensor, String name, int rank) {
        return innermostOne(tensor(tensor, name, View.FLOAT32, rank), name);
    }

    /** FLOAT32 [..., width]: any rank of 1 or more, innermost stride 1, rows at equal distances. */
    public static View matrix(Object tensor, String name) {
        View view = View.of(tensor, name);
        if (view.type != View.FLOAT32 || view.rank() < 1) {
            tensor(tensor, name, View.FLOAT32, Math.max(1, view.rank()));
        }
        return equalRows(view, name);
    }

    /** The same of FLOAT32 or BFLOAT16. */
    public static View wideMatrix(Object tensor, String name) {
        View view = View.of(tensor, name);
        return view.type == View.BFLOAT16 && view.rank() >= 1 ? equalRows(view, name) : matrix(tensor, name);
    }

    private static View equalRows(View view, String name) {
        if (!view.isMatrix()) {
            innermostOne(view, name);
            throw new IllegalArgumentException(name + " must have rows at equal distances: strides="
                + Arrays.toString(view.strides) + " shape=" + view.shape() + ", copy it first");
        }
        return view;
    }

    /** Floating-point numbers of any width, of this rank, whose innermost stride is 1. */
    public static View floatRows(Object tensor, String name, int rank) {
        View view = floats(tensor, name);
        rank(view, name, rank);
        return innermostOne(view, name);
    }

    /** Keys or values of attention: INT8, or floating-point numbers of any width; of this rank, innermost stride 1. */
    public static View keyRows(Object tensor, String name, int rank) {
        View view = View.of(tensor, name);
        if (view.type != View.INT8) {
            return floatRows(tensor, name, rank);
        }
        rank(view, name, rank);
        return innermostOne(view, name);
    }

    /** The position of each row: INT64 [batch, rows], or [1, rows] for all entries. */
    public static View positionIds(Object tensor, long batch, long rows) {
        View ids = tensor(tensor, "positionIds", View.INT64, 2);
        if (ids.sizes[0] != 1) {
            size(ids, "positionIds", 0, batch, "batch");
        }
        size(ids, "positionIds", 1, rows, "rows");
        return innermostOne(ids, "positionIds");
    }

    /** Positions given one by one lie within tables of so many; their owner is acquired. */
    public static void positions(View ids, long positions) {
        for (long b = 0; b < ids.sizes[0]; b++) {
            for (long row = 0; row < ids.sizes[1]; row++) {
                long id = Native.longAt(ids.address + (b * ids.strides[0] + row) * Long.BYTES);
                if (id < 0 || id >= positions) {
                    throw new IllegalArgumentException("positions must lie within the tables: positionIds[" + b + ", "
                        + row + "]=" + id + " positions=" + positions);
                }
            }
        }
    }

    /** Positions from `start` on lie within tables of so many. */
    public static void positions(long start, long rows, long positions) {
        if (start < 0 || start > positions - rows) {
            throw new IllegalArgumentException("positions must lie within the tables: start=" + start + " rows=" + rows
                + " positions=" + positions);
        }
    }

    /** Floating-point numbers of any width. */
    public static View floats(Object tensor, String name) {
        View view = View.of(tensor, name);
        if (!view.isFloat()) {
            throw new IllegalArgumentException(name + " has the wrong type: dtype=" + view.typeName()
                + " expected=FLOAT32, BFLOAT16 or FLOAT16");
        }
        return view;
    }

    /** Of this rank. */
    public static void rank(View view, String name, int rank) {
        if (view.rank() != rank) {
            throw new IllegalArgumentException(name + " has the wrong rank: rank=" + view.rank() + " expected=" + rank
                + " shape=" + view.shape());
        }
    }

    /** Rows without gaps between their elements. */
    public static View innermostOne(View view, String name) {
        int last = view.rank() - 1;
        if (view.sizes[last] > 1 && view.strides[last] != 1) {
            throw new IllegalArgumentException(name + " must have innermost stride 1: stride(" + last + ")="
                + view.strides[last] + " shape=" + view.shape() + ", copy it first");
        }
        return view;
    }

    /** A contiguous vector of this type; the size is free. */
    public static View vector(Object tensor, String name, int type) {
        View view = tensor(tensor, name, type, 1);
        if (view.sizes[0] > 1 && view.strides[0] != 1) {
            throw new IllegalArgumentException(name + " must be contiguous: stride(0)=" + view.strides[0]);
        }
        return view;
    }

    /** A contiguous vector of this type and size. */
    public static View vector(Object tensor, String name, int type, long size, String sizeName) {
        View view = vector(tensor, name, type);
        size(view, name, 0, size, sizeName);
        return view;
    }

    /** Dimension `dim` has this size. */
    public static void size(View view, String name, int dim, long expected, String expectedName) {
        if (view.sizes[dim] != expected) {
            throw new IllegalArgumentException(name + ".size(" + dim + ") must equal " + expectedName + ": "
                + name + ".size(" + dim + ")=" + view.sizes[dim] + " " + expectedName + "=" + expected);
        }
    }

    /** May be written to. */
    public static void writable(View view, String name) {
        if (view.readOnly) {
            throw new IllegalArgumentException(name + " is read-only and cannot be an output: shape=" + view.shape());
        }
    }

    /** No gaps. */
    public static void contiguous(View view, String name) {
        if (!view.isContiguous()) {
            throw new IllegalArgumentException(name + " must be contiguous: shape=" + view.shape() + " strides="
                + Arrays.toString(view.strides));
        }
    }

    /**
     * The two share no element. IllegalStateException if they seem to because one is closed and its memory in use
     * again.
     */
    public static void disjoint(View out, String outName, View in, String inName) {
        if (Overlap.possible(out, in)) {
            open(out);
            open(in);
            throw new IllegalArgumentException(outName + " must not overlap " + inName + ": "
                + Overlap.range(outName, out) + " " + Overlap.range(inName, in));
        }
    }

    /** Whether the two are the same elements in the same order, or share none. */
    public static boolean isSameOrDisjoint(View a, View b) {
        return Overlap.same(a, b) || isDisjoint(a, b);
    }

    /** Whether the two share no element. */
    public static boolean isDisjoint(View a, View b) {
        return !Overlap.possible(a, b);
    }

    /** The two are the same elements in the same order, or share none. */
    public static void sameOrDisjoint(View out, String outName, View in, String inName) {
        if (!Overlap.same(out, in)) {
            disjoint(out, outName, in, inName);
        }
    }

    /** Refuses what belongs to a scope that is closed. */
    public static void open(View view) {
        view.owner.acquire();
        view.owner.release();
    }

    /** A window that reaches back to keys that were overwritten would be silently cut. */
    public static void kept(long oldestSeen, long oldestKept) {
        if (oldestSeen < oldestKept) {
            throw new IllegalStateException("the window reaches keys that were overwritten: oldest seen=" + oldestSeen
                + " oldest kept=" + oldestKept + ", give the ring more room or attend to fewer queries at once");
        }
    }

    /** 0 for all threads of the pool, or a limit. */
    public static int threads(int threads) {
        if (threads < 0) {
            throw new IllegalArgumentException("threads must be at least 0: threads=" + threads);
        }
        return threads;
    }

    /** A positive finite number. */
    public static double positive(double value, String name) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + " must be positive and finite: " + name + "=" + value);
        }
        return value;
    }

    /** A number that is not below the least. */
    public static long atLeast(long least, long value, String name) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + name + "=" + value);
        }
        return value;
    }
}
