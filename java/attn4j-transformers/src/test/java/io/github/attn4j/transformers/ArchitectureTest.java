// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.github.attn4j.transformers", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule LIBRARY_NEEDS_NOTHING_OPTIONAL = noClasses()
            .that()
            .resideOutsideOfPackage("..demo..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "..transformers.demo..", "ai.onnxruntime..", "picocli..", "me.tongfei..", "org.knowm..");

    @ArchTest
    static final ArchRule READER_KNOWS_NO_MODEL = noClasses()
            .that()
            .resideInAPackage("..transformers.onnx..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.github.attn4j.transformers");

    @ArchTest
    static final ArchRule NOTHING_BEHIND_THE_API = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.github.attn4j.internal..");
}
