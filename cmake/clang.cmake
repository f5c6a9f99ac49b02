# The newest Clang that is there, for what only Clang has (libFuzzer).
foreach(version 19 18 17 16 15)
  list(APPEND names clang++-${version})
endforeach()
find_program(CMAKE_CXX_COMPILER NAMES ${names} clang++ NAMES_PER_DIR REQUIRED)
