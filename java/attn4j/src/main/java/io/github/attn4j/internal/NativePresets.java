// SPDX-License-Identifier: Apache-2.0
// How JavaCPP reads the C interface: every address is a long, every enum an int, so that no JavaCPP Pointer is ever
// made and nothing of JavaCPP is needed at run time. Only the build uses this class.
package io.github.attn4j.internal;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.presets.javacpp;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/** The JavaCPP presets of the C interface; of a header it reads only what stands in it, so that all are named. */
@Properties(
    inherit = javacpp.class,
    target = "io.github.attn4j.internal.Native",
    helper = "io.github.attn4j.internal.NativeBase",
    value = @Platform(
        include = {"attn4j/base.h", "attn4j/library.h", "attn4j/attention.h", "attn4j/linear.h", "attn4j/layers.h",
            "attn4j/masks.h", "attn4j/rotary.h", "attn4j/cache.h", "attn4j/sampling.h"},
        library = "jniattn4j"))
public final class NativePresets implements InfoMapper {
    /** Called by JavaCPP. */
    public NativePresets() {}

    @Override
    public void map(InfoMap map) {
        map.put(new Info("ATTN4J_API", "ATTN4J_BASE_H", "ATTN4J_LIBRARY_H", "ATTN4J_ATTENTION_H", "ATTN4J_LINEAR_H",
            "ATTN4J_LAYERS_H", "ATTN4J_MASKS_H", "ATTN4J_ROTARY_H", "ATTN4J_CACHE_H", "ATTN4J_SAMPLING_H")
            .cppTypes().annotations());
        for (String type : new String[] {"void", "float"}) {
            map.put(new Info(type).valueTypes(type).pointerTypes("long").cast());
        }
        map.put(new Info("int64_t").valueTypes("long").pointerTypes("long").cast());
        map.put(new Info("uint8_t").valueTypes("byte").pointerTypes("long").cast());
        map.put(new Info("char").valueTypes("byte").pointerTypes("long").cast());
        map.put(new Info("int32_t").valueTypes("int").pointerTypes("long").cast());
        map.put(new Info("const char").pointerTypes("String"));
        map.put(new Info("attn4j_plan").valueTypes("long").cast());
        map.put(new Info("attn4j_plan_s").skip());
        map.put(new Info("attn4j_merge").javaText(
            "public static native @Cast(\"attn4j_status\") int attn4j_merge("
            + "@Cast(\"const float*const*\") long[] outs, @Cast(\"const int64_t*\") long[] outStrides, "
            + "@Cast(\"const float*const*\") long[] lses, long count, @Cast(\"const float*\") long sinks, long heads, "
            + "long queries, @Cast(\"float*\") long out, long outStride, @Cast(\"float*\") long lse, long rows, "
            + "long width, @Cast(\"attn4j_isa\") int isa, int threads);\n"));
        map.put(new Info("attn4j_memory_copy").javaText(copies()));
        map.put(new Info("attn4j_memory_copy_strided").javaText(
            "public static native @Cast(\"attn4j_status\") int attn4j_memory_copy_strided(@Cast(\"void*\") long to, "
            + "@Cast(\"const int64_t*\") long[] toStrides, @Cast(\"const void*\") long from, "
            + "@Cast(\"const int64_t*\") long[] fromStrides, @Cast(\"const int64_t*\") long[] sizes, int rank, "
            + "int elementBytes);\n"));
    }

    /** Besides addresses, Java arrays of any type on either side, held still for the time of the copy. */
    private static String copies() {
        StringBuilder text = new StringBuilder();
        text.append(copy("@Cast(\"void*\") long", "@Cast(\"const void*\") long"));
        for (String array : new String[] {"byte[]", "short[]", "int[]", "long[]", "float[]"}) {
            text.append("@CriticalRegion ").append(copy("@Cast(\"void*\") " + array, "@Cast(\"const void*\") long"));
            text.append("@CriticalRegion ").append(copy("@Cast(\"void*\") long", "@Cast(\"const void*\") " + array));
        }
        // The address of a direct buffer's first element, whatever its position; 0 for a heap buffer.
        text.append("@Name(\"(jlong)(intptr_t)env->GetDirectBufferAddress\") ")
            .append("public static native long bufferAddress(@Raw Object buffer);\n");
        return text.append("@Name(\"*(const jlong*)(intptr_t)\") public static native long longAt(long address);\n")
            .toString();
    }

    private static String copy(String to, String from) {
        return "public static native void attn4j_memory_copy(" + to + " to, long toOffset, " + from
            + " from, long fromOffset, long bytes);\n";
    }
}
