#include "front.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "proxyxai/base/random.hpp"
#include "proxyxai/http/trace.hpp"
#include "proxyxai/proxy/authenticate.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {
namespace {

bool is_management(std::string_view path) {
  return path.starts_with("/x-") || path.starts_with("/dashboard") || path.starts_with("/v1/dashboard");
}

}  // namespace

void Front::on_refused(const Connection& client, const GateRefusal& refusal) {
  AccessRecord record;
  record.time = parts_.clock.wall_now();
  record.client = client.peer_address();
  record.method = "-";
  record.path = "-";
  record.status = refusal.status;
  record.reason = refusal.reason;
  parts_.observer.on_other(record);
}

Task<bool> Front::serve(Connection& client) {
  const std::string_view target = client.request().target();
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  const auto query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  if (client.request().method() == "OPTIONS") return finish(client, path, parts_.cors.preflight(client.fields()));
  if (!has_one_spelling(path)) {
    return finish(client, path, to_response({400, "bad_path", "The path has more than one spelling: it must have no empty or dot "
                                             "segments and no encoded slashes, dots or control characters.", {}, true}));
  }
  // Handed on, not awaited: the request path is spared a coroutine.
  return is_management(path) ? manage(client, path, query) : parts_.gateway.serve(client, path, query);
}

Task<bool> Front::finish(Connection& client, std::string_view path, ApiResponse response) {
  return finish(client, path, std::move(response), nullptr, parts_.clock.now());
}

Task<bool> Front::manage(Connection& client, std::string_view path, std::string_view query) {
  const Instant started = parts_.clock.now();
  ApiRequest request;
  request.method = client.request().method();
  request.path = path;
  request.query = query;
  request.content_type = find(client.fields(), beast_http::field::content_type);
  request.idempotency_key = find(client.fields(), "idempotency-key");
  AccountPtr caller;
  ApiResponse response;
  try {
    response = co_await answer(client, request, caller);
  } catch (const Refused& refused) {
    response = to_response(refused.error());
  } catch (const StorageError& error) {
    spdlog::error("{} {}: {}", request.method, path, error.what());
    response = to_response({503, "storage_unavailable", "The server cannot store this now. Nothing was changed; try again later.", {}, false});
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, path, error.what());
    response = to_response({500, "internal_error", "The server met an internal error; its log says more.", {}, false});
  }
  co_return co_await finish(client, path, std::move(response), std::move(caller), started);
}

Task<ApiResponse> Front::answer(Connection& client, ApiRequest request, AccountPtr& caller) {
  const auto digest = credential_digest(client.fields());
  if (digest) caller = co_await parts_.accounts.find(*digest);
  if (!caller) co_return to_response(unknown_key_error());
  if (!caller->is_enabled()) co_return to_response(disabled_account_error());
  const std::string address = parts_.gateway.client_address(client);
  if (!caller->row.is_root && !caller->access.allows_address(address)) {
    co_return to_response({403, "ip_not_allowed", "This key may not be used from " + address + ".", {}, true});
  }
  request.client_address = address;
  const auto owner = std::find_if(parts_.management.begin(), parts_.management.end(), [&](const ManagementApi* api) { return api->owns(request.path); });
  if (owner == parts_.management.end()) co_return to_response({404, "not_found", "There is no such management path.", {}, true});
  ManagementApi& api = **owner;
  std::string body;
  if (const std::size_t most = api.max_body(caller->row.is_root); most > 0) {
    const auto refusal = co_await read_body(client, most, body);
    if (refusal) co_return to_response(*refusal);
    request.body = body;
  }
  co_return co_await api.handle(request, caller);
}

Task<std::optional<ApiError>> Front::read_body(Connection& client, std::size_t most, std::string& body) {
  const auto too_large = [most] {
    const std::string limit = most >> 20 > 0 ? std::to_string(most >> 20) + " MiB" : std::to_string(most >> 10) + " KiB";
    return ApiError{413, "body_too_large", "A request to this path may have at most " + limit + "; split it.", {}, true};
  };
  // Told at once, where it can be.
  if (client.body_length().value_or(0) > most) co_return too_large();
  std::vector<char> piece(2 * max_chunk_line);
  client.send_continue();
  while (client.body_pending()) {
    const Connection::BodyRead read = co_await client.read_body(boost::asio::buffer(piece));
    if (read.refusal) co_return read.refusal;
    if (read.gone) co_return client_gone();
    if (body.size() + read.bytes > most) co_return too_large();
    body.append(piece.data(), read.bytes);
    if (read.done) break;
  }
  co_return std::nullopt;
}

Task<bool> Front::finish(Connection& client, std::string_view path, ApiResponse response, AccountPtr caller, Instant started) {
  const std::string id = make_request_id();
  std::string lines = "x-request-id: ";
  lines.append(id).append("\r\n");
  parts_.cors.append(lines, client.fields());
  bool keep = false;
  if (response.status != client_left) keep = co_await client.respond(response, lines);
  const std::string address = parts_.gateway.client_address(client);
  AccessRecord record;
  record.time = parts_.clock.wall_now();
  record.request_id = id;
  record.trace = trace_id(client.fields());
  record.client = address;
  record.method = client.request().method();
  record.path = path;
  if (caller) record.account = caller->row.name;
  record.status = response.status;
  record.reason = response.reason;
  record.bytes_in = client.bytes_in();
  record.bytes_out = client.bytes_out();
  record.duration_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(parts_.clock.now() - started).count());
  record.first_byte_us = record.duration_us;
  parts_.observer.on_other(record);
  co_return keep;
}

}  // namespace proxyxai
