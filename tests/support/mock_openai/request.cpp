#include "request.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace mock {
namespace {

bool equals(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] | 0x20) : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out.push_back(static_cast<char>(std::strtoul(text.substr(i + 1, 2).c_str(), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

/// Whether the text may nest so deep that writing its tree out, which recurses, is no good idea.
bool is_deep(const std::string& text) {
  unsigned depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (depth > 500) return true;
  }
  return false;
}

}  // namespace

std::string Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (equals(name, lower_case_name)) return value;
  }
  return {};
}

std::uint64_t Request::number(std::string_view lower_case_name, std::uint64_t otherwise) const {
  const std::string text = header(lower_case_name);
  return text.empty() ? otherwise : std::strtoull(text.c_str(), nullptr, 10);
}

std::string Request::parameter(std::string_view name) const {
  const std::string all = "&" + query;
  const auto at = all.find("&" + std::string(name) + "=");
  if (at == all.npos) return {};
  const auto begin = at + name.size() + 2;
  return decoded(all.substr(begin, all.find('&', begin) - begin));
}

void Request::settle_seed() {
  seed = body_sha256;
  seed_size = body_size;
  if (!body_kept || !body.starts_with('{') || is_deep(body)) return;
  ordered_json object = ordered_json::parse(body, nullptr, false);
  if (!object.is_object()) return;
  object.erase("stream_options");
  const std::string plain = object.dump();
  seed = sha256_hex(plain);
  seed_size = plain.size();
}

std::string sha256_hex(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_hex(digest);
}

std::string to_hex(std::span<const unsigned char> bytes) {
  std::string out;
  for (const unsigned char byte : bytes) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    out += pair;
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

bool is_true(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string text_of(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Answer json_answer(const ordered_json& body, unsigned status) {
  Answer answer;
  answer.status = status;
  answer.body = body.dump();
  return answer;
}

Answer error_answer(unsigned status, std::string_view type, const ordered_json& code, std::string_view message, const ordered_json& param) {
  return json_answer({{"error", {{"message", message}, {"type", type}, {"param", param}, {"code", code}}}}, status);
}

}  // namespace mock
