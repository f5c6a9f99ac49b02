#include "proxyxai/base/cidr.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

CidrList list(std::vector<std::string> ranges) {
  std::string bad;
  const auto parsed = CidrList::parse(ranges, &bad);
  EXPECT_TRUE(parsed.has_value()) << bad;
  return parsed.value_or(CidrList());
}

struct CidrCase {
  const char* range;
  const char* address;
  bool inside;
};

class Cidr : public testing::TestWithParam<CidrCase> {};

TEST_P(Cidr, TellsWhatIsInside) {
  EXPECT_EQ(list({GetParam().range}).contains(GetParam().address), GetParam().inside)
      << GetParam().address << " in " << GetParam().range;
}

INSTANTIATE_TEST_SUITE_P(
    Ranges, Cidr,
    testing::Values(CidrCase{"10.0.0.0/8", "10.255.255.255", true}, CidrCase{"10.0.0.0/8", "11.0.0.0", false},
                    CidrCase{"10.1.2.3/8", "10.9.9.9", true}, CidrCase{"192.168.4.0/22", "192.168.7.255", true},
                    CidrCase{"192.168.4.0/22", "192.168.8.0", false}, CidrCase{"192.168.4.0/22", "192.168.3.255", false},
                    CidrCase{"1.2.3.4", "1.2.3.4", true}, CidrCase{"1.2.3.4", "1.2.3.5", false},
                    CidrCase{"1.2.3.4/32", "1.2.3.4", true}, CidrCase{"1.2.3.4/31", "1.2.3.5", true},
                    CidrCase{"0.0.0.0/0", "255.255.255.255", true}, CidrCase{"0.0.0.0/0", "::2", false},
                    CidrCase{"::/0", "2001:db8::1", true}, CidrCase{"2001:db8::/33", "2001:db8:7fff::", true},
                    CidrCase{"2001:db8::/33", "2001:db8:8000::", false}, CidrCase{"::1", "::1", true},
                    CidrCase{"::1", "::2", false}, CidrCase{"10.0.0.0/8", "::ffff:10.1.2.3", true},
                    CidrCase{"10.0.0.0/8", "::10.1.2.3", false}, CidrCase{"::ffff:10.0.0.0/104", "10.1.2.3", true},
                    CidrCase{"loopback", "127.0.0.1", true}, CidrCase{"loopback", "127.255.0.9", true},
                    CidrCase{"loopback", "128.0.0.1", false}, CidrCase{"loopback", "::1", true},
                    CidrCase{"loopback", "::ffff:127.0.0.1", true}, CidrCase{"loopback", "::", false},
                    CidrCase{"::/0", "no address", false}, CidrCase{"::/0", "", false}, CidrCase{"::/0", "1.2.3", false},
                    CidrCase{"::/0", "[::1]", false}, CidrCase{"::/0", "1.2.3.4:80", false}));

TEST(CidrLists, HoldEachOfTheirRanges) {
  const CidrList both = list({"10.0.0.0/8", "fd00::/8"});
  EXPECT_TRUE(both.contains("10.0.0.1"));
  EXPECT_TRUE(both.contains("fdff::1"));
  EXPECT_FALSE(both.contains("11.0.0.1"));
}

TEST(CidrLists, EmptyOnesHoldNothing) {
  EXPECT_FALSE(list({}).contains("127.0.0.1"));
  EXPECT_FALSE(list({}).contains("::1"));
}

TEST(CidrLists, TooLongAddressesAreNone) { EXPECT_FALSE(list({"::/0"}).contains(std::string(100'000, '1'))); }

TEST(CidrLists, ANulIsPartOfNoAddress) {
  const std::vector<std::string> ranges{std::string("10.0.0.0\0/8", 11)};
  EXPECT_FALSE(CidrList::parse(ranges).has_value());
  EXPECT_FALSE(list({"::/0"}).contains(std::string_view("10.0.0.1\0x", 10)));
}

class BadRange : public testing::TestWithParam<const char*> {};

TEST_P(BadRange, IsRefusedByName) {
  const std::vector<std::string> ranges{"10.0.0.0/8", GetParam(), "::1"};
  std::string bad = "untouched";
  EXPECT_FALSE(CidrList::parse(ranges, &bad).has_value());
  EXPECT_EQ(bad, GetParam());
  EXPECT_FALSE(CidrList::parse(ranges).has_value());
}

INSTANTIATE_TEST_SUITE_P(Ranges, BadRange,
                         testing::Values("", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8",
                                         "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8/8", "10.0.0/8", "256.0.0.1", "localhost",
                                         "Loopback", "loopback/8", "[::1]", "10.0.0.0/99999999999999999999"));

}  // namespace
}  // namespace proxyxai
