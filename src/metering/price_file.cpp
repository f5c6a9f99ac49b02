#include "price_file.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "price_columns.hpp"

namespace proxyxai {
namespace {

using nlohmann::json;

constexpr Money most_price = dollars(10'000);
constexpr std::int64_t most_factor = 100'000;
constexpr std::int64_t most_output = 10'000'000;
constexpr std::int64_t most_long_from = 1'000'000'000;
constexpr std::size_t max_name = 256;

constexpr const char* allowed_price = "dollars from 0 to 10000, with at most nine decimals";
constexpr const char* allowed_factor = "a number from 0 to 100, with at most three decimals";
constexpr const char* allowed_fields =
    "input, output, cached, cache_write, audio_input, image_input, audio_output, image_output, second, million_characters, "
    "images, tiers, long, max_output, aliases";

bool is_name(const std::string& name) {
  const auto is_printable = [](char c) { return c > ' ' && c < 0x7f; };
  return !name.empty() && name.size() <= max_name && std::all_of(name.begin(), name.end(), is_printable);
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

class Reader {
 public:
  Reader(std::string label, const Factors& tiers, std::vector<std::string>& faults)
      : label_(std::move(label)), faults_(faults) {
    file_.tiers = tiers;
  }

  PriceFile read(std::string_view text) {
    const json root = parse(text);
    if (!root.is_object()) return std::move(file_);
    // Entries start from these, wherever in the file they stand.
    if (root.contains("tiers")) read_factors("tiers", root["tiers"], file_.tiers);
    for (const auto& [name, value] : root.items()) {
      if (name == "models") read_models(value);
      else if (name == "fallback") file_.fallback = read_entry("fallback", name, value).price;
      else if (name == "about") expect(value.is_string(), name, value, "text");
      else if (name != "tiers") fault(name, value, "about, tiers, fallback, models");
    }
    return std::move(file_);
  }

 private:
  struct Entry {
    Price price;
    std::vector<std::string> aliases;
  };

  json parse(std::string_view text) {
    // The library keeps the last of two entries of one name: a price that silently does not count.
    std::vector<std::set<std::string>> names;
    const auto on_event = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::object_start) names.emplace_back();
      else if (event == json::parse_event_t::object_end) names.pop_back();
      else if (event == json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second) {
        faults_.push_back(label_ + ": '" + parsed.get<std::string>() + "' stands twice in one object; allowed: once");
      }
      return true;
    };
    try {
      json root = json::parse(text, on_event);
      if (!root.is_object()) faults_.push_back(label_ + " is no JSON object");
      return root;
    } catch (const json::exception& error) {
      // Also a number that is too large for any.
      faults_.push_back(label_ + " is no JSON: " + error.what());
      return {};
    }
  }

  void read_models(const json& models) {
    if (!expect(models.is_object(), "models", models, "an object of entries by model name")) return;
    for (const auto& [name, value] : models.items()) {
      const Entry entry = read_entry("models." + name, name, value);
      add(name, name, entry.price);
      for (const std::string& alias : entry.aliases) add("models." + name + ".aliases", alias, entry.price);
    }
  }

  void add(const std::string& where, const std::string& name, Price price) {
    if (!expect(is_name(name), where, name, "a name of 1 to 256 printable characters without spaces")) return;
    price.model = name;
    expect(file_.models.emplace(name, std::move(price)).second, where, name, "a name that no other entry or alias has");
  }

  Entry read_entry(const std::string& where, const std::string& name, const json& object) {
    Entry entry;
    Price& price = entry.price;
    price.model = name;
    price.tiers = file_.tiers;
    if (!expect(object.is_object(), where, object, "an object of prices")) return entry;
    for (const auto& [field, value] : object.items()) read_field(where + "." + field, field, value, entry);
    const bool by_tokens = object.contains("input") && object.contains("output");
    const bool by_unit = price.second || price.million_characters || !price.images.empty();
    // A forgotten column would be free of charge.
    if (!by_tokens && (!by_unit || object.contains("input") || object.contains("output"))) {
      fault(where, object, "both input and output, or a price of second, million_characters or images");
    }
    return entry;
  }

  void read_field(const std::string& where, const std::string& field, const json& value, Entry& entry) {
    Price& price = entry.price;
    const auto is_named = [&field](const PriceColumn& each) { return each.name == field; };
    const auto column = std::find_if(price_columns.begin(), price_columns.end(), is_named);
    if (field == "input") price.input = read_price(where, value);
    else if (field == "output") price.output = read_price(where, value);
    else if (column != price_columns.end()) price.*column->value = read_price(where, value);
    else if (field == "images") read_images(where, value, price);
    else if (field == "tiers") read_factors(where, value, price.tiers);
    else if (field == "long") read_long(where, value, price);
    else if (field == "max_output") price.max_output = read_count(where, value, most_output);
    else if (field == "aliases") read_aliases(where, value, entry);
    else fault(where, value, allowed_fields);
  }

  void read_images(const std::string& where, const json& value, Price& price) {
    static constexpr const char* allowed = "an object of prices by quality/size, size, quality or default";
    if (!expect(value.is_object() && !value.empty(), where, value, allowed)) return;
    for (const auto& [kind, each] : value.items()) price.images[kind] = read_price(where + "." + kind, each);
  }

  void read_factors(const std::string& where, const json& value, Factors& factors) {
    if (!expect(value.is_object(), where, value, "an object of factors by service tier")) return;
    for (const auto& [tier, each] : value.items()) factors[tier] = read_factor(where + "." + tier, each);
  }

  void read_long(const std::string& where, const json& value, Price& price) {
    static constexpr const char* allowed = "an object of from, input and output";
    if (!expect(value.is_object() && value.contains("from"), where, value, allowed)) return;
    for (const auto& [field, each] : value.items()) {
      const std::string inner = where + "." + field;
      if (field == "from") price.long_from = read_count(inner, each, most_long_from);
      else if (field == "input") price.long_input = read_factor(inner, each);
      else if (field == "output") price.long_output = read_factor(inner, each);
      else fault(inner, each, allowed);
    }
  }

  void read_aliases(const std::string& where, const json& value, Entry& entry) {
    if (!expect(value.is_array(), where, value, "a list of model names")) return;
    for (const json& each : value) {
      if (expect(each.is_string(), where, each, "model names")) entry.aliases.push_back(each.get<std::string>());
    }
  }

  std::int64_t read_price(const std::string& where, const json& value) {
    const auto money = value.is_number() ? to_money(value.get<double>()) : std::nullopt;
    const bool is_price = money && *money >= Money{} && *money <= most_price;
    return expect(is_price, where, value, allowed_price) ? money.value_or(Money{}).nanos : 0;
  }

  std::int64_t read_factor(const std::string& where, const json& value) {
    static constexpr std::int64_t thousandth = 1'000'000;
    const auto number = value.is_number() ? to_money(value.get<double>()) : std::nullopt;
    const std::int64_t nanos = number.value_or(Money{-1}).nanos;
    const bool is_factor = nanos >= 0 && nanos % thousandth == 0 && nanos / thousandth <= most_factor;
    return expect(is_factor, where, value, allowed_factor) ? nanos / thousandth : 1000;
  }

  std::int64_t read_count(const std::string& where, const json& value, std::int64_t most) {
    const bool is_count = value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    const std::string allowed = "a whole number from 0 to " + std::to_string(most);
    return expect(is_count, where, value, allowed) ? value.get<std::int64_t>() : 0;
  }

  bool expect(bool holds, const std::string& where, const json& value, const std::string& allowed) {
    if (!holds) fault(where, value, allowed);
    return holds;
  }

  void fault(const std::string& where, const json& value, const std::string& allowed) {
    faults_.push_back(label_ + ": " + where + " = " + text_of(value) + "; allowed: " + allowed);
  }

  const std::string label_;
  std::vector<std::string>& faults_;
  PriceFile file_;
};

/// `{"a": 0.5, "b": 2}`.
std::string object_of(const std::map<std::string, std::int64_t>& numbers, std::int64_t nanos_each) {
  std::string out;
  for (const auto& [name, value] : numbers) {
    out.append(out.empty() ? "{" : ", ").append(text_of(name)).append(": ").append(to_decimal({value * nanos_each}));
  }
  return out + "}";
}

std::string entry_of(const Price& price) {
  static constexpr std::int64_t thousandth = 1'000'000;
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    out.append(out.empty() ? "{\"" : ", \"").append(name).append("\": ").append(value);
  };
  const bool by_unit = price.second || price.million_characters || !price.images.empty();
  if (!by_unit || price.input != 0 || price.output != 0) {
    add("input", to_decimal({price.input}));
    add("output", to_decimal({price.output}));
  }
  for (const PriceColumn& column : price_columns) {
    if (price.*column.value) add(column.name, to_decimal({*(price.*column.value)}));
  }
  if (!price.images.empty()) add("images", object_of(price.images, 1));
  if (!price.tiers.empty()) add("tiers", object_of(price.tiers, thousandth));
  if (price.long_from) {
    std::string inner = "{\"from\": " + std::to_string(*price.long_from);
    inner += ", \"input\": " + to_decimal({price.long_input * thousandth});
    inner += ", \"output\": " + to_decimal({price.long_output * thousandth}) + "}";
    add("long", inner);
  }
  add("max_output", std::to_string(price.max_output));
  return out + "}";
}

}  // namespace

PriceFile read_price_file(std::string_view text, const std::string& label, const Factors& tiers,
                          std::vector<std::string>& faults) {
  return Reader(label, tiers, faults).read(text);
}

std::string write_price_file(const std::vector<Price>& models, const Price& fallback) {
  std::string out = "{\"fallback\": " + entry_of(fallback) + ", \"models\": {";
  for (const Price& each : models) {
    out.append(&each == models.data() ? "" : ", ").append(text_of(each.model)).append(": ").append(entry_of(each));
  }
  return out + "}}";
}

}  // namespace proxyxai
