#include "proxyxai/metering/model_map.hpp"

#include <gmock/gmock.h>

#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;

std::string mapped(const char* map, std::string_view model) {
  const ModelMap read(map);
  const std::string* const name = read.find(model);
  return name == nullptr ? std::string(model) : *name;
}

struct Mapping {
  const char* map;
  const char* model;
  const char* name;
};
class ModelMapping : public testing::TestWithParam<Mapping> {};
TEST_P(ModelMapping, GivesTheNameOfTheFirstPatternThatMatches) { EXPECT_EQ(mapped(GetParam().map, GetParam().model), GetParam().name); }

INSTANTIATE_TEST_SUITE_P(
    Maps, ModelMapping,
    testing::Values(Mapping{"", "gpt-4", "gpt-4"}, Mapping{"gpt-4-32k=gpt-4o", "gpt-4-32k", "gpt-4o"}, Mapping{"gpt-4-32k=gpt-4o", "gpt-4-32", "gpt-4-32"},
                    Mapping{"gpt-4-32k=gpt-4o", "gpt-4-32k-0613", "gpt-4-32k-0613"}, Mapping{"gpt-4-32k=gpt-4o", "GPT-4-32k", "GPT-4-32k"},
                    Mapping{"gpt-3.5*=gpt-4o-mini", "gpt-3.5", "gpt-4o-mini"}, Mapping{"gpt-3.5*=gpt-4o-mini", "gpt-3.5-turbo-16k", "gpt-4o-mini"},
                    Mapping{"*-preview=x", "gpt-4-preview", "x"}, Mapping{"*-preview=x", "gpt-4-preview-2", "gpt-4-preview-2"},
                    Mapping{"gpt-*-32k*=x", "gpt-4-32k-0613", "x"}, Mapping{"gpt-*-32k*=x", "gpt-4-8k-0613", "gpt-4-8k-0613"},
                    Mapping{"a*a*b=x", "aaab", "x"}, Mapping{"a*a*b=x", "ab", "ab"}, Mapping{"*ab*ab=x", "abab", "x"}, Mapping{"*ab*ab=x", "abaab", "x"},
                    Mapping{"*ab*ab=x", "aab", "aab"}, Mapping{"**=x", "anything", "x"}, Mapping{"*=x", "a", "x"},
                    // In the order written, once, and to itself.
                    Mapping{"gpt-4*=a,gpt-4o=b", "gpt-4o", "a"}, Mapping{"gpt-4o=b,gpt-4*=a", "gpt-4o", "b"}, Mapping{"a=b,b=c", "a", "b"},
                    Mapping{"gpt-4o=gpt-4o,gpt-*=a", "gpt-4o", "gpt-4o"}, Mapping{" a = b , , c=d, ", "c", "d"},
                    Mapping{R"(a"\*=b"\)", R"(a"\x)", R"(b"\)"}, Mapping{"ft:gpt-3.5-turbo:org::*=gpt-4o", "ft:gpt-3.5-turbo:org::abc", "gpt-4o"}));

std::string fault_of_map(const std::string& map) {
  try {
    const ModelMap read(map);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "none";
}

TEST(ModelMap, NamesTheEntryThatIsWrong) {
  EXPECT_EQ(fault_of_map("a=b,gpt-4"), "entry 2, 'gpt-4', has no '='; write pattern=name");
  EXPECT_THAT(fault_of_map("=b"), HasSubstr("no pattern"));
  EXPECT_THAT(fault_of_map("a = "), HasSubstr("no name"));
  EXPECT_THAT(fault_of_map("a=b=c"), HasSubstr("more than one '='"));
  EXPECT_THAT(fault_of_map("a=b*"), HasSubstr("'*' behind the '='"));
  EXPECT_THAT(fault_of_map("a b=c"), HasSubstr("blanks"));
  EXPECT_THAT(fault_of_map("a=b\r\nc"), HasSubstr("blanks"));
  EXPECT_THAT(fault_of_map("a=\xc3\xa9"), HasSubstr("not ASCII"));
  EXPECT_THAT(fault_of_map("a=b,a=c"), HasSubstr("entry 2, 'a=c', has the pattern of an entry before it"));
}

TEST(ModelMap, IsBounded) {
  const std::string longest(256, 'x');
  EXPECT_EQ(fault_of_map(longest + "=" + longest), "none");
  EXPECT_THAT(fault_of_map(longest + "x=a"), HasSubstr("more than 256"));
  EXPECT_THAT(fault_of_map("a=" + longest + "x"), HasSubstr("more than 256"));
  std::string many;
  for (std::size_t i = 0; i < ModelMap::most_entries; ++i) many += "m" + std::to_string(i) + "=a,";
  EXPECT_EQ(fault_of_map(many), "none");
  EXPECT_THAT(fault_of_map(many + "one-more=a"), HasSubstr("entry 257, 'one-more=a', is one too many"));
}

}  // namespace
}  // namespace proxyxai
