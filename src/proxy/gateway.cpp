#include "proxyxai/proxy/gateway.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "asked_model.hpp"
#include "proxyxai/base/random.hpp"
#include "proxyxai/http/query.hpp"
#include "proxyxai/metering/prompt_hash.hpp"
#include "proxyxai/proxy/authenticate.hpp"
#include "proxyxai/proxy/estimate.hpp"

namespace proxyxai {
namespace {

/// The value of a query parameter; empty: it is not there. Nullopt: it is there twice, and upstream could take the other.
std::optional<std::string> value_in(std::string_view query, std::string_view name) {
  std::optional<std::string> value;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    const auto equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) == name) {
      if (value) return std::nullopt;
      value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    }
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return value ? value : std::string();
}

/// `gpt-4o` of `/v1/models/gpt-4o`.
std::string model_in_path(std::string_view path) {
  const auto at = path.find("models/");
  return at == path.npos ? std::string() : percent_decode(path.substr(at + 7));
}

/// What upstream takes for the model; empty: it is not known.
std::string model_of(const RequestContext& request) {
  if (!request.facts.model.empty()) return request.facts.model;
  return request.endpoint == "models" ? model_in_path(request.path) : std::string(default_model(request.endpoint));
}

/// Upstream may know a model where none is named: from a stored prompt, from what a WebSocket says later.
bool could_be_any_model(const RequestContext& request) {
  return request.is_metered && request.endpoint != "threads";
}

/// What a request uses and names must be seen in its body, as upstream will see it.
std::optional<ApiError> check_readable(const RequestContext& request) {
  const bool may_be_unread = request.account->row.is_root && !request.is_metered;
  if (request.upgrade || may_be_unread || (request.body.size() == 0 && !request.is_metered)) return std::nullopt;
  const Fields& fields = request.client.fields();
  if (!find(fields, beast_http::field::content_encoding).empty()) {
    return ApiError{415, "unsupported_content_encoding", "Send the body as it is: without Content-Encoding.", {}, true};
  }
  const auto is_type = [](const Field& each) { return each.id == beast_http::field::content_type; };
  if (std::count_if(fields.begin(), fields.end(), is_type) > 1) {
    return ApiError{400, "bad_content_type", "The request has more than one Content-Type.", {}, true};
  }
  const RequestFacts& facts = request.facts;
  const auto type = find(fields, beast_http::field::content_type);
  if (has_media_type(type, "multipart/form-data")) {
    if (!facts.form_is_whole) {
      return ApiError{400, "bad_form", "The multipart form could not be read: it has no part, or no closing boundary.", {}, true};
    }
    if (facts.files > 1 && is_transcription(request.endpoint)) {
      return ApiError{400, "bad_form", "The form has more than one file: send one request for each.", "file", true};
    }
    return std::nullopt;
  }
  if (request.body.size() == 0) return std::nullopt;
  // Whoever goes by the type would read something else in the same bytes.
  if (has_media_type(type, "application/x-www-form-urlencoded") || !is_in_utf8(type)) {
    return ApiError{400, "bad_content_type", "The Content-Type must be application/json, in UTF-8, or multipart/form-data.", {}, true};
  }
  if (!facts.is_object) {
    return ApiError{400, "bad_json", "The body must be a JSON object in UTF-8, its model named \"model\" in lower case, or a multipart form.", {}, true};
  }
  return std::nullopt;
}

/// Work that upstream goes on with after it has answered, and whose usage it tells only later.
bool goes_on_upstream(const RequestContext& request) {
  if (request.client.request().method() != "POST") return false;
  if (request.endpoint == "batches") return request.is_metered;
  // A run may be streamed at first and not later, or the other way about: it has one bill, under its id.
  return request.facts.background || (request.endpoint == "threads" && request.is_metered);
}

/// Finds the facts of a request in its body as it passes.
class BodyScan {
 public:
  BodyScan(RequestContext& request, bool hashes_prompt) : request_(request), json_(request.facts) {
    if (hashes_prompt) prompt_.emplace(request.facts);
    const auto type = find(request.client.fields(), beast_http::field::content_type);
    if (!has_media_type(type, "multipart/form-data")) return;
    form_.emplace(request.facts, type);
    if (request.endpoint == "files") form_->read_batch();
  }
  void feed(std::string_view piece) {
    // What says that it is something else is JSON all the same to whoever reads it so.
    if (form_) form_->feed(piece);
    else json_.feed(piece);
    if (!prompt_) return;
    prompt_->feed(piece);
    request_.prompt = prompt_->value();
  }

 private:
  RequestContext& request_;
  JsonScan json_;
  std::optional<PromptHash> prompt_;
  std::optional<MultipartScan> form_;
};

}  // namespace

Gateway::Gateway(Parts parts, Settings settings)
    : parts_(parts),
      settings_(std::move(settings)),
      relay_({parts.billing, parts.objects, parts.pending, parts.reader, parts.cors, parts.clock}, settings_.idle_timeout),
      locator_(parts.objects, parts.pending),
      listing_({parts.executor, parts.objects, parts.reader, relay_}) {}

Task<bool> Gateway::serve(Connection& client, std::string_view path, std::string_view query) {
  const auto owned = std::make_unique<RequestContext>(client, parts_.bodies, parts_.origins, parts_.clock.now());
  RequestContext& request = *owned;
  request.path = path;
  request.query = query;
  request.route = find_route(path);
  request.endpoint = endpoint_names()[request.route.endpoint];
  request.request_id = make_request_id();
  request.upgrade = asks_for_websocket(client.request());
  request.is_metered = costs_money(request);
  ++in_flight_;
  try {
    co_await run(request);
  } catch (const std::exception& error) {
    // Nothing is known of what the client has got: end the connection rather than guess.
    spdlog::error("request {} ended on an internal error: {}", request.request_id, error.what());
    request.reason = "internal_error";
    request.keep_alive = false;
    if (request.status == 0) request.status = 500;
  }
  --in_flight_;
  settle(request);
  co_return request.keep_alive;
}

Task<void> Gateway::run(RequestContext& request) {
  Refusal refusal = authenticate(request);
  if (!refusal && !request.account) refusal = co_await look_up_account(request);
  if (!refusal) refusal = admit(request);
  if (!refusal && !receive_whole(request)) refusal = co_await receive(request);
  if (!refusal) refusal = check_readable(request);
  if (!refusal && Locator::concerns(request)) refusal = co_await locator_.locate(request);
  if (!refusal) refusal = hold(request);
  if (!refusal && asks_for_list(request)) refusal = co_await listing_.answer(request);
  else if (!refusal) refusal = co_await forward(request);
  if (!refusal) co_return;
  if (refusal->status == client_left) {
    request.reason = refusal->code;
    request.status = client_left;
  } else {
    co_await relay_.refuse(request, std::move(*refusal));
  }
}

/// Leaves the account empty when it has to be looked up.
Gateway::Refusal Gateway::authenticate(RequestContext& request) const {
  if (request.route.kind == Route::Kind::unknown) {
    return ApiError{404, "not_found", "Unknown request URL: " + std::string(request.client.request().method()) + " " +
                                          std::string(request.path) + ". Please check the URL for typos.", {}, true};
  }
  const auto digest = credential_digest(request.client.fields());
  if (!digest) return unknown_key_error();
  request.account = parts_.accounts.find_cached(*digest);
  return std::nullopt;
}

Task<Gateway::Refusal> Gateway::look_up_account(RequestContext& request) {
  const auto digest = credential_digest(request.client.fields());
  request.account = co_await parts_.accounts.find(*digest);
  if (!request.account) co_return unknown_key_error();
  co_return std::nullopt;
}

/// What can be told without the body.
Gateway::Refusal Gateway::admit(const RequestContext& request) const {
  if (!parts_.billing.is_healthy()) {
    return ApiError{503, "storage_unavailable", "The server cannot write down what requests cost now. Try again later.", {}, false};
  }
  const Account& account = *request.account;
  if (!account.is_enabled()) return disabled_account_error();
  // It would reach upstream in front of the first message, and unread.
  if (request.upgrade && request.client.body_length().value_or(1) > 0) {
    return ApiError{400, "bad_request", "A request for a WebSocket has no body.", {}, true};
  }
  if (account.row.is_root) return std::nullopt;
  if (!account.row.allow_ips.empty()) {
    const std::string address = client_address(request.client);
    if (!account.access.allows_address(address)) {
      return ApiError{403, "ip_not_allowed", "This key may not be used from " + address + ".", {}, true};
    }
  }
  if (request.route.kind == Route::Kind::private_) {
    return ApiError{403, "resource_not_allowed", "This path belongs to the operator of the service.", {}, true};
  }
  if (!account.may_use_path(request.path)) {
    return ApiError{403, "resource_not_allowed", "This key may not use " + std::string(request.path) + ".", {}, true};
  }
  return std::nullopt;
}

/// What takes the body's facts: models, limits and money.
Gateway::Refusal Gateway::hold(RequestContext& request) const {
  if (asks_in_query(request)) {
    const auto named = value_in(request.query, "model");
    if (!named) return ApiError{400, "bad_query", "The query names the model twice.", "model", true};
    request.facts.model = named->substr(0, max_model);
  }
  if (request.account->limits_models()) {
    const std::string model = model_of(request);
    const bool allowed = model.empty() ? !could_be_any_model(request) : request.account->may_use_model(model);
    const std::string what = model.empty() ? "This key may use some models only: name the one to use." : "This key may not use model '" + model + "'.";
    if (!allowed) return ApiError{403, "model_not_allowed", what, "model", true};
  }
  request.is_deferred = goes_on_upstream(request);
  map_model(request);
  if (auto refusal = parts_.billing.hold(request)) return refusal;
  const bool is_chat = request.endpoint == "chat/completions" || request.endpoint == "completions";
  if (is_chat && request.price != nullptr && request.facts.stream) {
    if (auto edit = ask_for_usage(request.facts)) {
      request.body.splice(edit->at, edit->removed, std::move(edit->text));
      request.asked_usage = true;
    }
  }
  return std::nullopt;
}

/// From here on the request is for the model that serves it: price, limits and keys are that one's. Which models an account may
/// use was judged by the name it wrote.
void Gateway::map_model(RequestContext& request) const {
  // A batch's model stands in its file.
  if (request.endpoint == "batches") return;
  const std::string& asked = request.facts.model;
  const std::string* const name = asked.empty() ? nullptr : parts_.models.find(asked);
  if (name != nullptr && *name != asked) ask_for_model(request, *name);
}

/// A body that came with its head stays where it is. False: it is still to come.
bool Gateway::receive_whole(RequestContext& request) const {
  const auto whole = request.client.buffered_body();
  if (!whole) return false;
  request.body.set_view(*whole);
  BodyScan(request, settings_.is_cache_aware).feed(*whole);
  return true;
}

Task<Gateway::Refusal> Gateway::receive(RequestContext& request) const {
  Connection& client = request.client;
  BodyScan scan(request, settings_.is_cache_aware);
  client.send_continue();
  for (bool done = false; !done;) {
    const std::span<char> room = co_await request.body.room(2 * max_chunk_line);
    if (room.empty()) {
      co_return ApiError{503, "no_room_for_body", "The server has no room for this request body now. Try again later.", {}, false};
    }
    Connection::BodyRead read = co_await client.read_body(boost::asio::buffer(room.data(), room.size()));
    if (read.refusal) co_return std::move(read.refusal);
    if (read.gone) co_return client_gone();
    scan.feed({room.data(), read.bytes});
    request.body.commit(read.bytes);
    done = read.done;
  }
  const bool kept = co_await request.body.finish();
  if (!kept) {
    co_return ApiError{503, "no_room_for_body", "The server has no room for this request body now. Try again later.", {}, false};
  }
  co_return std::nullopt;
}

std::string Gateway::client_address(const Connection& client) const {
  std::string address = client.peer_address();
  std::string_view forwarded = find(client.fields(), "x-forwarded-for");
  // From the right: each entry was written by the hop before it, and counts while that hop is one of ours.
  while (!forwarded.empty() && settings_.trusted_proxies.contains(address)) {
    const auto comma = forwarded.rfind(',');
    auto entry = comma == forwarded.npos ? forwarded : forwarded.substr(comma + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (entry.empty() || entry.size() > 64) break;
    address = entry;
    forwarded = comma == forwarded.npos ? std::string_view() : forwarded.substr(0, comma);
  }
  return address;
}

void Gateway::settle(RequestContext& request) {
  request.client.unwatch();
  if (request.reason == "client_gone") request.status = client_left;
  parts_.billing.settle(request);
  // What is charged later counts as it was expected.
  if (!request.is_pending) request.lease.used(request.usage.input + request.usage.output);
  parts_.observer.on_settled(request, client_address(request.client));
  request.body.clear();
}

}  // namespace proxyxai
