#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "answers.hpp"

namespace mock {

/// The organisation's books: what has been served, by kind of usage, day of UTC, key and model, as the answers themselves told it. An
/// admin key (`sk-admin-...`) reads them at `/v1/organization/usage/...` and `/v1/organization/costs`.
///
/// The id of a key is `key_` and that of its project `proj_` with the first 16 hexadecimal digits of the SHA-256 of its text. Models
/// are shown by dated names, as OpenAI's are.
class Organization {
 public:
  /// Answers for the organisation, or as `answers` do, and writes down what that used.
  Answer answer(const Request& request, Answers& answers);

 private:
  struct Entry {
    std::string kind;          ///< completions, embeddings, ...
    std::int64_t day = 0;      ///< Since 1970.
    std::string key, model;    ///< The first 16 digits; the dated name.
    auto operator<=>(const Entry&) const = default;
  };
  struct Used {
    std::int64_t requests = 0, input = 0, cached = 0, output = 0;
  };
  Answer noted(const Request& request, Answer answer);
  void note(const Request& request, const ordered_json& told);
  [[nodiscard]] Answer pages(const Request& request) const;
  [[nodiscard]] ordered_json results(const Request& request, const std::string& kind, std::int64_t day) const;
  [[nodiscard]] ordered_json costs(const Request& request, std::int64_t day) const;

  std::map<Entry, Used> books_;
};

}  // namespace mock
