#include "proxyxai/proxy/route.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

using Kind = Route::Kind;

struct RouteCase {
  const char* path;
  Kind kind;
  const char* endpoint;
  bool add_prefix = false;
};

class Paths : public testing::TestWithParam<RouteCase> {};

TEST_P(Paths, LeadWhereTheyShould) {
  const RouteCase& wanted = GetParam();
  const Route route = find_route(wanted.path);
  EXPECT_EQ(route.kind, wanted.kind) << wanted.path;
  EXPECT_EQ(endpoint_names()[route.endpoint], wanted.endpoint) << wanted.path;
  EXPECT_EQ(route.add_prefix, wanted.add_prefix) << wanted.path;
}

INSTANTIATE_TEST_SUITE_P(
    Api, Paths,
    testing::Values(RouteCase{"/v1/chat/completions", Kind::api, "chat/completions"},
                    RouteCase{"/chat/completions", Kind::api, "chat/completions", true},
                    RouteCase{"/v1/files/file-1/content", Kind::api, "files"},
                    RouteCase{"/v1/responses/resp_1/input_items", Kind::api, "responses"},
                    RouteCase{"/v1/audio/speech", Kind::api, "audio/speech"}, RouteCase{"/v1/audio/new", Kind::api, "audio"},
                    RouteCase{"/v1/something_new", Kind::api, "other"}, RouteCase{"/v1/modelsx", Kind::api, "other"},
                    RouteCase{"/models", Kind::api, "models", true}, RouteCase{"/modelsx", Kind::unknown, "other"},
                    RouteCase{"/", Kind::unknown, "other"}, RouteCase{"", Kind::unknown, "other"},
                    RouteCase{"/v2/models", Kind::unknown, "other"}, RouteCase{"/V1/models", Kind::unknown, "other"},
                    RouteCase{"/v1", Kind::unknown, "other"}));

INSTANTIATE_TEST_SUITE_P(
    OfTheOperator, Paths,
    testing::Values(RouteCase{"/v1/organization", Kind::private_, "other"},
                    RouteCase{"/v1/organization/users", Kind::private_, "other"},
                    RouteCase{"/v1/ORGANIZATION/users", Kind::private_, "other"},
                    RouteCase{"/v1/%6frganization/users", Kind::unknown, "other"},
                    RouteCase{"/v1/%63hat/completions", Kind::unknown, "other"}, RouteCase{"/v1/chat/completion%73", Kind::unknown, "chat"},
                    RouteCase{"/v1/files/a%7Eb", Kind::unknown, "files"}, RouteCase{"/v1/files/a%3Ab%2", Kind::api, "files"},
                    RouteCase{"/v1/organization./users", Kind::private_, "other"},
                    RouteCase{"/v1/organization;a=b/users", Kind::unknown, "other"},
                    RouteCase{"/v1/;x/organization/costs", Kind::unknown, "other"}, RouteCase{"/v1/%20/organization", Kind::unknown, "other"},
                    RouteCase{"/v1/organ%2569zation/costs", Kind::unknown, "other"}, RouteCase{"/v1/v1/organization", Kind::unknown, "other"},
                    RouteCase{"/v1/me%3fx", Kind::unknown, "other"}, RouteCase{"/v1/usage%23", Kind::unknown, "other"},
                    RouteCase{"/v1/models/..%3b/organization", Kind::unknown, "models"}, RouteCase{"/v1/usage", Kind::private_, "other"},
                    RouteCase{"/v1/me", Kind::private_, "other"}, RouteCase{"/v1/realtime/translations/client_secrets", Kind::private_, "realtime"},
                    RouteCase{"/v1/projects/p", Kind::private_, "other"},
                    RouteCase{"/v1/realtime/client_secrets", Kind::private_, "realtime"},
                    RouteCase{"/realtime/client_secrets", Kind::private_, "realtime", true},
                    RouteCase{"/v1/realtime/Client_Secrets", Kind::private_, "realtime"},
                    RouteCase{"/v1/realtime/sessions", Kind::private_, "realtime"},
                    RouteCase{"/v1/chatkit/sessions", Kind::private_, "other"},
                    RouteCase{"/v1/dashboard/billing/usage", Kind::unknown, "other"},
                    RouteCase{"/v1/x-keys", Kind::unknown, "other"}));

}  // namespace
}  // namespace proxyxai
