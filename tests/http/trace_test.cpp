#include "proxyxai/http/trace.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

constexpr std::string_view id = "4bf92f3577b34da6a3ce929d0e0e4736";

Fields with(std::string_view value) { return {{beast_http::field::host, "Host", "a"}, {beast_http::field::unknown, "TraceParent", value}}; }

class ValidTrace : public testing::TestWithParam<const char*> {};

TEST_P(ValidTrace, TellsItsId) { EXPECT_EQ(trace_id(with(GetParam())), id); }

INSTANTIATE_TEST_SUITE_P(Values, ValidTrace, testing::Values("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
                                                             "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-is-to-come"));

class InvalidTrace : public testing::TestWithParam<const char*> {};

TEST_P(InvalidTrace, TellsNothing) { EXPECT_EQ(trace_id(with(GetParam())), ""); }

INSTANTIATE_TEST_SUITE_P(Values, InvalidTrace, testing::Values("", "00", "4bf92f3577b34da6a3ce929d0e0e4736",
                                                               "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",   // upper case
                                                               "00-00000000000000000000000000000000-00f067aa0ba902b7-01",   // no trace
                                                               "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",   // no parent
                                                               "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // no version
                                                               "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", // more than version 00 has
                                                               "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
                                                               "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                                                               "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
                                                               "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"));

TEST(Trace, NoFieldTellsNothing) { EXPECT_EQ(trace_id({{beast_http::field::host, "Host", "a"}}), ""); }

}  // namespace
}  // namespace proxyxai
