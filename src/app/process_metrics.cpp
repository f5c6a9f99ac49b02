#include "process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace proxyxai {
namespace {

std::uint64_t page_size() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

struct Memory {
  std::uint64_t size = 0, resident = 0;  // bytes
};

Memory memory() {
  std::ifstream statm("/proc/self/statm");
  Memory pages;
  if (!(statm >> pages.size >> pages.resident)) return {};
  return {pages.size * page_size(), pages.resident * page_size()};
}

/// Clock ticks after the system's start at which this process began: the 22nd field of /proc/self/stat, behind a name that may
/// hold anything (proc(5)).
std::uint64_t start_ticks() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == line.npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  std::uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

std::uint64_t system_start() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    std::uint64_t seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

/// Milliseconds since 1970; 0: not told.
std::int64_t started_at() {
  const std::uint64_t ticks = start_ticks(), system = system_start(), hertz = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return ticks == 0 || system == 0 ? 0 : static_cast<std::int64_t>(system * 1'000 + ticks * 1'000 / hertz);
}

std::uint64_t cpu_milliseconds() {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return 0;
  const auto of = [](const timeval& time) { return static_cast<std::uint64_t>(time.tv_sec) * 1'000 + static_cast<std::uint64_t>(time.tv_usec) / 1'000; };
  return of(used.ru_utime) + of(used.ru_stime);
}

std::int64_t open_files() {
  std::error_code error;
  std::int64_t count = 0;
  for (std::filesystem::directory_iterator each("/proc/self/fd", error), end; !error && each != end; each.increment(error)) ++count;
  // One of them is what they are counted with.
  return error ? 0 : count - 1;
}

}  // namespace

std::uint64_t resident_bytes() { return memory().resident; }

void set_process_metrics(Metrics& metrics) {
  const auto gauge = [&metrics](const char* name, const char* help, std::int64_t value, Scale scale = Scale::one) {
    if (value > 0) metrics.gauge(name, help, {}, scale).set(value);
  };
  const Memory used = memory();
  gauge("process_resident_memory_bytes", "Resident memory of the daemon.", static_cast<std::int64_t>(used.resident));
  gauge("process_virtual_memory_bytes", "Virtual memory of the daemon.", static_cast<std::int64_t>(used.size));
  metrics.counter("process_cpu_seconds_total", "User and system CPU time of the daemon.", {}, Scale::milli).set(cpu_milliseconds());
  static const std::int64_t start = started_at();
  gauge("process_start_time_seconds", "When the daemon began, in seconds since 1970.", start, Scale::milli);
  gauge("process_open_fds", "Files and sockets that the daemon has open.", open_files());
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) gauge("process_max_fds", "Files and sockets that it may have open.", static_cast<std::int64_t>(files.rlim_cur));
}

}  // namespace proxyxai
