#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server.hpp"

namespace mock {
namespace asio = boost::asio;

namespace {

std::uint64_t query_number(const Request& request, const std::string& name, std::uint64_t otherwise) {
  const std::string text = request.parameter(name);
  return text.empty() ? otherwise : std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

asio::awaitable<Answer> control(World& world, const Request& request) {
  const std::string name = request.path.substr(7);
  if (name == "script") {
    if (request.method == "DELETE") {
      world.script.clear();
      co_return json_answer({{"rules", 0}});
    }
    const ordered_json rule = ordered_json::parse(request.body, nullptr, false);
    const std::string problem = rule.is_object() ? world.script.add(rule) : "the rule is no JSON object";
    co_return problem.empty() ? json_answer({{"added", true}}) : json_answer({{"error", problem}}, 400);
  }
  if (name == "requests") {
    if (request.method == "DELETE") {
      world.recorder.clear();
      co_return json_answer(ordered_json::array());
    }
    co_return json_answer(world.recorder.requests(query_number(request, "since", 0)));
  }
  if (name == "projects") {
    Projects& projects = world.answers.projects();
    if (request.method == "DELETE") projects.clear();
    const ordered_json wanted = ordered_json::parse(request.body, nullptr, false);
    if (wanted.is_object()) projects.join(text_of(wanted, "name"), wanted.value("keys", std::vector<std::string>{}));
    co_return json_answer(projects.counts());
  }
  if (name == "stats") co_return json_answer(world.recorder.stats());
  if (name == "wait") {
    const std::string field = request.parameter("field");
    const std::uint64_t wanted = query_number(request, "at_least", 1);
    const std::int64_t until = now_ms() + static_cast<std::int64_t>(query_number(request, "timeout_ms", 5000));
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (world.recorder.figure(field) < wanted && now_ms() < until) {
      timer.expires_after(std::chrono::milliseconds(5));
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_return json_answer(world.recorder.stats());
  }
  co_return json_answer({{"error", "there are script, requests, projects, stats and wait"}}, 404);
}

}  // namespace mock
