#include "proxyxai/accounts/directory.hpp"

#include <functional>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace proxyxai {
namespace {

/// A store whose every query does what the test says in its middle.
class ScriptedStore final : public AccountStore {
 public:
  explicit ScriptedStore(boost::asio::io_context& loop) : loop_(loop) {}
  Task<std::optional<AccountRow>> find_by_key(Digest) override {
    ++queries;
    const std::optional<AccountRow> answer = row;
    co_await boost::asio::post(loop_.get_executor(), use_task);
    if (meanwhile) meanwhile();
    if (fails) throw StorageError("disk on fire");
    co_return answer;
  }
  Task<std::optional<AccountRow>> find_by_name(std::string) override { co_return std::nullopt; }
  Task<AccountRow> put_account(AccountRow given) override { co_return given; }
  Task<std::vector<AccountRow>> load_recent_accounts(std::size_t) override { co_return std::vector<AccountRow>(); }

  std::optional<AccountRow> row;
  std::function<void()> meanwhile;
  bool fails = false;
  int queries = 0;

 private:
  boost::asio::io_context& loop_;
};

class Directory : public testing::Test {
 protected:
  Directory() {
    store.row.emplace();
    store.row->id = 5;
    store.row->name = "a";
  }
  AccountPtr find() { return run_task(loop, directory.find(digest)); }

  const Digest digest = sha256("key");
  boost::asio::io_context loop;
  ScriptedStore store{loop};
  AccountDirectory directory{store, 2};
};

TEST_F(Directory, DoesNotKeepAnAnswerThatWasForgottenWhileItWasAskedFor) {
  store.meanwhile = [this] { directory.forget(digest); };
  EXPECT_NE(find(), nullptr);
  EXPECT_EQ(directory.find_cached(digest), nullptr) << "an answer from before the change is kept";
  store.meanwhile = nullptr;
  store.row->enabled = false;
  EXPECT_FALSE(find()->enabled);
  EXPECT_EQ(store.queries, 2);
  EXPECT_FALSE(directory.find_cached(digest)->enabled);
}

TEST_F(Directory, AsksAnewForWhoComesAfterAForget) {
  // The second look-up begins after the change, so the query under way is not its query.
  AccountPtr second;
  store.meanwhile = [this, &second] {
    store.meanwhile = nullptr;
    store.row->enabled = false;
    directory.forget(digest);
    boost::asio::co_spawn(loop, directory.find(digest), [&second](std::exception_ptr, AccountPtr found) { second = std::move(found); });
  };
  EXPECT_TRUE(find()->enabled);
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(second->enabled);
  EXPECT_EQ(store.queries, 2);
  EXPECT_FALSE(directory.find_cached(digest)->enabled);
}

TEST_F(Directory, TellsAFailureToAllWhoWaitAndKeepsNothing) {
  store.fails = true;
  int failures = 0;
  for (int i = 0; i < 5; ++i) {
    boost::asio::co_spawn(loop, directory.find(digest), [&failures](std::exception_ptr thrown, AccountPtr) {
      try {
        if (thrown) std::rethrow_exception(thrown);
      } catch (const StorageError&) {
        ++failures;
      }
    });
  }
  loop.run();
  EXPECT_EQ(failures, 5);
  EXPECT_EQ(store.queries, 1);
  store.fails = false;
  EXPECT_NE(find(), nullptr) << "a failure is no answer";
}

TEST_F(Directory, GivesWhatTheStoreSays) {
  store.row->is_root = true;
  const AccountPtr found = find();
  EXPECT_EQ(found->id, 5);
  EXPECT_EQ(found->name, "a");
  EXPECT_TRUE(found->is_root);
  EXPECT_TRUE(found->enabled);
}

TEST_F(Directory, AccountsInUseOutliveBeingForgotten) {
  const AccountPtr held = find();
  directory.forget(digest);
  EXPECT_EQ(held->name, "a");
  EXPECT_EQ(directory.find_cached(digest), nullptr);
}

}  // namespace
}  // namespace proxyxai
