#include "proxyxai/proxy/prober.hpp"

#include "proxyxai/proxy/exchange.hpp"

namespace proxyxai {
namespace {

constexpr milliseconds patience{15'000};
/// The cheapest call that needs credit: one token in, none out.
constexpr std::string_view cheapest = R"({"model":"text-embedding-3-small","input":"."})";

}  // namespace

Task<Attempt> UpstreamProber::probe(UpstreamKeyPtr key, bool spend) {
  Attempt verdict = co_await ask(*key, "GET", "/v1/models", {});
  // A key whose scopes do not cover the list of models may well serve requests.
  const bool alive = verdict.fault == Fault::none || verdict.fault == Fault::no_access;
  if (!alive || !spend) co_return verdict;
  verdict = co_await ask(*key, "POST", "/v1/embeddings", cheapest);
  // That one model is out of the key's reach says nothing about its credit: let a real request tell.
  const bool beside_the_point = verdict.fault == Fault::no_access || verdict.fault == Fault::unknown_model ||
                                verdict.fault == Fault::caller || verdict.fault == Fault::rate_limited;
  if (beside_the_point) verdict.fault = Fault::none;
  co_return verdict;
}

Task<Attempt> UpstreamProber::ask(const UpstreamKey& key, std::string_view method, std::string_view path, std::string_view body) {
  RequestBody content(bodies_);
  content.set_view(body);
  Outgoing outgoing;
  outgoing.method = method;
  outgoing.path = path;
  outgoing.fields = body.empty() ? "" : "Content-Type: application/json\r\n";
  outgoing.body = &content;
  Exchange exchange(origins_);
  const Exchange::Limits limits{patience, patience, true};
  co_await exchange.run(outgoing, key, limits);
  Attempt verdict = exchange.attempt();
  co_return verdict;
}

}  // namespace proxyxai
