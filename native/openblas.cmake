# SPDX-License-Identifier: Apache-2.0
# OpenBLAS for the native tests and benchmark: the path given in ATTN4J_OPENBLAS, or the JavaCPP preset's library,
# unpacked by Maven once per build folder. Sets ATTN4J_OPENBLAS_LIBRARY, empty where neither is to be had: linear layers
# are then not tested.

set(ATTN4J_OPENBLAS_VERSION 0.3.31-1.5.13)
set(ATTN4J_OPENBLAS_LIBRARY "${ATTN4J_OPENBLAS}")
if(NOT ATTN4J_OPENBLAS_LIBRARY)
  set(platform linux-x86_64)
  set(library libopenblas.so.0)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(platform linux-arm64)
  endif()
  if(APPLE)
    string(REPLACE linux macosx platform ${platform})
    set(library libopenblas.0.dylib)
  elseif(WIN32)
    string(REPLACE linux windows platform ${platform})
    set(library libopenblas.dll)
  endif()
  set(unpacked ${CMAKE_BINARY_DIR}/openblas/org/bytedeco/openblas/${platform}/${library})
  if(NOT EXISTS ${unpacked})
    find_program(ATTN4J_MAVEN NAMES mvn mvn.cmd)
    if(ATTN4J_MAVEN)
      message(STATUS "Unpacking OpenBLAS ${ATTN4J_OPENBLAS_VERSION} for ${platform} through Maven")
      execute_process(
        COMMAND ${ATTN4J_MAVEN} -q -B org.apache.maven.plugins:maven-dependency-plugin:3.9.0:unpack
                -Dartifact=org.bytedeco:openblas:${ATTN4J_OPENBLAS_VERSION}:jar:${platform}
                -DoutputDirectory=${CMAKE_BINARY_DIR}/openblas -DmarkersDirectory=${CMAKE_BINARY_DIR}/openblas/markers
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    endif()
  endif()
  if(EXISTS ${unpacked})
    set(ATTN4J_OPENBLAS_LIBRARY ${unpacked})
  else()
    message(WARNING "No OpenBLAS: give -DATTN4J_OPENBLAS=<path>, or let Maven be found. Linear layers are not tested.")
  endif()
endif()
