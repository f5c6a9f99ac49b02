#include "proxyxai/proxy/listing.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/enlisted.hpp"
#include "proxyxai/base/timer.hpp"
#include "proxyxai/http/hygiene.hpp"
#include "proxyxai/http/query.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t usual_size = 20, most_size = 100;
constexpr std::int64_t most_asked = 10'000;                       // what the API takes for files; a page has no more than most_size
constexpr std::size_t at_once = 8, most_looked_at = 200;
constexpr std::size_t most_object = 1 << 20, most_page = 2 << 20;  // bytes
constexpr unsigned most_lists = 32, most_of_account = 8;           // being made or read by clients

ApiError bad_parameter(std::string name, std::string message) { return {400, "invalid_value", std::move(message), std::move(name), true}; }

/// What a query asks for.
struct Asked {
  ObjectQuery query;
  std::size_t size = usual_size;
  std::string after, before;
  bool is_backward = false;  // the page that ends before an object
  std::vector<std::pair<std::string, std::string>> filters;  // `purpose`, `metadata[name]`
};

std::variant<Asked, ApiError> read_query(const RequestContext& request) {
  Asked asked;
  asked.query.of = request.account->row.dna;
  asked.query.kind = static_cast<std::uint8_t>(request.object->kind);
  if (request.object->kind == ObjectKind::file) asked.size = most_size;
  for (auto& [name, value] : parse_query(request.query)) {
    if (name == "limit") {
      const auto limit = parse_whole(value);
      if (!limit || *limit < 1 || *limit > most_asked) return bad_parameter(name, "'limit' is '" + value + "'; it must be a number from 1 to 100.");
      asked.size = std::min(static_cast<std::size_t>(*limit), most_size);
    } else if (name == "order") {
      if (value != "asc" && value != "desc") return bad_parameter(name, "'order' is '" + value + "'; it must be 'asc' or 'desc'.");
      asked.query.ascending = value == "asc";
    } else if (name == "after") {
      asked.after = value;
    } else if (name == "before") {
      asked.before = value;
    } else if (name != "order_by") {
      asked.filters.emplace_back(name, value);
    }
  }
  return asked;
}

/// Whether a member of the object is what the filter asks for.
bool matches(const nlohmann::json& object, std::string_view name, std::string_view value) {
  const auto bracket = name.find('[');
  if (bracket != name.npos && name.ends_with(']')) {
    const auto inner = object.find(std::string(name.substr(0, bracket)));
    return inner != object.end() && inner->is_object() && matches(*inner, name.substr(bracket + 1, name.size() - bracket - 2), value);
  }
  const auto member = object.find(std::string(name));
  if (member == object.end()) return false;
  return member->is_string() ? member->get<std::string>() == value : member->dump() == value;
}

bool passes(const std::string& body, const Asked& asked) {
  if (asked.filters.empty()) return true;
  const auto object = nlohmann::json::parse(body, nullptr, false);
  if (!object.is_object()) return false;
  return std::all_of(asked.filters.begin(), asked.filters.end(), [&object](const auto& each) { return matches(object, each.first, each.second); });
}

/// Nobody is told any more that the client leaves.
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): an aggregate that never leaves its scope
struct Watched {
  Connection& client;
  ~Watched() { client.unwatch(); }
};

}  // namespace

struct Listing::Page {
  Asked asked;
  std::vector<std::pair<std::string, std::string>> objects;  // ids, and what upstream tells of them
  std::size_t bytes = 0;
  bool has_more = false;
  bool is_unwanted = false;  // the client has gone
  std::string last_seen;  // where to go on, when filters let few pass

  void add(const ObjectRow& row, std::string body) {
    bytes += body.size();
    objects.emplace_back(row.id, std::move(body));
  }
  [[nodiscard]] bool is_full() const { return objects.size() == asked.size || bytes > most_page; }
  [[nodiscard]] std::string json() const;
};

std::string Listing::Page::json() const {
  std::string data;
  data.reserve(bytes + objects.size() + 256);
  for (const auto& [id, body] : objects) data.append(data.empty() ? "" : ",").append(body);
  const auto quoted = [](const std::string& id) { return nlohmann::json(id).dump(); };
  const std::string first = objects.empty() ? "null" : quoted(objects.front().first);
  const std::string last = !last_seen.empty() ? quoted(last_seen) : objects.empty() ? "null" : quoted(objects.back().first);
  return "{\"object\":\"list\",\"data\":[" + data + "],\"first_id\":" + first + ",\"last_id\":" + last + ",\"has_more\":" +
         (has_more ? "true" : "false") + "}";
}

Task<std::vector<UpstreamReader::Answer>> Listing::read(const Page& page, std::vector<ObjectRow> rows, std::string family, std::string fields) const {
  std::vector<UpstreamReader::Answer> answers(rows.size());
  const std::size_t workers = std::min(at_once, rows.size());
  std::size_t next = 0, working = workers;  // who has nothing to wait for ends before the next one begins
  Timer ended(parts_.executor, Timer::time_point::max());
  std::exception_ptr failure;
  const auto work = [&]() -> Task<void> {
    while (next < rows.size() && !page.is_unwanted) {
      const std::size_t i = next++;
      std::string path = "/v1/" + family + "/" + rows[i].id;
      std::string copy = fields;
      answers[i] = co_await parts_.reader.get(rows[i].key, std::move(path), std::move(copy), most_object);
    }
  };
  for (std::size_t i = 0; i < workers; ++i) {
    boost::asio::co_spawn(parts_.executor, work(), [&](std::exception_ptr error) {
      if (error) failure = error;
      if (--working == 0) ended.cancel();
    });
  }
  if (working > 0) co_await ended.async_wait(use_result_task);
  if (failure) std::rethrow_exception(failure);
  co_return answers;
}

/// Pages through what the account has until the page is full.
Task<std::optional<ApiError>> Listing::fill(RequestContext& request, Page& page) const {
  Asked& asked = page.asked;
  const std::string family(facts_of(request.object->kind).family);
  std::string fields;
  append_upstream_fields(fields, request.client.fields(), false);
  for (std::size_t looked_at = 0;;) {
    // Few at a time, so that no more is read than fits the page.
    asked.query.size = std::min(asked.size - page.objects.size() + 1, at_once);
    ObjectQuery query = asked.query;
    const std::vector<ObjectRow> rows = co_await parts_.objects.list(std::move(query));
    std::vector<ObjectRow> copy = rows;
    std::string of = family, lines = fields;
    std::vector<UpstreamReader::Answer> answers = co_await read(page, std::move(copy), std::move(of), std::move(lines));
    if (page.is_unwanted) co_return client_gone();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const unsigned status = answers[i].status;
      // What lives under a key that is gone is gone, and a key that is disabled is not used.
      if (answers[i].absence != KeyPool::Absence::none) continue;
      if (status == 404) parts_.objects.forget(rows[i].id);
      // What is too large to be listed can still be asked for by its id.
      if (status == 404 || answers[i].is_too_long) continue;
      if (status != 200) co_return ApiError{503, "no_upstream_available", "An upstream key that holds some of this list cannot be used now. Try again later, or ask for less with 'limit'.", {}, false};
      if (!passes(answers[i].body, asked)) continue;
      if (page.is_full()) {
        page.has_more = true;
        co_return std::nullopt;
      }
      page.add(rows[i], std::move(answers[i].body));
    }
    if (rows.size() < asked.query.size) co_return std::nullopt;
    looked_at += rows.size();
    asked.query.after = rows.back().made;
    if (looked_at >= most_looked_at) {
      page.has_more = true;
      page.last_seen = rows.back().id;
      co_return std::nullopt;
    }
  }
}

Task<std::optional<ApiError>> Listing::answer(RequestContext& request) {
  const auto of_account = std::count(under_way_.begin(), under_way_.end(), request.account.get());
  if (under_way_.size() >= most_lists || of_account >= most_of_account) {
    co_return ApiError{429, "rate_limit_exceeded", "Too many lists are being read at once.", {}, false, milliseconds(1'000)};
  }
  const Enlisted<const Account> under_way(under_way_, request.account.get());
  auto refusal = co_await answer_one(request);
  co_return refusal;
}

Task<std::optional<ApiError>> Listing::answer_one(RequestContext& request) const {
  auto read_result = read_query(request);
  if (auto* const error = std::get_if<ApiError>(&read_result)) co_return std::move(*error);
  Page page;
  page.asked = std::move(std::get<Asked>(read_result));
  Asked& asked = page.asked;
  std::optional<ApiError> refusal;
  try {
    std::vector<std::string> ids{asked.after, asked.before};
    std::string asker = request.account->row.dna;
    const std::vector<ObjectDirectory::Found> ends = co_await parts_.objects.find(std::move(asker), std::move(ids));
    if (!asked.after.empty() && !ends[0].place) co_return bad_parameter("after", "No such object: " + asked.after);
    if (!asked.before.empty() && !ends[1].place) co_return bad_parameter("before", "No such object: " + asked.before);
    if (ends[0].place) asked.query.after = ends[0].place->made;
    if (ends[1].place) asked.query.before = ends[1].place->made;
    asked.is_backward = asked.after.empty() && !asked.before.empty();
    if (asked.is_backward) {
      // The nearest ones, found by walking the other way.
      asked.query.ascending = !asked.query.ascending;
      asked.query.after = std::exchange(asked.query.before, 0);
    }
    request.client.watch([&page] { page.is_unwanted = true; });
    const Watched watched{request.client};
    refusal = co_await fill(request, page);
  } catch (const StorageError&) {
    refusal = ApiError{503, "storage_unavailable", "The list cannot be read now. Try again later.", {}, false};
  }
  if (refusal) co_return refusal;
  if (asked.is_backward) std::reverse(page.objects.begin(), page.objects.end());
  ErrorAnswer answer;
  answer.status = 200;
  answer.fields = "Content-Type: application/json\r\n";
  answer.body = page.json();
  co_await parts_.relay.pass_saved(request, answer);
  co_return std::nullopt;
}

}  // namespace proxyxai
