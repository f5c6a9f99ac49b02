#include "project.hpp"

namespace mock {

Object& Projects::of(const std::string& key) {
  const auto name = names_.find(key);
  return projects_[name == names_.end() ? key : name->second];
}

void Projects::join(const std::string& name, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) names_[key] = name;
}

void Projects::clear() {
  names_.clear();
  for (auto& [name, project] : projects_) project.clear();
}

ordered_json Projects::counts() const {
  ordered_json all = ordered_json::object();
  for (const auto& [name, project] : projects_) {
    ordered_json& counts = all[name] = ordered_json::object();
    for (const auto& [kind, shelf] : project.inside()) counts[kind->name] = shelf.size();
  }
  return all;
}

}  // namespace mock
