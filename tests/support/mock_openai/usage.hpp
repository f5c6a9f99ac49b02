#pragma once

#include "request.hpp"

namespace mock {

/// The numbers that an answer's usage is made of: what `x-mock-usage` asks for, else the endpoint's own. They stay the JSON
/// values that they came as, so that absurd ones reach the proxy too.
class Figures {
 public:
  Figures(ordered_json asked, ordered_json own) : asked_(std::move(asked)), own_(std::move(own)) {}
  Figures(const Request& request, ordered_json own);

  /// 0 when neither names it.
  [[nodiscard]] ordered_json operator[](const char* name) const;
  [[nodiscard]] bool asked(const char* name) const { return asked_.contains(name); }
  /// `total` where it is asked for, else input and output.
  [[nodiscard]] ordered_json total() const;
  /// What `total` holds beside the named parts.
  [[nodiscard]] ordered_json rest(const char* total, std::initializer_list<const char*> parts) const;

 private:
  ordered_json asked_, own_;
};

/// Null when the header is absent or a JSON object; else what to tell its author.
const char* problem_of_usage(const Request& request);

ordered_json chat_usage(const Figures& figures);
ordered_json responses_usage(const Figures& figures);
/// Of an assistant's run.
ordered_json run_usage(const Figures& figures);
ordered_json embeddings_usage(const Figures& figures);
ordered_json speech_usage(const Figures& figures);
ordered_json transcript_usage(const Figures& figures);
/// Whole seconds, rounded up, as upstream tells them.
ordered_json duration_usage(const Figures& figures);
ordered_json image_usage(const Figures& figures);
ordered_json realtime_usage(const Figures& figures);

/// Adds `usage`, unless `x-mock-no-usage` takes it away.
void add_usage(ordered_json& answer, const Request& request, ordered_json usage);
/// The tier that served: `x-mock-tier`, else the one asked for where it is a special one.
std::string tier_of(const Request& request, const ordered_json& body);
/// With `x-mock-plant`: puts what a client could make upstream echo around the real usage, most of it behind.
void plant(ordered_json& answer, const Request& request);
/// Text that looks like usage, for arguments of tool calls.
std::string planted_text();

}  // namespace mock
