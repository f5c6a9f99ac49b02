#include "server.hpp"

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <openssl/evp.h>

#include "realtime.hpp"

namespace mock {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using asio::use_awaitable;

namespace {

using TlsStream = asio::ssl::stream<tcp::socket>;

tcp::socket& socket_of(tcp::socket& stream) { return stream; }
tcp::socket& socket_of(TlsStream& stream) { return stream.next_layer(); }

/// The client has gone away, or a fault has ended the connection.
struct Ended {
  std::string outcome;
};

/// Adds up a body that may be too large to keep.
class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return to_hex(digest);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

template <class Stream>
class Session {
 public:
  Session(World& world, Stream& stream, std::uint64_t number, bool resumed)
      : world_(world), stream_(stream), timer_(stream.get_executor()), number_(number), resumed_(resumed) {}

  asio::awaitable<void> run() {
    for (bool keep = true; keep;) keep = co_await serve_one();
  }

 private:
  using Parser = http::request_parser<http::buffer_body>;

  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.body_limit(std::uint64_t{1} << 31);
    parser.header_limit(256 << 10);
    co_await http::async_read_header(stream_, buffer_, parser, use_awaitable);
    Request request = describe(parser);
    const bool is_control = request.path.starts_with("/_mock/");
    std::optional<Fault> fault;
    if (!is_control) fault = world_.script.take(request, false);
    if (!fault) {
      if (parser.get()[http::field::expect] == "100-continue") co_await write("HTTP/1.1 100 Continue\r\n\r\n");
      co_await read_body(parser, request);
    }
    if (is_control) {
      const Answer answer = co_await control(world_, request);
      co_await send_whole(request, answer, true);
      co_return parser.keep_alive();
    }
    const std::uint64_t record = world_.recorder.start(request, number_, resumed_);
    if (!fault) fault = world_.script.take(request, true);
    unsigned status = 0;
    std::string outcome = fault ? "fault:" + fault->name : "answered";
    bool keep = parser.keep_alive();
    try {
      if (websocket::is_upgrade(parser.get()) && !fault) {
        co_await realtime(request, parser.release());
        keep = false;
        status = 101;
      } else {
        const Answer answer = fault && fault->behaviour == Behaviour::answer ? fault->answer : world_.organization.answer(request, world_.answers);
        status = answer.status;
        keep = co_await respond(request, fault, answer) && keep;
      }
    } catch (const Ended& ended) {
      outcome = ended.outcome;
      keep = false;
    } catch (const boost::system::system_error&) {
      outcome = fault ? outcome : "client_gone";
      keep = false;
    }
    world_.recorder.finish(record, outcome, status);
    co_return keep;
  }

  [[nodiscard]] Request describe(const Parser& parser) const {
    Request request;
    const auto& message = parser.get();
    request.method = message.method_string();
    request.target = message.target();
    request.version = static_cast<int>(message.version());
    const auto mark = request.target.find('?');
    request.path = request.target.substr(0, mark);
    if (mark != request.target.npos) request.query = request.target.substr(mark + 1);
    if (!world_.prefix.empty() && request.path.starts_with(world_.prefix)) request.path = request.path.substr(world_.prefix.size());
    for (const auto& field : message) request.headers.emplace_back(field.name_string(), field.value());
    const std::string authorization = request.header("authorization");
    request.key = authorization.starts_with("Bearer ") ? authorization.substr(7) : authorization;
    return request;
  }

  asio::awaitable<void> read_body(Parser& parser, Request& request) {
    Hash hash;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
    std::array<char, 65'536> piece;
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      boost::system::error_code error;
      co_await http::async_read_some(stream_, buffer_, parser, asio::redirect_error(use_awaitable, error));
      if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
      const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
      hash.add(got);
      request.body_size += got.size();
      if (request.body.size() + got.size() <= max_kept_body) request.body.append(got);
      else request.body_kept = false;
    }
    request.body_sha256 = hash.hex();
    request.settle_seed();
  }

  asio::awaitable<void> write(std::string_view bytes) { co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), use_awaitable); }

  /// Waits, and notices at once when the client leaves: it has nothing to say before its answer.
  asio::awaitable<void> wait(std::chrono::milliseconds span) {
    using namespace asio::experimental::awaitable_operators;
    timer_.expires_after(span);
    const auto which = co_await (timer_.async_wait(use_awaitable) || socket_of(stream_).async_wait(tcp::socket::wait_read, use_awaitable));
    if (which.index() == 1) throw Ended{"client_gone"};
  }

  void reset() {
    boost::system::error_code ignored;
    socket_of(stream_).set_option(asio::socket_base::linger(true, 0), ignored);
    socket_of(stream_).close(ignored);
  }

  [[nodiscard]] std::string head_of(const Request& request, const Answer& answer, bool bare) const {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(http::obsolete_reason(http::int_to_status(answer.status))) + "\r\n";
    head += "Content-Type: " + answer.content_type + "\r\n";
    for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
    if (bare) return head;
    head += "x-request-id: req_" + sha256_hex(request.target + request.seed).substr(0, 32) + "\r\n";
    head +=
        "openai-processing-ms: 12\r\nopenai-version: 2020-10-01\r\nopenai-organization: org-mock\r\nopenai-project: proj_mock\r\n"
        "set-cookie: __cf_bm=mock; path=/\r\nalt-svc: h3=\":443\"\r\nstrict-transport-security: max-age=31536000\r\n"
        "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\nx-ratelimit-reset-requests: 6ms\r\n"
        "x-ratelimit-limit-tokens: 200000\r\nx-ratelimit-remaining-tokens: 199000\r\nx-ratelimit-reset-tokens: 6m0s\r\n";
    return head;
  }

  asio::awaitable<void> send_whole(const Request& request, const Answer& answer, bool bare) {
    std::string out = head_of(request, answer, bare);
    out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
    if (request.method != "HEAD") out += answer.body;
    co_await write(out);
  }

  /// True when the connection may carry another request.
  asio::awaitable<bool> respond(const Request& request, const std::optional<Fault>& fault, const Answer& answer) {
    if (const auto delay = request.number("x-mock-delay-ms", 0); delay > 0) co_await wait(std::chrono::milliseconds(delay));
    const Behaviour behaviour = fault ? fault->behaviour : Behaviour::answer;
    switch (behaviour) {
      case Behaviour::reset_before:
      case Behaviour::reset_while_reading: reset(); co_return false;
      case Behaviour::close_before: co_return false;
      case Behaviour::stall_before: co_await wait(std::chrono::hours(1)); co_return false;
      case Behaviour::early_answer: co_await send_whole(request, fault->answer, false); co_return false;
      case Behaviour::short_length: {
        std::string out = head_of(request, answer, false);
        out += "Content-Length: " + std::to_string(answer.body.size() + 100) + "\r\n\r\n" + answer.body;
        co_await write(out);
        reset_gently();
        co_return false;
      }
      default: break;
    }
    if (answer.next_piece) co_return co_await send_stream(request, fault, answer);
    if (behaviour == Behaviour::answer) {
      co_await send_whole(request, answer, false);
      co_return true;
    }
    // The other faults need a body that comes in pieces.
    Answer pieces = answer;
    pieces.next_piece = [left = answer.body]() mutable -> std::optional<std::string> {
      if (left.empty()) return std::nullopt;
      std::string piece = left.substr(0, 64);
      left.erase(0, 64);
      return piece;
    };
    co_return co_await send_stream(request, fault, pieces);
  }

  /// FIN without close_notify.
  void reset_gently() {
    boost::system::error_code ignored;
    socket_of(stream_).shutdown(tcp::socket::shutdown_both, ignored);
    socket_of(stream_).close(ignored);
  }

  asio::awaitable<bool> send_stream(const Request& request, const std::optional<Fault>& fault, const Answer& answer) {
    const auto interval = std::chrono::milliseconds(request.number("x-mock-interval-ms", 0));
    co_await write(head_of(request, answer, false) + "Transfer-Encoding: chunked\r\n\r\n");
    std::uint64_t sent = 0;
    bool first = true;
    while (auto piece = answer.next_piece()) {
      if (interval.count() > 0 && !first) co_await wait(interval);
      first = false;
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", piece->size());
      co_await write(size + *piece + "\r\n");
      sent += piece->size();
      if (!fault || sent < fault->after_bytes) continue;
      if (fault->behaviour == Behaviour::stall_mid) co_await wait(std::chrono::hours(1));
      if (fault->behaviour == Behaviour::reset_mid) reset();
      if (fault->behaviour == Behaviour::truncate) reset_gently();
      if (fault->behaviour != Behaviour::answer) throw Ended{"fault:" + fault->name};
    }
    co_await write("0\r\n\r\n");
    co_return true;
  }

  asio::awaitable<void> realtime(const Request& request, http::request<http::buffer_body> upgrade) {
    websocket::stream<Stream&> socket(stream_);
    if (upgrade[http::field::sec_websocket_protocol].find("realtime") != std::string_view::npos) {
      socket.set_option(websocket::stream_base::decorator([](websocket::response_type& response) { response.set(http::field::sec_websocket_protocol, "realtime"); }));
    }
    co_await socket.async_accept(upgrade, use_awaitable);
    Conversation conversation(request, world_.answers);
    const auto interval = std::chrono::milliseconds(request.number("x-mock-interval-ms", 0));
    co_await say(socket, conversation.greeting(), interval);
    for (;;) {
      boost::beast::flat_buffer message;
      boost::system::error_code error;
      co_await socket.async_read(message, asio::redirect_error(use_awaitable, error));
      if (error == websocket::error::closed) co_return;
      if (error) throw boost::system::system_error(error);
      if (socket.got_binary()) {
        socket.binary(true);
        co_await socket.async_write(message.data(), use_awaitable);
        socket.binary(false);
        continue;
      }
      co_await say(socket, conversation.reply_to(boost::beast::buffers_to_string(message.data())), interval);
    }
  }

  asio::awaitable<void> say(websocket::stream<Stream&>& socket, std::vector<std::string> messages, std::chrono::milliseconds interval) {
    bool first = true;
    for (const std::string& each : messages) {
      // Not wait(): a client may well speak meanwhile.
      timer_.expires_after(first ? std::chrono::milliseconds(0) : interval);
      if (interval.count() > 0) co_await timer_.async_wait(use_awaitable);
      first = false;
      co_await socket.async_write(asio::buffer(each), use_awaitable);
    }
  }

  World& world_;
  Stream& stream_;
  asio::steady_timer timer_;
  const std::uint64_t number_;
  const bool resumed_;
  boost::beast::flat_buffer buffer_;
};

asio::awaitable<void> run_connection(World& world, tcp::socket socket, asio::ssl::context* context, std::uint64_t number) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  bool open = false;
  try {
    if (context == nullptr) {
      world.recorder.on_open(false);
      open = true;
      Session<tcp::socket> session(world, socket, number, false);
      co_await session.run();
    } else {
      TlsStream stream(std::move(socket), *context);
      co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
      const bool resumed = SSL_session_reused(stream.native_handle()) == 1;
      world.recorder.on_open(resumed);
      open = true;
      Session<TlsStream> session(world, stream, number, resumed);
      co_await session.run();
      if (stream.next_layer().is_open()) co_await stream.async_shutdown(use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    // A connection that ends is the usual end of a connection.
  }
  if (open) world.recorder.on_close();
}

}  // namespace

asio::awaitable<void> serve(World& world, tcp::acceptor& acceptor, asio::ssl::context* context) {
  for (std::uint64_t number = 1;; ++number) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(acceptor.get_executor(), run_connection(world, std::move(socket), context, number), asio::detached);
  }
}

}  // namespace mock
