// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may use whom: onnx, nn, io -> attention -> tensor -> internal. */
@AnalyzeClasses(packages = "io.github.attn4j", importOptions = DoNotIncludeTests.class)
class HouseTest {
    @ArchTest
    static final ArchRule LAYERS = layeredArchitecture().consideringOnlyDependenciesInLayers()
        .layer("root").definedBy("io.github.attn4j")
        .layer("onnx").definedBy("io.github.attn4j.onnx")
        .layer("io").definedBy("io.github.attn4j.io")
        .layer("nn").definedBy("io.github.attn4j.nn")
        .layer("attention").definedBy("io.github.attn4j.attention")
        .layer("tensor").definedBy("io.github.attn4j.tensor")
        .layer("internal").definedBy("io.github.attn4j.internal")
        .whereLayer("root").mayNotBeAccessedByAnyLayer()
        .whereLayer("onnx").mayNotBeAccessedByAnyLayer()
        .whereLayer("io").mayNotBeAccessedByAnyLayer()
        .whereLayer("nn").mayNotBeAccessedByAnyLayer()
        .whereLayer("attention").mayOnlyBeAccessedByLayers("nn", "onnx", "io")
        .whereLayer("tensor").mayOnlyBeAccessedByLayers("nn", "onnx", "io", "attention");

    @ArchTest
    static final ArchRule BINDINGS_STAY_INSIDE = classes().that().haveSimpleName("Native")
        .should().onlyBeAccessed().byAnyPackage("io.github.attn4j.internal");

    @ArchTest
    static final ArchRule NOTHING_OF_JAVACPP_RUNS = noClasses().that().haveSimpleNameNotStartingWith("Native")
        .should().dependOnClassesThat().resideInAPackage("org.bytedeco..");

    @ArchTest
    static final ArchRule NAMES = noClasses().should().haveNameMatching(".*(Impl|Utils|Manager)");
}
