#include "proxyxai/metering/prompt_hash.hpp"

#include <algorithm>

namespace proxyxai {

void PromptHash::feed(std::string_view piece) {
  const std::uint64_t begin = fed_;
  fed_ += piece.size();
  if (!facts_.prompt_begin || hashed_ == bytes_hashed || fed_ <= *facts_.prompt_begin) return;
  const std::uint64_t skipped = *facts_.prompt_begin > begin ? *facts_.prompt_begin - begin : 0;
  const std::string_view part = piece.substr(skipped, bytes_hashed - hashed_);
  hash_ = hash_on(hash_, part);
  hashed_ += part.size();
}

std::uint64_t PromptHash::value() const {
  if (facts_.prompt_key != 0) return facts_.prompt_key;
  return hashed_ == bytes_hashed ? hash_ : 0;
}

}  // namespace proxyxai
