#pragma once

#include "alerts.hpp"
#include "proxyxai/accounts/service.hpp"
#include "proxyxai/admin/config_api.hpp"
#include "proxyxai/config/settings.hpp"
#include "proxyxai/keys/pool.hpp"
#include "proxyxai/net/listener.hpp"
#include "proxyxai/notify/mailer.hpp"
#include "proxyxai/proxy/gateway.hpp"

namespace proxyxai {

/// What each part takes of the operator's settings: the rooms know nothing of one another's, and nothing of their names outside.
Listener::Settings public_listener(const Settings& settings, std::vector<int> inherited);
Listener::Settings admin_listener(const Settings& settings, std::vector<int> inherited);
UpstreamSettings upstream_settings(const Settings& settings);
Gateway::Settings gateway_settings(const Settings& settings);
Billing::Settings billing_settings(const Settings& settings);
AccountService::Settings account_settings(const Settings& settings);
Mailer::Settings mail_settings(const Settings& settings);
KeyPool::Settings pool_settings(const Settings& settings);
/// `models` is changed as root sets them.
std::vector<LiveSetting> live_settings(const Settings& settings, ModelMap& models);
bool is_access_logged(const std::string& log_level);

}  // namespace proxyxai
