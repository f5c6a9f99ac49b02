#include "part_settings.hpp"

namespace proxyxai {

Listener::Settings public_listener(const Settings& settings, std::vector<int> inherited) {
  Listener::Settings listener;
  listener.addresses = settings.listen_addresses;
  listener.port = settings.port;
  listener.inherited = std::move(inherited);
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

Listener::Settings admin_listener(const Settings& settings, std::vector<int> inherited) {
  Listener::Settings listener;
  listener.addresses = {settings.admin_listen_host};
  listener.port = settings.admin_listen_port;
  listener.inherited = std::move(inherited);
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
  return {settings.user_min_balance, settings.user_api_min_balance, settings.fee_transaction, settings.fee_listing, settings.call_min_balance};
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

}  // namespace proxyxai
