#pragma once

#include "object.hpp"

namespace mock {

/// Who owns what: each key is a project of its own, but for those that a test puts together.
class Projects {
 public:
  Object& of(const std::string& key);
  /// These keys share what they make from now on.
  void join(const std::string& name, const std::vector<std::string>& keys);
  /// Forgets all objects, and who shares.
  void clear();
  /// How many objects of each kind there are by project.
  [[nodiscard]] ordered_json counts() const;

 private:
  std::map<std::string, std::string> names_;
  // They stay where they are: work and streams under way refer to them.
  std::map<std::string, Object> projects_;
};

}  // namespace mock
