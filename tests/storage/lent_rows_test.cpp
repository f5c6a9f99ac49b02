#include <gmock/gmock.h>

#include "proxyxai/storage/database.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Lent : public testing::Test {
 protected:
  Lent() { database.execute("CREATE TABLE kept (a, b, c, text, CHECK (a < 100))"); }

  std::vector<std::string> kept() {
    std::vector<std::string> rows;
    Statement row = database.prepare("SELECT quote(a) || ' ' || quote(b) || ' ' || quote(c) || ' ' || quote(text) FROM kept ORDER BY rowid");
    while (row.step()) rows.push_back(row.text(0));
    return rows;
  }

  static constexpr std::string_view take = "INSERT INTO kept SELECT n0, n1, n14, text FROM lent";
  const TempDirectory directory;
  Database database{directory.file("lent.db"), Database::Mode::read_write};
};

TEST_F(Lent, RowsAreReadInOrder) {
  LentRows rows;
  rows.width = 2;
  rows.numbers = {1, -2, LentRows::null, INT64_MAX, 5, INT64_MIN + 1};
  rows.texts = {"one", std::string_view(), "it's \xc3\xa9"};
  database.run(take, rows);
  EXPECT_THAT(kept(), ElementsAre("1 -2 NULL 'one'", "NULL 9223372036854775807 NULL ''", "5 -9223372036854775807 NULL 'it''s \xc3\xa9'"));
}

TEST_F(Lent, AllColumnsAndNoTexts) {
  LentRows rows;
  rows.width = LentRows::most_numbers;
  for (std::int64_t i = 0; i < 30; ++i) rows.numbers.push_back(i);
  database.run(take, rows);
  EXPECT_THAT(kept(), ElementsAre("0 1 14 NULL", "15 16 29 NULL"));
}

TEST_F(Lent, ThereAreNoneBeforeAndAfter) {
  database.run(take);
  EXPECT_THAT(kept(), IsEmpty());
  LentRows rows;
  database.run(take, rows);
  EXPECT_THAT(kept(), IsEmpty());
  rows.numbers = {1, 2, 3};
  database.run(take, rows);
  rows.numbers.clear();
  database.run(take);
  EXPECT_THAT(kept(), ElementsAre("1 NULL NULL NULL", "2 NULL NULL NULL", "3 NULL NULL NULL"));
}

TEST_F(Lent, AStatementThatFailsKeepsNothingAndBorrowsNothing) {
  LentRows rows;
  rows.numbers = {1, 2, 100, 4};
  EXPECT_THROW(database.run(take, rows), StorageError);
  database.run(take);
  EXPECT_THAT(kept(), IsEmpty());
  rows.numbers = {99};
  database.run(take, rows);
  EXPECT_THAT(kept(), ElementsAre("99 NULL NULL NULL"));
}

TEST_F(Lent, IsNoTableThatCouldBeChanged) {
  for (const char* sql : {"INSERT INTO lent (n0) VALUES (1)", "DELETE FROM lent", "DROP TABLE lent", "CREATE VIRTUAL TABLE other USING lent"}) {
    EXPECT_THROW(database.execute(sql), StorageError) << sql;
  }
  EXPECT_EQ(database.value_of("SELECT COUNT(*) FROM sqlite_schema WHERE name <> 'kept'"), "0");
}

}  // namespace
}  // namespace proxyxai
