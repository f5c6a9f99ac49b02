#include "commands.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "proxyxai/admin/key_input.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/keys/seal.hpp"
#include "proxyxai/storage/offline.hpp"
#include "proxyxai/storage/sqlite_store.hpp"

namespace proxyxai {
namespace {

std::string read_source(const std::string& source) {
  std::stringstream content;
  if (source == "-") {
    content << std::cin.rdbuf();
    return content.str();
  }
  const std::ifstream file(source);
  if (!file) throw Failure("cannot read '" + source + "'");
  content << file.rdbuf();
  return content.str();
}

/// Of a check, on a terminal: which step it is at.
class ShownProgress {
 public:
  [[nodiscard]] std::function<void(const CheckProgress&)> show() const {
    return [is_watched = is_watched_](const CheckProgress& progress) {
      if (is_watched) std::fprintf(stderr, "\r\033[K%zu of %zu: %s", progress.done + 1, progress.total, progress.at);
    };
  }
  void clear() const {
    if (is_watched_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  const bool is_watched_ = ::isatty(STDERR_FILENO) != 0;
};

/// `work`, which outlives it, on a loop that has nothing else to do; throws what it threw.
void run_to_end(boost::asio::io_context& loop, const std::function<Task<void>()>& work) {
  std::exception_ptr failure;
  boost::asio::co_spawn(loop.get_executor(), work(), [&failure](std::exception_ptr error) { failure = error; });
  loop.run();
  if (failure) std::rethrow_exception(failure);
}

/// What root makes in a directory of the service's user, that user could not write to afterwards.
void require_owner(const std::string& directory) {
  struct stat status {};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &status) != 0 || status.st_uid == 0) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a command has one thread until here
  const passwd* const owner = ::getpwuid(status.st_uid);
  const std::string name = owner == nullptr ? "#" + std::to_string(status.st_uid) : owner->pw_name;
  throw Failure("DATA_DIR '" + directory + "' belongs to " + name + "; run this as that user: sudo -u '" + name + "' proxyxai ...");
}

void require_place(const Settings& settings) {
  database_in(settings.data_dir);
  require_owner(settings.data_dir);
}

constexpr std::chrono::seconds health_patience{3};
constexpr std::size_t least_master_key = 16;

}  // namespace

int health(const Settings& settings) {
  if (settings.admin_listen_port == 0) throw Failure("ADMIN_LISTEN has port 0: nobody knows where to ask");
  std::string host = settings.admin_listen_host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  boost::asio::ip::tcp::iostream daemon;
  daemon.expires_after(health_patience);
  daemon.connect(host, std::to_string(settings.admin_listen_port));
  daemon << "GET /readyz HTTP/1.1\r\nHost: " << host << "\r\nConnection: close\r\n\r\n" << std::flush;
  std::string line, last;
  const bool is_ready = std::getline(daemon, line) && line.starts_with("HTTP/1.1 200 ");
  if (line.empty()) throw Failure("nothing answers at " + host + " port " + std::to_string(settings.admin_listen_port) + " (ADMIN_LISTEN)");
  while (std::getline(daemon, line)) {
    if (!line.empty()) last = line;
  }
  std::printf("%s\n", last.c_str());
  return is_ready ? 0 : 1;
}

int check(const Settings& settings) {
  const ShownProgress progress;
  const auto faults = check_database(settings.data_dir, progress.show());
  progress.clear();
  for (const std::string& each : faults) std::printf("%s\n", each.c_str());
  std::printf(faults.empty() ? "the database is sound\n" : "the database is not sound: restore a backup\n");
  return faults.empty() ? 0 : 1;
}

int backup(const Settings& settings, const std::string& target) {
  backup_database(settings.data_dir, target);
  std::printf("the database is copied to '%s'; keep it with MASTER_KEY or '%s/master.key', without which the keys in it do not open\n",
              target.c_str(), settings.data_dir.c_str());
  return 0;
}

int restore(const Settings& settings, const std::string& source) {
  if (std::filesystem::exists(settings.data_dir)) require_owner(settings.data_dir);
  const ShownProgress progress;
  const std::string kept = restore_database(settings.data_dir, source, progress.show());
  progress.clear();
  std::printf("the database is now that of '%s'; it needs the MASTER_KEY or master.key of its time\n", source.c_str());
  if (!kept.empty()) std::printf("the one that was there is kept as '%s'; delete it when all is well\n", kept.c_str());
  return 0;
}

int rekey(const Settings& settings) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* const given = std::getenv("NEW_MASTER_KEY");
  const Secret wanted(given == nullptr ? "" : given);
  if (!wanted.empty() && wanted.reveal().size() < least_master_key) throw Failure("NEW_MASTER_KEY must be at least " + std::to_string(least_master_key) + " characters");
  require_place(settings);
  const DataDirectory place(settings.data_dir, true);
  const MasterKeyFile file(settings.data_dir);
  const bool is_broken_off = file.has_next();
  const Sealer present = settings.master_key.empty() ? file.present() : Sealer::with(settings.master_key);
  const Sealer next = wanted.empty() ? file.next() : Sealer::with(wanted);
  const auto reseal = [&](std::string_view sealed, const Digest& bound) -> std::optional<std::string> {
    // One that was broken off has done its part.
    if (next.unseal(sealed, bound)) return std::string(sealed);
    const auto secret = present.unseal(sealed, bound);
    if (!secret) return std::nullopt;
    return next.seal(*secret, bound);
  };
  Resealed done;
  try {
    done = reseal_database(place, reseal);
  } catch (const UnreadableKey&) {
    if (!is_broken_off) file.drop_next();
    throw;
  }
  if (wanted.empty()) file.adopt_next();
  std::printf("%zu upstream keys and %zu kept answers are sealed anew. ", done.keys, done.answers);
  if (!wanted.empty()) std::puts("Set MASTER_KEY to what NEW_MASTER_KEY is before the next start.");
  else if (!settings.master_key.empty()) std::printf("Take MASTER_KEY out of the settings: '%s/master.key' is in its place.\n", settings.data_dir.c_str());
  else std::printf("The new key is '%s/master.key'; the old one is kept as master.key.before-rekey for backups of before.\n", settings.data_dir.c_str());
  return 0;
}

int delete_keys(const Settings& settings, const std::string& which) {
  const bool unreadable = which == "unreadable", all = which == "all";
  const std::int64_t id = parse_whole(which).value_or(0);
  if (!unreadable && !all && id < 1) throw Failure("'" + which + "' is no id of an upstream key (GET /x-keys lists them), nor unreadable or all");
  require_place(settings);
  // With a change of the master key broken off, nobody knows which of two keys opens what.
  const std::vector<Sealer> sealers = unreadable ? possible_sealers(settings.master_key, settings.data_dir) : std::vector<Sealer>();
  const auto opens = [&sealers](const KeyRow& row) {
    return std::any_of(sealers.begin(), sealers.end(), [&row](const Sealer& each) { return each.unseal(row.sealed, row.fingerprint).has_value(); });
  };
  boost::asio::io_context loop{1};
  SqliteStore store(loop, settings.data_dir, {false, true});
  std::size_t deleted = 0;
  const auto work = [&]() -> Task<void> {
    const std::vector<KeyRow> rows = co_await store.load_keys();
    for (const KeyRow& row : rows) {
      const bool is_meant = all || (unreadable ? !opens(row) : row.id == id);
      if (!is_meant) continue;
      const bool is_gone = co_await store.delete_key(row.id);
      deleted += is_gone ? 1 : 0;
      std::printf("upstream key %lld (...%s) is forgotten\n", static_cast<long long>(row.id), row.partial.c_str());
    }
  };
  run_to_end(loop, work);
  if (id > 0 && deleted == 0) throw Failure("there is no upstream key " + which + "; GET /x-keys lists them");
  std::printf("%zu upstream keys deleted; a running daemon lets go of them at SIGHUP\n", deleted);
  return 0;
}

int add_keys(const Settings& settings, const std::string& source) {
  if (std::filesystem::exists(settings.data_dir)) require_owner(settings.data_dir);
  auto read = read_new_keys("text/plain", read_source(source));
  if (const auto* error = std::get_if<ApiError>(&read)) throw Failure("'" + source + "': " + error->message);
  auto& input = std::get<KeyInput>(read);
  boost::asio::io_context loop{1};
  SqliteStore store(loop, settings.data_dir, {false, true});
  const Sealer sealer = Sealer::open(settings.master_key, settings.data_dir);
  const SystemClock clock;
  std::vector<KeyRow> rows;
  rows.reserve(input.keys.size());
  for (NewKey& each : input.keys) rows.push_back(make_row(std::move(each), sealer, clock.wall_now()));
  std::size_t added = 0, total = rows.size();
  const auto work = [&]() -> Task<void> {
    const KeyStore::Added stored = co_await store.add_keys(std::move(rows));
    for (const bool is_new : stored.is_new) added += is_new ? 1 : 0;
  };
  run_to_end(loop, work);
  std::printf("%zu upstream keys stored, %zu were there already; a running daemon takes them at SIGHUP\n", added, total - added);
  return 0;
}

}  // namespace proxyxai
