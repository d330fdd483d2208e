# One CMake target a folder. `campaign_library(name SOURCES ... PUBLIC ... PRIVATE ...)` makes a
# static library with our warnings; a target links only what its folder may see, so an include
# that points the wrong way does not link (and tests/lint/layers_test names it).

add_library(campaign_warnings INTERFACE)
target_compile_options(campaign_warnings INTERFACE
  -Wall -Wextra -Werror -Wthread-safety -Wno-unused-parameter -Wno-missing-field-initializers
  -Wno-deprecated-declarations)

function(campaign_library name)
  cmake_parse_arguments(A "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${A_PUBLIC} PRIVATE ${A_PRIVATE} campaign_warnings)
endfunction()

function(campaign_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_LINK} campaign_warnings)
endfunction()

# A GoogleTest binary, registered with ctest case by case.
include(GoogleTest)
function(campaign_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_LINK} GTest::gtest GTest::gmock GTest::gtest_main
    campaign_warnings)
  # Shortens a cold build by minutes; what is tested is in libraries, and those are optimised.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${A_TIMEOUT}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()
