#pragma once

#include <stdexcept>
#include <string>

#include "proxyxai/accounts/bootstrap.hpp"
#include "proxyxai/accounts/service.hpp"
#include "proxyxai/storage/sqlite_store.hpp"
#include "support/fake_clock.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {

/// The accounts of a daemon on a database of their own, with root, and with a clock that stands still.
struct AccountWorld {
  explicit AccountWorld(AccountService::Settings settings = {}, Ledger::Settings ledger_settings = {})
      : ledger(loop, store, accounts, clock, ledger_settings), service(ledger, store, accounts, clock, settings) {
    const auto made = run(ensure_accounts(store, accounts, {{"root", "root@example.com", {}}}, clock.wall_now()));
    run(ledger.start({"/v1/chat/completions"}));
    root = run(accounts.find(sha256(made.at(0).key.reveal())));
  }

  template <class T>
  T run(Task<T> task) {
    return run_task(loop, std::move(task));
  }

  /// A child of `parent` that is granted `amount`.
  AccountPtr add(const AccountPtr& parent, const std::string& name, Money amount, AccountChange wanted = {}) {
    wanted.name = name;
    wanted.email = name + "@example.com";
    wanted.credit_granted = amount;
    return run(accounts.find(run(service.create(parent, std::move(wanted), {})).user.id));
  }

  /// A request that cost so much, of the current moment.
  bool use(const AccountPtr& account, Money cost, const std::string& model = "gpt-4o", const std::string& request_id = "req_1") {
    UsageRow row;
    row.model = run(ledger.learn(model));
    row.path = ledger.word("/v1/chat/completions");
    row.status = 200;
    row.attempts = 1;
    row.input = 100;
    row.cached = 40;
    row.output = 10;
    row.cost = cost;
    row.list_cost = scale(cost, list_rate, account->row.rates);
    row.duration_ms = 1'234;
    row.first_byte_ms = 321;
    row.stream = true;
    row.request_id = request_id;
    return run(ledger.charge(account, std::move(row)));
  }

  /// Upkeep and rolling up, as the daemon does every second.
  void tick() {
    ledger.tick(clock.now());
    loop.restart();
    loop.run();
  }

  /// The one number that a query of the database gives.
  std::int64_t number(const std::string& sql) {
    Database database(directory.file("proxyxai.db"), Database::Mode::read_only);
    return std::stoll(database.value_of(sql));
  }

  TempDirectory directory;
  FakeClock clock;
  boost::asio::io_context loop{1};
  SqliteStore store{loop, directory.path(), {.full_durability = false}};
  AccountDirectory accounts{store};
  Ledger ledger;
  AccountService service;
  AccountPtr root;
};

}  // namespace proxyxai
