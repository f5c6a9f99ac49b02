#include "proxyxai/admin/account_input.hpp"

#include <algorithm>
#include <array>

#include "json_body.hpp"

namespace proxyxai {
namespace {

using nlohmann::json;
using Text = std::optional<std::string> AccountChange::*;
using Whole = std::optional<std::int64_t> AccountChange::*;
using Amount = std::optional<Money> AccountChange::*;

template <class Member>
struct Field {
  std::string_view name;
  Member member;
};

constexpr std::array texts{Field<Text>{"Name", &AccountChange::name}, Field<Text>{"Alias", &AccountChange::alias},
                           Field<Text>{"Email", &AccountChange::email}, Field<Text>{"BillingEmail", &AccountChange::billing_email}};
constexpr std::array lists{Field<Text>{"AllowIPs", &AccountChange::allow_ips}, Field<Text>{"DenyIPs", &AccountChange::deny_ips},
                           Field<Text>{"AllowModels", &AccountChange::allow_models}, Field<Text>{"DenyModels", &AccountChange::deny_models},
                           Field<Text>{"Resources", &AccountChange::resources}};
constexpr std::array wholes{Field<Whole>{"RPM", &AccountChange::rpm}, Field<Whole>{"RateLimit", &AccountChange::rpm},
                            Field<Whole>{"RPH", &AccountChange::rph}, Field<Whole>{"RPD", &AccountChange::rpd},
                            Field<Whole>{"TPM", &AccountChange::tpm}, Field<Whole>{"TPH", &AccountChange::tph},
                            Field<Whole>{"TPD", &AccountChange::tpd}, Field<Whole>{"Concurrency", &AccountChange::concurrency}};
constexpr std::array amounts{Field<Amount>{"CreditGranted", &AccountChange::credit_granted},
                             Field<Amount>{"HardLimit", &AccountChange::hard_limit}, Field<Amount>{"SoftLimit", &AccountChange::soft_limit}};

constexpr std::array<std::string_view, 18> not_settable{
    "ID", "DNA", "Level", "Balance", "CreditUsed", "CreditBalance", "Child", "ChildLimit", "Parent", "ParentID", "Requests",
    "SecretKey", "PartialKey", "CreatedAt", "UpdatedAt", "MonthUsed", "Overdraft", "IsRoot"};

constexpr std::string_view known =
    "Name, Alias, Email, BillingEmail, CreditGranted, Days, Rates, HardLimit, SoftLimit, RPM (or RateLimit), RPH, RPD, TPM, TPH, TPD, "
    "Concurrency, AllowIPs, DenyIPs, AllowModels, DenyModels, Resources, ModelLimits, Status, AbortPolicy";

Money money_of(const json& value, const std::string& field) {
  const auto amount = value.is_number() ? to_money(value.get<double>()) : std::nullopt;
  if (!amount) {
    refuse_field(field, "must be a number of dollars of at most " + to_decimal(most_money) + ", without a fraction of a nano-dollar");
  }
  return *amount;
}

Rate rate_of(const json& value, const std::string& field) {
  const auto rate = value.is_number() ? to_money(value.get<double>()) : std::nullopt;
  if (!rate || rate->nanos <= 0) refuse_field(field, "must be a number over 0 with at most 9 decimals: what list prices are multiplied with");
  return rate->nanos;
}

std::string model_limits_of(const json& value, const std::string& field) {
  if (!value.is_object()) refuse_field(field, "must be an object such as {\"gpt-4o\":{\"rpm\":30,\"tpm\":90000}}");
  return value.dump();
}

bool drains_of(const json& value, const std::string& field) {
  const bool drains = value == "drain";
  if (!drains && value != "cancel") refuse_field(field, "must be \"cancel\" or \"drain\"");
  return drains;
}

/// Reads the field if `table` has it.
template <class Table, class Read>
bool take(const Table& table, AccountChange& change, const json& value, const std::string& name, Read read) {
  const auto found = std::find_if(table.begin(), table.end(), [&name](const auto& each) { return each.name == name; });
  if (found == table.end()) return false;
  change.*(found->member) = read(value, name);
  return true;
}

bool take_single(AccountChange& change, const json& value, const std::string& name) {
  if (name == "Days") change.days = number_of(value, name);
  else if (name == "Rates") change.rates = rate_of(value, name);
  else if (name == "ModelLimits") change.model_limits = model_limits_of(value, name);
  else if (name == "Status") change.enabled = bool_of(value, name);
  else if (name == "AbortPolicy") change.drains_aborted = drains_of(value, name);
  else return false;
  return true;
}

}  // namespace

AccountInput read_account_input(std::string_view body) {
  AccountInput input;
  const json root = read_object(body);
  AccountChange& change = input.change;
  for (const auto& [name, value] : root.items()) {
    input.fields.push_back(name);
    const bool taken = take(texts, change, value, name, string_of) || take(amounts, change, value, name, money_of) ||
                       take(wholes, change, value, name, whole_of) ||
                       take(lists, change, value, name, [](const json& list, const std::string& field) { return words_of(list, field); }) ||
                       take_single(change, value, name);
    if (taken) continue;
    if (std::find(not_settable.begin(), not_settable.end(), name) != not_settable.end()) {
      refuse_field(name, "cannot be set through the API", "not_settable");
    }
    throw Refused({400, "unknown_field", "Unknown field " + name + ". Known: " + std::string(known) + ".", name, true});
  }
  if (root.empty()) throw Refused({400, "invalid_value", "The body has no field. Known: " + std::string(known) + ".", {}, true});
  if (root.contains("RPM") && root.contains("RateLimit")) refuse_field("RateLimit", "is another name of RPM; give one of them");
  return input;
}

RotationInput read_rotation(std::string_view body, const std::string& confirmation, bool by_root) {
  RotationInput input;
  std::string confirm;
  const json root = read_object(body.empty() ? "{}" : body);
  for (const auto& [name, value] : root.items()) {
    if (name == "confirm") confirm = string_of(value, name);
    else if (name == "name" && by_root) input.name = string_of(value, name);
    else if (name == "key" && by_root) input.key = Secret(string_of(value, name));
    else throw Refused({400, "unknown_field", "Unknown field " + name + ". Known: " + (by_root ? "name, key, confirm." : "confirm."), name, true});
  }
  if (confirm != confirmation) refuse_field("confirm", "must be \"" + confirmation + "\"; the old key stops at once");
  return input;
}

}  // namespace proxyxai
