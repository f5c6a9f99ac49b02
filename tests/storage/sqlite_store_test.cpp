#include "proxyxai/storage/offline.hpp"
#include "proxyxai/storage/sqlite_store.hpp"

#include <sys/stat.h>

#include <array>
#include <utility>

#include <gmock/gmock.h>

#include "proxyxai/keys/seal.hpp"
#include "storage/rows.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class StoreFile : public testing::Test {
 protected:
  void open(SqliteStore::Options options = {}) { store = std::make_unique<SqliteStore>(loop, directory.path(), options); }
  void reopen() {
    store.reset();
    open();
  }
  template <class T>
  T run(Task<T> task) {
    return run_task(loop, std::move(task));
  }
  KeyStore::Added add(std::vector<KeyRow> rows) { return run(store->add_keys(std::move(rows))); }
  std::vector<AccountRow> find(const std::string& key) {
    const Digest digest = sha256(key);
    return run(store->find_lineage(digest));
  }
  /// A child of `parent`; of none if that is not stored.
  AccountRow put(const std::string& name, const AccountRow& parent) {
    AccountRow row = account_row(name);
    row.parent_id = parent.id;
    row.dna = parent.dna;
    row.level = parent.id == 0 ? 0 : parent.level + 1;
    return run(store->put_account(std::move(row)));
  }
  void transact(std::function<void(AccountTransaction&)> work) { run(store->transact(std::move(work))); }
  std::int64_t number(const std::string& sql) const {
    Database database(file(), Database::Mode::read_only);
    return std::stoll(database.value_of(sql));
  }

  [[nodiscard]] std::string file() const { return directory.file("proxyxai.db"); }
  /// The message of the Failure that `act` ends in.
  template <class Act>
  static std::string failure_of(Act act) {
    try {
      act();
    } catch (const Failure& failure) {
      return failure.what();
    }
    ADD_FAILURE() << "no failure";
    return {};
  }

  TempDirectory directory;
  boost::asio::io_context loop;
  std::unique_ptr<SqliteStore> store;
};

void expect_same(const KeyRow& a, const KeyRow& b) {
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.sealed, b.sealed);
  EXPECT_EQ(a.partial, b.partial);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.provider, b.provider);
  EXPECT_EQ(a.level, b.level);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.quota, b.quota);
  EXPECT_EQ(a.enabled, b.enabled);
  EXPECT_EQ(a.health, b.health);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.died_at, b.died_at);
}

TEST_F(StoreFile, KeepsEveryFieldOfAKeyOverARestart) {
  open();
  KeyRow disabled = key_row("b");
  disabled.enabled = false;
  disabled.died_at = from_unix_ms(1'700'000'009'999);
  disabled.name = std::string("quote ' and \0 and é", 20);
  const auto added = add({key_row("a"), disabled});
  reopen();
  const auto rows = run(store->load_keys());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, added.rows[0].id);
  EXPECT_EQ(rows[1].id, added.rows[1].id);
  expect_same(rows[0], key_row("a"));
  expect_same(rows[1], disabled);
}

TEST_F(StoreFile, AddsAKeyOnceByItsFingerprint) {
  open();
  const auto first = add({key_row("a"), key_row("b")});
  EXPECT_THAT(first.is_new, ElementsAre(true, true));
  EXPECT_GT(first.rows[0].id, 0);
  EXPECT_NE(first.rows[0].id, first.rows[1].id);
  KeyRow other = key_row("a");
  other.name = "renamed";
  other.sealed = "sealed otherwise";
  const auto again = add({key_row("c"), other, key_row("c")});
  EXPECT_THAT(again.is_new, ElementsAre(true, false, false));
  EXPECT_EQ(again.rows[1].id, first.rows[0].id);
  expect_same(again.rows[1], key_row("a"));
  EXPECT_EQ(again.rows[2].id, again.rows[0].id);
  EXPECT_EQ(run(store->load_keys()).size(), 3u);
}

TEST_F(StoreFile, AddsAllKeysOfACallOrNone) {
  open();
  KeyRow bad = key_row("b");
  {
    Database other(file(), Database::Mode::read_write);
    other.execute("CREATE TRIGGER refuse BEFORE INSERT ON upstream_keys WHEN new.partial = 'bad!' BEGIN SELECT RAISE(ABORT, 'refused'); END");
  }
  bad.partial = "bad!";
  EXPECT_THROW(add({key_row("a"), bad, key_row("c")}), StorageError);
  EXPECT_THAT(run(store->load_keys()), IsEmpty());
  EXPECT_EQ(add({key_row("a")}).rows.size(), 1u);
}

TEST_F(StoreFile, NeverGivesAnIdTwice) {
  open();
  const auto first = add({key_row("a")}).rows[0].id;
  EXPECT_TRUE(run(store->delete_key(first)));
  reopen();
  EXPECT_GT(add({key_row("b")}).rows[0].id, first);
}

TEST_F(StoreFile, UpdatesWhatAnOperatorMayChangeOnly) {
  open();
  KeyRow row = add({key_row("a"), key_row("b")}).rows[0];
  KeyRow change = row;
  change.name = "new";
  change.provider = "https://new";
  change.level = 5;
  change.weight = 9;
  change.quota = {1, 0, 3};
  change.enabled = false;
  change.sealed = "other";
  change.health = "other";
  change.fingerprint = sha256("other");
  change.died_at = WallTime{};
  EXPECT_TRUE(run(store->update_key(change)));
  const auto rows = run(store->load_keys());
  KeyRow wanted = key_row("a");
  wanted.name = "new";
  wanted.provider = "https://new";
  wanted.level = 5;
  wanted.weight = 9;
  wanted.quota = {1, 0, 3};
  wanted.enabled = false;
  expect_same(rows[0], wanted);
  expect_same(rows[1], key_row("b"));
  change.id = 4711;
  EXPECT_FALSE(run(store->update_key(change)));
}

TEST_F(StoreFile, DeletesOneKey) {
  open();
  const auto added = add({key_row("a"), key_row("b")});
  EXPECT_TRUE(run(store->delete_key(added.rows[0].id)));
  EXPECT_FALSE(run(store->delete_key(added.rows[0].id)));
  const auto rows = run(store->load_keys());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].id, added.rows[1].id);
}

TEST_F(StoreFile, SavesHealth) {
  open();
  const auto added = add({key_row("a"), key_row("b"), key_row("c")});
  const WallTime death = from_unix_ms(1'800'000'000'001);
  run(store->save_health({{added.rows[0].id, "ill", false, death}, {4711, "nobody", true, {}}, {added.rows[2].id, "well", true, {}}}));
  const auto rows = run(store->load_keys());
  EXPECT_EQ(rows[0].health, "ill");
  EXPECT_FALSE(rows[0].enabled);
  EXPECT_EQ(rows[0].died_at, death);
  expect_same(rows[1], key_row("b"));
  EXPECT_EQ(rows[2].health, "well");
  EXPECT_EQ(rows[2].died_at, std::nullopt);
  run(store->save_health({{added.rows[0].id, "back", true, {}}}));
  EXPECT_EQ(run(store->load_keys())[0].died_at, std::nullopt);
}

TEST_F(StoreFile, SweepsOnlyWhatDiedBefore) {
  open();
  const WallTime then = from_unix_ms(1'800'000'000'000);
  KeyRow before = key_row("before"), at = key_row("at"), after = key_row("after");
  before.died_at = then - milliseconds{1};
  at.died_at = then;
  after.died_at = then + milliseconds{1};
  add({before, at, after, key_row("alive")});
  EXPECT_EQ(run(store->sweep_dead(then)), 1u);
  EXPECT_EQ(run(store->sweep_dead(then)), 0u);
  std::vector<std::string> left;
  for (const KeyRow& row : run(store->load_keys())) left.push_back(row.name);
  EXPECT_THAT(left, ElementsAre("name of at", "name of after", "name of alive"));
}

TEST_F(StoreFile, FindsAccountsByWholeKeyAndByName) {
  open();
  const AccountRow stored = run(store->put_account(account_row("root")));
  run(store->put_account(account_row("other")));
  EXPECT_GT(stored.id, 0);
  const auto lineage = find("key of root");
  ASSERT_EQ(lineage.size(), 1u);
  const AccountRow& found = lineage[0];
  EXPECT_EQ(found.id, stored.id);
  EXPECT_EQ(found.name, "root");
  EXPECT_EQ(found.email, "root@example.com");
  EXPECT_EQ(found.partial, "tail of root");
  EXPECT_EQ(found.key_digest, sha256("key of root"));
  EXPECT_EQ(found.dna, "." + std::to_string(stored.id) + ".");
  EXPECT_TRUE(found.is_root);
  EXPECT_TRUE(found.enabled);
  EXPECT_EQ(found.created_at, from_unix_ms(1'700'000'000'456));
  EXPECT_THAT(find("key of roo"), IsEmpty());
  EXPECT_EQ(run(store->find_by_name("ROOT"))->id, stored.id);
  EXPECT_FALSE(run(store->find_by_name("root'--")).has_value());
  EXPECT_FALSE(run(store->find_by_name("other"))->is_root);
}

TEST_F(StoreFile, FindsAnAccountBehindItsAncestors) {
  open();
  const AccountRow top = put("root", {}), middle = put("middle", top), low = put("low", middle);
  put("sibling", top);
  const auto by_key = find("key of low"), by_id = run(store->find_lineage(low.id));
  ASSERT_EQ(by_key.size(), 3u);
  EXPECT_EQ(by_key[0].id, top.id);
  EXPECT_EQ(by_key[1].id, middle.id);
  EXPECT_EQ(by_key[2].id, low.id);
  EXPECT_EQ(by_key[2].dna, top.dna + std::to_string(middle.id) + "." + std::to_string(low.id) + ".");
  EXPECT_EQ(by_key[2].level, 2);
  EXPECT_EQ(by_key[0].children, 2);
  EXPECT_EQ(by_id.size(), 3u);
  EXPECT_THAT(run(store->find_lineage(4711)), IsEmpty());
}

TEST_F(StoreFile, ListsChildrenAndDescendantsNewestFirst) {
  open();
  // .1. and .10. begin alike.
  std::vector<AccountRow> rows{put("root", {})};
  for (int i = 2; i <= 12; ++i) rows.push_back(put("n" + std::to_string(i), rows[i <= 4 ? 0 : 1]));
  const auto names = [this](AccountQuery query) {
    std::vector<std::string> list;
    for (const AccountRow& each : run(store->list_accounts(std::move(query)))) list.push_back(each.name);
    return list;
  };
  AccountQuery query;
  query.of = rows[0];
  EXPECT_THAT(names(query), ElementsAre("n4", "n3", "n2"));
  query.descendants = true;
  EXPECT_EQ(names(query).size(), 11u);
  query.size = 2;
  query.offset = 1;
  EXPECT_THAT(names(query), ElementsAre("n11", "n10"));
  query = {};
  query.of = rows[1];
  query.descendants = true;
  EXPECT_EQ(names(query).size(), 8u);
  query.name = "N7";
  EXPECT_THAT(names(query), ElementsAre("n7"));
  query.name = "n3";
  EXPECT_THAT(names(query), IsEmpty()) << "a sibling's";
  query.name.clear();
  query.id = rows[0].id;
  EXPECT_THAT(names(query), IsEmpty()) << "its parent";
  query.id.reset();
  query.email = "n8@EXAMPLE.com";
  EXPECT_THAT(names(query), ElementsAre("n8"));
}

TEST_F(StoreFile, ReplacesKeyAndMailOfAnAccountOnly) {
  open();
  const auto id = run(store->put_account(account_row("root"))).id;
  AccountRow change = account_row("root");
  change.key_digest = sha256("new");
  change.email = "new@example.com";
  change.partial = "new";
  change.is_root = false;
  change.created_at = {};
  const AccountRow stored = run(store->put_account(change));
  EXPECT_EQ(stored.id, id);
  EXPECT_EQ(stored.email, "new@example.com");
  EXPECT_EQ(stored.partial, "new");
  EXPECT_TRUE(stored.is_root);
  EXPECT_EQ(stored.created_at, account_row("root").created_at);
  EXPECT_THAT(find("key of root"), IsEmpty());
  EXPECT_EQ(find("new").at(0).id, id);
}

TEST_F(StoreFile, GivesAKeyToOneAccountOnly) {
  open();
  run(store->put_account(account_row("a")));
  AccountRow thief = account_row("b");
  thief.key_digest = account_row("a").key_digest;
  EXPECT_THROW(run(store->put_account(thief)), StorageError);
  EXPECT_EQ(find("key of a").at(0).name, "a");
  EXPECT_FALSE(run(store->find_by_name("b")).has_value());
}

TEST_F(StoreFile, KeepsEveryFieldOfAnAccountOverARestart) {
  open();
  AccountRow row = put("root", {});
  row.alias = "alias";
  row.billing_email = "billing@example.com";
  row.enabled = false;
  row.rates = 1'234'567'890;
  row.hard_limit = {111};
  row.soft_limit = {112};
  row.limits = {1, 2, 3, 4, 5, 6, 7};
  row.child_limit = 8;
  row.allow_ips = "10.0.0.0/8";
  row.allow_models = "gpt-4o";
  row.resources = "/v1/chat";
  row.model_limits = "{}";
  row.drains_aborted = true;
  row.overdraft = {113};
  row.credit_granted = {114};
  row.credit_used = {115};
  row.requests = 116;
  row.month = 202611;
  row.month_used = {117};
  row.rolled_to = 118;
  row.updated_at = from_unix_ms(1'800'000'000'001);
  transact([&](AccountTransaction& transaction) { transaction.update(row); });
  reopen();
  const AccountRow found = find("key of root").at(0);
  EXPECT_EQ(found.alias, row.alias);
  EXPECT_EQ(found.billing_email, row.billing_email);
  EXPECT_EQ(found.enabled, row.enabled);
  EXPECT_EQ(found.rates, row.rates);
  EXPECT_EQ(found.hard_limit, row.hard_limit);
  EXPECT_EQ(found.soft_limit, row.soft_limit);
  EXPECT_EQ(found.limits, row.limits);
  EXPECT_EQ(found.child_limit, row.child_limit);
  EXPECT_EQ(found.allow_ips, row.allow_ips);
  EXPECT_EQ(found.allow_models, row.allow_models);
  EXPECT_EQ(found.resources, row.resources);
  EXPECT_EQ(found.model_limits, row.model_limits);
  EXPECT_EQ(found.drains_aborted, row.drains_aborted);
  EXPECT_EQ(found.overdraft, row.overdraft);
  EXPECT_EQ(found.credit_granted, row.credit_granted);
  EXPECT_EQ(found.credit_used, row.credit_used);
  EXPECT_EQ(found.requests, row.requests);
  EXPECT_EQ(found.month, row.month);
  EXPECT_EQ(found.month_used, row.month_used);
  EXPECT_EQ(found.rolled_to, row.rolled_to);
  EXPECT_EQ(found.updated_at, row.updated_at);
}

TEST_F(StoreFile, ATransactionIsStoredWholeOrNotAtAll) {
  open();
  const AccountRow root = put("root", {});
  EXPECT_THROW(transact([&](AccountTransaction& transaction) {
                 transaction.add(TransferRow{{}, "grant", counterpart::issue, root.id, {5}, 0});
                 transaction.add(TransferRow{{}, "grant", counterpart::issue, root.id, {-5}, 0});
               }),
               StorageError);
  EXPECT_EQ(number("SELECT COUNT(*) FROM transfers"), 0);
}

TEST_F(StoreFile, KeepsTheCardsOfAnAccount) {
  open();
  const AccountRow root = put("root", {});
  std::vector<CardRow> cards(2);
  cards[0].amount = cards[0].balance = {70};
  cards[0].expires_at = from_unix_ms(2'000);
  cards[0].reference = "later";
  cards[1].amount = cards[1].balance = {50};
  cards[1].expires_at = from_unix_ms(1'000);
  transact([&](AccountTransaction& transaction) { transaction.put_cards(root.id, cards); });
  auto stored = run(store->list_cards(root.id));
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].balance, Money{50});
  EXPECT_EQ(stored[1].reference, "later");
  AccountRow found = find("key of root").at(0);
  EXPECT_EQ(found.balance(), Money{120});
  stored.erase(stored.begin());
  stored[0].balance = {60};
  std::vector<AccountId> expired;
  transact([&](AccountTransaction& transaction) {
    transaction.put_cards(root.id, stored);
    expired = transaction.with_expired_cards(from_unix_ms(1'999), 10);
  });
  EXPECT_THAT(expired, IsEmpty());
  stored = run(store->list_cards(root.id));
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].amount, Money{70});
  EXPECT_EQ(stored[0].balance, Money{60});
}

TEST_F(StoreFile, AMovementTwiceIsOne) {
  open();
  const AccountRow root = put("root", {});
  UsageRow row;
  row.id = 1'800'000'000'000'000;
  row.account_id = root.id;
  row.cost = {7};
  transact([&](AccountTransaction& transaction) {
    transaction.add(row);
    transaction.add(row);
  });
  EXPECT_EQ(number("SELECT COUNT(*) FROM requests"), 1);
  EXPECT_EQ(number("SELECT SUM(amount) FROM entries"), 0);
  EXPECT_EQ(number("SELECT SUM(amount) FROM entries WHERE account_id = " + std::to_string(root.id)), -7);
}

TEST_F(StoreFile, RequestsOfAGroupAreReadBackAsTheyWere) {
  open();
  const AccountRow root = put("root", {});
  UsageRow first;
  first.id = 1'800'000'000'000'001;
  first.account_id = root.id;
  first.model = run(store->word("model"));
  first.path = run(store->word("path"));
  first.status = 200;
  first.attempts = 3;
  first.key_id = 4;
  first.input = 50;
  first.cached = 6;
  first.output = 70;
  first.cost = {800};
  first.list_cost = {900};
  first.duration_ms = 1'000;
  first.first_byte_ms = 110;
  first.stream = true;
  first.request_id = "req_of_the_first";
  UsageRow second = first;
  second.id += 1;
  second.status = 499;
  second.stream = false;
  second.estimated = true;
  second.request_id.clear();
  UsageRow twice = first;
  twice.cost = {1};
  const std::array<const UsageRow*, 3> group{&first, &second, &twice};
  transact([&](AccountTransaction& transaction) {
    transaction.add(group);
    transaction.add_to_account(root.id, {{first.id, first.model}, {second.id, second.model}});
  });
  RequestQuery query;
  query.of = root;
  const auto shown = run(store->list_requests(query));
  ASSERT_EQ(shown.size(), 2u) << "each once, by its id";
  for (const auto& [told, row] : {std::pair(shown[1], first), std::pair(shown[0], second)}) {
    EXPECT_EQ(told.model, "model");
    EXPECT_EQ(told.path, "path");
    EXPECT_EQ(told.row.id, row.id);
    EXPECT_EQ(told.row.account_id, row.account_id);
    EXPECT_EQ(told.row.status, row.status);
    EXPECT_EQ(told.row.attempts, row.attempts);
    EXPECT_EQ(told.row.key_id, row.key_id);
    EXPECT_EQ(told.row.input, row.input);
    EXPECT_EQ(told.row.cached, row.cached);
    EXPECT_EQ(told.row.output, row.output);
    EXPECT_EQ(told.row.cost, row.cost);
    EXPECT_EQ(told.row.list_cost, row.list_cost);
    EXPECT_EQ(told.row.duration_ms, row.duration_ms);
    EXPECT_EQ(told.row.first_byte_ms, row.first_byte_ms);
    EXPECT_EQ(told.row.stream, row.stream);
    EXPECT_EQ(told.row.estimated, row.estimated);
    EXPECT_EQ(told.row.request_id, row.request_id);
  }
}

TEST_F(StoreFile, RequestsKeepTheirIdsWhateverTheirOrder) {
  open();
  const AccountRow root = put("root", {});
  const auto add_rows = [&](const std::vector<std::int64_t>& ids) {
    std::vector<UsageRow> rows(ids.size());
    std::vector<const UsageRow*> group;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      rows[i].id = ids[i];
      rows[i].account_id = root.id;
      rows[i].request_id = std::to_string(ids[i]);
      group.push_back(&rows[i]);
    }
    transact([&](AccountTransaction& transaction) { transaction.add(group); });
  };
  add_rows({1'000, 1'001, 1'002});
  add_rows({1'003, 1'005, 1'006, 1'004, 1'007, 1'006, 1'007});
  add_rows({999, 1'000, 1'008, 1'001, 1'009});
  add_rows({1'500});
  add_rows({1'501, 1'010});
  Database look(file(), Database::Mode::read_only);
  std::vector<std::int64_t> stored;
  Statement row = look.prepare("SELECT id, request_id FROM requests ORDER BY id");
  while (row.step()) {
    stored.push_back(row.integer(0));
    EXPECT_EQ(row.text(1), std::to_string(row.integer(0)));
  }
  EXPECT_THAT(stored, ElementsAre(999, 1'000, 1'001, 1'002, 1'003, 1'004, 1'005, 1'006, 1'007, 1'008, 1'009, 1'010, 1'500, 1'501));
}

TEST_F(StoreFile, ForgetsTheNameOfADeletedAccountButNotWhatItUsed) {
  open();
  const AccountRow root = put("root", {}), kid = put("kid", root);
  UsageRow row;
  row.id = 5;
  row.account_id = kid.id;
  row.request_id = "req_5";
  transact([&](AccountTransaction& transaction) {
    transaction.add(row);
    transaction.add_to_account(kid.id, {{row.id, row.model}});
    transaction.remove(kid.id, from_unix_ms(1));
  });
  EXPECT_FALSE(run(store->find_by_name("kid")).has_value());
  EXPECT_THAT(find("key of kid"), IsEmpty());
  EXPECT_EQ(find("key of root").at(0).children, 0);
  RequestQuery query;
  query.of = root;
  const auto requests = run(store->list_requests(query));
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].row.request_id, "req_5");
  EXPECT_NE(put("kid", root).id, kid.id);
}

TEST_F(StoreFile, ListsRequestsNewestFirstOfAFewAccountsAndOfMany) {
  open();
  const AccountRow root = put("root", {}), kid = put("kid", root), stranger = put("other", {});
  const std::int64_t a = run(store->word("model-a")), b = run(store->word("model-b"));
  EXPECT_EQ(run(store->word("model-a")), a);
  transact([&](AccountTransaction& transaction) {
    for (std::int64_t id = 1; id <= 30; ++id) {
      UsageRow row;
      row.id = id;
      row.account_id = id % 3 == 0 ? root.id : id % 3 == 1 ? kid.id : stranger.id;
      row.model = id % 2 == 0 ? a : b;
      transaction.add(row);
      transaction.add_to_account(row.account_id, {{row.id, row.model}});
    }
  });
  const auto ids = [this](RequestQuery query) {
    std::vector<std::int64_t> list;
    for (const ShownRequest& each : run(store->list_requests(std::move(query)))) list.push_back(each.row.id);
    return list;
  };
  for (const bool many : {false, true}) {
    RequestQuery query;
    query.of = root;
    query.size = 3;
    EXPECT_THAT(ids(query), ElementsAre(30, 28, 27)) << many;
    query.offset = 2;
    EXPECT_THAT(ids(query), ElementsAre(27, 25, 24)) << many;
    query.offset = 0;
    query.before = 28;
    EXPECT_THAT(ids(query), ElementsAre(27, 25, 24)) << many;
    query.from = 25;
    EXPECT_THAT(ids(query), ElementsAre(27, 25)) << many;
    query = {};
    query.of = root;
    query.model = "model-a";
    query.size = 2;
    EXPECT_THAT(ids(query), ElementsAre(30, 28)) << many;
    query.model = "no such model";
    EXPECT_THAT(ids(query), IsEmpty()) << many;
    query = {};
    query.of = root;
    query.user = kid.id;
    query.size = 2;
    EXPECT_THAT(ids(query), ElementsAre(28, 25)) << many;
    query = {};
    query.of = kid;
    EXPECT_EQ(ids(query).size(), 10u) << many;
    if (many) break;
    for (int i = 0; i < 400; ++i) put("more" + std::to_string(i), root);
  }
}

TEST_F(StoreFile, AThousandAnswersOfACallerAreKeptAndTheOldestGiveWay) {
  open();
  constexpr int count = AccountTransaction::most_answers;
  std::vector<bool> mine;
  bool others = false;
  transact([&](AccountTransaction& transaction) {
    // The keys go down while time goes up: neither order may stand for the other.
    const auto key = [](int i) { return std::to_string(9'999 - i); };
    transaction.keep_answer(8, "of another", {}, from_unix_ms(0));
    for (int i = 0; i < count + 2; ++i) transaction.keep_answer(7, key(i), {}, from_unix_ms(i));
    for (const int i : {0, 1, 2, count + 1}) mine.push_back(transaction.answer(7, key(i)).has_value());
    others = transaction.answer(8, "of another").has_value();
  });
  EXPECT_THAT(mine, ElementsAre(false, false, true, true));
  EXPECT_TRUE(others);
}

TEST_F(StoreFile, KeepsAnswersUntilTheyAreOld) {
  open();
  const AccountRow root = put("root", {});
  AccountTransaction::Answer answer{sha256("call"), std::string("sealed\0bytes", 12)};
  transact([&](AccountTransaction& transaction) { transaction.keep_answer(root.id, "key", answer, from_unix_ms(100)); });
  std::optional<AccountTransaction::Answer> mine, others, later;
  transact([&](AccountTransaction& transaction) {
    mine = transaction.answer(root.id, "key");
    others = transaction.answer(root.id + 1, "key");
    EXPECT_EQ(transaction.forget_answers(from_unix_ms(100)), 0u);
    EXPECT_EQ(transaction.forget_answers(from_unix_ms(101)), 1u);
    later = transaction.answer(root.id, "key");
  });
  ASSERT_TRUE(mine.has_value());
  EXPECT_EQ(mine->request, answer.request);
  EXPECT_EQ(mine->sealed, answer.sealed);
  EXPECT_FALSE(others.has_value());
  EXPECT_FALSE(later.has_value());
}

TEST_F(StoreFile, SecondDaemonOnADirectoryIsRefused) {
  open();
  const std::string said = failure_of([&] { SqliteStore second(loop, directory.path(), {}); });
  EXPECT_THAT(said, HasSubstr(directory.path()));
  EXPECT_THAT(said, HasSubstr("another proxyxai"));
  // The offline commands may work beside it, and the first goes on.
  SqliteStore beside(loop, directory.path(), {.exclusive = false});
  run(beside.add_keys({key_row("b")}));
  add({key_row("a")});
  EXPECT_EQ(run(store->load_keys()).size(), 2u);
  store.reset();
  open();
  EXPECT_EQ(run(store->load_keys()).size(), 2u);
}

/// StoreFileModes that hold whatever the umask of the process is.
class StoreFileModes : public StoreFile, public testing::WithParamInterface<mode_t> {
 protected:
  StoreFileModes() : before_(::umask(GetParam())) {}
  ~StoreFileModes() override { ::umask(before_); }

 private:
  const mode_t before_;
};

TEST_P(StoreFileModes, AreForTheOwnerOnly) {
  const std::string path = directory.file("data");
  store = std::make_unique<SqliteStore>(loop, path, SqliteStore::Options{});
  run(store->add_keys({key_row("a")}));
  Sealer::open(Secret(), path);
  backup_database(path, directory.file("backup.db"));
  EXPECT_EQ(mode_of(path), 0700u);
  EXPECT_EQ(mode_of(directory.file("backup.db")), 0600u);
  std::size_t files = 0;
  for (const auto& each : std::filesystem::directory_iterator(path)) {
    EXPECT_EQ(mode_of(each.path().string()), 0600u) << each.path();
    ++files;
  }
  EXPECT_GE(files, 5u);  // database, -wal, -shm, lock and master.key
}

INSTANTIATE_TEST_SUITE_P(Umasks, StoreFileModes, testing::Values(0, 022, 077), [](const auto& about) { return "umask_" + std::to_string(about.param); });

TEST_F(StoreFile, NarrowsTheModesOfWhatIsThere) {
  directory.write("proxyxai.db", "");
  ::chmod(directory.path().c_str(), 0777);
  ::chmod(file().c_str(), 0666);
  open();
  EXPECT_EQ(mode_of(directory.path()), 0700u);
  EXPECT_EQ(mode_of(file()), 0600u);
}

TEST_F(StoreFile, DirectoryThatCannotBeIsAFailureByName) {
  directory.write("file", "");
  const std::string in_file = directory.file("file/data");
  EXPECT_THAT(failure_of([&] { SqliteStore refused(loop, in_file, {}); }), HasSubstr(in_file));
}

TEST_F(StoreFile, NewerSchemaIsRefused) {
  open();
  add({key_row("a")});
  store.reset();
  {
    Database other(file(), Database::Mode::read_write);
    EXPECT_EQ(other.value_of("PRAGMA user_version"), std::to_string(schema_version()));
    other.execute("PRAGMA user_version = " + std::to_string(schema_version() + 7));
  }
  const std::string said = failure_of([&] { open(); });
  EXPECT_THAT(said, HasSubstr("schema " + std::to_string(schema_version() + 7)));
  EXPECT_THAT(said, HasSubstr("newer"));
  Database other(file(), Database::Mode::read_write);
  EXPECT_EQ(other.value_of("SELECT count(*) FROM upstream_keys"), "1") << "a refused database is left alone";
}

TEST_F(StoreFile, OfSchema2GetsItsRequestsByAccountInsteadOfAnIndex) {
  {
    Database old(file(), Database::Mode::read_write);
    migrate(old, file(), 2);
    const auto account = [&old](AccountId id, const char* name, std::int64_t rolled_to) {
      old.execute("INSERT INTO accounts SELECT " + std::to_string(id) + ", 0, 0, '." + std::to_string(id) + ".', " + name +
                  ", '', '', '', NULL, '', 0, 1, 1000000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1000, 0, '', '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, " +
                  std::to_string(rolled_to));
    };
    account(1, "'quick'", 40);
    account(2, "'slow'", 21);
    account(3, "NULL", 0);
    old.execute("INSERT INTO requests SELECT value, value % 3 + 1, value % 2, 0, 200, 1, 0, 0, 0, 0, 7, 7, 0, 0, 0, '' FROM json_each('[40,39,24,22,20,19,18,41]')");
    old.execute("INSERT INTO marks (name, value) VALUES ('rolled up', 41)");
  }
  open();
  EXPECT_EQ(number("SELECT COUNT(*) FROM sqlite_master WHERE tbl_name = 'requests' AND type = 'index'"), 0);
  EXPECT_EQ(number("SELECT COUNT(*) FROM requests"), 8);
  // 39, 24 and 18 are of the first; 40, 22 and 19 of the second, of which it has taken in the last; 41 and 20 of the deleted one.
  std::vector<std::string> listed;
  {
    Database look(file(), Database::Mode::read_only);
    Statement row = look.prepare("SELECT account_id || ':' || id || ':' || model FROM account_requests");
    while (row.step()) listed.push_back(row.text(0));
  }
  EXPECT_THAT(listed, ElementsAre("1:18:0", "1:24:0", "1:39:1", "2:19:1"));
  EXPECT_EQ(number("SELECT value FROM marks WHERE name = 'rolled up'"), 21) << "from there on nobody's are missed";
  EXPECT_EQ(number("SELECT SUM(amount) FROM entries WHERE account_id = 2"), -14);
  std::map<AccountId, UsageSum> left;
  transact([&left](AccountTransaction& transaction) { left = transaction.usage_not_rolled_up(); });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[2].after, 21);
  EXPECT_EQ(left[2].last, 40);
  EXPECT_EQ(left[2].requests.size(), 2u);
}

TEST_F(StoreFile, FindsWhatIsNotRolledUpForFewAccountsAsForMany) {
  open();
  std::vector<AccountRow> rows;
  for (int i = 0; i < 6; ++i) rows.push_back(put("n" + std::to_string(i), {}));
  transact([&rows](AccountTransaction& transaction) {
    for (std::int64_t id = 1; id <= 60; ++id) {
      UsageRow row;
      row.id = id;
      row.account_id = rows[static_cast<std::size_t>(id) % 6].id;
      row.cost = {id};
      transaction.add(row);
    }
    for (AccountRow& each : rows) {
      each.rolled_to = 30;
      transaction.update(each);
    }
    transaction.set_mark(AccountTransaction::rolled_up, 20);
  });
  transact([&rows](AccountTransaction& transaction) {
    const auto all = transaction.usage_not_rolled_up();
    EXPECT_EQ(all.size(), 6u);
    for (const AccountRow& each : rows) {
      const UsageSum sum = transaction.usage_after(each.id, 30);
      EXPECT_EQ(sum.after, 30);
      EXPECT_EQ(sum.last, all.at(each.id).last);
      ASSERT_EQ(sum.requests.size(), 5u);
      EXPECT_EQ(sum.requests.front().id, all.at(each.id).requests.front().id);
      EXPECT_EQ(sum.days.at(0).cost, all.at(each.id).days.at(0).cost);
    }
    UsageRow late;
    late.id = 61;
    late.account_id = rows[0].id;
    transaction.add(late);
    EXPECT_EQ(transaction.usage_after(rows[0].id, 30).last, 61) << "also what the transaction itself has added";
    EXPECT_EQ(transaction.usage_after(rows[1].id, 55).last, 55) << "it has taken them in";
  });
}

TEST_F(StoreFile, FileThatIsNoDatabaseIsRefused) {
  directory.write("proxyxai.db", std::string(4096, 'x'));
  EXPECT_THAT(failure_of([&] { open(); }), HasSubstr("restore a backup"));
  EXPECT_EQ(read_whole_file(file()), std::string(4096, 'x'));
}

TEST_F(StoreFile, BacksUpWhatADaemonUses) {
  open();
  add({key_row("a")});
  run(store->put_account(account_row("root")));
  const TempDirectory other;
  backup_database(directory.path(), other.file("proxyxai.db"));
  add({key_row("later")});
  EXPECT_EQ(mode_of(other.file("proxyxai.db")), 0600u);
  EXPECT_THAT(check_database(other.path()), IsEmpty());
  boost::asio::io_context second_loop;
  SqliteStore copy(second_loop, other.path(), {});
  const auto rows = run_task(second_loop, copy.load_keys());
  ASSERT_EQ(rows.size(), 1u);
  expect_same(rows[0], key_row("a"));
  EXPECT_TRUE(run_task(second_loop, copy.find_by_name("root")).has_value());
}

TEST_F(StoreFile, BackupOverwritesNothing) {
  open();
  const std::string target = directory.file("target");
  directory.write("target", "precious");
  EXPECT_THAT(failure_of([&] { backup_database(directory.path(), target); }), HasSubstr(target));
  EXPECT_EQ(read_whole_file(target), "precious");
  EXPECT_THROW(backup_database(directory.path(), directory.file("nowhere/b.db")), Failure);
  EXPECT_THAT(failure_of([&] { backup_database(directory.file("nothing"), directory.file("b.db")); }), HasSubstr("nothing"));
  EXPECT_FALSE(std::filesystem::exists(directory.file("b.db")));
}

TEST_F(StoreFile, CheckFindsDamage) {
  open();
  std::vector<KeyRow> rows;
  for (int i = 0; i < 200; ++i) rows.push_back(key_row("key" + std::to_string(i)));
  add(rows);
  EXPECT_THAT(check_database(directory.path()), IsEmpty()) << "beside a daemon";
  store.reset();
  EXPECT_THAT(check_database(directory.path()), IsEmpty());
  std::string content = read_whole_file(file());
  // A row that its index no longer knows.
  const auto at = content.find("key150");
  ASSERT_NE(at, content.npos);
  const Digest digest = sha256("key150");
  const std::string bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  const auto place = content.find(bytes);
  ASSERT_NE(place, content.npos);
  content[place] = static_cast<char>(content[place] ^ 1);
  directory.write("proxyxai.db", content);
  EXPECT_THAT(check_database(directory.path()), Not(IsEmpty()));
}

TEST_F(StoreFile, CheckOfNothingIsAFailureByName) {
  EXPECT_THAT(failure_of([&] { check_database(directory.file("none")); }), HasSubstr("none/proxyxai.db"));
}

TEST_F(StoreFile, SecretsAreNeverInItsFiles) {
  open();
  const Secret secret("sk-Canary0123456789abcdefghijklmnop");
  const Sealer sealer = Sealer::open(Secret(), directory.path());
  KeyRow row = key_row("x");
  row.fingerprint = sha256(secret.reveal());
  row.sealed = sealer.seal(secret, row.fingerprint);
  row.partial = secret.tail(4);
  add({row});
  std::size_t files = 0, marks = 0;
  for (const bool running : {true, false}) {
    if (!running) {
      backup_database(directory.path(), directory.file("backup.db"));
      store.reset();
    }
    for (const auto& each : std::filesystem::directory_iterator(directory.path())) {
      const std::string content = read_whole_file(each.path().string());
      EXPECT_EQ(content.find("Canary"), content.npos) << each.path();
      EXPECT_EQ(content.find("0123456789abcdefghijklmnop"), content.npos) << each.path();
      marks += content.find("name of x") != content.npos;
      ++files;
    }
  }
  EXPECT_GE(files, 8u);
  EXPECT_GE(marks, 3u) << "the row itself is not in the files that were searched";
  open();
  const auto rows = run(store->load_keys());
  ASSERT_EQ(rows.size(), 1u);
  const auto unsealed = sealer.unseal(rows[0].sealed, rows[0].fingerprint);
  ASSERT_TRUE(unsealed.has_value());
  EXPECT_TRUE(*unsealed == secret);
}

}  // namespace
}  // namespace proxyxai
