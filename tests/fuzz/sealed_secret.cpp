// Sealed secrets and the file of the master key. Bytes that nobody sealed open as nothing; what was sealed opens as itself, and
// not when one bit, its length, the fingerprint or the key is another.
#include <sys/stat.h>

#include <cstring>

#include "check.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/keys/seal.hpp"
#include "support/temp_directory.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

void check_key_file(std::string_view content) {
  static const TempDirectory directory;
  const std::string name = directory.write("master.key", std::string(content));
  ::chmod(name.c_str(), 0600);
  const Secret none, plain("sk-of-an-upstream-0123456789");
  try {
    const std::string sealed = Sealer::open(none, directory.path()).seal(plain, Digest{});
    require(content.size() >= 64, "a master key has at least 64 characters");
    const auto opened = Sealer::open(none, directory.path()).unseal(sealed, Digest{});
    require(opened && *opened == plain, "the same file opens what it sealed");
  } catch (const Failure& failure) {
    require(std::strstr(failure.what(), "master.key") != nullptr, "the failure names the file");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Sealer sealer = Sealer::with(Secret("a master key for fuzzing"));
  static const Sealer other = Sealer::with(Secret("a master key for fuzzinh"));
  const std::string_view bytes = text_of(data, size);
  Digest fingerprint{};
  std::memcpy(fingerprint.data(), data, std::min(size, fingerprint.size()));

  const std::vector<char> copy(bytes.begin(), bytes.end());
  require(!sealer.unseal({copy.data(), copy.size()}, fingerprint), "nobody sealed this");
  // With the beginning of the format and a nonce, so that it comes to the cipher.
  require(!sealer.unseal("\x01" + std::string(12, 'n') + std::string(bytes), fingerprint), "nobody sealed this either");

  const Secret secret{std::string(bytes)};
  std::string sealed = sealer.seal(secret, fingerprint);
  same(sealed.size(), 1 + 12 + size + 16, "size of what is sealed");
  const auto opened = sealer.unseal(sealed, fingerprint);
  require(opened && *opened == secret, "what was sealed opens as itself");
  require(!other.unseal(sealed, fingerprint), "another key opens nothing");
  Digest changed = fingerprint;
  changed[size % changed.size()] ^= 1;
  require(!sealer.unseal(sealed, changed), "another fingerprint opens nothing");
  require(!sealer.unseal(sealed + "x", fingerprint), "more bytes open nothing");
  require(!sealer.unseal(std::string_view(sealed).substr(0, sealed.size() - 1), fingerprint), "fewer bytes open nothing");
  const std::size_t at = size == 0 ? 0 : (data[0] + 251u * data[size - 1]) % sealed.size();
  sealed[at] = static_cast<char>(sealed[at] ^ (1 << (size % 8)));
  require(!sealer.unseal(sealed, fingerprint), "one bit more or less opens nothing");

  check_key_file(bytes);
  return 0;
}
