# SPDX-License-Identifier: Apache-2.0
# cmake -P quiet.cmake -- command arguments...: runs it and shows what it said only if it fails, so that `mvn -q` is
# quiet.

set(command)
set(begun FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE ${last})
  if(begun)
    string(REPLACE ";" "\\;" argument "${CMAKE_ARGV${index}}")
    list(APPEND command "${argument}")
  elseif(CMAKE_ARGV${index} STREQUAL "--")
    set(begun TRUE)
  endif()
endforeach()
execute_process(COMMAND ${command} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message("${output}")
  list(JOIN command " " line)
  message(FATAL_ERROR "${result}: ${line}")
endif()
