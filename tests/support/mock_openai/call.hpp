#pragma once

#include "object.hpp"

namespace mock {

/// Thrown where a call cannot be answered as it asks.
struct Refusal {
  Answer answer;
};

[[noreturn]] void refuse(unsigned status, const std::string& message, const ordered_json& param = nullptr, const ordered_json& code = nullptr);
[[noreturn]] void refuse_unknown(const Kind& kind, const std::string& id, const ordered_json& param = nullptr);

/// How a list comes when the caller does not say.
struct Listing {
  bool ascending = false;
  std::uint64_t limit = 20, most = 100;
  std::function<bool(const Object&)> filter = {};
};

/// One request that has to do with objects, and the project that its key belongs to.
class Call {
 public:
  Call(const Request& request, Object& project, std::function<Answer(const Request&)> ask);

  const Request& request;
  Object& project;
  ordered_json body = ordered_json::object();  ///< Of a form it stays empty.
  /// Answers another request as if it had come by itself.
  const std::function<Answer(const Request&)> ask;

  /// A step `*` of the path stands for any id.
  [[nodiscard]] bool is(std::string_view method, std::string_view path) const;
  [[nodiscard]] const std::string& step(std::size_t index) const { return steps_.at(index); }
  /// The object whose id is that step of the path.
  Object& find(Object& holder, const Kind& kind, std::size_t index) const;
  [[nodiscard]] Object& find(const Kind& kind, std::size_t index) const { return find(project, kind, index); }
  /// A member of the body; null counts as missing.
  [[nodiscard]] ordered_json value(const char* name, const ordered_json& otherwise = nullptr) const;
  /// Takes over those of the members that came.
  void update(Object& object, std::initializer_list<const char*> members) const;

  [[nodiscard]] Answer list(const Shelf& shelf, const Listing& how = {}) const;
  Answer remove(Object& holder, const Kind& kind, std::size_t index, const char* object) const;
  [[nodiscard]] Answer unknown_url() const;

 private:
  std::vector<std::string> steps_;
};

/// Looks it up; refuses in the kind's words.
Object& get(Object& holder, const Kind& kind, const std::string& id, const ordered_json& param = nullptr);

}  // namespace mock
