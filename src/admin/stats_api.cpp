#include "proxyxai/admin/stats_api.hpp"

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view root_path = "/x-stats";

}  // namespace

bool StatsApi::owns(std::string_view path) const { return is_under(path, root_path); }

Task<ApiResponse> StatsApi::handle(ApiRequest request, AccountPtr caller) {
  if (!caller->row.is_root) {
    co_return to_response({403, "resource_not_allowed", "These figures belong to the operator of the service.", {}, true});
  }
  if (request.path != root_path) co_return to_response({404, "not_found", "There is nothing below /x-stats.", {}, true});
  if (request.method != "GET") co_return wrong_method("GET");
  ApiResponse response;
  response.body = stats_();
  co_return response;
}

}  // namespace proxyxai
