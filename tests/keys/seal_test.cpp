#include "proxyxai/keys/seal.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "proxyxai/base/error.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

const Secret secret("sk-0123456789abcdefghij");
const Digest fingerprint = sha256(secret.reveal());
const Secret master("a master key of some length");

TEST(Sealing, OpensWhatItSealedAndShowsNothing) {
  const Sealer sealer = Sealer::open(master, "");
  const std::string sealed = sealer.seal(secret, fingerprint);
  EXPECT_EQ(sealed.find("0123456789"), sealed.npos);
  EXPECT_EQ(sealer.unseal(sealed, fingerprint)->reveal(), secret.reveal());
  EXPECT_NE(sealer.seal(secret, fingerprint), sealed) << "the nonce is fresh";
}

TEST(Sealing, RefusesEveryDamage) {
  const Sealer sealer = Sealer::open(master, "");
  const std::string sealed = sealer.seal(secret, fingerprint);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(sealer.unseal(damaged, fingerprint)) << i;
    EXPECT_FALSE(sealer.unseal(sealed.substr(0, i), fingerprint)) << i;
  }
  EXPECT_FALSE(sealer.unseal(sealed, sha256("another")));
  EXPECT_FALSE(Sealer::open(Secret("another master key"), "").unseal(sealed, fingerprint));
}

TEST(MasterKeyFile, IsMadeOncePrivateAndUsedAgain) {
  const TempDirectory directory;
  const std::string sealed = Sealer::open(Secret(), directory.path()).seal(secret, fingerprint);
  struct stat status {};
  ASSERT_EQ(::stat(((directory.path() + "/master.key")).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(Sealer::open(Secret(), directory.path()).unseal(sealed, fingerprint));
}

TEST(MasterKeyFile, IsRefusedWhenOthersMayReadItOrItIsDamaged) {
  const TempDirectory directory;
  Sealer::open(Secret(), directory.path());
  ::chmod(((directory.path() + "/master.key")).c_str(), 0644);
  EXPECT_THROW(Sealer::open(Secret(), directory.path()), Failure);
  ::chmod(((directory.path() + "/master.key")).c_str(), 0600);
  std::ofstream(directory.path() + "/master.key") << "torn";
  EXPECT_THROW(Sealer::open(Secret(), directory.path()), Failure);
}

TEST(MasterKeyFile, TakesThePlaceOfTheOldOne) {
  const TempDirectory directory;
  const MasterKeyFile file(directory.path());
  EXPECT_THROW((void)file.present(), Failure) << "there is none yet";
  EXPECT_THROW(possible_sealers(Secret(), directory.path()), Failure);
  EXPECT_EQ(possible_sealers(master, directory.path()).size(), 1u);
  const std::string before = Sealer::open(Secret(), directory.path()).seal(secret, fingerprint);
  const std::string after = file.next().seal(secret, fingerprint);
  EXPECT_TRUE(file.has_next());
  EXPECT_TRUE(file.next().unseal(after, fingerprint)) << "it is made once";
  EXPECT_TRUE(file.present().unseal(before, fingerprint));
  EXPECT_THROW(Sealer::open(Secret(), directory.path()), Failure) << "nobody knows which of the two opens what";
  EXPECT_TRUE(Sealer::open(master, directory.path()).unseal(Sealer::with(master).seal(secret, fingerprint), fingerprint));
  file.adopt_next();
  EXPECT_FALSE(file.has_next());
  const Sealer now = Sealer::open(Secret(), directory.path());
  EXPECT_TRUE(now.unseal(after, fingerprint));
  EXPECT_FALSE(now.unseal(before, fingerprint));
  struct stat status {};
  for (const char* name : {"master.key", "master.key.before-rekey"}) {
    ASSERT_EQ(::stat(directory.file(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

TEST(MasterKeyFile, CanDropWhatWasToComeAndIsAsBefore) {
  const TempDirectory directory;
  const std::string sealed = Sealer::open(Secret(), directory.path()).seal(secret, fingerprint);
  const MasterKeyFile file(directory.path());
  EXPECT_FALSE(file.next().unseal(sealed, fingerprint));
  EXPECT_EQ(possible_sealers(Secret(), directory.path()).size(), 2u);
  file.drop_next();
  EXPECT_EQ(possible_sealers(Secret(), directory.path()).size(), 1u);
  EXPECT_TRUE(Sealer::open(Secret(), directory.path()).unseal(sealed, fingerprint));
}

}  // namespace
}  // namespace proxyxai
