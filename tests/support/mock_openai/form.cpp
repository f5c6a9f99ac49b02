#include "form.hpp"

namespace mock {
namespace {

std::string parameter(const std::string& head, const std::string& name) {
  const auto at = head.find(" " + name + "=\"");
  if (at == head.npos) return {};
  const auto begin = at + name.size() + 3;
  return head.substr(begin, head.find('"', begin) - begin);
}

/// Empty when the body is no form.
std::string delimiter_of(const Request& request) {
  const std::string type = request.header("content-type");
  const auto at = type.find("boundary=");
  if (at == type.npos || !type.starts_with("multipart/form-data")) return {};
  std::string boundary = type.substr(at + 9);
  if (boundary.starts_with('"')) boundary = boundary.substr(1, boundary.size() - 2);
  return "--" + boundary;
}

}  // namespace

Fields::Fields(const Request& request) {
  const std::string delimiter = delimiter_of(request);
  if (!request.body_kept) read_beginning(request.body);
  else if (delimiter.empty()) read_json(request.body);
  else read_form(request.body, delimiter);
}

std::string Fields::text(const std::string& name, const std::string& otherwise) const {
  const Part* const found = part(name);
  return found == nullptr ? otherwise : found->content;
}

std::uint64_t Fields::number(const std::string& name, std::uint64_t otherwise) const {
  const Part* const found = part(name);
  return found == nullptr ? otherwise : std::strtoull(found->content.c_str(), nullptr, 10);
}

const Part* Fields::part(const std::string& name) const {
  for (const Part& each : parts_) {
    if (each.name == name || each.name == name + "[]") return &each;
  }
  return nullptr;
}

void Fields::read_json(const std::string& body) {
  const ordered_json object = ordered_json::parse(body, nullptr, false);
  if (!object.is_object()) return;
  readable_ = true;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_null()) parts_.push_back({name, "", value.is_string() ? value.get<std::string>() : value.dump()});
  }
}

void Fields::read_form(const std::string& body, const std::string& delimiter) {
  std::size_t begin = body.find(delimiter);
  while (begin != body.npos) {
    begin += delimiter.size();
    if (body.compare(begin, 2, "--") == 0) {
      readable_ = true;
      return;
    }
    const auto head_end = body.find("\r\n\r\n", begin);
    const auto end = body.find("\r\n" + delimiter, begin);
    if (head_end == body.npos || end == body.npos || head_end + 4 > end) return;
    const std::string head = body.substr(begin, head_end - begin);
    parts_.push_back({parameter(head, "name"), parameter(head, "filename"), body.substr(head_end + 4, end - head_end - 4)});
    begin = end + 2;
  }
}

void Fields::read_beginning(const std::string& body) {
  const auto at = body.find("name=\"model\"\r\n\r\n");
  if (at == body.npos) return;
  const auto begin = at + 16;
  parts_.push_back({"model", "", body.substr(begin, body.find("\r\n", begin) - begin)});
}

}  // namespace mock
