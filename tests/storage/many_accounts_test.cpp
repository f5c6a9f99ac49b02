#include <gmock/gmock.h>

#include "proxyxai/storage/sqlite_store.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;

/// So many that listings go through everything instead of looking each up: 1 is root, 2 its child, 3 to 5 stand below that, all
/// others are root's. Each has made one request a day on three days, the later the newer, for as many nano-dollars as its id.
class ManyAccounts : public testing::Test {
 protected:
  static constexpr int count = 20'500;

  static void SetUpTestSuite() {
    directory = std::make_unique<TempDirectory>();
    { SqliteStore made(loop, directory->path(), {.full_durability = false}); }
    Database database(directory->file("proxyxai.db"), Database::Mode::read_write);
    database.execute("PRAGMA synchronous = OFF; BEGIN; CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                     std::to_string(count) + ") SELECT i, CASE WHEN i = 1 THEN 0 WHEN i BETWEEN 3 AND 5 THEN 2 ELSE 1 END AS parent FROM n");
    std::string columns, values;
    Statement column = database.prepare("SELECT name, type FROM pragma_table_info('accounts')");
    while (column.step()) {
      const std::string name = column.text(0);
      columns += (columns.empty() ? "" : ", ") + name;
      values += values.empty() ? "" : ", ";
      if (name == "id") values += "i";
      else if (name == "parent_id") values += "parent";
      else if (name == "name") values += "'user' || i";
      else if (name == "email") values += "'user' || i || '@example.com'";
      else if (name == "key_digest") values += "randomblob(32)";
      else if (name == "dna") values += "CASE parent WHEN 0 THEN '.' WHEN 1 THEN '.1.' ELSE '.1.2.' END || i || '.'";
      else values += column.text(1) == "TEXT" ? "''" : "0";
    }
    database.execute("INSERT INTO accounts (" + columns + ") SELECT " + values + " FROM n");
    database.execute("INSERT INTO words (id, text) VALUES (1, 'gpt-4o'), (2, 'o3')");
    database.execute("INSERT INTO days SELECT i, day, 1 + (i = 7), 1, 10, 1, 2, i FROM n, (SELECT 20261101 AS day UNION SELECT 20261102 UNION SELECT 20261103)");
    database.execute("INSERT INTO requests SELECT day * 1000000 + i, i, 1 + (i = 7), 0, 200, 1, 0, 10, 1, 2, i, i, 5, 2, 0, 'req' FROM n, "
                     "(SELECT 1 AS day UNION SELECT 2 UNION SELECT 3)");
    database.execute("INSERT INTO account_requests SELECT account_id, id, model FROM requests; COMMIT");
  }
  static void TearDownTestSuite() { directory.reset(); }

  ManyAccounts() : store(loop, directory->path(), {.full_durability = false}) {}

  AccountRow account(AccountId id) { return run_task(loop, store.find_lineage(id)).back(); }
  std::vector<AccountId> listed(const AccountRow& of, bool descendants, const std::function<void(AccountQuery&)>& change) {
    AccountQuery query;
    query.of = of;
    query.descendants = descendants;
    change(query);
    std::vector<AccountId> ids;
    for (const AccountRow& each : run_task(loop, store.list_accounts(std::move(query)))) ids.push_back(each.id);
    return ids;
  }
  std::vector<std::int64_t> requests(const AccountRow& of, const std::function<void(RequestQuery&)>& change) {
    RequestQuery query;
    query.of = of;
    change(query);
    std::vector<std::int64_t> ids;
    for (const ShownRequest& each : run_task(loop, store.list_requests(std::move(query)))) ids.push_back(each.row.id);
    return ids;
  }

  static inline boost::asio::io_context loop{1};
  static inline std::unique_ptr<TempDirectory> directory;
  SqliteStore store;
};

TEST_F(ManyAccounts, AreListedFromTheNewest) {
  for (const bool descendants : {false, true}) {
    EXPECT_THAT(listed(account(1), descendants, [](AccountQuery& query) { query.size = 3; }), ElementsAre(count, count - 1, count - 2));
    EXPECT_THAT(listed(account(1), descendants, [](AccountQuery& query) { query.offset = 2; query.size = 1; }), ElementsAre(count - 2));
    EXPECT_THAT(listed(account(2), descendants, [](AccountQuery& query) { query.size = 2; }), ElementsAre(5, 4));
  }
  EXPECT_THAT(listed(account(1), true, [](AccountQuery& query) { query.offset = count - 3; }), ElementsAre(3, 2)) << "root is not below itself";
  EXPECT_THAT(listed(account(1), false, [](AccountQuery& query) { query.offset = count - 6; query.size = 9; }), ElementsAre(6, 2)) << "only children";
}

TEST_F(ManyAccounts, AreFoundWhereTheyStand) {
  EXPECT_THAT(listed(account(1), true, [](AccountQuery& query) { query.id = 4; }), ElementsAre(4));
  EXPECT_THAT(listed(account(1), true, [](AccountQuery& query) { query.name = "USER4"; }), ElementsAre(4));
  EXPECT_THAT(listed(account(1), true, [](AccountQuery& query) { query.email = "user4@EXAMPLE.com"; }), ElementsAre(4));
  EXPECT_THAT(listed(account(2), false, [](AccountQuery& query) { query.id = 4; query.name = "user4"; query.email = "user4@example.com"; }), ElementsAre(4));
  EXPECT_THAT(listed(account(2), false, [](AccountQuery& query) { query.id = 4; query.name = "user5"; }), ElementsAre());
  EXPECT_THAT(listed(account(1), false, [](AccountQuery& query) { query.id = 4; }), ElementsAre()) << "a grandchild";
  EXPECT_THAT(listed(account(2), true, [](AccountQuery& query) { query.id = 9; }), ElementsAre()) << "somebody else's";
  EXPECT_THAT(listed(account(2), true, [](AccountQuery& query) { query.id = 2; }), ElementsAre()) << "itself";
}

TEST_F(ManyAccounts, HaveTheirRequestsListedFromTheNewest) {
  EXPECT_THAT(requests(account(1), [](RequestQuery& query) { query.size = 2; }), ElementsAre(3'000'000 + count, 3'000'000 + count - 1));
  EXPECT_THAT(requests(account(1), [](RequestQuery& query) { query.model = "o3"; query.size = 2; }), ElementsAre(3'000'007, 2'000'007));
  EXPECT_THAT(requests(account(1), [](RequestQuery& query) { query.user = 4; query.size = 9; }), ElementsAre(3'000'004, 2'000'004, 1'000'004));
  EXPECT_THAT(requests(account(2), [](RequestQuery& query) { query.from = 2'000'000; query.before = 3'000'000; query.size = 9; }), ElementsAre(2'000'005, 2'000'004, 2'000'003, 2'000'002));
  EXPECT_THAT(requests(account(7), [](RequestQuery& query) { query.model = "o3"; query.offset = 1; query.size = 1; }), ElementsAre(2'000'007));
  EXPECT_THAT(requests(account(8), [](RequestQuery& query) { query.model = "o3"; }), ElementsAre());
}

TEST_F(ManyAccounts, HaveABill) {
  const Bill bill = run_task(loop, store.bill({account(1), std::nullopt, 20'261'102, 20'261'103}));
  ASSERT_EQ(bill.days.size(), 4u);
  constexpr std::int64_t all = std::int64_t{count} * (count + 1) / 2;
  const DayRow& day = bill.days[2];
  EXPECT_EQ(day.day, 20'261'103);
  EXPECT_EQ(day.model_name, "gpt-4o");
  EXPECT_EQ(day.requests, count - 1);
  EXPECT_EQ(day.input, 10 * (count - 1));
  EXPECT_EQ(day.cached, count - 1);
  EXPECT_EQ(day.output, 2 * (count - 1));
  EXPECT_EQ(day.cost, Money{all - 7});
  EXPECT_EQ(bill.days[3].model_name, "o3");
  EXPECT_EQ(bill.days[3].cost, Money{7});
  ASSERT_EQ(bill.accounts.size(), 1'000u) << "the most costly";
  EXPECT_EQ(bill.accounts[1].id, count - 1);
  EXPECT_EQ(bill.accounts[1].email, "user" + std::to_string(count - 1) + "@example.com");
  EXPECT_EQ(bill.accounts[1].requests, 2);
  EXPECT_EQ(bill.accounts[1].cost, Money{2 * (count - 1)});
}

TEST_F(ManyAccounts, HaveABillOfAPart) {
  const Bill part = run_task(loop, store.bill({account(2), std::nullopt, 20'261'101, 20'261'101}));
  ASSERT_EQ(part.days.size(), 1u);
  EXPECT_EQ(part.days[0].cost, Money{2 + 3 + 4 + 5});
  ASSERT_EQ(part.accounts.size(), 4u);
  EXPECT_EQ(part.accounts[0].id, 5);
  const Bill single = run_task(loop, store.bill({account(1), 4, 20'261'101, 20'261'130}));
  EXPECT_EQ(single.days.size(), 3u);
  ASSERT_EQ(single.accounts.size(), 1u);
  EXPECT_EQ(single.accounts[0].cost, Money{12});
  EXPECT_TRUE(run_task(loop, store.bill({account(2), 9, 20'261'101, 20'261'130})).days.empty()) << "somebody else's";
}

}  // namespace
}  // namespace proxyxai
