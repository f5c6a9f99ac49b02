#pragma once

#include <functional>
#include <memory>

#include "proxyxai/base/task.hpp"
#include "proxyxai/config/settings.hpp"
#include "proxyxai/net/inherited_sockets.hpp"

namespace proxyxai {

/// The daemon: every part, made in the order of its dependence and wired here alone; runs the event loop on the calling
/// thread.
class Daemon {
 public:
  /// Opens the database and binds the ports; throws Failure in words for the operator. `reread` gives the settings as
  /// they are now, at SIGHUP; null when they have faults, which it has logged.
  Daemon(Settings settings, InheritedSockets inherited, std::function<std::unique_ptr<Settings>()> reread);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Serves until SIGTERM or SIGINT; the exit code: 0 when all was stored and every request could finish.
  int run();

 private:
  struct Parts;
  void start_signals();
  void on_signal(int number);
  void reload();
  void drain();
  Task<void> start();
  Task<void> finish();
  void tick(Instant now);

  std::unique_ptr<Parts> parts_;
};

}  // namespace proxyxai
