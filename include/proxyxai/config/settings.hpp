#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/money.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// Every setting of the daemon, validated and immutable once loaded. The table in README.md is checked against it.
struct Settings {
  std::uint16_t port = 3443;                       // PORT; 0 picks a free one
  std::vector<std::string> listen_addresses;       // LISTEN_ADDRESS; default 0.0.0.0 and ::
  std::string tls_cert, tls_key;                   // TLS_CERT, TLS_KEY: both or none
  std::string data_dir = "data";                   // DATA_DIR
  std::string admin_listen_host = "127.0.0.1";     // ADMIN_LISTEN host:port
  std::uint16_t admin_listen_port = 3444;

  struct InitialUser {
    std::string name, email;
    Secret key;                                    // empty: make one
  };
  std::vector<InitialUser> init_users;             // INIT_USERS
  struct InitialKey {
    Secret secret;
    std::string provider;                          // empty: OPENAI_API_BASE
  };
  std::vector<InitialKey> init_keys;               // INIT_KEYS
  Secret master_key;                               // MASTER_KEY; empty: generated file

  std::string openai_api_base = "https://api.openai.com";  // OPENAI_API_BASE, normalised to scheme://host[:port][/prefix]
  std::string upstream_ca_file;                    // UPSTREAM_CA_FILE
  std::string upstream_proxy;                      // UPSTREAM_PROXY http://host:port
  milliseconds keys_reload_interval{7'200'000};    // KEYS_RELOAD_INTERVAL
  milliseconds pending_interval{2'000};            // PENDING_INTERVAL
  milliseconds keys_max_wait{5'000};               // KEYS_MAX_WAIT
  enum class Routing { round_robin, cache_aware };
  Routing routing = Routing::round_robin;          // ROUTING

  unsigned retry_attempts = 5;                     // RETRY_ATTEMPTS 1–20
  milliseconds retry_deadline{600'000};            // RETRY_DEADLINE
  milliseconds connect_timeout{5'000};             // CONNECT_TIMEOUT
  milliseconds first_byte_timeout{600'000};        // FIRST_BYTE_TIMEOUT
  milliseconds idle_timeout{300'000};              // IDLE_TIMEOUT between bytes from upstream

  std::uint64_t max_header_bytes = 64 << 10;       // MAX_HEADER_BYTES
  std::uint64_t max_body_bytes = 512ULL << 20;     // MAX_BODY_BYTES
  std::uint64_t body_memory_bytes = 256ULL << 20;  // BODY_MEMORY_BYTES
  unsigned max_connections = 20'000;               // MAX_CONNECTIONS
  milliseconds header_timeout{10'000};             // HEADER_TIMEOUT, whole header section
  milliseconds body_idle_timeout{60'000};          // BODY_IDLE_TIMEOUT
  milliseconds keepalive_timeout{75'000};          // KEEPALIVE_TIMEOUT
  milliseconds drain_timeout{30'000};              // DRAIN_TIMEOUT after SIGTERM

  std::vector<std::string> trusted_proxies;        // TRUSTED_PROXIES, CIDR; default loopback
  std::vector<std::string> cors_origins;           // CORS_ORIGINS, default *

  enum class Durability { full, normal };
  Durability durability = Durability::full;        // DURABILITY

  Money user_min_balance = dollars(2);             // USER_MIN_BALANCE
  Money user_api_min_balance = dollars(20);        // USER_API_MIN_BALANCE
  Money call_min_balance = dollars(1);             // CALL_MIN_BALANCE
  Money hold_cap = dollars(10);                    // HOLD_CAP
  Money hold_step{20'000'000};                     // HOLD_STEP
  Money fee_transaction{200'000'000};              // FEE_TRANSACTION
  Money fee_listing{2'000'000};                    // FEE_LISTING
  std::int64_t stats_interval = 100;               // STATS_INTERVAL, requests
  std::int64_t retention_days = 90;                // RETENTION_DAYS
  std::string prices_file;                         // PRICES_FILE; empty: the built-in prices alone
  bool refuses_unknown_models = false;             // UNKNOWN_MODELS
  std::string model_mapper;                        // MODEL_MAPPER, as ModelMap reads it

  std::string email_smtp;                          // EMAIL_SMTP, a host; empty: no mail
  std::uint16_t email_port = 587;                  // EMAIL_PORT
  std::string email_auth;                          // EMAIL_AUTH, user name; empty: no authentication
  Secret email_pass;                               // EMAIL_PASS
  std::string email_sender;                        // EMAIL_SENDER, an address or `Name <address>`
  enum class EmailTls { starttls, tls, none };
  std::optional<EmailTls> email_tls;               // EMAIL_TLS; not set: as the port is used
  std::string xai_service;                         // XAI_SERVICE, one line of text

  std::string log_level = "info";                  // LOG_LEVEL
  enum class LogFormat { text, json };
  LogFormat log_format = LogFormat::text;          // LOG_FORMAT
};

}  // namespace proxyxai
