#include "proxyxai/accounts/directory.hpp"

#include <gtest/gtest.h>

#include "accounts/fake_store.hpp"
#include "support/run_task.hpp"

namespace proxyxai {
namespace {

class Directory : public testing::Test {
 protected:
  Directory() {
    put(1, 0, "top", "key of top");
    put(5, 1, "a", "key");
    put(6, 1, "b", "key of b");
  }
  void put(AccountId id, AccountId parent, const std::string& name, const std::string& key) {
    AccountRow row;
    row.id = id;
    row.parent_id = parent;
    row.name = name;
    row.dna = parent == 0 ? "." + std::to_string(id) + "." : "." + std::to_string(parent) + "." + std::to_string(id) + ".";
    row.key_digest = sha256(key);
    row.cards = dollars(10);
    store.rows[name] = row;
  }
  AccountPtr find() { return run_task(loop, directory.find(digest)); }
  AccountPtr find(const std::string& key) {
    const Digest wanted = sha256(key);
    return run_task(loop, directory.find(wanted));
  }
  AccountRow& a() { return store.rows.at("a"); }

  const Digest digest = sha256("key");
  boost::asio::io_context loop;
  FakeStore store{loop};
  AccountDirectory directory{store, 2};
};

TEST_F(Directory, AsksAnewWhenWhatItAskedForChangesMeanwhile) {
  store.meanwhile = [this] {
    a().enabled = false;
    directory.apply(a());
  };
  EXPECT_FALSE(find()->row.enabled) << "an answer from before the change";
  EXPECT_EQ(store.queries, 2);
  EXPECT_FALSE(directory.find_cached(digest)->row.enabled);
}

TEST_F(Directory, AKeyThatStopsWhileItIsAskedForIsUnknown) {
  store.meanwhile = [this] {
    const AccountRow before = a();
    store.rows.erase("a");
    directory.remove(before);
  };
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(directory.find_cached(digest), nullptr);
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
  const AccountPtr found = find();
  EXPECT_EQ(found->row.id, 5);
  EXPECT_EQ(found->row.name, "a");
  EXPECT_FALSE(found->row.is_root);
  EXPECT_TRUE(found->row.enabled);
  EXPECT_EQ(found->balance(), dollars(10));
}

TEST_F(Directory, ChildrenShareTheObjectOfTheirParent) {
  const AccountPtr first = find(), second = find("key of b"), top = find("key of top");
  EXPECT_EQ(first->parent, top);
  EXPECT_EQ(second->parent, top);
  EXPECT_EQ(top->parent, nullptr);
  EXPECT_EQ(directory.loaded(1), top);
  EXPECT_TRUE(first->is_at_or_under(*top));
  EXPECT_FALSE(first->is_at_or_under(*second));
}

TEST_F(Directory, AccountsInUseOutliveBeingForgottenAndAreNotDoubled) {
  const AccountPtr held = find();
  held->held = dollars(3);
  directory.forget(digest);
  EXPECT_EQ(directory.find_cached(digest), nullptr);
  EXPECT_EQ(find(), held) << "two objects of one account would promise its money twice";
}

TEST_F(Directory, TakesOverWhatWasStoredAndKeepsWhatIsInFlight) {
  const AccountPtr account = find();
  account->used_total += dollars(4);
  account->held = dollars(1);
  account->in_flight = 7;
  AccountRow stored = a();
  stored.cards = dollars(20);
  stored.alias = "new";
  directory.apply(stored);
  EXPECT_EQ(account->row.alias, "new");
  EXPECT_EQ(account->balance(), dollars(16)) << "what was charged since is not in the stored row";
  EXPECT_EQ(account->available(), dollars(15));
  EXPECT_EQ(account->in_flight, 7);
}

TEST_F(Directory, ANewKeyStopsTheOldOneAtOnce) {
  const AccountPtr account = find();
  a().key_digest = sha256("another key");
  directory.apply(a());
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(find("another key"), account);
}

TEST_F(Directory, ADeletedAccountIsGoneForThoseWhoHoldIt) {
  const AccountPtr account = find();
  const AccountRow row = a();
  store.rows.erase("a");
  directory.remove(row);
  EXPECT_TRUE(account->is_gone);
  EXPECT_FALSE(account->is_enabled());
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(run_task(loop, directory.find(AccountId{5})), nullptr);
}

TEST_F(Directory, AnAccountThatIsBeingDeletedStaysDisabledWhateverIsStored) {
  const AccountPtr account = find();
  account->is_closing = true;
  directory.apply(a());
  EXPECT_FALSE(account->is_enabled());
  account->is_closing = false;
  EXPECT_TRUE(account->is_enabled());
}

}  // namespace
}  // namespace proxyxai
