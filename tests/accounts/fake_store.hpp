#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/asio/post.hpp>

#include "proxyxai/storage/account_store.hpp"

namespace proxyxai {

/// A store in memory that counts the look-ups of accounts and does in their middle what the test says. It has no money.
class FakeStore final : public AccountStore {
 public:
  explicit FakeStore(boost::asio::io_context& loop) : loop_(loop) {}

  Task<std::vector<AccountRow>> find_lineage(Digest key_digest) override {
    return look([key_digest](const AccountRow& row) { return row.key_digest == key_digest; });
  }
  Task<std::vector<AccountRow>> find_lineage(AccountId id) override {
    return look([id](const AccountRow& row) { return row.id == id; });
  }
  Task<std::optional<AccountRow>> find_by_name(std::string name) override {
    const auto found = rows.find(name);
    co_return found == rows.end() ? std::nullopt : std::optional<AccountRow>(found->second);
  }
  Task<AccountRow> put_account(AccountRow row) override {
    const auto stored = rows.find(row.name);
    if (stored == rows.end()) {
      row.id = static_cast<AccountId>(rows.size()) + 1;
      row.dna = (row.dna.empty() ? "." : row.dna) + std::to_string(row.id) + ".";
      co_return rows[row.name] = row;
    }
    stored->second.key_digest = row.key_digest;
    stored->second.email = row.email;
    co_return stored->second;
  }
  Task<bool> transact(std::function<void(AccountTransaction&)>) override { co_return false; }
  Task<std::int64_t> word(std::string) override { co_return 1; }
  Task<std::vector<AccountRow>> list_accounts(AccountQuery) override { co_return std::vector<AccountRow>(); }
  Task<std::vector<CardRow>> list_cards(AccountId) override { co_return std::vector<CardRow>(); }
  Task<std::vector<ShownRequest>> list_requests(RequestQuery) override { co_return std::vector<ShownRequest>(); }
  Task<Bill> bill(BillQuery) override { co_return Bill(); }
  Task<std::vector<OperationRow>> list_operations(OperationQuery) override { co_return std::vector<OperationRow>(); }

  std::map<std::string, AccountRow> rows;  ///< By name.
  std::function<void()> meanwhile;         ///< Happens once, after the next look-up has read its rows.
  bool fails = false;
  int queries = 0;

 private:
  Task<std::vector<AccountRow>> look(std::function<bool(const AccountRow&)> is_wanted) {
    ++queries;
    std::vector<AccountRow> lineage;
    for (const auto& [name, row] : rows) {
      if (!is_wanted(row)) continue;
      for (const auto& [other, above] : rows) {
        if (above.id == row.parent_id) lineage.push_back(above);
      }
      lineage.push_back(row);
    }
    co_await boost::asio::post(loop_.get_executor(), use_task);
    if (const auto act = std::exchange(meanwhile, nullptr)) act();
    if (fails) throw StorageError("disk on fire");
    co_return lineage;
  }

  boost::asio::io_context& loop_;
};

}  // namespace proxyxai
