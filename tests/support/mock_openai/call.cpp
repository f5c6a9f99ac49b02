#include "call.hpp"

#include <algorithm>

namespace mock {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> steps;
  for (;;) {
    const auto slash = path.find('/');
    steps.emplace_back(path.substr(0, slash));
    if (slash == path.npos) return steps;
    path.remove_prefix(slash + 1);
  }
}

std::uint64_t limit_of(const Request& request, const Listing& how) {
  const std::string text = request.parameter("limit");
  if (text.empty()) return how.limit;
  const std::uint64_t limit = std::strtoull(text.c_str(), nullptr, 10);
  if (limit == 0) refuse(400, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got " + text + " instead.", "limit", "integer_below_min_value");
  if (limit > how.most) {
    refuse(400, "Invalid 'limit': integer above maximum value. Expected a value <= " + std::to_string(how.most) + ", but got " + text + " instead.", "limit",
           "integer_above_max_value");
  }
  return limit;
}

}  // namespace

void refuse(unsigned status, const std::string& message, const ordered_json& param, const ordered_json& code) {
  throw Refusal{error_answer(status, "invalid_request_error", code, message, param)};
}

void refuse_unknown(const Kind& kind, const std::string& id, const ordered_json& param) {
  std::string message = kind.missing;
  message.replace(message.find("{}"), 2, id);
  const auto or_null = [](const char* text) { return text == nullptr ? ordered_json(nullptr) : ordered_json(text); };
  refuse(kind.status, message, param.is_null() ? or_null(kind.param) : param, or_null(kind.code));
}

Object& get(Object& holder, const Kind& kind, const std::string& id, const ordered_json& param) {
  const auto found = holder[kind].find(id);
  if (found == nullptr) refuse_unknown(kind, id, param);
  return *found;
}

Call::Call(const Request& came, Object& of, std::function<Answer(const Request&)> other)
    : request(came), project(of), ask(std::move(other)), steps_(split(std::string_view(came.path).substr(4))) {
  if (request.body.empty() || request.method == "GET" || request.header("content-type").starts_with("multipart/")) return;
  body = ordered_json::parse(request.body, nullptr, false);
  if (!body.is_object()) refuse(400, "We could not parse the JSON body of your request.");
}

bool Call::is(std::string_view method, std::string_view path) const {
  if (request.method != method) return false;
  const std::vector<std::string> wanted = split(path);
  return std::equal(wanted.begin(), wanted.end(), steps_.begin(), steps_.end(),
                    [](const std::string& want, const std::string& step) { return want == step || (want == "*" && !step.empty()); });
}

Object& Call::find(Object& holder, const Kind& kind, std::size_t index) const { return get(holder, kind, step(index)); }

ordered_json Call::value(const char* name, const ordered_json& otherwise) const {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? otherwise : *found;
}

void Call::update(Object& object, std::initializer_list<const char*> members) const {
  for (const char* const name : members) {
    if (body.contains(name)) object.shown[name] = body[name];
  }
}

Answer Call::list(const Shelf& shelf, const Listing& how) const {
  const std::string order = request.parameter("order");
  const Range range{request.parameter("after"), request.parameter("before"), limit_of(request, how), order.empty() ? how.ascending : order == "asc", how.filter};
  for (const std::string* const id : {&range.after, &range.before}) {
    if (!id->empty() && shelf.find(*id) == nullptr) refuse(404, "No object found with id '" + *id + "'.", id == &range.after ? "after" : "before");
  }
  const Shelf::Page page = shelf.page(range);
  ordered_json data = ordered_json::array();
  for (Object* const each : page.objects) {
    each->proceed();
    data.push_back(each->shown);
  }
  const auto id_of = [&](bool first) { return page.objects.empty() ? ordered_json(nullptr) : ordered_json((first ? page.objects.front() : page.objects.back())->id()); };
  return json_answer({{"object", "list"}, {"data", data}, {"first_id", id_of(true)}, {"last_id", id_of(false)}, {"has_more", page.has_more}});
}

Answer Call::remove(Object& holder, const Kind& kind, std::size_t index, const char* object) const {
  const std::string id = find(holder, kind, index).id();
  holder[kind].remove(id);
  return json_answer({{"id", id}, {"object", object}, {"deleted", true}});
}

Answer Call::unknown_url() const {
  return error_answer(404, "invalid_request_error", nullptr, "Invalid URL (" + request.method + " " + request.path + ")");
}

}  // namespace mock
