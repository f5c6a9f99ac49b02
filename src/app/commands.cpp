#include "commands.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include <boost/asio/co_spawn.hpp>

#include "proxyxai/admin/key_input.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/keys/seal.hpp"
#include "proxyxai/storage/sqlite_store.hpp"

namespace proxyxai {
namespace {

std::string read_source(const std::string& source) {
  std::stringstream content;
  if (source == "-") {
    content << std::cin.rdbuf();
    return content.str();
  }
  std::ifstream file(source);
  if (!file) throw Failure("cannot read '" + source + "'");
  content << file.rdbuf();
  return content.str();
}

}  // namespace

int check(const Settings& settings) {
  const bool is_watched = ::isatty(STDERR_FILENO) != 0;
  const auto show = [is_watched](const CheckProgress& progress) {
    if (is_watched) std::fprintf(stderr, "\r\033[K%zu of %zu: %s", progress.done + 1, progress.total, progress.at);
  };
  const auto faults = check_database(settings.data_dir, show);
  if (is_watched) std::fprintf(stderr, "\r\033[K");
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

int add_keys(const Settings& settings, const std::string& source) {
  auto read = read_new_keys("text/plain", read_source(source));
  if (const auto* error = std::get_if<ApiError>(&read)) throw Failure("'" + source + "': " + error->message);
  auto& input = std::get<KeyInput>(read);
  boost::asio::io_context loop{1};
  SqliteStore store(loop, settings.data_dir, {false, true});
  const Sealer sealer = Sealer::open(settings.master_key, settings.data_dir);
  const SystemClock clock;
  std::vector<KeyRow> rows;
  for (NewKey& each : input.keys) rows.push_back(make_row(std::move(each), sealer, clock.wall_now()));
  std::size_t added = 0, total = rows.size();
  std::exception_ptr failure;
  auto work = [&store, &added](std::vector<KeyRow> given) -> Task<void> {
    const KeyStore::Added stored = co_await store.add_keys(std::move(given));
    for (const bool is_new : stored.is_new) added += is_new ? 1 : 0;
  };
  boost::asio::co_spawn(loop.get_executor(), work(std::move(rows)), [&failure](std::exception_ptr error) { failure = error; });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  std::printf("%zu upstream keys stored, %zu were there already; a running daemon takes them at SIGHUP\n", added, total - added);
  return 0;
}

}  // namespace proxyxai
