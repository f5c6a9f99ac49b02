#include <filesystem>

#include <gmock/gmock.h>

#include "proxyxai/keys/seal.hpp"
#include "proxyxai/storage/offline.hpp"
#include "proxyxai/storage/sqlite_store.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::IsEmpty;

/// What `schemas/make` gave with the last program of that schema: real rows of keys, accounts, money and requests.
class Schema : public testing::TestWithParam<int> {
 protected:
  Schema() {
    const std::string sql = read_whole_file(PROXYXAI_SCHEMAS "/schema-" + std::to_string(GetParam()) + ".sql");
    Database database(file(), Database::Mode::read_write);
    database.execute(sql);
    before_ = counts(database);
    EXPECT_EQ(database.value_of("PRAGMA user_version"), std::to_string(GetParam()));
  }

  /// How many rows each table has that every schema has had, for they must be there afterwards.
  static std::vector<std::string> counts(Database& database) {
    std::vector<std::string> found;
    for (const char* sql : {"SELECT COUNT(*) || ' keys' FROM upstream_keys", "SELECT COUNT(*) || ' accounts' FROM accounts"}) found.push_back(database.value_of(sql));
    if (std::stoi(database.value_of("PRAGMA user_version")) < 2) return found;
    for (const char* sql : {"SELECT COUNT(*) || ' requests, ' || SUM(cost) FROM requests", "SELECT COUNT(*) || ' cards, ' || SUM(balance) FROM cards",
                            "SELECT COUNT(*) || ' transfers, ' || SUM(amount) FROM transfers", "SELECT COUNT(*) || ' answers' FROM answers"}) {
      found.push_back(database.value_of(sql));
    }
    return found;
  }

  [[nodiscard]] std::string file() const { return directory_.file("proxyxai.db"); }

  const TempDirectory directory_;
  std::vector<std::string> before_;
  boost::asio::io_context loop_;
};

TEST_P(Schema, IsBroughtUpToDateWithAllThatIsInIt) {
  {
    SqliteStore store(loop_, directory_.path(), {});
    const Sealer sealer = Sealer::with(Secret("the master key of the schemas' fixtures"));
    const std::vector<KeyRow> keys = run_task(loop_, store.load_keys());
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_EQ(sealer.unseal(keys[0].sealed, keys[0].fingerprint)->reveal(), "sk-fixture-key-number-one-0001");
    EXPECT_EQ(sealer.unseal(keys[1].sealed, keys[1].fingerprint)->reveal(), "sk-fixture-key-number-two-0002");
    const std::vector<AccountRow> roots = run_task(loop_, store.find_lineage(sha256("sk-Xvs4Tq8Zk2Vn7Wb1Yd6Lf3Hc9Rj5Xm0Pg4Sa8Ue2Iw7Oq1Nx")));
    ASSERT_EQ(roots.size(), 1u);
    EXPECT_TRUE(roots[0].is_root);
  }
  EXPECT_THAT(check_database(directory_.path()), IsEmpty());
  Database now(file(), Database::Mode::read_only);
  EXPECT_EQ(now.value_of("PRAGMA user_version"), std::to_string(schema_version()));
  const auto after = counts(now);
  for (std::size_t i = 0; i < before_.size(); ++i) EXPECT_EQ(after[i], before_[i]);
}

TEST_P(Schema, IsKeptAsItWas) {
  SqliteStore(loop_, directory_.path(), {});
  const std::string copy = file() + ".before-v" + std::to_string(schema_version());
  EXPECT_EQ(std::filesystem::exists(copy), GetParam() < schema_version());
  if (GetParam() == schema_version()) return;
  Database kept(copy, Database::Mode::read_only);
  EXPECT_EQ(kept.value_of("PRAGMA user_version"), std::to_string(GetParam()));
  EXPECT_EQ(counts(kept), before_);
}

TEST_P(Schema, CanBeRestored) {
  const TempDirectory elsewhere;
  EXPECT_EQ(restore_database(elsewhere.path(), file()), "");
  SqliteStore(loop_, elsewhere.path(), {});
  EXPECT_THAT(check_database(elsewhere.path()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Versions, Schema, testing::Range(1, schema_version() + 1), [](const auto& about) { return std::to_string(about.param); });

}  // namespace
}  // namespace proxyxai
