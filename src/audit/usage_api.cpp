#include "proxyxai/audit/usage_api.hpp"

#include <nlohmann/json.hpp>

#include "proxyxai/base/error.hpp"
#include "web_client.hpp"

namespace proxyxai {
namespace {

constexpr int most_pages = 100;
constexpr std::size_t most_told = 300;

/// What upstream says is wrong, in one line.
std::string reason_of(const WebClient::Answer& answer) {
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  std::string text;
  if (body.is_object() && body.contains("error") && body["error"].is_object()) {
    const auto& error = body["error"];
    for (const char* const name : {"code", "message"}) {
      const auto found = error.find(name);
      if (found != error.end() && found->is_string()) text += (text.empty() ? "" : ": ") + found->get<std::string>();
    }
  }
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return text.substr(0, most_told);
}

std::string parameter(const char* name, const std::string& value) { return value.empty() ? "" : std::string("&") + name + "=" + value; }

}  // namespace

/// Reads one answer after another.
class UsageApi::Pages {
 public:
  explicit Pages(Settings settings) : settings_(std::move(settings)), client_(settings_.ca_file, settings_.proxy, settings_.connect_timeout) {}

  template <class Read>
  void read_all(const std::string& path, const std::string& query, Read read) {
    std::string cursor;
    for (int page = 0; page < most_pages; ++page) {
      cursor = read(ask(path, query + parameter("page", encoded(cursor))));
      if (cursor.empty()) return;
    }
    throw Failure("'" + settings_.origin + path + "' has no end: more than " + std::to_string(most_pages) + " pages");
  }

 private:
  std::string ask(const std::string& path, const std::string& query) {
    WebClient::Answer answer = client_.get(settings_.origin + path + "?" + query, settings_.admin_key);
    if (answer.status == 200) return std::move(answer.body);
    const std::string message = "'" + settings_.origin + path + "' answers " + std::to_string(answer.status);
    // Some of these repeat the key.
    if (answer.status == 401 || answer.status == 403) {
      throw Failure(message + "; OPENAI_ADMIN_KEY must be an admin key of the organisation, which may read usage");
    }
    const std::string reason = reason_of(answer);
    throw Failure(message + (reason.empty() || reason.find(settings_.admin_key.reveal()) != reason.npos ? "" : ": " + reason));
  }

  static std::string encoded(const std::string& text) {
    const std::unique_ptr<char, decltype(&curl_free)> out(curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())), &curl_free);
    return text.empty() || !out ? std::string() : std::string(out.get());
  }

  const Settings settings_;
  WebClient client_;
};

UsageApi::UsageApi(Settings settings) : pages_(std::make_unique<Pages>(std::move(settings))) {}
UsageApi::~UsageApi() = default;

UsageBook UsageApi::read(UtcDay since, UtcDay until, const Scope& scope) {
  const std::string range = "start_time=" + std::to_string(since * seconds_in_day) + "&end_time=" + std::to_string(until * seconds_in_day) + "&bucket_width=1d";
  const std::string project = parameter("project_ids", scope.project);
  UsageBook book;
  for (const char* const kind : {"completions", "embeddings"}) {
    const std::string query = range + "&group_by=model&limit=31" + parameter("api_key_ids", scope.key) + project;
    pages_->read_all(std::string("/v1/organization/usage/") + kind, query, [&book](const std::string& text) { return read_usage_page(text, book); });
  }
  pages_->read_all("/v1/organization/costs", range + "&limit=31" + project, [&book](const std::string& text) { return read_cost_page(text, book); });
  return book;
}

}  // namespace proxyxai
