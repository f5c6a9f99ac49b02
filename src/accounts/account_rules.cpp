#include "account_rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

namespace proxyxai {
namespace {

constexpr std::int64_t largest_limit = 1'000'000'000'000;
constexpr Rate highest_rate = 1'000 * list_rate;
constexpr double most_days = 365;
constexpr std::size_t longest_text = 200;
constexpr std::size_t shown_tail = 20;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view text) {
  const bool good = std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
  return good && text.size() >= 4 && text.size() <= 63 && std::any_of(text.begin(), text.end(), is_letter);
}

/// As people's addresses are; RFC 5321 would allow more.
bool is_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == text.npos || at == 0 || at + 1 >= text.size() || text.size() > 254 || at > 64) return false;
  const auto domain = text.substr(at + 1);
  const bool local = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+/=?^_`{|}~.-").find(c) != std::string_view::npos;
  });
  const bool host = std::all_of(domain.begin(), domain.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; });
  return local && host && !domain.starts_with('.') && !domain.ends_with('.') && domain.find("..") == domain.npos;
}

bool is_plain_text(std::string_view text) {
  return text.size() <= longest_text && std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

void set_limit(std::int64_t& limit, const std::optional<std::int64_t>& wanted, std::int64_t parents, const char* field) {
  if (!wanted) return;
  if (*wanted < 0 || *wanted > largest_limit) refuse_value(field, "must be a whole number from 0 (no limit) to 1000000000000");
  const bool over = parents > 0 && (*wanted == 0 || *wanted > parents);
  if (over) refuse_value(field, "must be 1 to " + std::to_string(parents) + ", the parent's limit");
  limit = *wanted;
}

void set_limits(RateLimits& limits, const AccountChange& change, const RateLimits& parent) {
  set_limit(limits.rpm, change.rpm, parent.rpm, "RPM");
  set_limit(limits.rph, change.rph, parent.rph, "RPH");
  set_limit(limits.rpd, change.rpd, parent.rpd, "RPD");
  set_limit(limits.tpm, change.tpm, parent.tpm, "TPM");
  set_limit(limits.tph, change.tph, parent.tph, "TPH");
  set_limit(limits.tpd, change.tpd, parent.tpd, "TPD");
  set_limit(limits.concurrency, change.concurrency, parent.concurrency, "Concurrency");
}

void set_access(AccountRow& row, const AccountChange& change) {
  std::string bad;
  if (change.allow_ips || change.deny_ips) {
    auto list = change_addresses(row.allow_ips, change.allow_ips.value_or(""), change.deny_ips.value_or(""), bad);
    if (!list) refuse_value(change.allow_ips ? "AllowIPs" : "DenyIPs", "must be addresses and CIDR ranges separated by spaces, or *; '" + bad + "' is not");
    row.allow_ips = std::move(*list);
  }
  if (change.allow_models || change.deny_models) {
    auto list = change_models(row.allow_models, change.allow_models.value_or(""), change.deny_models.value_or(""), bad);
    if (!list) refuse_value(change.allow_models ? "AllowModels" : "DenyModels", "must be model names such as gpt-4o or gpt-4* separated by spaces; '" + bad + "' is not");
    row.allow_models = std::move(*list);
  }
  if (change.resources) {
    auto list = check_resources(*change.resources, bad);
    if (!list) refuse_value("Resources", "must be API paths such as /v1/chat/completions separated by spaces, or *; '" + bad + "' is not");
    row.resources = std::move(*list);
  }
  if (change.model_limits) {
    if (!parse_model_limits(*change.model_limits, bad)) refuse_value("ModelLimits", bad);
    row.model_limits = *change.model_limits == "{}" ? "" : *change.model_limits;
  }
}

Money cut_to_fit(Wide nanos) {
  return {static_cast<std::int64_t>(std::min(nanos, Wide{std::numeric_limits<std::int64_t>::max()}))};
}

void set_money_limit(Money& limit, const std::optional<Money>& wanted, const char* field) {
  if (!wanted) return;
  if (wanted->nanos < 0) refuse_value(field, "must not be negative; 0 is no limit");
  limit = *wanted;
}

}  // namespace

void refuse_value(std::string_view field, const std::string& what) {
  throw Refused({400, "invalid_value", std::string(field) + " " + what + ".", std::string(field), true});
}

void apply_change(AccountRow& row, const AccountChange& change, const AccountRow& parent, std::optional<Rate> lowest_child_rate) {
  if (change.name) {
    if (!is_name(*change.name)) refuse_value("Name", "must have 4 to 63 letters, digits, - and _, and at least one letter");
    row.name = *change.name;
  }
  if (change.email) {
    if (!is_email(*change.email)) refuse_value("Email", "must be an e-mail address");
    row.email = *change.email;
  }
  if (change.alias) {
    if (!is_plain_text(*change.alias)) refuse_value("Alias", "must be at most 200 bytes of plain text");
    row.alias = *change.alias;
  }
  if (change.billing_email) {
    if (!change.billing_email->empty() && !is_email(*change.billing_email)) refuse_value("BillingEmail", "must be an e-mail address, or empty");
    row.billing_email = *change.billing_email;
  }
  if (change.rates) {
    if (*change.rates < parent.rates || *change.rates > highest_rate) {
      refuse_value("Rates", "must be at least the parent's " + to_decimal({parent.rates}) + " and at most 1000");
    }
    if (lowest_child_rate && *change.rates > *lowest_child_rate) {
      refuse_value("Rates", "must not be over " + to_decimal({*lowest_child_rate}) + ", the lowest rate among this account's own children");
    }
  }
  set_money_limit(row.hard_limit, change.hard_limit, "HardLimit");
  set_money_limit(row.soft_limit, change.soft_limit, "SoftLimit");
  set_limits(row.limits, change, parent.limits);
  set_access(row, change);
  if (change.enabled) row.enabled = *change.enabled;
  if (change.drains_aborted) row.drains_aborted = *change.drains_aborted;
}

void require_own_fields(const AccountChange& change) {
  AccountChange allowed;
  allowed.alias = change.alias;
  allowed.billing_email = change.billing_email;
  if (describe(change) != describe(allowed)) {
    throw Refused({403, "not_yours_to_change", "An account may change only its own Alias and BillingEmail.", {}, true});
  }
}

void require_free(AccountTransaction& transaction, const AccountRow& row) {
  const auto taken = [&row](const std::optional<AccountRow>& other, const char* field) {
    if (other && other->id != row.id) {
      throw Refused({409, "already_taken", std::string(field) + " is taken by another account; choose another.", field, true});
    }
  };
  taken(transaction.account_named(row.name), "Name");
  taken(transaction.account_mailed(row.email), "Email");
}

Money up_to_hundreds(Money amount) {
  const std::int64_t hundred = dollars(100).nanos;
  return {(std::max<std::int64_t>(amount.nanos, 0) + hundred - 1) / hundred * hundred};
}

seconds card_life(const AccountChange& change) {
  const double days = change.days.value_or(most_days);
  if (!(days >= 0 && days <= most_days)) refuse_value("Days", "must be 0 to 365");
  return seconds(static_cast<std::int64_t>(std::llround(days * 86'400)));
}

std::string describe(const AccountChange& change) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  const auto put = [&json](const char* name, const auto& value) {
    if (value) json[name] = *value;
  };
  const auto put_money = [&json](const char* name, const std::optional<Money>& value) {
    if (value) json[name] = to_dollars(*value);
  };
  put("Name", change.name);
  put("Alias", change.alias);
  put("Email", change.email);
  put("BillingEmail", change.billing_email);
  put_money("CreditGranted", change.credit_granted);
  put("Days", change.days);
  if (change.rates) json["Rates"] = to_dollars({*change.rates});
  put_money("HardLimit", change.hard_limit);
  put_money("SoftLimit", change.soft_limit);
  put("RPM", change.rpm);
  put("RPH", change.rph);
  put("RPD", change.rpd);
  put("TPM", change.tpm);
  put("TPH", change.tph);
  put("TPD", change.tpd);
  put("Concurrency", change.concurrency);
  put("AllowIPs", change.allow_ips);
  put("DenyIPs", change.deny_ips);
  put("AllowModels", change.allow_models);
  put("DenyModels", change.deny_models);
  put("Resources", change.resources);
  put("ModelLimits", change.model_limits);
  put("Status", change.enabled);
  if (change.drains_aborted) json["AbortPolicy"] = *change.drains_aborted ? "drain" : "cancel";
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

AccountRow target_of(AccountTransaction& transaction, const AccountRow& caller, const std::string& who) {
  AccountQuery query;
  if (!ask_for(query, who)) no_such_account(who);
  std::optional<AccountRow> found;
  if (query.id) found = transaction.account(*query.id);
  else if (!query.email.empty()) found = transaction.account_mailed(query.email);
  else found = transaction.account_named(query.name);
  if (!found || !found->dna.starts_with(caller.dna)) no_such_account(who);
  return std::move(*found);
}

AccountRow row_of(AccountTransaction& transaction, AccountId id) {
  auto row = transaction.account(id);
  if (!row) throw Refused({401, "invalid_api_key", "This account has been deleted.", {}, true});
  return std::move(*row);
}

void set_key(AccountRow& row, const Secret& key) {
  row.key_digest = sha256(key.reveal());
  row.partial = key.tail(shown_tail);
}

Money price_in_book(Money amount, Rate of, Rate in) { return cut_to_fit((Wide{amount.nanos} * in + of - 1) / of); }

Money worth_in_book(Money amount, Rate of, Rate in) { return cut_to_fit(Wide{amount.nanos} * in / of); }

}  // namespace proxyxai
