#include <gtest/gtest.h>

#include "accounts/fake_store.hpp"
#include "proxyxai/accounts/bootstrap.hpp"
#include "proxyxai/accounts/virtual_key.hpp"
#include "proxyxai/base/error.hpp"
#include "support/run_task.hpp"

namespace proxyxai {
namespace {

namespace asio = boost::asio;

class Accounts : public testing::Test {
 protected:
  Digest add(const std::string& name, const std::string& key) {
    AccountRow row;
    row.name = name;
    row.key_digest = sha256(key);
    run_task(loop_, store_.put_account(row));
    return row.key_digest;
  }
  AccountPtr find(const Digest& digest) { return run_task(loop_, directory_.find(digest)); }
  std::vector<NewAccountKey> ensure(std::vector<InitialAccount> wanted) {
    return run_task(loop_, ensure_accounts(store_, directory_, std::move(wanted), WallTime{}));
  }
  asio::io_context loop_{1};
  FakeStore store_{loop_};
  AccountDirectory directory_{store_, 3};
};

TEST_F(Accounts, AreReadOnceAndThenInMemory) {
  const Digest digest = add("a", "key");
  EXPECT_EQ(directory_.find_cached(digest), nullptr);
  EXPECT_EQ(find(digest)->row.name, "a");
  EXPECT_EQ(find(digest)->row.name, "a");
  EXPECT_EQ(directory_.find_cached(digest)->row.name, "a");
  EXPECT_EQ(store_.queries, 1);
}

TEST_F(Accounts, ConcurrentLookUpsAreOneQuery) {
  const Digest digest = add("a", "key");
  int found = 0;
  for (int i = 0; i < 20; ++i) {
    asio::co_spawn(loop_.get_executor(), directory_.find(digest), [&](std::exception_ptr, AccountPtr account) { found += account ? 1 : 0; });
  }
  loop_.restart();
  loop_.run();
  EXPECT_EQ(found, 20);
  EXPECT_EQ(store_.queries, 1);
}

TEST_F(Accounts, UnknownKeysAreRememberedAndForgotten) {
  const Digest digest = sha256("later");
  EXPECT_EQ(find(digest), nullptr);
  EXPECT_EQ(find(digest), nullptr);
  EXPECT_EQ(store_.queries, 1);
  add("a", "later");
  directory_.forget(digest);
  EXPECT_NE(find(digest), nullptr);
}

TEST_F(Accounts, AForgottenKeyIsAskedForAgain) {
  const Digest digest = add("a", "key");
  find(digest);
  store_.rows.clear();
  EXPECT_NE(find(digest), nullptr);
  directory_.forget(digest);
  EXPECT_EQ(find(digest), nullptr);
}

TEST_F(Accounts, MemoryIsBoundedAndTheLeastUsedGoesFirst) {
  std::vector<Digest> digests;
  for (int i = 0; i < 4; ++i) digests.push_back(add(std::to_string(i), "key" + std::to_string(i)));
  for (int i = 0; i < 3; ++i) find(digests[static_cast<std::size_t>(i)]);
  EXPECT_NE(directory_.find_cached(digests[0]), nullptr);
  find(digests[3]);
  EXPECT_EQ(directory_.find_cached(digests[1]), nullptr);
  EXPECT_NE(directory_.find_cached(digests[0]), nullptr);
}

TEST_F(Accounts, TheFirstStartMakesARootKeyOnce) {
  const auto made = ensure({});
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].name, "root");
  EXPECT_TRUE(is_virtual_key(made[0].key.reveal()));
  EXPECT_TRUE(find(sha256(made[0].key.reveal()))->row.is_root);
  EXPECT_TRUE(ensure({}).empty());
}

TEST_F(Accounts, AGivenRootKeyReplacesTheStoredOne) {
  const auto made = ensure({});
  const Digest old = sha256(made[0].key.reveal());
  const AccountId id = find(old)->row.id;
  const Secret fresh = make_virtual_key();
  EXPECT_TRUE(ensure({{"root", "a@b", fresh}}).empty());
  EXPECT_EQ(find(old), nullptr);
  const AccountPtr root = find(sha256(fresh.reveal()));
  ASSERT_NE(root, nullptr);
  EXPECT_TRUE(root->row.is_root);
  EXPECT_EQ(root->row.id, id);
}

TEST_F(Accounts, OthersAreChildrenOfRootWhereverItIsNamed) {
  const Secret key = make_virtual_key(), root_key = make_virtual_key();
  ensure({{"kid", "a@b", key}, {"root", "r@b", root_key}});
  const AccountPtr kid = find(sha256(key.reveal())), root = find(sha256(root_key.reveal()));
  ASSERT_TRUE(kid && root);
  EXPECT_FALSE(kid->row.is_root);
  EXPECT_TRUE(kid->is_at_or_under(*root));
  EXPECT_EQ(kid->parent, root);
  EXPECT_EQ(kid->row.level, 1);
}

TEST_F(Accounts, MalformedKeysAreRefusedAndNotShown) {
  for (const std::string& bad : {"sk-Xvs" + std::string(45, 'x'), std::string("sk-Xvs-short"), "sk-abc" + std::string(45, 'y')}) {
    try {
      ensure({{"root", "a@b", Secret(bad)}});
      FAIL() << "taken";
    } catch (const Failure& failure) {
      EXPECT_EQ(std::string(failure.what()).find(bad), std::string::npos);
      EXPECT_NE(std::string(failure.what()).find("INIT_USERS"), std::string::npos);
    }
  }
}

TEST(VirtualKey, HasItsFormAndIsNeverTheSame) {
  const Secret a = make_virtual_key(), b = make_virtual_key();
  EXPECT_EQ(a.reveal().size(), 51u);
  EXPECT_TRUE(is_virtual_key(a.reveal()));
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(is_virtual_key(std::string(a.reveal()) + "x"));
}

}  // namespace
}  // namespace proxyxai
