# What makes a fault of memory harder to use, in every build without sanitizers, which see more themselves. That the
# program has them is tested by tests/package/test_hardening.py; what they cost together is in docs/performance.md.

include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

target_compile_options(proxyxai_options INTERFACE
  -fstack-protector-strong      # a canary before the return address of functions with buffers
  -Wformat=2)                   # a format that is no literal is an error
# Pages of the stack are touched one by one: nothing jumps over the guard page. Values without one are zero, and not what was there.
# Indirect calls and returns land only where they may, where the processor checks that (x86: IBT and shadow stack).
foreach(flag -fstack-clash-protection -ftrivial-auto-var-init=zero -fcf-protection=full)
  string(MAKE_C_IDENTIFIER "HAS${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    target_compile_options(proxyxai_options INTERFACE ${flag})
  endif()
endforeach()
# Copies into buffers of known size are checked, where the compiler optimises; some distributions have set a lower level already.
target_compile_options(proxyxai_options INTERFACE $<$<NOT:$<CONFIG:Debug>>:SHELL:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
target_link_options(proxyxai_options INTERFACE
  -Wl,-z,relro -Wl,-z,now       # what the loader has resolved cannot be written any more
  -Wl,-z,noexecstack -Wl,-z,separate-code)
