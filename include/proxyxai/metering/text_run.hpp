#pragma once

#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace proxyxai {

/// Runs of JSON that hold nothing to decide on, passed over many bytes at a time. Each returns the first byte in
/// [`at`, `end`) that does matter, or `end`.

#ifdef __SSE2__
namespace text_run {
inline constexpr int width = 16;
inline __m128i load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
inline __m128i equal(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); }
inline __m128i up_to(__m128i bytes, char most) { return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(most)), bytes); }
inline unsigned mask(__m128i matches) { return static_cast<unsigned>(_mm_movemask_epi8(matches)); }
}  // namespace text_run
#endif

/// The quote that ends a string, or a backslash.
inline const char* find_text_end(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= text_run::width; at += text_run::width) {
    const __m128i bytes = text_run::load(at);
    const unsigned found = text_run::mask(_mm_or_si128(text_run::equal(bytes, '"'), text_run::equal(bytes, '\\')));
    if (found != 0) return at + __builtin_ctz(found);
  }
#endif
  while (at != end && *at != '"' && *at != '\\') ++at;
  return at;
}

constexpr bool is_bracket_or_quote(char c) { return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}'; }

/// A quote or a bracket of either kind.
inline const char* find_bracket_or_quote(const char* at, const char* end) {
#ifdef __SSE2__
  // Between two strings there are mostly one or two bytes, too few to pay for the wide step.
  for (int i = 0; i < 3 && at != end; ++i, ++at) {
    if (is_bracket_or_quote(*at)) return at;
  }
  for (; end - at >= text_run::width; at += text_run::width) {
    const __m128i bytes = text_run::load(at);
    // Bit 0x20 tells `{` from `[` and `}` from `]`, and nothing else becomes one of them.
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i brackets = _mm_or_si128(text_run::equal(folded, '{'), text_run::equal(folded, '}'));
    const unsigned found = text_run::mask(_mm_or_si128(brackets, text_run::equal(bytes, '"')));
    if (found != 0) return at + __builtin_ctz(found);
  }
#endif
  while (at != end && !is_bracket_or_quote(*at)) ++at;
  return at;
}

constexpr bool is_space(char c) { return static_cast<unsigned char>(c) <= ' '; }

/// What is no white space.
inline const char* find_no_space(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= text_run::width; at += text_run::width) {
    const unsigned spaces = text_run::mask(text_run::up_to(text_run::load(at), ' '));
    if (spaces != 0xffff) return at + __builtin_ctz(~spaces);
  }
#endif
  while (at != end && is_space(*at)) ++at;
  return at;
}

constexpr bool ends_scalar(char c) { return is_space(c) || c == ',' || (c | 0x20) == '}'; }

/// What ends a number, `true`, `false` or `null`.
inline const char* find_scalar_end(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= text_run::width; at += text_run::width) {
    const __m128i bytes = text_run::load(at);
    const __m128i closing = text_run::equal(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), '}');
    const __m128i others = _mm_or_si128(text_run::equal(bytes, ','), text_run::up_to(bytes, ' '));
    const unsigned found = text_run::mask(_mm_or_si128(closing, others));
    if (found != 0) return at + __builtin_ctz(found);
  }
#endif
  while (at != end && !ends_scalar(*at)) ++at;
  return at;
}

constexpr bool is_between_values(char c) { return is_space(c) || c == ',' || c == ':'; }

/// How many bytes belong to numbers, `true`, `false` or `null`, where no strings and brackets are.
inline std::uint64_t count_scalar_bytes(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::uint64_t between = 0;
#ifdef __SSE2__
  if (end - at >= text_run::width) {
    __m128i sums = _mm_setzero_si128();
    for (; end - at >= text_run::width; at += text_run::width) {
      const __m128i loaded = text_run::load(at);
      const __m128i signs = _mm_or_si128(text_run::equal(loaded, ','), text_run::equal(loaded, ':'));
      const __m128i ones = _mm_and_si128(_mm_or_si128(signs, text_run::up_to(loaded, ' ')), _mm_set1_epi8(1));
      sums = _mm_add_epi64(sums, _mm_sad_epu8(ones, _mm_setzero_si128()));
    }
    between = static_cast<std::uint64_t>(_mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
#endif
  for (; at != end; ++at) between += is_between_values(*at) ? 1 : 0;
  return bytes.size() - between;
}

/// How many characters UTF-8 bytes make: those that continue none.
inline std::uint64_t count_characters(std::string_view bytes) {
  std::uint64_t count = 0;
  for (const char c : bytes) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace proxyxai
