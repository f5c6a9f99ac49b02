#include <gmock/gmock.h>

#include "proxyxai/accounts/book.hpp"
#include "proxyxai/storage/offline.hpp"
#include "proxyxai/storage/sqlite_store.hpp"
#include "storage/rows.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t first_request = 1'700'000'000'000'000;

/// A small history: root granted to a parent, the parent to its child, both made requests, of which most have been taken in.
class Check : public testing::Test {
 protected:
  Check() : store(std::make_unique<SqliteStore>(loop, directory.path(), SqliteStore::Options{})) {
    const std::int64_t model = run_task(loop, store->word("gpt-4o"));
    run_task(loop, store->transact([model](AccountTransaction& transaction) { write(transaction, model); }));
  }

  static void write(AccountTransaction& transaction, std::int64_t model) {
    AccountRow root = account_row("root"), parent = account_row("parent"), child = account_row("child");
    transaction.insert(root);
    for (auto [row, above] : {std::pair(&parent, &root), std::pair(&child, &parent)}) {
      row->parent_id = above->id;
      row->level = above->level + 1;
      row->dna = above->dna;
      transaction.insert(*row);
    }
    const WallTime now = from_unix_ms(first_request / 1000);
    OperationRow operation{0, now, root.id, parent.id, "add", "{}"};
    transaction.add(operation);
    {
      Book from(transaction, root, now), to(transaction, parent, now);
      to.set_operation(operation.id);
      move_credit("grant", from, dollars(100), to, dollars(100), seconds(86'400), "first");
      to.save();
    }
    {
      Book from(transaction, transaction.account(parent.id).value(), now), to(transaction, child, now);
      move_credit("grant", from, dollars(10), to, dollars(10), seconds(86'400), "second");
      from.save();
      to.save();
    }
    for (int i = 0; i < 4; ++i) {
      UsageRow request;
      request.id = first_request + i;
      request.account_id = i < 2 ? parent.id : child.id;
      request.model = model;
      request.cost = {1'000'000 + i};
      request.request_id = "request " + std::to_string(i);
      transaction.add(request);
    }
    Book(transaction, transaction.account(parent.id).value(), now).save();
    Book(transaction, transaction.account(child.id).value(), now).save();
    UsageRow late;
    late.id = first_request + 1'000;
    late.account_id = child.id;
    late.cost = {77};
    transaction.add(late);
  }

  std::vector<std::string> faults() { return check_database(directory.path()); }
  /// What is told of a file that was changed behind the daemon's back.
  std::vector<std::string> faults_after(const std::string& sql) {
    Database other(directory.file("proxyxai.db"), Database::Mode::read_write);
    other.execute("PRAGMA foreign_keys = OFF");
    other.execute(sql);
    return faults();
  }

  TempDirectory directory;
  boost::asio::io_context loop;
  std::unique_ptr<SqliteStore> store;
};

TEST_F(Check, FindsNothingWrongWithWhatTheProgramWrites) {
  EXPECT_THAT(faults(), IsEmpty()) << "beside a daemon, with a request not taken in";
  store.reset();
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(Check, FindsNothingWrongWhenOldRequestsAreForgotten) {
  for (const std::size_t most : {1, 2, 100}) {
    run_task(loop, store->transact([most](AccountTransaction& transaction) { transaction.forget_requests(INT64_MAX, most); }));
    EXPECT_THAT(faults(), IsEmpty());
  }
  EXPECT_THAT(faults_after("UPDATE forgotten SET cost = cost + 1 WHERE account_id = 2"), ElementsAre(HasSubstr("account 2 ('parent'): its days are of 2")));
}

TEST_F(Check, FindsNothingWrongWhenOldOperationsAreForgotten) {
  std::size_t young = 1, old = 0, none = 1;
  run_task(loop, store->transact([&](AccountTransaction& transaction) {
    young = transaction.forget_operations(from_unix_ms(first_request / 1000), 100);
    old = transaction.forget_operations(from_unix_ms(first_request / 1000 + 1), 100);
    none = transaction.forget_operations(from_unix_ms(first_request / 1000 + 1), 100);
  }));
  EXPECT_EQ(young, 0u);
  EXPECT_EQ(old, 1u);
  EXPECT_EQ(none, 0u);
  EXPECT_THAT(faults(), IsEmpty());
  EXPECT_THAT(faults_after("UPDATE transfers SET operation = 2 WHERE id = 1"), ElementsAre("transfer 1 refers to operation 2, which is not there"));
}

TEST_F(Check, TellsHowFarItIs) {
  std::vector<std::string> told;
  check_database(directory.path(), [&told](const CheckProgress& progress) {
    EXPECT_EQ(progress.done, told.size());
    told.emplace_back(progress.at);
  });
  EXPECT_THAT(told, Contains("balances"));
}

TEST_F(Check, ReadsOneSnapshot) {
  const auto told = check_database(directory.path(), [this](const CheckProgress& progress) {
    if (progress.done == 1) faults_after("UPDATE cards SET balance = balance - 1");
    EXPECT_LT(progress.done, progress.total);
  });
  EXPECT_THAT(told, IsEmpty()) << "what was changed meanwhile is of another moment";
  EXPECT_THAT(faults(), Contains(HasSubstr("its cards less what it owes")));
}

TEST_F(Check, FindsTablesThatAreNotThoseOfTheSchema) {
  store.reset();
  EXPECT_THAT(faults_after("ALTER TABLE accounts RENAME COLUMN model_limits TO garbage"), Contains(HasSubstr("its tables are not those of its schema")));
  EXPECT_THAT(faults_after("ALTER TABLE accounts RENAME COLUMN garbage TO model_limits"), IsEmpty());
  EXPECT_THAT(faults_after("DROP INDEX cards_by_expiry"), Contains(HasSubstr("its tables are not those of its schema")));
}

struct Break {
  const char* name;
  const char* sql;
  std::vector<std::string> told;
};

class CheckTells : public Check, public testing::WithParamInterface<Break> {};

TEST_P(CheckTells, InWords) {
  const auto told = faults_after(GetParam().sql);
  for (const std::string& each : GetParam().told) EXPECT_THAT(told, Contains(HasSubstr(each)));
  EXPECT_EQ(told.size(), GetParam().told.size()) << testing::PrintToString(told);
}

INSTANTIATE_TEST_SUITE_P(
    , CheckTells,
    testing::Values(
        Break{"ACardThatGrew", "UPDATE cards SET balance = balance + 1, amount = amount + 1 WHERE account_id = 2",
              {"account 2 ('parent'): its cards less what it owes are $89.998"}},
        Break{"ACardThatIsGone", "DELETE FROM cards WHERE account_id = 3", {"account 3 ('child'): its cards less what it owes are $0, but its entries sum to $9.997999995"}},
        Break{"ANegativeCard", "UPDATE cards SET balance = -5 WHERE account_id = 3",
              {"its card 2 has an impossible balance of $-0.000000005", "account 3 ('child'): its cards less"}},
        Break{"ACardOverItsAmount", "UPDATE cards SET amount = 1 WHERE account_id = 3", {"its card 2 has an impossible balance of $9.99"}},
        Break{"ADebtThatIsNone", "UPDATE accounts SET overdraft = -5 WHERE id = 3", {"what it owes is negative, $-0.000000005", "account 3 ('child'): its cards less"}},
        Break{"AForgottenDebt", "UPDATE accounts SET overdraft = 5 WHERE id = 3", {"account 3 ('child'): its cards less"}},
        Break{"ATransferThatIsGone", "DELETE FROM transfers WHERE from_account = 2", {"account 2 ('parent'): its cards less", "account 3 ('child'): its cards less"}},
        Break{"ATransferOfAnotherAmount", "UPDATE transfers SET amount = amount + 1 WHERE from_account = -1", {"account 2 ('parent'): its cards less"}},
        Break{"ATransferTwice", "INSERT INTO transfers (at, kind, from_account, to_account, amount, operation) SELECT at, kind, from_account, to_account, amount, operation FROM transfers WHERE from_account = -1",
              {"account 2 ('parent'): its cards less"}},
        Break{"AnotherUse", "UPDATE accounts SET credit_used = credit_used - 1 WHERE id = 3", {"account 3 ('child'): it has used $0.002000004 in 2 requests, but its days sum to $0.002000005 in 2"}},
        Break{"AnotherCount", "UPDATE accounts SET requests = 5 WHERE id = 3", {"account 3 ('child'): it has used $0.002000005 in 5 requests"}},
        Break{"AnotherMonth", "UPDATE accounts SET month_used = 1 WHERE id = 3", {"account 3 ('child'): in month 202311 it has used $0.000000001"}},
        Break{"ADayThatGrew", "UPDATE days SET cost = cost + 1 WHERE account_id = 3",
              {"account 3 ('child'): its cards less", "account 3 ('child'): it has used", "account 3 ('child'): in month", "account 3 ('child'): its days are of 2 requests for $0.002000006, but its requests are 2 for $0.002000005"}},
        Break{"ARequestThatIsGone", "DELETE FROM requests WHERE account_id = 3 AND cost = 1000002", {"its days are of 2 requests for $0.002000005, but its requests are 1 for $0.001000003", "account 3 ('child'): its requests list 1700000000000002, which it has not taken in"}},
        Break{"ARequestThatIsNotListed", "DELETE FROM account_requests WHERE id = 1700000000000002", {"account 3 ('child'): its requests do not list 1700000000000002, which it has taken in"}},
        Break{"ARequestThatIsListedTooEarly", "INSERT INTO account_requests SELECT account_id, id, model FROM requests WHERE cost = 77", {"account 3 ('child'): its requests list 1700000000001000, which it has not taken in"}},
        Break{"ARequestThatIsListedElsewhere", "UPDATE account_requests SET account_id = 2 WHERE id = 1700000000000002", {"account 2 ('parent'): its requests list 1700000000000002", "account 3 ('child'): its requests do not list 1700000000000002"}},
        Break{"ARequestThatIsListedOfAnotherModel", "UPDATE account_requests SET model = 0 WHERE id = 1700000000000002", {"account 3 ('child'): its requests list 1700000000000002", "account 3 ('child'): its requests do not list 1700000000000002"}},
        Break{"AMarkBehindWhichARequestIsMissed", "INSERT INTO marks (name, value) VALUES ('rolled up', 1700000000001000)", {"account 3 ('child'): it was not charged $0.000000077 for its last requests"}},
        Break{"ARequestThatCameLater", "INSERT INTO requests SELECT id + 100, account_id, model, path, status, attempts, key_id, input, cached, output, cost, list_cost, duration_ms, first_byte_ms, flags, request_id FROM requests WHERE cost = 1000000",
              {}},
        Break{"ARequestBetweenThem", "UPDATE accounts SET rolled_to = rolled_to + 100000 WHERE id = 3", {"its requests are 3 for $0.002000082", "account 3 ('child'): its requests do not list 1700000000001000"}},
        Break{"AnAccountElsewhere", "UPDATE accounts SET parent_id = 1 WHERE id = 3", {"account 3 ('child') with dna '.1.2.3.' does not stand below its parent", "account 1 ('root'): it has 2 children, but counts 1",
               "account 2 ('parent'): it has 0 children, but counts 1"}},
        Break{"AnAccountThatIsGone", "DELETE FROM accounts WHERE id = 3",
              {"account 2 ('parent'): it has 0 children, but counts 1", "a row of cards refers to a row of accounts", "transfer 2 refers to account 3", "day 202311", "request 1700000000000002 refers to account 3", "request 1700000000000003 refers to account 3", "request 1700000000001000 refers to account 3",
               "account 3 (deleted): its requests list 1700000000000002", "account 3 (deleted): its requests list 1700000000000003"}},
        Break{"AChildTooMany", "UPDATE accounts SET children = 2 WHERE id = 2", {"account 2 ('parent'): it has 1 children, but counts 2"}},
        Break{"AnOperationThatIsGone", "DELETE FROM operations", {"transfer 1 refers to operation 1, which is not there"}},
        Break{"AWordThatIsGone", "DELETE FROM words WHERE text = 'gpt-4o'",
              {"refers to word", "refers to word", "request 1700000000000000 refers to word", "request 1700000000000001 refers to word", "request 1700000000000002 refers to word", "request 1700000000000003 refers to word"}},
        Break{"ADeletedAccountThatOwes", "UPDATE accounts SET name = NULL WHERE id = 3; UPDATE accounts SET children = 0 WHERE id = 2",
              {"account 3 (deleted): it was not charged $0.000000077 for its last requests"}}),
    [](const auto& each) { return each.param.name; });

TEST_F(Check, TellsTheFirstOfVeryManyFaults) {
  const auto told = faults_after(
      "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 149) "
      "INSERT INTO transfers (at, kind, from_account, to_account, amount, operation) SELECT 0, 'grant', -1, i, 1, 0 FROM n");
  EXPECT_EQ(told.size(), 21u);
  EXPECT_EQ(told.back(), "rows without an owner: 30 more of the kind");
}

TEST_F(Check, ReadsNothingThatIsNotItsOwn) {
  // It would never end.
  EXPECT_THAT(faults_after("ALTER TABLE cards RENAME TO held; CREATE VIEW cards AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"),
              Contains("it has a view 'cards', which this program never makes"));
}

TEST_F(Check, FindsTriggersOfAnySchema) {
  const std::string trigger = "CREATE TRIGGER mine AFTER INSERT ON requests BEGIN UPDATE accounts SET enabled = 1; END";
  EXPECT_THAT(faults_after(trigger), Contains("it has a trigger 'mine', which this program never makes"));
  EXPECT_THAT(faults_after("PRAGMA user_version = 1"), Contains("it has a trigger 'mine', which this program never makes"));
}

TEST_F(Check, LooksAtTheFileAloneOfAnotherSchema) { EXPECT_THAT(faults_after("PRAGMA user_version = 1; UPDATE cards SET balance = -1"), IsEmpty()); }

}  // namespace
}  // namespace proxyxai
