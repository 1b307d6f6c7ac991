# What is made of the rows of kernels and targets as a whole: Halide's runtime, the sources that the
# library's runtime includes, and the tuner's manifest.

# Halide's runtime, every symbol it defines behind our own prefix.
function(sylvite_halide_runtime)
  set(target "")
  foreach(name ${sylvite_linked_targets})
    if(NOT target)
      string(REGEX MATCH "^[a-z0-9]+-[0-9]+-[a-z]+" target ${sylvite_${name}_HALIDE})
    endif()
    if(NOT sylvite_${name}_DEVICE STREQUAL cpu AND NOT target MATCHES -${sylvite_${name}_DEVICE})
      string(APPEND target -${sylvite_${name}_DEVICE})
    endif()
  endforeach()
  set(objcopy ${CMAKE_OBJCOPY} --redefine-syms=${sylvite_rename_file})
  if(SYLVITE_LIBC STREQUAL musl)
    list(APPEND objcopy --redefine-sym fopen64=fopen)  # one function under glibc's two names
  endif()
  get_property(families GLOBAL PROPERTY sylvite_families)
  list(GET families 0 family)
  file(MAKE_DIRECTORY ${sylvite_kernel_dir} ${sylvite_generated_dir})
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL wasm32)
    # No objcopy renames in WebAssembly: its runtime keeps Halide's names.
    add_custom_command(OUTPUT ${sylvite_runtime_object} ${sylvite_rename_file} ${sylvite_rename_header}
      COMMAND generate_${family} -r halide_runtime -e object -o ${sylvite_kernel_dir} target=${target}${sylvite_runtime_features}
      COMMAND ${CMAKE_COMMAND} -E touch ${sylvite_rename_file} ${sylvite_rename_header}
      COMMENT "Halide runtime for ${target}" VERBATIM)
    return()
  endif()
  add_custom_command(OUTPUT ${sylvite_runtime_object} ${sylvite_rename_file} ${sylvite_rename_header}
    COMMAND generate_${family} -r halide_runtime -e object -o ${sylvite_kernel_dir} target=${target}${sylvite_runtime_features}
    COMMAND ${SYLVITE_PYTHON} ${PROJECT_SOURCE_DIR}/cmake/rename_runtime.py --nm ${CMAKE_NM} --prefix sv_
            --object ${sylvite_runtime_object} --syms ${sylvite_rename_file} --header ${sylvite_rename_header}
    COMMAND ${objcopy} ${sylvite_runtime_object}
    DEPENDS ${PROJECT_SOURCE_DIR}/cmake/rename_runtime.py
    COMMENT "Halide runtime for ${target}" VERBATIM)
endfunction()

# generated/targets.inc: a row per linked target, in the order of the table.
function(sylvite_write_targets)
  set(rows "")
  foreach(name ${sylvite_linked_targets})
    set(capability 0)
    set(features "")
    if(sylvite_${name}_HALIDE MATCHES "cuda_capability_([0-9]+)")
      set(capability ${CMAKE_MATCH_1})
    endif()
    if(sylvite_${name}_DEVICE STREQUAL cpu)
      string(REGEX REPLACE "^[a-z0-9]+-[0-9]+-[a-z]+-?" "" list ${sylvite_${name}_HALIDE})
      string(REPLACE "-" ";" list "${list}")
      foreach(feature ${list})
        string(APPEND features "feature_bit(halide_target_feature_${feature}) | ")
      endforeach()
    endif()
    set(kind_cpu kCpu)
    set(kind_cuda kCuda)
    set(kind_opencl kOpenCl)
    set(percent 100)
    if(sylvite_tuned_${name}_${sylvite_stream_row} MATCHES "^percent=([0-9]+)$")
      set(percent ${CMAKE_MATCH_1})
    endif()
    string(APPEND rows "{.name = \"${name}\", .device = DeviceKind::${kind_${sylvite_${name}_DEVICE}}, .features = ${features}FeatureBits{}, .capability = ${capability}, .stream_percent = ${percent}},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${sylvite_generated_dir}/targets.inc CONTENT "${rows}" @ONLY)
  list(LENGTH sylvite_linked_targets count)
  set(devices "")
  foreach(device CUDA OPENCL)
    string(TOLOWER ${device} kind)
    set(has 0)
    foreach(name ${sylvite_linked_targets})
      if(sylvite_${name}_DEVICE STREQUAL kind)
        set(has 1)
      endif()
    endforeach()
    string(APPEND devices "#define SYLVITE_HAS_${device} ${has}\n")
  endforeach()
  file(CONFIGURE OUTPUT ${sylvite_generated_dir}/target_count.h @ONLY
    CONTENT "#pragma once\n${devices}namespace sylvite::internal {\ninline constexpr int kTargetCount = ${count};\n}\n")
endfunction()

# generated/<table>_kernels.h: the names, in the order of the rows; generated/<table>_kernels.cpp:
# for each name and each linked target, the kernel's entry points.
function(sylvite_write_dispatch table_name)
  get_property(rows GLOBAL PROPERTY sylvite_rows_${table_name})
  set(names "")
  set(declarations "")
  set(table "")
  foreach(row ${rows})
    string(REGEX MATCH "^([^:]*):(.*)$" _ ${row})
    set(kernel ${CMAKE_MATCH_1})
    string(REPLACE "," ";" entries "${CMAKE_MATCH_2}")
    string(APPEND names "    \"${kernel}\",\n")
    string(APPEND table "    {{{")
    foreach(target ${sylvite_linked_targets})
      set(cell "{}")
      foreach(stream TRUE FALSE)
        if("${target}=${stream}" IN_LIST entries)
          string(APPEND declarations "int sv_${kernel}_${target}_argv(void** args);\n")
          set(cell "{sv_${kernel}_${target}_argv}")
          if(stream)
            string(APPEND declarations "int sv_${kernel}_${target}_stream_argv(void** args);\n")
            set(cell "{sv_${kernel}_${target}_argv, sv_${kernel}_${target}_stream_argv}")
          endif()
        endif()
      endforeach()
      string(APPEND table "${cell}, ")
    endforeach()
    string(APPEND table "}}},\n")
  endforeach()
  list(LENGTH rows count)
  file(CONFIGURE OUTPUT ${sylvite_generated_dir}/${table_name}_kernels.h @ONLY CONTENT
"#pragma once
#include <array>
#include <string_view>
#include \"runtime/kernels.h\"
namespace sylvite::internal::${table_name} {
inline constexpr std::array<std::string_view, ${count}> kKernelNames = {
${names}};
extern const std::array<KernelRow, ${count}> kKernels;
}
")
  file(CONFIGURE OUTPUT ${sylvite_generated_dir}/${table_name}_kernels.cpp @ONLY CONTENT
"#include \"${table_name}_kernels.h\"
extern \"C\" {
${declarations}}
namespace sylvite::internal::${table_name} {
constinit const std::array<KernelRow, ${count}> kKernels = {{
${table}}};
}
")
endfunction()

# generated/kernels.json: what the tuner has to know of every kernel and of this build.
function(sylvite_write_manifest)
  get_property(kernels GLOBAL PROPERTY sylvite_manifest)
  set(rows "")
  foreach(kernel ${kernels})
    get_property(facts GLOBAL PROPERTY sylvite_manifest_of_${kernel})
    get_property(targets GLOBAL PROPERTY sylvite_manifest_${kernel})
    string(REGEX REPLACE "^," "" targets "${targets}")
    string(APPEND rows ",\n \"${kernel}\": {${facts}, \"targets\": {${targets}}}")
  endforeach()
  string(REGEX REPLACE "^," "" rows "${rows}")
  set(targets "")
  foreach(name ${sylvite_target_names})
    list(JOIN sylvite_${name}_FLAGS "\", \"" flags)
    string(APPEND targets ",\n \"${name}\": {\"device\": \"${sylvite_${name}_DEVICE}\", \"arch\": \"${sylvite_${name}_ARCH}\", \"flags\": [\"${flags}\"]}")
  endforeach()
  string(REGEX REPLACE "^," "" targets "${targets}")
  list(JOIN sylvite_linked_targets "\", \"" linked)
  list(JOIN sylvite_stream_percents ", " percents)
  set(text "{\"schema\": ${sylvite_row_schema}, \"halide\": \"${SYLVITE_HALIDE_VERSION}\", \"compiler\": \"${CMAKE_CXX_COMPILER}\",
\"stream_percents\": [${percents}],
\"linked\": [\"${linked}\"],
\"targets\": {${targets}},
\"kernels\": {${rows}}}
")
  string(REPLACE "[\"\"]" "[]" text "${text}")
  file(CONFIGURE OUTPUT ${sylvite_generated_dir}/kernels.json CONTENT "${text}" @ONLY)
endfunction()
