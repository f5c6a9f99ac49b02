#include "proxyxai/keys/seal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/base/random.hpp"

namespace proxyxai {
namespace {

constexpr char version = 1;
constexpr std::size_t nonce_size = 12, tag_size = 16, key_size = 32;
constexpr std::size_t overhead = 1 + nonce_size + tag_size;
constexpr std::string_view purpose = "proxyxai upstream keys v1";

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(char* text) { return reinterpret_cast<unsigned char*>(text); }

void derive(std::string_view material, std::array<std::uint8_t, key_size>& key) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), &EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()), &EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  const auto octets = [](const char* name, std::string_view value) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(value.data()), value.size());
  };
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                                   octets(OSSL_KDF_PARAM_KEY, material), octets(OSSL_KDF_PARAM_SALT, purpose),
                                   octets(OSSL_KDF_PARAM_INFO, purpose), OSSL_PARAM_construct_end()};
  if (EVP_KDF_derive(context.get(), key.data(), key.size(), parameters) != 1) throw Failure("OpenSSL cannot derive the master key");
}

/// Runs the cipher over `in`; the caller has set up key, nonce and direction.
bool run_cipher(EVP_CIPHER_CTX* context, const Digest& fingerprint, std::string_view in, char* out) {
  int size = 0;
  return EVP_CipherUpdate(context, nullptr, &size, fingerprint.data(), static_cast<int>(fingerprint.size())) == 1 &&
         EVP_CipherUpdate(context, bytes_of(out), &size, bytes_of(in), static_cast<int>(in.size())) == 1;
}

Secret read_key_file(int file, const std::string& name) {
  struct stat status {};
  std::string text(2 * key_size + 8, '\0');
  const ssize_t got = ::read(file, text.data(), text.size());
  const bool private_to_us = ::fstat(file, &status) == 0 && (status.st_mode & 077) == 0;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const Secret content(std::move(text));
  if (!private_to_us) throw Failure("'" + name + "' may be read by others; run: chmod 600 '" + name + "'");
  if (content.reveal().size() < 2 * key_size) throw Failure("'" + name + "' is damaged; restore it from a backup");
  return Secret(std::string(content.reveal().substr(0, 2 * key_size)));
}

void sync_directory(const std::string& directory) {
  const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

/// Makes the file whole or not at all: a torn master key would lose every stored secret.
Secret make_key_file(const std::string& directory, const std::string& name) {
  std::array<std::uint8_t, key_size> random{};
  random_bytes(random);
  std::string text;
  static constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t byte : random) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  OPENSSL_cleanse(random.data(), random.size());
  Secret secret(std::move(text));
  const std::string temporary = name + ".new";
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const std::string line = std::string(secret.reveal()) + "\n";
  const bool written = file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!written || ::rename(temporary.c_str(), name.c_str()) != 0) throw Failure("cannot make '" + name + "': " + std::generic_category().message(errno));
  sync_directory(directory);
  return secret;
}

std::string present_name(const std::string& directory) { return directory + "/master.key"; }
std::string next_name(const std::string& directory) { return directory + "/master.key.next"; }
bool exists(const std::string& name) { return ::access(name.c_str(), F_OK) == 0; }

Secret read_or_make_key_file(const std::string& directory, const std::string& name) {
  const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return make_key_file(directory, name);
  if (file < 0) throw Failure("cannot read '" + name + "': " + std::generic_category().message(errno));
  try {
    Secret material = read_key_file(file, name);
    ::close(file);
    return material;
  } catch (...) {
    ::close(file);
    throw;
  }
}

}  // namespace

Sealer Sealer::with(const Secret& material) {
  Sealer sealer;
  derive(material.reveal(), sealer.key_);
  return sealer;
}

Sealer Sealer::open(const Secret& master_key, const std::string& directory) {
  if (!master_key.empty()) return with(master_key);
  if (exists(next_name(directory))) {
    throw Failure("'" + next_name(directory) + "' is there: a change of the master key was broken off. `proxyxai rekey` finishes it");
  }
  return with(read_or_make_key_file(directory, present_name(directory)));
}

Sealer MasterKeyFile::present() const {
  const std::string name = present_name(directory_);
  if (!exists(name)) throw Failure("there is no '" + name + "'; set MASTER_KEY to the key in use, or DATA_DIR to where it is");
  return Sealer::with(read_or_make_key_file(directory_, name));
}

std::vector<Sealer> possible_sealers(const Secret& master_key, const std::string& directory) {
  const MasterKeyFile file(directory);
  std::vector<Sealer> sealers;
  if (!master_key.empty()) sealers.push_back(Sealer::with(master_key));
  else if (file.has_present()) sealers.push_back(file.present());
  if (file.has_next()) sealers.push_back(file.next());
  if (sealers.empty()) throw Failure("there is no master key: set MASTER_KEY to the one in use, or put master.key back into DATA_DIR '" + directory + "'");
  return sealers;
}

bool MasterKeyFile::has_present() const { return exists(present_name(directory_)); }

bool MasterKeyFile::has_next() const { return exists(next_name(directory_)); }

void MasterKeyFile::drop_next() const { ::unlink(next_name(directory_).c_str()); }

Sealer MasterKeyFile::next() const { return Sealer::with(read_or_make_key_file(directory_, next_name(directory_))); }

void MasterKeyFile::adopt_next() const {
  const std::string present = present_name(directory_), kept = present + ".before-rekey";
  // A second name, so that there is a master.key at every moment.
  if (exists(present)) {
    ::unlink(kept.c_str());
    if (::link(present.c_str(), kept.c_str()) != 0) throw Failure("cannot make '" + kept + "': " + std::generic_category().message(errno));
  }
  if (::rename(next_name(directory_).c_str(), present.c_str()) != 0) throw Failure("cannot put '" + present + "' in place: " + std::generic_category().message(errno));
  sync_directory(directory_);
}

Sealer::~Sealer() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string Sealer::seal(const Secret& secret, const Digest& fingerprint) const {
  const auto plain = secret.reveal();
  std::string sealed(overhead + plain.size(), '\0');
  sealed[0] = version;
  random_bytes({bytes_of(sealed.data() + 1), nonce_size});
  const Cipher context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  char* const out = sealed.data() + 1 + nonce_size;
  int size = 0;
  const bool done = EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_.data(), bytes_of(sealed.data() + 1), nullptr) == 1 &&
                    run_cipher(context.get(), fingerprint, plain, out) &&
                    EVP_CipherFinal_ex(context.get(), bytes_of(out + plain.size()), &size) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, out + plain.size()) == 1;
  if (!done) throw Failure("OpenSSL cannot seal a secret");
  return sealed;
}

std::optional<Secret> Sealer::unseal(std::string_view sealed, const Digest& fingerprint) const {
  if (sealed.size() < overhead || sealed[0] != version) return std::nullopt;
  const auto nonce = sealed.substr(1, nonce_size);
  const auto content = sealed.substr(1 + nonce_size, sealed.size() - overhead);
  std::string tag(sealed.substr(sealed.size() - tag_size));
  std::string plain(content.size(), '\0');
  const Cipher context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::array<unsigned char, tag_size> rest{};
  int size = 0;
  const bool good = EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_.data(), bytes_of(nonce), nullptr) == 1 &&
                    run_cipher(context.get(), fingerprint, content, plain.data()) &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
                    EVP_CipherFinal_ex(context.get(), rest.data(), &size) == 1;
  Secret secret(std::move(plain));
  if (!good) return std::nullopt;
  return secret;
}

}  // namespace proxyxai
