# What C++ exceptions need in WebAssembly and Zig's libraries for WASI leave out: made of the sources that
# Zig brings, installed as objects beside our archive: in it, they would meet what Zig's own library has under
# the same names. Engines know them by the exception-handling proposal's first form.
get_filename_component(zig ${CMAKE_CXX_COMPILER} DIRECTORY)
file(WRITE ${PROJECT_BINARY_DIR}/wasm_tag.cpp
  "__asm__(\".globl __cpp_exception\\n.tagtype __cpp_exception i32\\n__cpp_exception:\\n\");\n")
file(WRITE ${PROJECT_BINARY_DIR}/wasm_unwind.c "#include \"${zig}/lib/libunwind/src/Unwind-wasm.c\"\n")
enable_language(C)
add_library(sylvite_exceptions OBJECT
  ${zig}/lib/libcxxabi/src/cxa_exception.cpp
  ${zig}/lib/libcxxabi/src/cxa_personality.cpp
  ${PROJECT_BINARY_DIR}/wasm_tag.cpp
  ${PROJECT_BINARY_DIR}/wasm_unwind.c)
set_target_properties(sylvite_exceptions PROPERTIES CXX_STANDARD 23)
target_compile_definitions(sylvite_exceptions PRIVATE
  _LIBCXXABI_BUILDING_LIBRARY LIBCXXABI_NON_DEMANGLING_TERMINATE _LIBCXXABI_HAS_NO_THREADS
  _LIBCPP_ENABLE_CXX17_REMOVED_UNEXPECTED_FUNCTIONS
  _LIBUNWIND_DISABLE_VISIBILITY_ANNOTATIONS _LIBUNWIND_HIDE_SYMBOLS)
target_compile_options(sylvite_exceptions PRIVATE -w)
target_include_directories(sylvite_exceptions PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:${zig}/lib/libcxxabi/include> $<$<COMPILE_LANGUAGE:CXX>:${zig}/lib/libcxxabi/src>
  $<$<COMPILE_LANGUAGE:CXX>:${zig}/lib/libcxx/src> $<$<COMPILE_LANGUAGE:CXX>:${zig}/lib/libcxx/include>
  ${zig}/lib/libunwind/include)
if(SYLVITE_INSTALL)
  include(GNUInstallDirs)
  install(FILES $<TARGET_OBJECTS:sylvite_exceptions> DESTINATION ${CMAKE_INSTALL_LIBDIR}/sylvite_exceptions
    COMPONENT development)
endif()
