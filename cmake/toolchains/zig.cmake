# Zig's compiler out of PyPI's ziglang, which brings a C and a C++ library for every target it has.
# Included with zig_target (its name for the target) and zig_flags set.
file(GLOB zig ${CMAKE_CURRENT_LIST_DIR}/../../.venv/lib/python3*/site-packages/ziglang/zig)
foreach(language C CXX)
  set(compiler cc)
  if(language STREQUAL CXX)
    set(compiler c++)
  endif()
  set(CMAKE_${language}_COMPILER ${zig} ${compiler} -target ${zig_target})
  # Debug builds of Zig's trap on undefined behaviour, with a runtime of their own.
  set(CMAKE_${language}_FLAGS_INIT "-fno-sanitize=undefined ${zig_flags}")
  # Archives of any target's objects, which the machine's own ar cannot index.
  set(CMAKE_${language}_ARCHIVE_CREATE "${zig} ar qc <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "${zig} ar q <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "${zig} ranlib <TARGET>")
endforeach()
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
