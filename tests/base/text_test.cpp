#include <cctype>
#include <map>
#include <ostream>
#include <set>
#include <type_traits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "proxyxai/base/digest.hpp"
#include "proxyxai/base/log.hpp"
#include "proxyxai/base/random.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {
namespace {

struct MaskCase {
  const char* text;
  const char* masked;
};

class Mask : public testing::TestWithParam<MaskCase> {};

TEST_P(Mask, HidesWhatLooksLikeAKey) { EXPECT_EQ(mask_keys(GetParam().text), GetParam().masked); }

INSTANTIATE_TEST_SUITE_P(
    Texts, Mask,
    testing::Values(MaskCase{"", ""}, MaskCase{"nothing here", "nothing here"}, MaskCase{"sk-12345678", "sk-***"},
                    MaskCase{"a sk-proj-Ab_1-xyzw.", "a sk-***."}, MaskCase{"\"sk-12345678\",\"sk-abcdefgh\"", "\"sk-***\",\"sk-***\""},
                    MaskCase{"sk-1234567", "sk-1234567"}, MaskCase{"task-force-members", "task-force-members"},
                    MaskCase{"key=sk-XvsAAAABBBB", "key=sk-***"}, MaskCase{"Bearer sk-12345678", "Bearer ***"},
                    MaskCase{"Authorization: Bearer abcdefgh.ijk, x", "Authorization: Bearer *** x"},
                    MaskCase{"'Bearer abcdefgh'", "'Bearer ***'"}, MaskCase{"Bearer of news", "Bearer of news"},
                    MaskCase{"sk-", "sk-"}, MaskCase{"sk-sk-12345678", "sk-***"}, MaskCase{"Bearer ", "Bearer "},
                    MaskCase{"/v1/keysk-XvsAAAAAAAAAABBBBBBBBBBCCCCC", "/v1/keysk-***"}, MaskCase{"a risk-averse person", "a risk-averse person"},
                    MaskCase{"/%73k-XvsAAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEEEE", "/%73k-***"}, MaskCase{"Xvs and so on", "Xvs and so on"}));

TEST(JsonText, IsTheInsideOfAString) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  std::string out = "\"";
  append_json_text(out, all);
  out += '"';
  for (const char c : out) EXPECT_TRUE(c >= ' ' && c <= '~');
  const auto read = nlohmann::json::parse(out, nullptr, false);
  ASSERT_TRUE(read.is_string()) << out;
  EXPECT_EQ(read.get<std::string>().substr(0, 0x80), all.substr(0, 0x80));
}

TEST(Secrets, ShowTheirTailOnlyWhenItIsASmallPart) {
  EXPECT_EQ(Secret("123456789").tail(4), "6789");
  EXPECT_EQ(Secret("12345678").tail(4), "");
  EXPECT_EQ(Secret("1234").tail(4), "");
  EXPECT_EQ(Secret("12").tail(4), "");
  EXPECT_EQ(Secret().tail(4), "");
  EXPECT_EQ(Secret("12345").tail(0), "");
}

TEST(Secrets, AreEqualOnlyAsAWhole) {
  EXPECT_TRUE(Secret("abc") == Secret("abc"));
  EXPECT_TRUE(Secret() == Secret(""));
  EXPECT_FALSE(Secret("abc") == Secret("abd"));
  EXPECT_FALSE(Secret("abc") == Secret("xbc"));
  EXPECT_FALSE(Secret("abc") == Secret("abcd"));
  EXPECT_FALSE(Secret("abc") == Secret());
  EXPECT_FALSE(Secret(std::string("a\0b", 3)) == Secret(std::string("a\0c", 3)));
}

TEST(Secrets, LeaveNothingBehindWhenMoved) {
  for (const std::string& text : {std::string("short"), std::string(100, 'l')}) {
    Secret from(text);
    Secret to(std::move(from));
    EXPECT_EQ(to.reveal(), text);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
    Secret assigned("before");
    assigned = std::move(to);
    EXPECT_EQ(assigned.reveal(), text);
    EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
    Secret& same = assigned;
    assigned = same;
    EXPECT_EQ(assigned.reveal(), text);
  }
}

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Streamable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string> && !std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(Digests, AreSha256) {
  const auto hex = [](std::string_view text) {
    std::string out;
    for (const std::uint8_t byte : sha256(text)) {
      static constexpr char digits[] = "0123456789abcdef";
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
    return out;
  };
  EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Random, AlphanumericsUseEveryCharacterEvenly) {
  const std::string text = random_alphanumeric(62'000);
  std::map<char, int> counts;
  for (const char c : text) ++counts[c];
  ASSERT_EQ(counts.size(), 62u);
  for (const auto& [c, count] : counts) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c))) << c;
    EXPECT_NEAR(count, 1000, 250) << c;  // eight standard deviations
  }
}

TEST(Random, RequestIdsDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_request_id();
    EXPECT_EQ(id.size(), 28u);
    EXPECT_TRUE(id.starts_with("req_"));
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef", 4), id.npos) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

}  // namespace
}  // namespace proxyxai
