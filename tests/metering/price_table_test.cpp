#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "proxyxai/base/error.hpp"
#include "proxyxai/metering/prices.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string base = R"({"tiers":{"flex":0.5},"fallback":{"input":5,"output":30},"models":{
  "gpt-4o":{"aliases":["gpt-4o-latest"],"input":2.5,"cached":1.25,"output":10,"tiers":{"priority":1.7},"max_output":16384},
  "gpt-4o-mini":{"input":0.15,"output":0.6},
  "whisper-1":{"second":0.0001},
  "long":{"input":0.000000001,"output":1,"long":{"from":272000,"input":2,"output":1.5}}}})";

std::string name_of(const PriceTable& table, std::string_view model) {
  const Price* const price = table.find(model);
  return price == nullptr ? "none" : price->model;
}

TEST(PriceTable, ReadsDollarsExactly) {
  const auto table = PriceTable::parse(base);
  const Price& price = *table->find("gpt-4o");
  EXPECT_EQ(price.input, 2'500'000'000);
  EXPECT_EQ(price.cached, 1'250'000'000);
  EXPECT_EQ(price.output, 10'000'000'000);
  EXPECT_FALSE(price.cache_write || price.audio_input || price.second);
  EXPECT_EQ(price.max_output, 16'384);
  EXPECT_EQ(price.tiers, (std::map<std::string, std::int64_t>{{"flex", 500}, {"priority", 1'700}}));
  EXPECT_EQ(table->find("gpt-4o-latest")->input, price.input);
  EXPECT_EQ(table->find("whisper-1")->second, 100'000);
  EXPECT_EQ(table->find("long")->input, 1);
  EXPECT_EQ(table->find("long")->long_from, 272'000);
  EXPECT_EQ(table->find("long")->long_input, 2'000);
  EXPECT_EQ(table->find("long")->long_output, 1'500);
  EXPECT_EQ(table->fallback().output, 30'000'000'000);
  EXPECT_EQ(table->all().size(), 5u);
}

TEST(PriceTable, FindsByNameThenByTheLongestBeginning) {
  const auto table = PriceTable::parse(base);
  EXPECT_EQ(name_of(*table, "gpt-4o"), "gpt-4o");
  EXPECT_EQ(name_of(*table, "gpt-4o-2024-08-06"), "gpt-4o");
  EXPECT_EQ(name_of(*table, "gpt-4o-mini-2024-07-18"), "gpt-4o-mini");
  EXPECT_EQ(name_of(*table, "gpt-4o-latest-x"), "gpt-4o-latest");
  EXPECT_EQ(name_of(*table, "gpt-4o:x"), "gpt-4o");
  EXPECT_EQ(name_of(*table, "gpt-4o@x"), "gpt-4o");
  EXPECT_EQ(name_of(*table, "ft:gpt-4o-mini-2024-07-18:acme::abc"), "gpt-4o-mini");
  EXPECT_EQ(name_of(*table, "ft:gpt-4o"), "gpt-4o");
  for (const char* model : {"", "gpt-4", "gpt-4omni", "gpt-4o.1", "GPT-4o", "ft:", "ft:other:gpt-4o", "-", ":", "-gpt-4o", "gpt-4o mini"}) {
    EXPECT_EQ(name_of(*table, model), "none") << model;
  }
}

TEST(PriceTable, LetsOverridesReplaceWholeEntries) {
  const auto table = PriceTable::parse(base, R"({"fallback":{"input":1,"output":2},"models":{"gpt-4o":{"input":3,"output":4},"own":{"input":0,"output":0}}})");
  EXPECT_EQ(table->find("gpt-4o")->input, 3'000'000'000);
  EXPECT_FALSE(table->find("gpt-4o")->cached);
  EXPECT_EQ(table->find("gpt-4o")->tiers, (std::map<std::string, std::int64_t>{{"flex", 500}}));
  EXPECT_EQ(table->find("gpt-4o-latest")->input, 2'500'000'000);
  EXPECT_EQ(table->find("own-2026")->input, 0);
  EXPECT_EQ(table->find("gpt-4o-mini")->input, 150'000'000);
  EXPECT_EQ(table->fallback().input, 1'000'000'000);
}

TEST(PriceTable, ShowsItselfAsAPriceFile) {
  const auto table = PriceTable::parse(base);
  const auto shown = nlohmann::json::parse(table->json());
  EXPECT_EQ(shown["models"]["gpt-4o"]["input"], 2.5);
  EXPECT_EQ(shown["models"]["whisper-1"]["second"], 0.0001);
  EXPECT_FALSE(shown["models"]["whisper-1"].contains("input"));
  EXPECT_EQ(shown["models"]["long"]["long"]["output"], 1.5);
  EXPECT_EQ(PriceTable::parse(table->json())->json(), table->json());
}

std::string fault_of(const std::string& text, const std::string& overrides = "") {
  try {
    PriceTable::parse(text, overrides);
    return "none";
  } catch (const Failure& failure) {
    return failure.what();
  }
}

std::string with_model(const std::string& entry) { return R"({"fallback":{"input":1,"output":1},"models":{"m":)" + entry + "}}"; }

struct Fault {
  const char* entry;
  const char* named;
};
class PriceFault : public testing::TestWithParam<Fault> {};

TEST_P(PriceFault, IsNamed) { EXPECT_THAT(fault_of(with_model(GetParam().entry)), HasSubstr(GetParam().named)) << GetParam().entry; }

INSTANTIATE_TEST_SUITE_P(
    Entries, PriceFault,
    testing::Values(Fault{R"({"input":"5","output":1})", "models.m.input = \"5\"; allowed: dollars from 0 to 10000"},
                    Fault{R"({"input":-1,"output":1})", "models.m.input = -1;"}, Fault{R"({"input":1,"output":10001})", "models.m.output = 10001;"},
                    Fault{R"({"input":0.0000000001,"output":1})", "with at most nine decimals"}, Fault{R"({"input":1e300,"output":1})", "models.m.input"},
                    Fault{R"({"input":1,"output":1,"cahced":1})", "models.m.cahced = 1; allowed: input, output, cached"},
                    Fault{R"({"input":1,"output":null})", "models.m.output = null"}, Fault{R"({"input":1})", "models.m = {\"input\":1}; allowed: both input and output"},
                    Fault{R"({"input":1,"second":1})", "both input and output"}, Fault{"{}", "both input and output"}, Fault{"[]", "models.m = []; allowed: an object"},
                    Fault{R"({"input":1,"output":1,"tiers":{"flex":0.0005}})", "models.m.tiers.flex = 0.0005; allowed: a number from 0 to 100"},
                    Fault{R"({"input":1,"output":1,"tiers":{"flex":101}})", "models.m.tiers.flex"}, Fault{R"({"input":1,"output":1,"tiers":2})", "models.m.tiers = 2"},
                    Fault{R"({"input":1,"output":1,"long":{"input":2}})", "models.m.long = "}, Fault{R"({"input":1,"output":1,"long":{"from":1,"x":2}})", "models.m.long.x"},
                    Fault{R"({"input":1,"output":1,"long":{"from":-1}})", "models.m.long.from = -1; allowed: a whole number"},
                    Fault{R"({"input":1,"output":1,"max_output":1.5})", "models.m.max_output = 1.5"}, Fault{R"({"images":{}})", "models.m.images = {}"},
                    Fault{R"({"images":{"a":true}})", "models.m.images.a = true"}, Fault{R"({"input":1,"output":1,"aliases":"x"})", "models.m.aliases = \"x\""},
                    Fault{R"({"input":1,"output":1,"aliases":[1]})", "models.m.aliases = 1"}, Fault{R"({"input":1,"output":1,"aliases":["m"]})", "no other entry or alias"},
                    Fault{R"({"input":1,"output":1,"aliases":["a b"]})", "without spaces"}, Fault{R"({"input":1,"input":2,"output":1})", "'input' stands twice"}));

TEST(PriceTable, NamesEveryFaultAndWhereItIs) {
  const std::string fault = fault_of(R"({"fallback":{"input":1,"output":"x"},"prices":1,"models":{"a":{"input":-1,"output":1},"b":{"input":1,"output":1,"c":1}}})");
  EXPECT_THAT(fault, HasSubstr("price file: fallback.output = \"x\""));
  EXPECT_THAT(fault, HasSubstr("price file: models.a.input = -1"));
  EXPECT_THAT(fault, HasSubstr("price file: models.b.c = 1"));
  EXPECT_THAT(fault, HasSubstr("price file: prices = 1; allowed: about, tiers, fallback, models"));
  EXPECT_THAT(fault, Not(HasSubstr("overrides")));
  EXPECT_THAT(fault_of(base, R"({"models":{"a":{"input":-1,"output":1}}})"), HasSubstr("price overrides: models.a.input = -1"));
}

TEST(PriceTable, RefusesWhatIsNoPriceFile) {
  EXPECT_THAT(fault_of(""), HasSubstr("price file is no JSON"));
  EXPECT_THAT(fault_of("{"), HasSubstr("price file is no JSON"));
  EXPECT_THAT(fault_of("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(fault_of(R"({"fallback":{"input":1e999,"output":1}})"), HasSubstr("number overflow"));
  EXPECT_THAT(fault_of("{}"), HasSubstr("fallback is missing"));
  EXPECT_THAT(fault_of(R"({"fallback":{"input":1,"output":1},"models":[]})"), HasSubstr("models = []"));
  EXPECT_THAT(fault_of(base, "x"), HasSubstr("price overrides is no JSON"));
  EXPECT_THAT(fault_of(R"({"fallback":{"input":1,"output":1},"models":{"a":{"input":1,"output":1},"a":{"input":2,"output":2}}})"), HasSubstr("'a' stands twice"));
  EXPECT_EQ(fault_of(R"({"about":"prices","fallback":{"input":1,"output":1}})"), "none");
}

}  // namespace
}  // namespace proxyxai
