#pragma once

#include <cstdint>
#include <string>

namespace proxyxai {

/// What one request used, in upstream's own numbers where it gave any. Parts are contained in their totals, as upstream
/// counts them: `cached` in `input`, `reasoning` in `output`.
struct Usage {
  // Tokens.
  std::int64_t input = 0;         ///< All input tokens.
  std::int64_t cached = 0;        ///< Of `input`: read from the prompt cache.
  std::int64_t cache_write = 0;   ///< Of `input`: written to it.
  std::int64_t audio_input = 0;   ///< Of `input`.
  std::int64_t image_input = 0;   ///< Of `input`.
  std::int64_t output = 0;        ///< All output tokens.
  std::int64_t reasoning = 0;     ///< Of `output`; priced as output.
  std::int64_t audio_output = 0;  ///< Of `output`.
  std::int64_t image_output = 0;  ///< Of `output`.

  // Units, where upstream counts no tokens.
  std::int64_t milliseconds = 0;  ///< Of audio (whisper-1).
  std::int64_t characters = 0;    ///< Of text to speak (tts-1).
  std::int64_t images = 0;        ///< Made (dall-e).
  std::string image_kind{};       ///< `quality/size` of those images, e.g. `hd/1792x1024`; parts may be empty.

  std::string tier{};             ///< `service_tier` of the answer, which may differ from the one asked for; empty: default.
  bool given = false;             ///< Upstream told its numbers.
  bool estimated = false;         ///< Ours, for want of upstream's.

  /// Adds the numbers of another turn of the same connection (realtime).
  void add(const Usage& other);
};

}  // namespace proxyxai
