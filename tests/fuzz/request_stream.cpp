// A client's whole connection: the real Connection on a real socket, given requests with bodies of every framing, one after another.
// A plain decoder, which has all bytes at once, says which requests and bodies these are and which is refused; the connection must say
// the same whatever pieces the bytes come in, and answer once for each. PUT is answered before its body is read.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "check.hpp"
#include "proxyxai/net/connection.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

ConnectionLimits limits() {
  ConnectionLimits limits;
  limits.gate = {2'048, 30};
  limits.max_body_bytes = 4'096;
  return limits;
}

/// What comes of a connection, a line each; what is refused is not told why, for in pieces another fault may be seen first.
struct Story {
  std::string told;
  unsigned answers = 0;
  void add(std::string_view method, std::string_view target, std::string_view end) {
    told.append(method).append(" ").append(target).append(" ").append(end).append("\n");
  }
};

class Recorder final : public RequestHandler {
 public:
  explicit Recorder(Story& story) : story_(story) {}

  Task<bool> serve(Connection& connection) override {
    const std::string method(connection.request().method()), target(connection.request().target());
    ApiResponse response;
    response.body = "ok";
    if (method == "PUT") {
      story_.add(method, target, "unread");
      co_return co_await connection.respond(response);
    }
    std::string body;
    if (const auto whole = connection.buffered_body()) {
      body = *whole;
    } else {
      connection.send_continue();
      std::vector<char> into(2 * max_chunk_line);
      for (;;) {
        const Connection::BodyRead read = co_await connection.read_body(boost::asio::buffer(into));
        if (read.gone) {
          story_.add(method, target, "gone");
          co_return false;
        }
        if (read.refusal) {
          story_.add(method, target, "refused");
          response.status = read.refusal->status;
          co_await connection.respond(response);
          co_return false;
        }
        body.append(into.data(), read.bytes);
        if (read.done) break;
      }
    }
    story_.add(method, target, body);
    co_return co_await connection.respond(response);
  }
  void on_refused(const Connection&, const GateRefusal&) override { story_.told += "refused\n"; }

 private:
  Story& story_;
};

/// Final answers in what the client got.
unsigned count_answers(std::string_view got) {
  unsigned count = 0;
  // Not those that a message speaks of.
  const auto is_final = [got](std::size_t at) { return at + 9 < got.size() && got[at + 9] >= '2' && got[at + 9] <= '5'; };
  for (auto at = got.find("HTTP/1.1 "); at != got.npos; at = got.find("HTTP/1.1 ", at + 1)) count += is_final(at) ? 1 : 0;
  return count;
}

Story serve(const Pieces& pieces) {
  static const ConnectionLimits all = limits();
  Story story;
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0, "there is a pair of sockets");
  std::string got;
  {
    boost::asio::io_context loop{1};
    Watchdog watchdog(loop.get_executor());
    Recorder recorder(story);
    Connection connection(Stream(std::make_unique<PolledSocket>(loop, ends[0]), nullptr), watchdog, all, "127.0.0.1");
    bool has_ended = false;
    boost::asio::co_spawn(loop, connection.run(recorder), [&has_ended](const std::exception_ptr& thrown) {
      require(!thrown, "a connection throws nothing");
      has_ended = true;
    });
    const auto go_on = [&] {
      loop.restart();
      while (loop.poll() > 0) loop.restart();
      std::array<char, 4'096> answers{};
      for (ssize_t size = 1; size > 0;) {
        size = ::recv(ends[1], answers.data(), answers.size(), 0);
        if (size > 0) got.append(answers.data(), static_cast<std::size_t>(size));
      }
    };
    for (std::string_view piece : pieces) {
      while (!piece.empty()) {
        const ssize_t sent = ::send(ends[1], piece.data(), piece.size(), MSG_NOSIGNAL);
        // Closed after an answer that was the last.
        if (sent < 0 && errno != EAGAIN) break;
        if (sent > 0) piece.remove_prefix(static_cast<std::size_t>(sent));
        go_on();
      }
    }
    ::shutdown(ends[1], SHUT_WR);
    go_on();
    go_on();
    require(has_ended, "a connection ends with its client");
  }
  ::close(ends[1]);
  story.answers = count_answers(got);
  return story;
}

struct Body {
  enum class End { done, gone, refused } end = End::done;
  std::string text;
  std::size_t bytes = 0;  // on the wire
  bool is_long = false;   // a line is so long that pieces may decide
  bool is_odd = false;    // it has extensions or trailers, which Beast may refuse by their grammar
};

/// RFC 9112 7.1, of which extensions and trailers are passed over.
Body decode_chunks(std::string_view wire) {
  Body body;
  std::size_t at = 0;
  const auto fail_at = [&](Body::End end) {
    body.end = end;
    return body;
  };
  for (;;) {
    const auto line_end = wire.find("\r\n", at);
    const auto line = wire.substr(at, line_end == wire.npos ? line_end : line_end - at);
    std::uint64_t size = 0;
    const auto [rest, failed] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    const auto digits = static_cast<std::size_t>(rest - line.data());
    if (line.size() > max_chunk_line + 64) return fail_at(Body::End::refused);
    if (line.size() > max_chunk_line - 64) body.is_long = true;
    // A CR that no LF follows cannot be made good.
    if (line.find('\r') < line.size() - 1) return fail_at(Body::End::refused);
    if (line_end == wire.npos) return fail_at(Body::End::gone);
    if (failed != std::errc{} || digits == 0) return fail_at(Body::End::refused);
    const auto extension = line.substr(digits);
    body.is_odd = body.is_odd || !extension.empty();
    if (!extension.empty() && extension.find_first_not_of(" \t") != extension.find(';')) return fail_at(Body::End::refused);
    at = line_end + 2;
    if (size == 0) break;
    body.text.append(wire.substr(at, size));
    // What has come counts, whether its chunk is whole or not.
    if (body.text.size() > limits().max_body_bytes) return fail_at(Body::End::refused);
    if (wire.size() - at < size) return fail_at(Body::End::gone);
    at += size;
    if (wire.size() - at < 2) return fail_at(Body::End::gone);
    if (wire.substr(at, 2) != "\r\n") return fail_at(Body::End::refused);
    at += 2;
  }
  // Trailers end in an empty line.
  const auto end = wire.substr(at).starts_with("\r\n") ? at : wire.find("\r\n\r\n", at);
  if (std::min(end, wire.size()) - at > max_chunk_line - 64) body.is_long = true;
  if (end == wire.npos) return fail_at(Body::End::gone);
  body.is_odd = body.is_odd || end != at;
  body.bytes = end + (end == at ? 2 : 4);
  return body;
}

struct Head {
  std::string_view method, target;
  std::optional<std::uint64_t> length;
  bool is_chunked = false, closes = false, keeps = false, is_old = false, expects = false;
  bool is_odd = false;  // it has a Connection header that may be no list of tokens
};

Head read_head(std::string_view text) {
  Head head;
  const auto line_end = text.find("\r\n");
  const auto line = text.substr(0, line_end);
  head.method = line.substr(0, line.find(' '));
  head.target = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
  head.is_old = line.ends_with("1.0");
  for (auto at = line_end + 2; text.substr(at) != "\r\n";) {
    const auto end = text.find("\r\n", at);
    const auto colon = text.find(':', at);
    const auto name = text.substr(at, colon - at);
    auto value = text.substr(colon + 1, end - colon - 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    at = end + 2;
    if (equals_lower(name, "content-length")) std::from_chars(value.data(), value.data() + value.size(), head.length.emplace());
    if (equals_lower(name, "transfer-encoding")) head.is_chunked = true;
    if (equals_lower(name, "expect")) head.expects = true;
    if (!equals_lower(name, "connection") && !equals_lower(name, "proxy-connection")) continue;
    head.is_odd = head.is_odd || !(equals_lower(value, "close") || equals_lower(value, "keep-alive"));
    head.closes = head.closes || has_token(value, "close");
    head.keeps = head.keeps || has_token(value, "keep-alive");
  }
  return head;
}

/// What may come of `wire`; none: the pieces may decide.
std::vector<std::string> expected(std::string_view wire) {
  Story story;
  std::vector<std::string> others;
  const auto end_with = [&](const std::string& last) {
    others.push_back(story.told + last);
    return others;
  };
  for (;;) {
    while (wire.starts_with("\r\n")) wire.remove_prefix(2);
    const auto head_end = wire.find("\r\n\r\n");
    if (head_end == wire.npos) {
      return end_with(check_partial_head(wire, limits().gate) ? "refused\n" : "");
    }
    const auto text = wire.substr(0, head_end + 4);
    const Head head = check_request_head(text, limits().gate) ? Head{} : read_head(text);
    if (head.method.empty() || head.length > limits().max_body_bytes) return end_with("refused\n");
    if (head.is_odd) others.push_back(story.told + "refused\n");
    wire.remove_prefix(text.size());
    Body body;
    if (head.is_chunked) {
      body = decode_chunks(wire);
    } else {
      const std::uint64_t length = head.length.value_or(0);
      if (wire.size() < length) body.end = Body::End::gone;
      body.bytes = static_cast<std::size_t>(length);
      body.text = wire.substr(0, body.bytes);
    }
    if (body.is_long) return {};
    // Of a last chunk Beast judges the line when its trailers have come.
    for (const char* end : {"refused", "gone"}) {
      Story other = story;
      other.add(head.method, head.target, head.method == "PUT" ? "unread" : end);
      if (body.is_odd) others.push_back(other.told);
    }
    const bool keeps = head.is_old ? head.keeps && !head.closes : !head.closes;
    if (head.method == "PUT") {
      story.add(head.method, head.target, "unread");
      // The handler is asked before it is known whether the body comes.
      const bool has_body = head.is_chunked || head.length.value_or(0) > 0;
      if (!keeps || (has_body && head.expects) || body.end != Body::End::done) return end_with("");
    } else {
      story.add(head.method, head.target, body.end == Body::End::gone ? "gone" : body.end == Body::End::refused ? "refused" : body.text);
      if (body.end != Body::End::done || !keeps) return end_with("");
    }
    wire.remove_prefix(body.bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view wire = text_of(data, size);
  const auto wanted = expected(wire);
  std::string first;
  const auto check = [&](const Pieces& pieces) {
    const Story story = serve(pieces);
    const bool is_wanted = wanted.empty() || std::find(wanted.begin(), wanted.end(), story.told) != wanted.end();
    if (!is_wanted) same(story.told, wanted.back(), "requests");
    if (first.empty()) first = story.told;
    if (!wanted.empty()) same(story.told, first, "requests, in pieces");
    // One answer for each request but one whose client is gone.
    unsigned answers = 0;
    for (auto at = story.told.find('\n'); at != story.told.npos; at = story.told.find('\n', at + 1)) ++answers;
    require(story.answers <= answers, "there are no more answers than requests");
  };
  check({wire});
  in_pieces(wire, check);
  return 0;
}
