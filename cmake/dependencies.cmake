# Every third-party library, found on the system by name; nothing is fetched or vendored.

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CURL 7.88 REQUIRED)
if(NOT PROXYXAI_SANITIZE)
  # Coroutine frames of 1 to 4 KiB come and go with each request: too large for what glibc keeps at hand.
  find_package(mimalloc 2 REQUIRED)
endif()

# Boost's headers as we use them: one loop thread, coroutines, and only the parts of Beast that need no linking.
add_library(proxyxai_boost INTERFACE)
target_link_libraries(proxyxai_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(proxyxai_boost INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  # Coroutine frames of finished phases are kept for the next request: a request has up to nine at a time.
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)

if(PROXYXAI_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
