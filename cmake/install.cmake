# What others get from `cmake --install build/release --prefix P`: headers, the archive (runtime, kernels
# and Halide's runtime in one file already), a CMake package, a pkg-config file, licences. Whatever names
# a place in them does so relative to itself: the tree may be moved.
# Versions are semantic (semver.org): what a header promises changes with the major version, before 1.0
# with the minor one.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS sylvite EXPORT sylvite COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  FILES_MATCHING PATTERN "*.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sylvite)
install(EXPORT sylvite NAMESPACE sylvite:: FILE sylvite-targets.cmake DESTINATION ${package_dir} COMPONENT development)
set(compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sylvite-config-version.cmake COMPATIBILITY ${compatibility})

# A program that a C compiler links names the C++ library itself.
set(sylvite_cxx_library stdc++)
if(c++ IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES OR CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  set(sylvite_cxx_library c++)
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/install/sylvite-config.cmake.in ${PROJECT_BINARY_DIR}/sylvite-config.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/sylvite-config.cmake ${PROJECT_BINARY_DIR}/sylvite-config-version.cmake
  DESTINATION ${package_dir} COMPONENT development)

set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH up_to_prefix /${pkgconfig_dir} /)
string(REGEX REPLACE "/$" "" up_to_prefix ${up_to_prefix})
set(sylvite_libs "-l${sylvite_cxx_library} -lm")
if(ANDROID)
  string(APPEND sylvite_libs " -ldl -llog")
elseif(NOT CMAKE_SYSTEM_NAME STREQUAL "WASI")
  string(APPEND sylvite_libs " -lpthread -ldl")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/install/sylvite.pc.in ${PROJECT_BINARY_DIR}/sylvite.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/sylvite.pc DESTINATION ${pkgconfig_dir} COMPONENT development)

# The wheel of Halide holds its licence beside its headers.
set(licences_dir ${CMAKE_INSTALL_DATAROOTDIR}/licenses/sylvite)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${CMAKE_CURRENT_LIST_DIR}/install/NOTICE
  DESTINATION ${licences_dir} COMPONENT development)
install(FILES ${SYLVITE_HALIDE_INCLUDE}/../share/doc/Halide/LICENSE.txt
  DESTINATION ${licences_dir} RENAME LICENSE.Halide COMPONENT development)
