# Warnings, sanitizers and the shape of a module library.

find_program(CCACHE ccache)
if(CCACHE)
  # A precompiled header is only cacheable when its time stamps are left out of the key; relative to the sources, a clone shares the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  # As ccache asks where precompiled headers are used: what a file includes is then seen through them.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# What is asked of all code; proxyxai_options adds what is asked of the gateway and its tests.
add_library(proxyxai_common INTERFACE)
target_compile_options(proxyxai_common INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside Boost and libstdc++ templates when it inlines coroutines; they are not ours.
  target_compile_options(proxyxai_common INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict -Wno-dangling-pointer
    -Wno-mismatched-new-delete -Wno-stringop-overread)
  # The same again where link-time optimisation compiles.
  target_link_options(proxyxai_common INTERFACE -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized)
endif()
# Indices of vector, span and string_view are checked, and the value of an optional: in what is delivered, and so in what is tested.
target_compile_definitions(proxyxai_common INTERFACE _GLIBCXX_ASSERTIONS)

add_library(proxyxai_options INTERFACE)
target_link_libraries(proxyxai_options INTERFACE proxyxai_common)
if(NOT PROXYXAI_SANITIZE)
  # With it a sanitizer would not see a signed overflow.
  target_compile_options(proxyxai_options INTERFACE -fno-strict-overflow)
  include(${CMAKE_CURRENT_LIST_DIR}/hardening.cmake)
else()
  target_compile_options(proxyxai_options INTERFACE
    -fsanitize=${PROXYXAI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(proxyxai_options INTERFACE -fsanitize=${PROXYXAI_SANITIZE})
  if(PROXYXAI_SANITIZE MATCHES "thread")
    # TSan does not model fences, which Asio's scheduler uses beside its locks.
    target_compile_options(proxyxai_options INTERFACE -Wno-tsan)
  endif()
endif()

# proxyxai_module(NAME SOURCES a.cpp b.cpp LINKS base Boost::headers): the library proxyxai_NAME, alias proxyxai::NAME.
function(proxyxai_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_library(proxyxai_${name} STATIC ${arg_SOURCES})
  add_library(proxyxai::${name} ALIAS proxyxai_${name})
  target_include_directories(proxyxai_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(proxyxai_${name} PUBLIC ${arg_LINKS} PRIVATE proxyxai_options)
  if(NOT name STREQUAL "base")
    target_precompile_headers(proxyxai_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
  endif()
endfunction()
