# SPDX-License-Identifier: Apache-2.0
# Fails unless each object of src/isa exports one kernel table and nothing else. A weak symbol compiled with machine
# flags could be the copy the linker keeps for everybody, and stop an older CPU with an illegal instruction.
string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} --defined-only --extern-only ${object} OUTPUT_VARIABLE symbols RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${NM} cannot read ${object}")
  endif()
  string(STRIP "${symbols}" symbols)
  string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
  list(LENGTH lines count)
  if(NOT count EQUAL 1 OR NOT lines MATCHES " [DRS] _?_ZN6attn4j[0-9]+[a-z0-9]+_tableE$")
    message(FATAL_ERROR "an ISA object must export one kernel table and nothing else: ${object}\n${symbols}")
  endif()
endforeach()
file(TOUCH ${STAMP})
