#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "answers.hpp"
#include "organization.hpp"
#include "recorder.hpp"
#include "script.hpp"

namespace mock {

/// What every connection shares. One thread.
struct World {
  Answers answers;
  Script script;
  Recorder recorder;
  std::string prefix;
  Organization organization = {};
};

/// Answers `/_mock/...`, the tests' side door: they are not recorded and need no key. Whoever posts `{"name","keys"}` to
/// `projects` makes keys share a project.
boost::asio::awaitable<Answer> control(World& world, const Request& request);

/// Accepts connections for ever; `context` null: plain.
boost::asio::awaitable<void> serve(World& world, boost::asio::ip::tcp::acceptor& acceptor, boost::asio::ssl::context* context);

}  // namespace mock
