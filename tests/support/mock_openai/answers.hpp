#pragma once

#include <map>
#include <string>
#include <vector>

#include "request.hpp"

namespace mock {

/// The API's answers: the same request always gets the same bytes, so that a direct answer and one through a proxy can be
/// compared. Uploaded files belong to the key that uploaded them.
class Answers {
 public:
  explicit Answers(std::vector<std::string> models) : models_(std::move(models)) {}
  Answer answer(const Request& request);

 private:
  Answer models(const Request& request) const;
  Answer chat(const Request& request, const ordered_json& body, bool is_chat) const;
  Answer responses(const Request& request, const ordered_json& body) const;
  Answer embeddings(const ordered_json& body) const;
  Answer moderations(const ordered_json& body) const;
  // media.cpp
  Answer speech(const Request& request) const;
  Answer transcription(const Request& request) const;
  Answer images(const Request& request) const;
  Answer files(const Request& request);

  struct File {
    ordered_json shown;
    std::string content;
  };
  std::vector<std::string> models_;
  std::map<std::string, std::map<std::string, File>> files_;  // by key, by id
};

}  // namespace mock
