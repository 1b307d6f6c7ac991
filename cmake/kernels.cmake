# From rows of kernels x element widths x targets to objects, one Halide runtime under our own symbol
# prefix, and one dispatch table per family.

find_program(SYLVITE_PYTHON python3 HINTS ${PROJECT_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH)
if(NOT SYLVITE_PYTHON)
  message(FATAL_ERROR "no virtual environment in .venv: run ./x once, or pass -DSYLVITE_PYTHON=… of one with requirements.txt")
endif()

# --- targets ---------------------------------------------------------------------------------

include(${CMAKE_CURRENT_LIST_DIR}/machine_targets.cmake)

set(SYLVITE_TARGETS all CACHE STRING "Targets to build, in any order: names of cmake/targets.cmake, all, or native")
set(SYLVITE_SANITIZE "" CACHE STRING "address or thread: sanitizer of runtime, tests and kernels")
set(SYLVITE_HOST_BUILD "" CACHE PATH "Release build folder of this machine whose generators, and kernels of the target, a cross build takes")
if(SYLVITE_TARGETS STREQUAL native)
  sylvite_machine_targets(machine_targets ${CMAKE_SYSTEM_PROCESSOR})
  if(NOT machine_targets)
    message(FATAL_ERROR "no CPU target runs on this machine")
  endif()
  list(GET machine_targets 0 SYLVITE_TARGETS)
elseif(SYLVITE_TARGETS STREQUAL all)
  set(SYLVITE_TARGETS ${sylvite_target_names})
endif()
list(APPEND sylvite_target_names ${sylvite_targets_by_name})
foreach(name ${SYLVITE_TARGETS})
  if(NOT name IN_LIST sylvite_target_names)
    message(FATAL_ERROR "SYLVITE_TARGETS: '${name}' is none of ${sylvite_target_names}")
  endif()
endforeach()
# Best first, whatever order was given; linked here, or (another architecture) archived for a later link.
set(sylvite_linked_targets "")
set(sylvite_foreign_targets "")
foreach(name ${sylvite_target_names})
  if(name IN_LIST SYLVITE_TARGETS)
    if(sylvite_${name}_ARCH STREQUAL CMAKE_SYSTEM_PROCESSOR)
      list(APPEND sylvite_linked_targets ${name})
    else()
      list(APPEND sylvite_foreign_targets ${name})
    endif()
  endif()
endforeach()

# CPU kernels check their buffers in debug and sanitized builds; in a release build the checks would be
# half of a kernel's text. GPU kernels never do: Halide cannot bound a division by a run-time block, and
# a failed launch reaches halide_error all the same.
set(sylvite_runtime_features -no_bounds_query)
set(sylvite_cpu_features -no_bounds_query)
set(sylvite_sanitizer "")  # Halide's name for it
if(SYLVITE_SANITIZE)
  set(sylvite_sanitizer asan)
  if(SYLVITE_SANITIZE STREQUAL thread)
    set(sylvite_sanitizer tsan)
  endif()
  string(APPEND sylvite_runtime_features -${sylvite_sanitizer})
  string(APPEND sylvite_cpu_features -${sylvite_sanitizer})
elseif(CMAKE_BUILD_TYPE STREQUAL Release)
  string(APPEND sylvite_cpu_features -no_asserts)
endif()

include(${CMAKE_CURRENT_LIST_DIR}/tuned.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/generated.cmake)

# --- generators ------------------------------------------------------------------------------

if(NOT SYLVITE_HOST_BUILD)
  file(GLOB halide_dir ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/halide/lib64/cmake/Halide)
  set(Halide_DIR "${halide_dir}" CACHE PATH "CMake package of the Halide wheel")
  set(Halide_NO_DEFAULT_FLAGS ON)
  find_package(Halide 21.0.0 EXACT CONFIG REQUIRED COMPONENTS shared)
  get_target_property(halide_include Halide::Halide INTERFACE_INCLUDE_DIRECTORIES)
  set(SYLVITE_HALIDE_INCLUDE ${halide_include} CACHE INTERNAL "")
  # What other builds may take: kernels for CPUs call nothing of Halide's runtime where they check nothing.
  set(archived ${sylvite_foreign_targets})
  if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT SYLVITE_SANITIZE)
    list(APPEND archived ${sylvite_linked_targets})
    list(FILTER archived EXCLUDE REGEX "^(cuda|opencl)")
  endif()
  set(SYLVITE_ARCHIVED_TARGETS "${archived}" CACHE INTERNAL "")
  set(SYLVITE_HALIDE_VERSION ${Halide_VERSION} CACHE INTERNAL "")
  set(sylvite_ready_targets "")
else()
  load_cache(${SYLVITE_HOST_BUILD} READ_WITH_PREFIX host_
    SYLVITE_HALIDE_INCLUDE SYLVITE_HALIDE_VERSION SYLVITE_ARCHIVED_TARGETS SYLVITE_TUNED_DIR)
  set(SYLVITE_HALIDE_INCLUDE ${host_SYLVITE_HALIDE_INCLUDE})
  set(SYLVITE_HALIDE_VERSION ${host_SYLVITE_HALIDE_VERSION})
  # Targets whose kernels are there already, made by the same rows.
  set(sylvite_ready_targets "")
  if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT SYLVITE_SANITIZE AND SYLVITE_TUNED_DIR STREQUAL "${host_SYLVITE_TUNED_DIR}")
    set(sylvite_ready_targets ${host_SYLVITE_ARCHIVED_TARGETS})
  endif()
endif()

foreach(name ${sylvite_linked_targets} ${sylvite_foreign_targets})
  sylvite_read_tuned_rows(${name})
endforeach()

# generators/<family>.cpp -> executable generate_<family>
function(sylvite_generator family)
  if(SYLVITE_HOST_BUILD)
    add_executable(generate_${family} IMPORTED GLOBAL)
    set_target_properties(generate_${family} PROPERTIES IMPORTED_LOCATION ${SYLVITE_HOST_BUILD}/generators/generate_${family})
  else()
    add_executable(generate_${family} ${PROJECT_SOURCE_DIR}/generators/${family}.cpp ${PROJECT_SOURCE_DIR}/generators/main.cpp)
    target_link_libraries(generate_${family} PRIVATE Halide::Halide)
    target_include_directories(generate_${family} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_options(generate_${family} PRIVATE -O0)  # 1 s to compile; all its time is spent in libHalide
    set_target_properties(generate_${family} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/generators)
  endif()
endfunction()

# --- kernels ---------------------------------------------------------------------------------

set(sylvite_kernel_dir ${PROJECT_BINARY_DIR}/kernels)
set(sylvite_generated_dir ${PROJECT_BINARY_DIR}/generated)
set(sylvite_runtime_object ${sylvite_kernel_dir}/halide_runtime.o)
set(sylvite_rename_file ${sylvite_kernel_dir}/rename.syms)
set(sylvite_rename_header ${sylvite_generated_dir}/halide_names.h)

# One kernel for one target: object sv_<kernel>_<target>, and where asked for, its streaming twin.
function(sylvite_kernel_object family generator kernel group target stream params features)
  set(sylvite_knobs "")
  sylvite_tune(${kernel} ${group} ${generator} ${family} ${target})
  set_property(GLOBAL APPEND PROPERTY sylvite_groups_${target} ${group})
  if(target IN_LIST sylvite_ready_targets)
    set(objects ${SYLVITE_HOST_BUILD}/kernels/${target}/${kernel}.o)
    if(stream)
      list(APPEND objects ${SYLVITE_HOST_BUILD}/kernels/${target}/${kernel}_stream.o)
    endif()
    set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    set(sylvite_objects ${objects} PARENT_SCOPE)
    return()
  endif()
  string(REPLACE ";" "" features "${features}")
  set(halide ${sylvite_${target}_HALIDE}-no_runtime-user_context${features})
  if(NOT sylvite_${target}_DEVICE STREQUAL cpu)
    string(APPEND halide -no_bounds_query-no_asserts)
  endif()
  if(sylvite_${target}_DEVICE STREQUAL opencl AND "${params}" MATCHES "float64|int64;to=bfloat16")
    string(APPEND halide -cl_doubles)  # an extension that not every device has: only where it is used
  endif()
  set(emit object)
  set(rename ${CMAKE_OBJCOPY} --redefine-syms=${sylvite_rename_file})
  if(target IN_LIST sylvite_foreign_targets OR sylvite_${target}_ARCH STREQUAL wasm32)
    string(APPEND halide -no_bounds_query-no_asserts)  # no reference to the runtime is left to rename
    set(rename ${CMAKE_COMMAND} -E true)
  elseif(sylvite_${target}_DEVICE STREQUAL cpu)
    string(APPEND halide ${sylvite_cpu_features})
  elseif(sylvite_${target}_DEVICE STREQUAL cuda)
    string(APPEND emit ,device_code)
  endif()
  set(dir ${sylvite_kernel_dir}/${target})
  file(MAKE_DIRECTORY ${dir})
  set(object ${dir}/${kernel}.o)
  add_custom_command(OUTPUT ${object}
    ${tuned_check}
    COMMAND generate_${family} -g ${generator} -f sv_${kernel}_${target} -n ${kernel} -e ${emit} -o ${dir}
            target=${halide} ${params}
    COMMAND ${rename} ${object}
    DEPENDS generate_${family} ${sylvite_rename_file}
    COMMENT "Kernel ${kernel} for ${target}" VERBATIM)
  set(objects ${object})
  list(JOIN sylvite_knobs "\", \"" knobs)
  set(streams false)
  if(stream)
    set(streams true)
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY sylvite_manifest_${kernel}
    ",\n   \"${target}\": {\"halide\": \"${halide}\", \"emit\": \"${emit}\", \"stream\": ${streams}, \"knobs\": [\"${knobs}\"]}")
  if(stream)
    set(object ${dir}/${kernel}_stream.o)
    add_custom_command(OUTPUT ${object}
      COMMAND generate_${family} -g ${generator} -f sv_${kernel}_${target}_stream -n ${kernel}_stream
              -e llvm_assembly -o ${dir} target=${halide} ${params} stream=true
      COMMAND ${SYLVITE_PYTHON} ${PROJECT_SOURCE_DIR}/cmake/stream_stores.py ${dir}/${kernel}_stream.ll
              --function sv_${kernel}_${target}_stream --suffix "" --buffer y --object ${object}
              --rename ${sylvite_rename_file}
      DEPENDS generate_${family} ${PROJECT_SOURCE_DIR}/cmake/stream_stores.py ${sylvite_rename_file}
      COMMENT "Kernel ${kernel} for ${target}, streaming" VERBATIM)
    list(APPEND objects ${object})
  endif()
  set(sylvite_objects ${objects} PARENT_SCOPE)
endfunction()

# A row: every kernel of one generator.
#   sylvite_kernels(FAMILY GENERATOR g [NAME stem] [BLOCKS 2 3 4] [PARAMS p=v …]
#                   WIDTHS 8 16 32 64 | TYPES f32 i8 … | PAIRS f32:f16 …
#                   [DEVICES cpu cuda opencl] [STREAM x86_64 aarch64] [FEATURES large_buffers …]
#                   [TABLE name])
# makes <stem>[_b<block>]_u<width>, <stem>_<type> or <stem>_<from>_<to> for every linked or archived target
# whose device is listed. Kernels whose names differ in the block alone are one group: they share tuned
# knobs. The generator takes element=, or from= and to=, and block_w= where there are BLOCKS. STREAM names
# the architectures whose CPU targets get a streaming twin. FEATURES are added to Halide's target. TABLE
# names the dispatch table, the family's own by default: a program links the tables it uses, and all of
# their kernels.
function(sylvite_kernels family)
  cmake_parse_arguments(arg "" "GENERATOR;NAME;TABLE" "WIDTHS;TYPES;PAIRS;BLOCKS;PARAMS;DEVICES;STREAM;FEATURES" ${ARGN})
  list(TRANSFORM arg_FEATURES PREPEND -)
  if(NOT arg_DEVICES)
    set(arg_DEVICES cpu cuda opencl)
  endif()
  if(NOT arg_NAME)
    set(arg_NAME ${arg_GENERATOR})
  endif()
  if(NOT arg_TABLE)
    set(arg_TABLE ${family})
  endif()
  set(stems ${arg_NAME})
  if(arg_BLOCKS)
    list(TRANSFORM arg_BLOCKS PREPEND ${arg_NAME}_b OUTPUT_VARIABLE stems)
  endif()
  list(TRANSFORM arg_WIDTHS PREPEND u)
  foreach(stem ${stems})
    foreach(type ${arg_WIDTHS} ${arg_TYPES} ${arg_PAIRS})
      set(params ${arg_PARAMS})
      if(type MATCHES "^(.*):(.*)$")
        sylvite_halide_type(from ${CMAKE_MATCH_1})
        sylvite_halide_type(to ${CMAKE_MATCH_2})
        list(APPEND params from=${from} to=${to})
      else()
        sylvite_halide_type(element ${type})
        list(APPEND params element=${element})
      endif()
      if(stem MATCHES "_b([0-9]+)$")
        list(APPEND params block_w=${CMAKE_MATCH_1})
      endif()
      string(REPLACE ":" "_" type ${type})
      sylvite_kernel(${family} ${arg_TABLE} ${arg_GENERATOR} ${stem}_${type} ${arg_NAME}_${type} "${params}" "${arg_DEVICES}" "${arg_STREAM}" "${arg_FEATURES}")
    endforeach()
  endforeach()
  get_property(families GLOBAL PROPERTY sylvite_families)
  if(NOT family IN_LIST families)
    set_property(GLOBAL APPEND PROPERTY sylvite_families ${family})
  endif()
  get_property(tables GLOBAL PROPERTY sylvite_tables)
  if(NOT arg_TABLE IN_LIST tables)
    set_property(GLOBAL APPEND PROPERTY sylvite_tables ${arg_TABLE})
  endif()
endfunction()

# u8 -> uint8, f16 -> float16, bf16 -> bfloat16
function(sylvite_halide_type result type)
  string(REGEX REPLACE "^u" "uint" type ${type})
  string(REGEX REPLACE "^i([0-9])" "int\\1" type ${type})
  string(REGEX REPLACE "^(b?)f([0-9])" "\\1float\\2" type ${type})
  set(${result} ${type} PARENT_SCOPE)
endfunction()

# One kernel for every target whose device is listed, and its row in the dispatch table.
function(sylvite_kernel family table generator kernel group params devices stream_archs features)
  set(entries "")
  foreach(target ${sylvite_linked_targets} ${sylvite_foreign_targets})
    if(sylvite_${target}_DEVICE IN_LIST devices)
      set(stream FALSE)
      if(sylvite_${target}_DEVICE STREQUAL cpu AND sylvite_${target}_ARCH IN_LIST stream_archs
         AND NOT SYLVITE_SANITIZE)
        set(stream TRUE)
      endif()
      sylvite_kernel_object(${family} ${generator} ${kernel} ${group} ${target} ${stream} "${params}" "${features}")
      set_property(GLOBAL APPEND PROPERTY sylvite_objects_${target} ${sylvite_objects})
      if(target IN_LIST sylvite_linked_targets)
        list(APPEND entries "${target}=${stream}")
      endif()
    endif()
  endforeach()
  list(JOIN params "\", \"" params)
  set_property(GLOBAL APPEND PROPERTY sylvite_manifest ${kernel})
  set_property(GLOBAL PROPERTY sylvite_manifest_of_${kernel}
    "\"family\": \"${family}\", \"generator\": \"${generator}\", \"group\": \"${group}\", \"params\": [\"${params}\"]")
  list(JOIN entries "," entries)
  set_property(GLOBAL APPEND PROPERTY sylvite_rows_${table} "${kernel}:${entries}")
  set_property(GLOBAL APPEND_STRING PROPERTY sylvite_kernel_list "${family} ${kernel}\n")
endfunction()

# Call once, behind the last row: sets sylvite_kernel_sources to what the library is made of beside
# the runtime's own sources.
function(sylvite_finish_kernels)
  sylvite_check_tuned_rows()
  sylvite_write_manifest()
  sylvite_halide_runtime()
  sylvite_write_targets()
  set(sources ${sylvite_runtime_object} ${sylvite_rename_header})
  get_property(tables GLOBAL PROPERTY sylvite_tables)
  foreach(table ${tables})
    sylvite_write_dispatch(${table})
    list(APPEND sources ${sylvite_generated_dir}/${table}_kernels.cpp)
  endforeach()
  get_property(kernels GLOBAL PROPERTY sylvite_kernel_list)
  file(CONFIGURE OUTPUT ${sylvite_generated_dir}/kernels.txt CONTENT "${kernels}" @ONLY)
  foreach(target ${sylvite_linked_targets})
    get_property(objects GLOBAL PROPERTY sylvite_objects_${target})
    list(APPEND sources ${objects})
  endforeach()
  foreach(target ${sylvite_foreign_targets})
    get_property(objects GLOBAL PROPERTY sylvite_objects_${target})
    add_library(sylvite_kernels_${target} STATIC ${objects})
    set_target_properties(sylvite_kernels_${target} PROPERTIES LINKER_LANGUAGE CXX)
  endforeach()
  set(sylvite_kernel_sources ${sources} PARENT_SCOPE)
endfunction()
