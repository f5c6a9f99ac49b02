#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace proxyxai {

/// Fills `bytes` from the operating system's cryptographic source. Throws std::runtime_error when there is none.
void random_bytes(std::span<std::uint8_t> bytes);

/// `count` characters of [A-Za-z0-9], each with equal probability, from the cryptographic source.
std::string random_alphanumeric(std::size_t count);

/// A fast generator for jitter and request ids; not for secrets. One per thread.
std::uint64_t random_u64();

/// `req_` and 24 hexadecimal digits, unlike any other; not secret.
std::string make_request_id();

}  // namespace proxyxai
