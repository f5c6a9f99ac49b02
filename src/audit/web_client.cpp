#include "web_client.hpp"

#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

constexpr long answer_timeout_ms = 60'000;

CURL* make_handle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL* const handle = ready == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle == nullptr) throw Failure("libcurl cannot be used");
  return handle;
}

}  // namespace

WebClient::WebClient(const std::string& ca_file, const std::string& proxy, milliseconds connect_timeout)
    : handle_(make_handle(), &curl_easy_cleanup) {
  const auto set = [this](CURLoption option, auto value) {
    if (curl_easy_setopt(handle_.get(), option, value) != CURLE_OK) throw Failure("libcurl lacks what HTTPS needs");
  };
  set(CURLOPT_PROTOCOLS_STR, "https,http");
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // In place of the system's bundle; its directory of certificates is still looked at.
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
  // Empty: none, whatever the environment says.
  const auto at = proxy.rfind('@');
  if (at == proxy.npos) {
    set(CURLOPT_PROXY, proxy.c_str());
  } else {
    // As the gateway reads it: the last @ ends the password, and nothing in it is encoded.
    const auto begin = proxy.find("://") + 3;
    const std::string user_info = proxy.substr(begin, at - begin);
    set(CURLOPT_PROXY, proxy.substr(at + 1).c_str());
    set(CURLOPT_PROXYUSERNAME, user_info.substr(0, user_info.find(':')).c_str());
    set(CURLOPT_PROXYPASSWORD, user_info.substr(user_info.find(':') + 1).c_str());
  }
  set(CURLOPT_HTTPPROXYTUNNEL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, answer_timeout_ms);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_WRITEFUNCTION, &take);
  set(CURLOPT_WRITEDATA, this);
}

WebClient::Answer WebClient::get(const std::string& url, const Secret& bearer) {
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> fields(
      curl_slist_append(nullptr, ("Authorization: Bearer " + std::string(bearer.reveal())).c_str()), &curl_slist_free_all);
  curl_easy_setopt(handle_.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, fields.get());
  body_.clear();
  error_[0] = '\0';
  const CURLcode code = curl_easy_perform(handle_.get());
  curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  if (code != CURLE_OK) {
    const std::string reason = body_.size() > most_body ? "its answer is too long" : *error_ != '\0' ? error_ : curl_easy_strerror(code);
    throw Failure("cannot ask '" + url.substr(0, url.find('?')) + "': " + reason);
  }
  Answer answer;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  answer.body = std::move(body_);
  return answer;
}

std::size_t WebClient::take(char* data, std::size_t size, std::size_t count, void* self) {
  std::string& body = static_cast<WebClient*>(self)->body_;
  body.append(data, size * count);
  return body.size() > most_body ? 0 : size * count;  // 0 ends the transfer
}

}  // namespace proxyxai
