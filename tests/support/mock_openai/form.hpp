#pragma once

#include "request.hpp"

namespace mock {

struct Part {
  std::string name, filename, content;
};

/// The fields of a request's body, be it JSON or multipart/form-data. Of a body too large to be kept only what its
/// beginning says about `model`.
class Fields {
 public:
  explicit Fields(const Request& request);

  /// Whether the body could be read at all.
  [[nodiscard]] bool readable() const { return readable_; }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = {}) const;
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
  /// A form's part of that name; null: none.
  [[nodiscard]] const Part* part(const std::string& name) const;

 private:
  void read_json(const std::string& body);
  void read_form(const std::string& body, const std::string& delimiter);
  void read_beginning(const std::string& body);

  std::vector<Part> parts_;
  bool readable_ = false;
};

}  // namespace mock
