# The install tree, used from outside. Included by tests/CMakeLists.txt.
set(tree ${CMAKE_CURRENT_BINARY_DIR}/consumer)
set(run ${CMAKE_CURRENT_SOURCE_DIR}/consumer/run)
add_test(NAME consumer.install COMMAND ${run} install ${tree} ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR})
set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP install_tree)
foreach(how find_package pkg_config by_hand)
  add_test(NAME consumer.${how} COMMAND ${run} ${how} ${tree} ${CMAKE_COMMAND} ${CMAKE_CXX_COMPILER} cc)
  set_tests_properties(consumer.${how} PROPERTIES FIXTURES_REQUIRED install_tree)
endforeach()
