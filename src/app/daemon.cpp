#include "daemon.hpp"

#include <csignal>
#include <cstdio>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "alerts.hpp"
#include "front.hpp"
#include "operations.hpp"
#include "part_settings.hpp"
#include "proxyxai/accounts/bootstrap.hpp"
#include "proxyxai/admin/accounts_api.hpp"
#include "proxyxai/admin/keys_api.hpp"
#include "proxyxai/admin/stats_api.hpp"
#include "proxyxai/base/log.hpp"
#include "proxyxai/base/timer.hpp"
#include "proxyxai/keys/seal.hpp"
#include "proxyxai/net/listener.hpp"
#include "proxyxai/notify/mailer.hpp"
#include "prices.hpp"
#include "proxyxai/proxy/prober.hpp"
#include "proxyxai/storage/sqlite_store.hpp"
#include "status.hpp"
#include "welcome.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

/// How long what is left on the loop may take once everything is stored.
constexpr std::chrono::seconds last_words{2};

}  // namespace

/// In the order in which they are made; each uses only what stands above it.
struct Daemon::Parts {
  Parts(Settings given, InheritedSockets inherited, std::function<std::unique_ptr<Settings>()> source)
      : settings(std::move(given)),
        reread(std::move(source)),
        watchdog(loop.get_executor()),
        access_log(STDOUT_FILENO, settings.log_format == Settings::LogFormat::json),
        store(loop, settings.data_dir, {true, settings.durability == Settings::Durability::full}),
        sealer(Sealer::open(settings.master_key, settings.data_dir)),
        accounts(store),
        objects(loop.get_executor(), store, clock),
        ledger(loop, store, accounts, clock, {settings.stats_interval, settings.retention_days}),
        account_service(ledger, store, accounts, clock, account_settings(settings)),
        billing(ledger, metrics, clock, billing_settings(settings)),
        client_tls(settings.upstream_ca_file),
        origins(loop, watchdog, client_tls, upstream_settings(settings)),
        bodies(settings.body_memory_bytes, settings.data_dir),
        models(settings.model_mapper),
        pool(clock, pool_settings(settings)),
        prober(origins, bodies),
        reader({loop.get_executor(), origins, bodies, pool, clock}, settings.keys_max_wait),
        pending({loop.get_executor(), store, objects, accounts, billing, reader, clock}, settings.pending_interval),
        keys(loop.get_executor(), store, pool, sealer, prober, clock,
             KeyService::Settings{settings.openai_api_base, settings.keys_reload_interval}),
        mailer(mail_settings(settings)),
        alerts(Alerts::Parts{loop, mailer, store, accounts, ledger, account_service, keys, clock}, settings.user_min_balance),
        cors(settings.cors_origins),
        observer(metrics, access_log, clock),
        gateway(Gateway::Parts{loop.get_executor(), clock, accounts, billing, objects, pending, reader, pool, origins, bodies, models, cors, observer}, gateway_settings(settings)),
        keys_api(keys),
        config(store, live_settings(settings, models)),
        accounts_api(AccountsApi::Parts{account_service, ledger, sealer, clock, [this] { return billing.prices().json(); }}),
        stats_api([this] { return status.stats(); }),
        front(Front::Parts{clock, accounts, cors, observer, gateway, {&keys_api, &config, &stats_api, &accounts_api}}),
        operations(metrics, [this] { return !is_ready ? "starting or draining" : ledger.is_healthy() ? nullptr : "what requests cost cannot be stored"; }),
        server_tls(settings.tls_cert.empty() ? nullptr : std::make_unique<ServerTls>(settings.tls_cert, settings.tls_key)),
        listener(loop, watchdog, public_listener(settings, std::move(inherited.clients)), server_tls.get(), front),
        admin(loop, watchdog, admin_listener(settings, std::move(inherited.operations)), nullptr, operations),
        status({clock, observer, access_log, store, accounts, ledger, origins, bodies, pool, keys, pending, mailer, gateway, listener}),
        signals(loop, SIGTERM, SIGINT, SIGHUP),
        drain_limit(loop.get_executor()) {
    store.observe_commits(metrics.histogram("proxyxai_commit_duration_seconds", "Time that a group of changes took to be committed."));
    access_log.set_enabled(is_access_logged(settings.log_level));
    billing.set_prices(load_prices(settings.prices_file));
  }

  asio::io_context loop{1};
  const Settings settings;
  const std::function<std::unique_ptr<Settings>()> reread;
  SystemClock clock;
  Metrics metrics;
  Watchdog watchdog;
  AccessLog access_log;
  SqliteStore store;
  Sealer sealer;
  AccountDirectory accounts;
  ObjectDirectory objects;
  Ledger ledger;
  AccountService account_service;
  Billing billing;
  ClientTls client_tls;
  Origins origins;
  BodyStore bodies;
  ModelMap models;
  KeyPool pool;
  UpstreamProber prober;
  UpstreamReader reader;
  PendingBills pending;
  KeyService keys;
  Mailer mailer;
  Alerts alerts;
  Cors cors;
  Observer observer;
  Gateway gateway;
  KeysApi keys_api;
  ConfigApi config;
  AccountsApi accounts_api;
  StatsApi stats_api;
  Front front;
  Operations operations;
  std::unique_ptr<ServerTls> server_tls;
  Listener listener, admin;
  Status status;
  asio::signal_set signals;
  Timer drain_limit;
  bool is_ready = false;
  bool is_draining = false;
  bool is_finished = false;
  int exit_code = 0;
  Instant next_second{};
};

Daemon::Daemon(Settings settings, InheritedSockets inherited, std::function<std::unique_ptr<Settings>()> reread)
    : parts_(std::make_unique<Parts>(std::move(settings), std::move(inherited), std::move(reread))) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  start_signals();
  parts_->metrics.before_scrape([this](Metrics& metrics) { parts_->status.refresh(metrics); });
  parts_->watchdog.start([this](Instant now) { tick(now); });
  asio::co_spawn(parts_->loop.get_executor(), start(), [this](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::critical("{}", error.what());
      parts_->exit_code = 1;
      // Nothing is under way that would have to come to its end.
      parts_->watchdog.stop();
      parts_->signals.cancel();
      parts_->loop.stop();
    }
  });
  parts_->loop.run();
  // Let what was ended come to its end, so that nothing outlives what it uses.
  parts_->reader.stop();
  parts_->loop.restart();
  parts_->loop.run_for(last_words);
  return parts_->exit_code;
}

Task<void> Daemon::start() {
  Parts& p = *parts_;
  std::vector<InitialAccount> users;
  users.reserve(p.settings.init_users.size());
  for (const Settings::InitialUser& each : p.settings.init_users) users.push_back({each.name, each.email, each.key});
  const WallTime now = p.clock.wall_now();
  std::vector<NewKey> initial;
  for (const Settings::InitialKey& each : p.settings.init_keys) {
    NewKey key;
    key.secret = each.secret;
    key.provider = each.provider;
    initial.push_back(std::move(key));
  }
  co_await p.keys.load(std::move(initial));
  const char* const scheme = p.server_tls ? "https" : "http";
  // At once: a start that fails after this has stored them, and nobody would ever know them.
  for (const NewAccountKey& each : co_await ensure_accounts(p.store, p.accounts, std::move(users), now)) {
    if (p.settings.log_format == Settings::LogFormat::json) print_welcome_json(each);
    else print_welcome(each, scheme, p.listener.port(), p.pool.size() > 0);
  }
  co_await p.config.load();
  std::vector<std::string> words;
  for (const std::string_view each : endpoint_names()) words.emplace_back(each);
  for (const Price& each : p.billing.prices().all()) words.push_back(each.model);
  co_await p.ledger.start(std::move(words));
  co_await p.pending.load();
  p.listener.start();
  p.admin.start();
  p.is_ready = true;
  spdlog::info("proxyxai {} with schema {} in DATA_DIR '{}'", PROXYXAI_VERSION, schema_version(), p.settings.data_dir);
  spdlog::info("listening on {}://{} port {}, operations on {} port {}; {} upstream keys for {}", scheme, p.listener.address(), p.listener.port(),
               p.admin.address(), p.admin.port(), p.pool.size(), p.settings.openai_api_base);
  if (p.pool.size() == 0) spdlog::warn("there are no upstream keys: every request is refused until root adds some with POST /x-keys");
}

void Daemon::tick(Instant now) {
  Parts& p = *parts_;
  p.access_log.flush();
  if (p.is_ready) p.pending.tick(now);
  if (now < p.next_second || !p.is_ready) return;
  p.next_second = now + std::chrono::seconds(1);
  p.keys.tick(now);
  p.ledger.tick(now);
  p.objects.tick(now);
  p.alerts.tick(now);
}

void Daemon::start_signals() {
  parts_->signals.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    on_signal(number);
    if (!parts_->is_finished) start_signals();
  });
}

void Daemon::on_signal(int number) {
  if (number == SIGHUP) return reload();
  if (parts_->is_draining) {
    spdlog::warn("a second signal: ending the requests in flight");
    parts_->exit_code = 1;
    parts_->reader.stop();
    parts_->listener.abort();
    return;
  }
  drain();
}

void Daemon::reload() {
  Parts& p = *parts_;
  spdlog::info("SIGHUP: reading keys, prices, certificates and the log level again");
  try {
    if (p.server_tls) p.server_tls->reload();
  } catch (const std::exception& error) {
    spdlog::error("the old certificate stays: {}", error.what());
  }
  if (const auto fresh = p.reread()) {
    set_log_level(fresh->log_level);
    p.access_log.set_enabled(is_access_logged(fresh->log_level));
    try {
      p.billing.set_prices(load_prices(fresh->prices_file));
    } catch (const std::exception& error) {
      spdlog::error("the old prices stay: {}", error.what());
    }
  }
  asio::co_spawn(p.loop.get_executor(), p.keys.reload(), [](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("the upstream keys stay as they are: {}", error.what());
    }
  });
}

void Daemon::drain() {
  Parts& p = *parts_;
  p.is_draining = true;
  p.is_ready = false;
  spdlog::info("draining: {} connections, {} requests in flight", p.listener.open_connections(), p.gateway.in_flight());
  p.drain_limit.expires_after(p.settings.drain_timeout);
  p.drain_limit.async_wait([this](boost::system::error_code error) {
    if (error) return;
    spdlog::warn("{} requests did not finish in time", parts_->gateway.in_flight());
    parts_->exit_code = 1;
    parts_->reader.stop();
    parts_->listener.abort();
  });
  p.listener.on_idle([this] {
    if (!parts_->is_finished) asio::co_spawn(parts_->loop.get_executor(), finish(), asio::detached);
    parts_->is_finished = true;
  });
  p.listener.drain();
}

Task<void> Daemon::finish() {
  Parts& p = *parts_;
  try {
    co_await p.keys.save_all();
    co_await p.ledger.roll_up();
  } catch (const std::exception& error) {
    spdlog::error("not everything could be stored at the end: {}", error.what());
    p.exit_code = 1;
  }
  p.drain_limit.cancel();
  p.signals.cancel();
  p.admin.drain();
  p.admin.abort();
  p.watchdog.stop();
  p.access_log.flush();
  spdlog::info("stopped");
  p.loop.stop();
}

}  // namespace proxyxai
