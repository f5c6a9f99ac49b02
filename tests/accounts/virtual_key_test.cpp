#include "proxyxai/accounts/virtual_key.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

const std::string good = "sk-XvsAbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghi";

TEST(VirtualKeys, OfTheRightFormAreTaken) { EXPECT_TRUE(is_virtual_key(good)); }

TEST(VirtualKeys, OfAnotherFormAreRefused) {
  std::vector<std::string> bad{"", "sk-Xvs", good.substr(1), good.substr(0, good.size() - 1), good + "a", "sk-xvs" + good.substr(6),
                               "sk-Xv5" + good.substr(6), " " + good.substr(1), "sk-Xvs" + std::string(45, 'x'),
                               "sk-XvsababababababababababababababababababababababABC"};
  for (const char c : std::string("-_ +/=.\n\0\xe9", 10)) {
    std::string text = good;
    text[20] = c;
    bad.push_back(text);
    text = good;
    text.back() = c;
    bad.push_back(text);
  }
  for (const std::string& each : bad) EXPECT_FALSE(is_virtual_key(each)) << testing::PrintToString(each);
}

TEST(VirtualKeys, ThatAreMadeAreGoodAndDiffer) {
  std::set<std::string> made;
  for (int i = 0; i < 1000; ++i) {
    const std::string key(make_virtual_key().reveal());
    EXPECT_TRUE(is_virtual_key(key)) << key;
    made.insert(key);
  }
  EXPECT_EQ(made.size(), 1000u);
}

}  // namespace
}  // namespace proxyxai
