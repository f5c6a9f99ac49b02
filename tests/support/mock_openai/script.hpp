#pragma once

#include <optional>
#include <string>
#include <vector>

#include "request.hpp"

namespace mock {

/// How a connection misbehaves, where an answer alone cannot say it.
enum class Behaviour {
  answer,             ///< The answer of the rule, as a whole.
  reset_before,       ///< RST after the request, before a byte.
  close_before,       ///< A clean close instead of an answer.
  reset_while_reading,///< RST before the body is read.
  early_answer,       ///< The answer before the body is read, then close.
  reset_mid,          ///< The usual answer, RST after `after_bytes` of its body.
  truncate,           ///< The usual answer, FIN without the final chunk (and without close_notify).
  short_length,       ///< Announces more bytes than it sends, then closes.
  stall_before,       ///< Never answers.
  stall_mid,          ///< Stops in the middle of the usual answer.
};

struct Fault {
  Behaviour behaviour = Behaviour::answer;
  std::string name;
  Answer answer;
  std::uint64_t after_bytes = 0;
};

/// Rules that make chosen requests fail; the first that matches and has uses left wins.
class Script {
 public:
  /// Takes `{"key","path","model","times","fault" | "status","headers","body", ...}`; the text says what is wrong with it.
  std::string add(const ordered_json& rule);
  void clear() { rules_.clear(); }
  /// The fault for this request. `with_body` false: only those that come before the body is read.
  std::optional<Fault> take(const Request& request, bool with_body);

 private:
  struct Rule {
    std::string key, path, model;
    bool endless = true;
    std::uint64_t left = 0;
    Fault fault;
  };
  std::vector<Rule> rules_;
};

}  // namespace mock
