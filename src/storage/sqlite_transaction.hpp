#pragma once

#include "proxyxai/storage/account_store.hpp"
#include "proxyxai/storage/database.hpp"

namespace proxyxai {

/// AccountTransaction on the transaction that `database` is in. Storage thread.
class SqliteTransaction final : public AccountTransaction {
 public:
  explicit SqliteTransaction(Database& database) : database_(database) {}

  std::optional<AccountRow> account(AccountId id) override;
  std::optional<AccountRow> account_named(std::string_view name) override;
  std::optional<AccountRow> account_mailed(std::string_view email) override;
  void insert(AccountRow& row) override;
  void update(const AccountRow& row) override;
  void remove(AccountId id, WallTime now) override;
  std::optional<Rate> lowest_child_rate(AccountId id) override;

  std::vector<CardRow> cards(AccountId account) override;
  void put_cards(AccountId account, std::vector<CardRow>& cards) override;
  std::vector<AccountId> with_expired_cards(WallTime now, std::size_t most) override;
  std::vector<CardRow> cards_expiring(WallTime from, WallTime to, std::size_t most) override;

  void add(const TransferRow& row) override;
  void add(OperationRow& row) override;
  std::size_t forget_operations(WallTime before, std::size_t most) override;
  void add(std::span<const UsageRow* const> rows) override;

  UsageSum usage_after(AccountId account, std::int64_t after) override;
  std::map<AccountId, UsageSum> usage_not_rolled_up() override;
  void add_to_day(const DayRow& row) override;
  void add_to_account(AccountId account, const std::vector<UsageSum::Request>& requests) override;
  std::int64_t last_request() override;
  std::size_t forget_requests(std::int64_t before, std::size_t most) override;

  std::int64_t mark(std::string_view name) override;
  void set_mark(std::string_view name, std::int64_t value) override;

  std::optional<Answer> answer(AccountId caller, std::string_view key) override;
  void keep_answer(AccountId caller, std::string_view key, const Answer& answer, WallTime now) override;
  std::size_t forget_answers(WallTime before) override;

 private:
  Database& database_;
  int usages_asked_for_ = 0;
  std::optional<std::map<AccountId, UsageSum>> usages_;  // not rolled up, as this transaction has found them
};

/// The columns of an account with what is counted from other tables, of table `accounts a`.
std::string select_account(std::string_view rest);
AccountRow read_account(const Statement& row);
std::vector<CardRow> read_cards(Database& database, AccountId account);
std::vector<CardRow> read_cards(Statement& statement);

/// The range of `dna` that an account's descendants and itself are in: from `dna`, before the result.
std::string end_of_subtree(const std::string& dna);

}  // namespace proxyxai
