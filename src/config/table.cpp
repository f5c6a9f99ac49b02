#include "table.hpp"

#include "value.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view a_duration = "a length of time such as 500ms, 30s, 5m or 2h";
constexpr std::string_view a_size = "a number of bytes, or with K, M or G (MiB and so on)";
constexpr std::string_view an_amount = "dollars, such as 0.5";

using S = Settings;
using T = const std::string&;

const SettingRow rows[] = {
    {{"PORT", "3443", "0 to 65535", "port for clients; 0 picks a free one and logs it"},
     [](S& s, T t) { s.port = static_cast<std::uint16_t>(value::number(t, 0, 65535)); }},
    {{"LISTEN_ADDRESS", "0.0.0.0,::", "IP addresses, comma-separated", "addresses to listen on"},
     [](S& s, T t) { s.listen_addresses = value::ip_addresses(t); }},
    {{"TLS_CERT", "", "a PEM file", "certificate for clients, with TLS_KEY; read again on SIGHUP"},
     [](S& s, T t) { s.tls_cert = value::readable_file(t); }},
    {{"TLS_KEY", "", "a PEM file", "private key of TLS_CERT"}, [](S& s, T t) { s.tls_key = value::readable_file(t); }},
    {{"DATA_DIR", "data", "a directory", "database, master.key and temporary files; made with mode 0700"},
     [](S& s, T t) {
       if (t.empty()) throw value::BadValue{};
       s.data_dir = t;
     }},
    {{"INIT_USERS", "", "root:EMAIL:KEY, several comma-separated; KEY is sk-Xvs and 45 letters or digits, or empty",
      "accounts to make at the start; a root key that differs from the stored one replaces it", true},
     [](S& s, T t) { s.init_users = value::users(t); }},
    {{"INIT_KEYS", "", "sk-... or sk-...::https://host, several comma-separated; at least 20 characters each",
      "upstream keys to store when the database has none yet", true},
     [](S& s, T t) { s.init_keys = value::keys(t); }},
    {{"MASTER_KEY", "", "at least 16 characters", "seals upstream keys at rest; not set: DATA_DIR/master.key, made at the first start", true},
     [](S& s, T t) {
       if (!t.empty() && t.size() < 16) throw value::BadValue{"it has only " + std::to_string(t.size()) + " characters"};
       s.master_key = Secret(t);
     }},
    {{"OPENAI_API_BASE", "api.openai.com", "a host, host:port, or http(s) URL", "the upstream of keys that name none"},
     [](S& s, T t) { s.openai_api_base = value::origin_url(t); }},
    {{"UPSTREAM_CA_FILE", "", "a PEM file", "trusted for upstreams beside the system's store"},
     [](S& s, T t) { s.upstream_ca_file = value::readable_file(t); }},
    {{"UPSTREAM_PROXY", "", "http://[user:password@]host:port", "HTTP CONNECT proxy towards upstreams", true},
     [](S& s, T t) { s.upstream_proxy = value::proxy_url(t); }},
    {{"KEYS_RELOAD_INTERVAL", "7200s", a_duration, "how often the pool is read again from the database"},
     [](S& s, T t) { s.keys_reload_interval = value::duration(t); }},
    {{"KEYS_MAX_WAIT", "5s", a_duration, "longest wait for a key that is cooling or at its limit; beyond, the client gets 429"},
     [](S& s, T t) { s.keys_max_wait = value::duration(t); }},
    {{"PENDING_INTERVAL", "2s", a_duration,
      "how soon batches, background responses and runs are asked after, to be charged when they have ended; less often as they go on"},
     [](S& s, T t) { s.pending_interval = value::duration(t); }},
    {{"ROUTING", "round_robin", "round_robin or cache_aware",
      "cache_aware: requests that begin alike go to one key, whose upstream has their beginning in its cache"},
     [](S& s, T t) {
       s.routing = value::one_of(t, {"round_robin", "cache_aware"}) == "round_robin" ? S::Routing::round_robin : S::Routing::cache_aware;
     }},
    {{"RETRY_ATTEMPTS", "5", "1 to 20", "attempts for one request in all"},
     [](S& s, T t) { s.retry_attempts = static_cast<unsigned>(value::number(t, 1, 20)); }},
    {{"RETRY_DEADLINE", "600s", a_duration, "for all attempts of one request together"},
     [](S& s, T t) { s.retry_deadline = value::duration(t); }},
    {{"CONNECT_TIMEOUT", "5s", a_duration, "for a connection to an upstream, TLS included"},
     [](S& s, T t) { s.connect_timeout = value::duration(t); }},
    {{"FIRST_BYTE_TIMEOUT", "600s", a_duration, "for the head of an upstream's answer"},
     [](S& s, T t) { s.first_byte_timeout = value::duration(t); }},
    {{"IDLE_TIMEOUT", "300s", a_duration, "without a byte in the middle of an answer"},
     [](S& s, T t) { s.idle_timeout = value::duration(t); }},
    {{"MAX_HEADER_BYTES", "64KiB", a_size, "header section of a request"},
     [](S& s, T t) { s.max_header_bytes = value::size(t, 1 << 10); }},
    {{"MAX_BODY_BYTES", "512MiB", a_size, "body of a request"}, [](S& s, T t) { s.max_body_bytes = value::size(t, 1 << 10); }},
    {{"BODY_MEMORY_BYTES", "256MiB", a_size, "memory for all request bodies together; beyond, they go to a temporary file"},
     [](S& s, T t) { s.body_memory_bytes = value::size(t, 1 << 20); }},
    {{"MAX_CONNECTIONS", "20000", "1 to 1000000", "connections of clients"},
     [](S& s, T t) { s.max_connections = static_cast<unsigned>(value::number(t, 1, 1'000'000)); }},
    {{"HEADER_TIMEOUT", "10s", a_duration, "for the whole header section of a request"},
     [](S& s, T t) { s.header_timeout = value::duration(t); }},
    {{"BODY_IDLE_TIMEOUT", "60s", a_duration, "without a byte in the middle of a request body"},
     [](S& s, T t) { s.body_idle_timeout = value::duration(t); }},
    {{"KEEPALIVE_TIMEOUT", "75s", a_duration, "for an idle connection of a client"},
     [](S& s, T t) { s.keepalive_timeout = value::duration(t); }},
    {{"DRAIN_TIMEOUT", "30s", a_duration, "for requests in flight after SIGTERM"},
     [](S& s, T t) { s.drain_timeout = value::duration(t); }},
    {{"TRUSTED_PROXIES", "loopback", "addresses and ranges, comma-separated, or loopback; empty: none",
      "peers whose X-Forwarded-For counts"},
     [](S& s, T t) { s.trusted_proxies = value::cidr_list(t); }},
    {{"CORS_ORIGINS", "*", "* or origins such as https://a.example, comma-separated", "who may call from a browser"},
     [](S& s, T t) { s.cors_origins = value::origins(t); }},
    {{"USER_MIN_BALANCE", "2.00", an_amount, "the least that a new account is granted"},
     [](S& s, T t) { s.user_min_balance = value::money(t); }},
    {{"USER_API_MIN_BALANCE", "20.00", an_amount, "what an account must have to manage accounts below it"},
     [](S& s, T t) { s.user_api_min_balance = value::money(t); }},
    {{"CALL_MIN_BALANCE", "1.00", an_amount, "what an account must have to call the API"},
     [](S& s, T t) { s.call_min_balance = value::money(t); }},
    {{"HOLD_CAP", "10.00", an_amount, "the most that one request reserves when it begins"},
     [](S& s, T t) { s.hold_cap = value::money(t); }},
    {{"HOLD_STEP", "0.02", an_amount, "what a stream reserves more at a time while it runs"},
     [](S& s, T t) { s.hold_step = value::money(t); }},
    {{"FEE_TRANSACTION", "0.2", an_amount, "for taking credit back and for deleting an account; root pays none"},
     [](S& s, T t) { s.fee_transaction = value::money(t); }},
    {{"FEE_LISTING", "0.002", an_amount, "for listing all accounts; root pays none"},
     [](S& s, T t) { s.fee_listing = value::money(t); }},
    {{"STATS_INTERVAL", "100", "1 to 1000000", "requests after which an account's shown totals are brought up to date at the latest"},
     [](S& s, T t) { s.stats_interval = static_cast<std::int64_t>(value::number(t, 1, 1'000'000)); }},
    {{"RETENTION_DAYS", "90", "1 to 36500", "how long single requests and operations are kept; daily sums and movements stay"},
     [](S& s, T t) { s.retention_days = static_cast<std::int64_t>(value::number(t, 1, 36'500)); }},
    {{"PRICES_FILE", "", "a JSON file as config/prices.json", "prices that replace built-in ones; read again on SIGHUP"},
     [](S& s, T t) { s.prices_file = value::readable_file(t); }},
    {{"UNKNOWN_MODELS", "fallback", "fallback or refuse", "what happens to models that have no price"},
     [](S& s, T t) { s.refuses_unknown_models = value::one_of(t, {"fallback", "refuse"}) == "refuse"; }},
    {{"MODEL_MAPPER", "", "PATTERN=NAME, several comma-separated; * in a pattern is any text",
      "models that others serve: the first pattern that matches counts; PUT /x-config overrides it"},
     [](S& s, T t) { s.model_mapper = value::model_mapper(t); }},
    {{"DURABILITY", "full", "full or normal", "normal: the last changes may be lost when power fails"},
     [](S& s, T t) {
       s.durability = value::one_of(t, {"full", "normal"}) == "full" ? S::Durability::full : S::Durability::normal;
     }},
    {{"ADMIN_LISTEN", "127.0.0.1:3444", "IP:PORT", "listener of /metrics, /healthz and /readyz"},
     [](S& s, T t) {
       const auto parsed = value::host_port(t);
       s.admin_listen_host = parsed.host;
       s.admin_listen_port = parsed.port;
     }},
    {{"EMAIL_SMTP", "", "the name or IP address of a mail server", "mail is sent through it; not set: no mail is sent"},
     [](S& s, T t) { s.email_smtp = value::host(t); }},
    {{"EMAIL_PORT", "587", "1 to 65535", "port of the mail server"},
     [](S& s, T t) { s.email_port = static_cast<std::uint16_t>(value::number(t, 1, 65535)); }},
    {{"EMAIL_AUTH", "", "a user name", "with EMAIL_PASS: authenticates at the mail server"},
     [](S& s, T t) { s.email_auth = value::one_line(t); }},
    {{"EMAIL_PASS", "", "a password", "of EMAIL_AUTH", true}, [](S& s, T t) { s.email_pass = Secret(value::one_line(t)); }},
    {{"EMAIL_SENDER", "", "an address, or Name <address>", "sender of every mail"},
     [](S& s, T t) { s.email_sender = value::mail_sender(t); }},
    {{"EMAIL_TLS", "", "starttls, tls or none", "not set: starttls, with port 465 tls; none sends mail and password readable"},
     [](S& s, T t) { s.email_tls = value::email_tls(t); }},
    {{"XAI_SERVICE", "", "one line of text", "name of the service, at the foot of every mail"},
     [](S& s, T t) { s.xai_service = value::one_line(t); }},
    {{"LOG_LEVEL", "info", "trace, debug, info, warn or error", "the access log is written at info and below; read again on SIGHUP"},
     [](S& s, T t) { s.log_level = value::one_of(t, {"trace", "debug", "info", "warn", "error"}); }},
    {{"LOG_FORMAT", "text", "text or json", "of the log and the access log"},
     [](S& s, T t) { s.log_format = value::one_of(t, {"text", "json"}) == "text" ? S::LogFormat::text : S::LogFormat::json; }},
};

}  // namespace

std::span<const SettingRow> setting_rows() { return rows; }

std::vector<SettingInfo> setting_table() { return {std::begin(rows), std::end(rows)}; }

}  // namespace proxyxai
