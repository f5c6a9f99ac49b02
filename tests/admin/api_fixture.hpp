#pragma once

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "accounts/account_world.hpp"
#include "proxyxai/admin/accounts_api.hpp"

namespace proxyxai {

using nlohmann::json;

/// An answer, read.
struct Answer {
  unsigned status = 0;
  json body;
  std::string text;
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  /// `code` and `param` of an error, such as `invalid_value Email`.
  [[nodiscard]] std::string error() const {
    if (!body.is_object() || !body.contains("error")) return "no error: " + text;
    const json& error = body.at("error");
    return error.at("code").get<std::string>() + (error.at("param").is_null() ? "" : " " + error.at("param").get<std::string>());
  }
  [[nodiscard]] std::string message() const { return body.at("error").at("message"); }
  [[nodiscard]] const json& operator[](const char* name) const { return body.at(name); }
};

/// The names of an object's members, sorted and separated by blanks.
inline std::string names_of(const json& object) {
  std::string names;
  for (const auto& [name, value] : object.items()) names.append(names.empty() ? "" : " ").append(name);
  return names;
}

/// The API on accounts of its own.
class ApiTest : public testing::Test {
 protected:
  Answer call(const AccountPtr& caller, const std::string& method, const std::string& target, const std::string& body = {},
              const std::string& idempotency_key = {}, const std::string& content_type = "application/json") {
    const auto mark = target.find('?');
    const std::string path = target.substr(0, mark), query = mark == target.npos ? "" : target.substr(mark + 1);
    ApiRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.body = body;
    request.content_type = content_type;
    request.idempotency_key = idempotency_key;
    const ApiResponse response = world.run(api.handle(request, caller));
    return {response.status, json::parse(response.body), response.body, response.headers};
  }
  Answer get(const AccountPtr& caller, const std::string& target) { return call(caller, "GET", target); }
  Answer post(const AccountPtr& caller, const std::string& target, const json& body) { return call(caller, "POST", target, body.dump()); }
  Answer put(const AccountPtr& caller, const std::string& target, const json& body) { return call(caller, "PUT", target, body.dump()); }

  /// Adds a child through the API; `fields` beside name, e-mail and credit.
  AccountPtr add(const AccountPtr& parent, const std::string& name, double credit, json fields = json::object()) {
    fields["Name"] = name;
    fields["Email"] = name + "@example.com";
    fields["CreditGranted"] = credit;
    const Answer answer = post(parent, "/x-users", fields);
    EXPECT_EQ(answer.status, 200u) << answer.text;
    return account(answer["User"]["ID"].get<AccountId>());
  }
  AccountPtr account(AccountId id) { return world.run(world.accounts.find(id)); }
  AccountPtr by_key(const std::string& key) {
    const Digest digest = sha256(key);
    return world.run(world.accounts.find(digest));
  }
  /// What is left on its cards, by expiry.
  std::vector<double> cards(const AccountPtr& of) {
    std::vector<double> list;
    const Answer info = get(of, "/dashboard/x_user/info");
    for (const json& each : info["credit_balance"]) list.push_back(each.at("balance"));
    return list;
  }
  std::string path(const AccountPtr& of) { return "/x-users/" + std::to_string(of->row.id); }
  std::string today() { return to_rfc3339(world.clock.wall_now()).substr(0, 10); }

  AccountWorld world;
  Sealer sealer = Sealer::open(Secret("master key of the test, long enough"), world.directory.path());
  AccountsApi api{{world.service, world.ledger, sealer, world.clock, [] { return std::string(R"({"prices":[]})"); }}};
  AccountPtr root = world.root;
};

}  // namespace proxyxai
