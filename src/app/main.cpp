#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <span>

#include <spdlog/spdlog.h>

#include "commands.hpp"
#include "daemon.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/base/log.hpp"
#include "proxyxai/config/command_line.hpp"
#include "proxyxai/config/loader.hpp"

namespace {

using namespace proxyxai;
using Command = CommandLine::Command;

constexpr int bad_usage = 2;

/// Secrets live in memory: no core file, no ptrace by others of the same user.
void harden_process() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is an error like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
}

void raise_descriptor_limit(unsigned connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  // One for each client and its upstream, and some for files.
  const rlim_t wanted = 2 * static_cast<rlim_t>(connections) + 100;
  if (limit.rlim_cur < wanted) {
    spdlog::warn("this process may open {} files; for MAX_CONNECTIONS = {} raise its limit (ulimit -n) to {}", limit.rlim_cur, connections, wanted);
  }
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (const char* const* each = environ; *each != nullptr; ++each) {
    const std::string_view variable(*each);
    names.emplace_back(variable.substr(0, variable.find('=')));
  }
  return names;
}

int serve(LoadResult loaded, const std::string& config_file) {
  const bool json = loaded.settings.log_format == Settings::LogFormat::json;
  start_logging(loaded.settings.log_level, json);
  harden_process();
  raise_descriptor_limit(loaded.settings.max_connections);
  for (const std::string& each : loaded.warnings) spdlog::warn("{}", each);
  for (const std::string& each : misspelt_settings(variable_names())) spdlog::warn("{}", each);
  const auto reread = [config_file]() -> std::unique_ptr<Settings> {
    LoadResult fresh = load_settings(config_file, process_environment());
    for (const std::string& each : fresh.faults) spdlog::error("the old settings stay: {}", each);
    return fresh.faults.empty() ? std::make_unique<Settings>(std::move(fresh.settings)) : nullptr;
  };
  int code = 1;
  try {
    InheritedSockets inherited = take_inherited_sockets();
    code = Daemon(std::move(loaded.settings), std::move(inherited), reread).run();
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
  }
  stop_logging();
  return code;
}

int run(const CommandLine& line) {
  if (line.command == Command::help) return std::fputs(help_text().c_str(), stdout) < 0 ? 1 : 0;
  if (line.command == Command::version) return std::puts("proxyxai " PROXYXAI_VERSION) < 0 ? 1 : 0;
  LoadResult loaded = load_settings(line.config_file, process_environment());
  if (!loaded.faults.empty()) {
    const std::size_t wrong = loaded.faults.size();
    std::fprintf(stderr, "proxyxai: %zu %s wrong; nothing was started\n", wrong, wrong == 1 ? "setting is" : "settings are");
    for (const std::string& each : loaded.faults) std::fprintf(stderr, "  %s\n", each.c_str());
    return bad_usage;
  }
  switch (line.command) {
    case Command::health: return health(loaded.settings);
    case Command::check: return check(loaded.settings);
    case Command::backup: return backup(loaded.settings, line.argument);
    case Command::restore: return restore(loaded.settings, line.argument);
    case Command::rekey: return rekey(loaded.settings);
    case Command::keys_delete: return delete_keys(loaded.settings, line.argument);
    case Command::keys_add: return add_keys(loaded.settings, line.argument);
    case Command::reconcile: return reconcile(loaded.settings, line.options);
    case Command::config: return std::fputs(describe(loaded).c_str(), stdout) < 0 ? 1 : 0;
    default: return serve(std::move(loaded), line.config_file);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const auto parsed = parse_command_line(std::span<const char* const>(arguments + 1, static_cast<std::size_t>(count > 0 ? count - 1 : 0)));
  if (const auto* problem = std::get_if<std::string>(&parsed)) {
    std::fprintf(stderr, "proxyxai: %s\nTry 'proxyxai --help'.\n", problem->c_str());
    return bad_usage;
  }
  try {
    return run(std::get<CommandLine>(parsed));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "proxyxai: %s\n", error.what());
    return 1;
  }
}
