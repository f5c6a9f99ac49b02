#include "daemon.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "alerts.hpp"
#include "front.hpp"
#include "operations.hpp"
#include "proxyxai/accounts/bootstrap.hpp"
#include "proxyxai/base/log.hpp"
#include "proxyxai/base/timer.hpp"
#include "proxyxai/keys/seal.hpp"
#include "proxyxai/net/listener.hpp"
#include "proxyxai/notify/mailer.hpp"
#include "prices.hpp"
#include "proxyxai/proxy/prober.hpp"
#include "proxyxai/storage/sqlite_store.hpp"
#include "welcome.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

/// How long what is left on the loop may take once everything is stored.
constexpr std::chrono::seconds last_words{2};

Listener::Settings public_listener(const Settings& settings) {
  Listener::Settings listener;
  listener.addresses = settings.listen_addresses;
  listener.port = settings.port;
  listener.max_connections = settings.max_connections;
  listener.limits.gate.header_bytes = settings.max_header_bytes;
  listener.limits.max_body_bytes = settings.max_body_bytes;
  listener.limits.header_timeout = settings.header_timeout;
  listener.limits.body_idle_timeout = settings.body_idle_timeout;
  listener.limits.keepalive_timeout = settings.keepalive_timeout;
  listener.limits.write_idle_timeout = settings.idle_timeout;
  listener.named_by = "PORT or LISTEN_ADDRESS";
  return listener;
}

Listener::Settings admin_listener(const Settings& settings) {
  Listener::Settings listener;
  listener.addresses = {settings.admin_listen_host};
  listener.port = settings.admin_listen_port;
  listener.max_connections = 64;
  listener.limits.max_body_bytes = 0;
  listener.named_by = "ADMIN_LISTEN";
  return listener;
}

UpstreamSettings upstream_settings(const Settings& settings) {
  UpstreamSettings upstream;
  upstream.connect_timeout = settings.connect_timeout;
  upstream.proxy = settings.upstream_proxy;
  return upstream;
}

Gateway::Settings gateway_settings(const Settings& settings) {
  Gateway::Settings gateway;
  gateway.retry.attempts = settings.retry_attempts;
  gateway.retry.deadline = settings.retry_deadline;
  gateway.first_byte_timeout = settings.first_byte_timeout;
  gateway.idle_timeout = settings.idle_timeout;
  gateway.max_wait = settings.keys_max_wait;
  gateway.is_cache_aware = settings.routing == Settings::Routing::cache_aware;
  gateway.trusted_proxies = CidrList::parse(settings.trusted_proxies).value();
  return gateway;
}

bool is_access_logged(const std::string& log_level) { return log_level != "warn" && log_level != "error"; }

Billing::Settings billing_settings(const Settings& settings) {
  return {settings.call_min_balance, settings.hold_cap, settings.hold_step, settings.refuses_unknown_models};
}

AccountService::Settings account_settings(const Settings& settings) {
  return {settings.user_min_balance, settings.user_api_min_balance, settings.fee_transaction, settings.fee_listing};
}

Mailer::Settings mail_settings(const Settings& settings) {
  Mailer::Settings mail;
  mail.host = settings.email_smtp;
  mail.port = settings.email_port;
  mail.user = settings.email_auth;
  mail.password = settings.email_pass;
  mail.sender = settings.email_sender;
  if (settings.email_tls) mail.tls = static_cast<MailTls>(*settings.email_tls);
  mail.service = settings.xai_service;
  return mail;
}

std::vector<LiveSetting> live_settings(const Settings& settings, ModelMap& models) {
  const auto check = [](const std::string& text) { const ModelMap read(text); };
  const auto apply = [&models](const std::string& text) { models = ModelMap(text); };
  return {{"ModelMapper", settings.model_mapper, check, apply}};
}

KeyPool::Settings pool_settings(const Settings& settings) {
  KeyPool::Settings pool;
  pool.max_wait = settings.keys_max_wait;
  if (settings.routing == Settings::Routing::cache_aware) pool.routing = KeyPool::Routing::cache_aware;
  return pool;
}

}  // namespace

/// In the order in which they are made; each uses only what stands above it.
struct Daemon::Parts {
  Parts(Settings given, std::function<std::unique_ptr<Settings>()> source)
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
        reader(origins, bodies),
        pending({loop.get_executor(), store, objects, accounts, billing, pool, reader, clock}, settings.pending_interval),
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
        front(Front::Parts{clock, accounts, cors, observer, gateway, keys_api, config, accounts_api}),
        operations(metrics, [this] { return !is_ready ? "starting or draining" : ledger.is_healthy() ? nullptr : "what requests cost cannot be stored"; }),
        server_tls(settings.tls_cert.empty() ? nullptr : std::make_unique<ServerTls>(settings.tls_cert, settings.tls_key)),
        listener(loop, watchdog, public_listener(settings), server_tls.get(), front),
        admin(loop, watchdog, admin_listener(settings), nullptr, operations),
        signals(loop, SIGTERM, SIGINT, SIGHUP),
        drain_limit(loop.get_executor()) {
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
  Front front;
  Operations operations;
  std::unique_ptr<ServerTls> server_tls;
  Listener listener, admin;
  asio::signal_set signals;
  Timer drain_limit;
  bool is_ready = false;
  bool is_draining = false;
  bool is_finished = false;
  int exit_code = 0;
  Instant next_second{};
};

Daemon::Daemon(Settings settings, std::function<std::unique_ptr<Settings>()> reread)
    : parts_(std::make_unique<Parts>(std::move(settings), std::move(reread))) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  start_signals();
  export_metrics();
  parts_->watchdog.start([this](Instant now) { tick(now); });
  asio::co_spawn(parts_->loop.get_executor(), start(), [this](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::critical("{}", error.what());
      parts_->exit_code = 1;
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
  for (const Settings::InitialUser& each : p.settings.init_users) users.push_back({each.name, each.email, each.key});
  const WallTime now = p.clock.wall_now();
  const std::vector<NewAccountKey> made = co_await ensure_accounts(p.store, p.accounts, std::move(users), now);
  std::vector<NewKey> initial;
  for (const Settings::InitialKey& each : p.settings.init_keys) {
    NewKey key;
    key.secret = each.secret;
    key.provider = each.provider;
    initial.push_back(std::move(key));
  }
  co_await p.keys.load(std::move(initial));
  co_await p.config.load();
  std::vector<std::string> words;
  for (const std::string_view each : endpoint_names()) words.emplace_back(each);
  for (const Price& each : p.billing.prices().all()) words.push_back(each.model);
  co_await p.ledger.start(std::move(words));
  co_await p.pending.load();
  p.listener.start();
  p.admin.start();
  p.is_ready = true;
  const char* const scheme = p.server_tls ? "https" : "http";
  spdlog::info("listening on {}://{} port {}, operations on {} port {}; {} upstream keys for {}", scheme,
               p.settings.listen_addresses.front(), p.listener.port(), p.settings.admin_listen_host, p.admin.port(),
               p.pool.size(), p.settings.openai_api_base);
  if (p.pool.size() == 0) spdlog::warn("there are no upstream keys: every request is refused until root adds some with POST /x-keys");
  for (const NewAccountKey& each : made) print_welcome(each, scheme, p.listener.port(), p.pool.size() > 0);
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

void Daemon::export_metrics() {
  parts_->metrics.before_scrape([this](Metrics& metrics) {
    const Parts& p = *parts_;
    const auto set = [&metrics](const char* name, const char* help, std::uint64_t value, std::string_view labels = {}) {
      metrics.gauge(name, help, labels).set(static_cast<std::int64_t>(value));
    };
    set("proxyxai_client_connections", "Open connections of clients.", p.listener.open_connections());
    set("proxyxai_requests_in_flight", "Requests between their head and their end.", p.gateway.in_flight());
    set("proxyxai_body_memory_bytes", "Memory that request bodies hold of their budget.", p.bodies.used());
    set("proxyxai_access_log_dropped_lines", "Access log lines dropped because the log could not keep up.", p.access_log.dropped());
    const auto counts = p.pool.counts();
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const std::string label = std::string("state=\"") + to_string(static_cast<KeyState>(i)) + '"';
      set("proxyxai_upstream_keys", "Upstream keys by state.", counts[i], label);
    }
    for (const KeyView& key : p.keys.list()) {
      const std::string label = "key=\"" + std::to_string(key.id) + '"';
      set("proxyxai_upstream_key_requests", "Attempts made with an upstream key.", key.health.requests, label);
      set("proxyxai_upstream_key_failures", "Attempts with an upstream key that ended in its or upstream's fault.", key.health.failures, label);
    }
    const DatabaseWorker::Figures& writer = p.store.writer_figures();
    set("proxyxai_writer_waiting_jobs", "Changes that wait to be stored.", writer.waiting);
    set("proxyxai_writer_commits", "Commits since the start.", writer.groups);
    set("proxyxai_writer_jobs", "Changes stored since the start.", writer.jobs);
    set("proxyxai_writer_failed_commits", "Commits that failed since the start.", writer.failed_commits);
    set("proxyxai_writer_commit_microseconds", "Time spent on commits since the start.", writer.commit_microseconds);
    set("proxyxai_ledger_waiting_requests", "Requests that wait to be committed.", p.ledger.waiting());
    set("proxyxai_pending_bills", "Batches, background responses and runs that are charged when they end.", p.pending.size());
    set("proxyxai_ledger_healthy", "0 while requests cannot be written down and none is served.", p.ledger.is_healthy() ? 1 : 0);
    const Mailer::Figures& mail = p.mailer.figures();
    set("proxyxai_mail_sent", "Mails sent since the start.", mail.sent);
    set("proxyxai_mail_failed", "Mails given up since the start.", mail.failed);
    set("proxyxai_mail_dropped", "Mails dropped since the start because too many waited.", mail.dropped);
    set("proxyxai_mail_waiting", "Mails that wait to be sent.", mail.waiting);
    std::uint64_t kept = 0, opened = 0, resumed = 0;
    p.origins.for_each([&](const Origin& origin) {
      kept += origin.kept();
      opened += origin.opened();
      resumed += origin.resumed();
    });
    set("proxyxai_upstream_kept_connections", "Idle connections to upstreams.", kept);
    set("proxyxai_upstream_opened_connections", "Connections to upstreams opened since the start.", opened);
    set("proxyxai_upstream_resumed_sessions", "TLS sessions resumed since the start.", resumed);
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    if (statm >> size >> resident) {
      set("process_resident_memory_bytes", "Resident memory of the daemon.", resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
    }
  });
}

}  // namespace proxyxai
