# SPDX-License-Identifier: Apache-2.0
# The library that Java loads: the glue that JavaCPP generated (ATTN4J_JNI_SOURCE) and all of attn4j, in one file. Not
# part of `all`, as the source belongs to the Maven build and may be gone.

find_package(JNI REQUIRED COMPONENTS JVM)
add_library(jniattn4j SHARED EXCLUDE_FROM_ALL ${ATTN4J_JNI_SOURCE})
target_include_directories(jniattn4j PRIVATE ${JAVA_INCLUDE_PATH} ${JAVA_INCLUDE_PATH2})
target_link_libraries(jniattn4j PRIVATE attn4j_static)
# Generated code is not held to our warnings. Its JNI_OnLoad would look up JavaCPP's Pointer, which starts a thread and
# unpacks JavaCPP's own library; no Pointer is ever made here, so it gets a name the JVM does not call. Strings then go
# through NewStringUTF, which needs nothing set up.
target_compile_options(jniattn4j PRIVATE -w)
target_compile_definitions(jniattn4j PRIVATE
  MODIFIED_UTF8_STRING
  JNI_OnLoad=attn4j_unused_load JNI_OnLoad_jnijavacpp=attn4j_unused_load
  JNI_OnUnload=attn4j_unused_unload JNI_OnUnload_jnijavacpp=attn4j_unused_unload)
if(UNIX AND NOT APPLE)
  target_link_options(jniattn4j PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined)
endif()
install(TARGETS jniattn4j COMPONENT jni EXCLUDE_FROM_ALL LIBRARY DESTINATION . RUNTIME DESTINATION .)
