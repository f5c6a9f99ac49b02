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

}  // namespace
}  // namespace proxyxai
