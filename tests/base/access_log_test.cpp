#include "proxyxai/base/access_log.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <memory>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

/// What one of each field looks like.
AccessRecord record() {
  AccessRecord r;
  r.time = from_unix_ms(1'700'000'000'042);
  r.request_id = "req_1";
  r.trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  r.client = "192.0.2.7";
  r.method = "POST";
  r.path = "/v1/chat/completions";
  r.account = "root";
  r.status = 200;
  r.model = "gpt-4o";
  r.bytes_in = 10;
  r.bytes_out = 20;
  r.attempts = 2;
  r.key_id = 7;
  r.duration_us = 1'234'567;
  r.first_byte_us = 999;
  r.upstream_us = 1'050;
  return r;
}

/// All the log writes of `records`.
std::string written(const std::vector<AccessRecord>& records, bool json) {
  const TempDirectory directory;
  const std::string name = directory.file("log");
  const int file = ::open(name.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  {
    AccessLog log(file, json);
    for (const AccessRecord& each : records) log.write(each);
  }
  ::close(file);
  return read_whole_file(name);
}

TEST(AccessLog, WritesALineOfText) {
  EXPECT_EQ(written({record()}, false),
            "2023-11-14T22:13:20.042Z POST /v1/chat/completions 200 account=root model=gpt-4o key=7 attempts=2 reason=- in=10 "
            "out=20 took=1234.5ms first=0.9ms upstream=1.0ms client=192.0.2.7 id=req_1 trace=4bf92f3577b34da6a3ce929d0e0e4736\n");
}

TEST(AccessLog, WritesAnObjectALine) {
  AccessRecord second = record();
  second.account = "";
  second.reason = "rate_limited";
  second.time = from_unix_ms(1'700'000'001'999);
  const std::string out = written({record(), second}, true);
  const auto end = out.find('\n');
  const Json first = Json::parse(out.substr(0, end));
  EXPECT_EQ(first, Json::parse(R"({"time":"2023-11-14T22:13:20.042Z","method":"POST","path":"/v1/chat/completions","status":200,
    "account":"root","model":"gpt-4o","key":7,"attempts":2,"reason":"","in":10,"out":20,"took_ms":1234.5,"first_ms":0.9,
    "upstream_ms":1.0,"client":"192.0.2.7","id":"req_1","trace":"4bf92f3577b34da6a3ce929d0e0e4736"})"));
  const Json next = Json::parse(out.substr(end + 1));
  EXPECT_EQ(next["time"], "2023-11-14T22:13:21.999Z");
  EXPECT_EQ(next["account"], "");
  EXPECT_EQ(next["reason"], "rate_limited");
}

/// Every byte there is, and sequences that are no UTF-8, in each field that a client can choose.
std::vector<std::string> hostile_texts() {
  std::vector<std::string> texts{"a\nb", "a\r\nb", "\x1b[31mred", "\"},{\"status\":200", "\\", "\\\"", "\xff\xfe", "\xed\xa0\x80", "\xe2\x80\xa8",
                                 std::string("a\0b", 3), "\x7f\x80"};
  for (int byte = 0; byte < 256; ++byte) texts.push_back(std::string("x") + static_cast<char>(byte) + "y");
  texts.push_back(std::string(511, 'a') + "\xe2\x82\xac");  // cut within a character
  return texts;
}

AccessRecord with_everywhere(const std::string& text) {
  AccessRecord r = record();
  r.path = r.model = r.account = r.client = r.method = r.request_id = r.reason = r.trace = text;
  return r;
}

TEST(AccessLog, HostileBytesStayOneLineOfText) {
  const auto texts = hostile_texts();
  for (const std::string& text : texts) {
    const std::string out = written({with_everywhere(text)}, false);
    ASSERT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << testing::PrintToString(text);
    for (const char c : out.substr(0, out.size() - 1)) {
      ASSERT_TRUE(c >= ' ' && c <= '~') << testing::PrintToString(text) << " gives " << testing::PrintToString(out);
    }
  }
}

TEST(AccessLog, HostileTextForgesNoField) {
  for (const char* text : {"gpt account=root", "a b c", "x=y", "- reason=none"}) {
    AccessRecord r = record();
    r.account = "";
    r.model = text;
    const std::string out = written({r}, false);
    // What a reader takes for fields is what stands between spaces outside of quotes.
    std::vector<std::string> words(1);
    bool quoted = false;
    for (const char c : out) {
      if (c == '"') quoted = !quoted;
      if (c == ' ' && !quoted) words.emplace_back();
      else words.back().push_back(c);
    }
    EXPECT_EQ(words.size(), 17u) << out;
    EXPECT_EQ(std::count(words.begin(), words.end(), "account=root"), 0) << out;
  }
}

TEST(AccessLog, HostileBytesStayValidJson) {
  const auto texts = hostile_texts();
  for (const std::string& text : texts) {
    const std::string out = written({with_everywhere(text)}, true);
    ASSERT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << testing::PrintToString(text);
    const Json line = Json::parse(out, nullptr, false);
    ASSERT_TRUE(line.is_object()) << testing::PrintToString(text) << " gives " << testing::PrintToString(out);
    ASSERT_EQ(line.size(), 17u) << out;
    ASSERT_EQ(line["status"], 200) << out;
  }
}

TEST(AccessLog, CutsLongFields) {
  AccessRecord r = record();
  const std::string path(100'000, 'p'), model(100'000, 'm');
  r.path = path;
  r.model = model;
  for (const bool json : {false, true}) {
    const std::string out = written({r}, json);
    EXPECT_LT(out.size(), 1200u);
    EXPECT_GT(std::count(out.begin(), out.end(), 'p'), 500);
  }
}

TEST(AccessLog, MasksKeys) {
  const std::string key = "sk-proj-Abcdefgh12345678";
  for (const bool json : {false, true}) {
    for (const std::string& text : {key, "/v1/" + key + "/x", "Bearer " + key, std::string("Bearer abcdefghijklmnop")}) {
      const std::string out = written({with_everywhere(text)}, json);
      EXPECT_THAT(out, Not(HasSubstr("bcdefgh"))) << text;
      EXPECT_THAT(out, HasSubstr("***")) << text;
    }
  }
}

/// Of whatever form it is told in, and where the path is cut.
TEST(AccessLog, MasksVirtualKeysWhole) {
  const std::string random = "Abcdefgh1234567890Abcdefgh1234567890Abcdefgh1";
  for (const bool json : {false, true}) {
    for (const std::string& text : {"/v1/models/%73k-Xvs" + random, "/Xvs" + random, "/" + std::string(490, 'x') + "/sk-Xvs" + random}) {
      AccessRecord r = record();
      r.path = text;
      EXPECT_THAT(written({r}, json), Not(HasSubstr("bcdef"))) << text;
    }
  }
}

TEST(AccessLog, WritesNothingWhileDisabled) {
  const TempDirectory directory;
  const int file = ::open(directory.file("log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  {
    AccessLog log(file, false);
    EXPECT_TRUE(log.enabled());
    log.set_enabled(false);
    EXPECT_FALSE(log.enabled());
    log.write(record());
    log.set_enabled(true);
    AccessRecord shown = record();
    shown.model = "shown";
    log.write(shown);
  }
  ::close(file);
  const std::string out = read_whole_file(directory.file("log"));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  EXPECT_THAT(out, HasSubstr("model=shown"));
}

TEST(AccessLog, KeepsEveryLineInOrderForAReaderThatReads) {
  std::vector<AccessRecord> records(20'000, record());
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < records.size(); ++i) ids.push_back("req_" + std::to_string(i));
  for (std::size_t i = 0; i < records.size(); ++i) records[i].request_id = ids[i];
  const std::string out = written(records, false);
  std::size_t at = 0;
  for (const std::string& id : ids) {
    const auto end = out.find('\n', at);
    ASSERT_NE(end, out.npos);
    ASSERT_NE(std::string_view(out).substr(at, end - at).find(" id=" + id + " "), std::string_view::npos) << id;
    at = end + 1;
  }
  EXPECT_EQ(at, out.size());
}

TEST(AccessLog, SurvivesAReaderThatWentAway) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ::close(ends[0]);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  {
    AccessLog log(ends[1], false);
    for (int i = 0; i < 1000; ++i) log.write(record());
  }
  std::signal(SIGPIPE, before);
  ::close(ends[1]);
}

/// A pipe that nobody reads, its writer's end of either kind; the daemon's standard output usually blocks.
class UnreadPipe : public testing::TestWithParam<bool> {
 protected:
  UnreadPipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    if (GetParam()) ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    log_ = std::make_unique<AccessLog>(ends_[1], false);
  }
  ~UnreadPipe() override {
    for (const int each : ends_) ::close(each);
  }

  /// Ends the log. When that does not come to its end, reads the pipe so that it can, and gives false.
  bool log_ends() {
    auto ended = std::async(std::launch::async, [this] { log_.reset(); });
    if (ended.wait_for(seconds{10}) == std::future_status::ready) return true;
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::vector<char> drain(1 << 16);
    while (ended.wait_for(milliseconds{1}) != std::future_status::ready) {
      while (::read(ends_[0], drain.data(), drain.size()) > 0) {}
    }
    return false;
  }
  /// Writes until a line is dropped or `most` bytes are in; gives the bytes written.
  std::size_t fill(std::size_t most) {
    const std::string path(500, 'p');
    AccessRecord r = record();
    r.path = path;
    std::size_t bytes = 0;
    for (; bytes < most && log_->dropped() == 0; bytes += path.size()) log_->write(r);
    return bytes;
  }

  /// Ends the log, and reads the pipe only after `pause`. Gives the lines that came.
  std::ptrdiff_t lines_of_slow_end(milliseconds pause) {
    auto ended = std::async(std::launch::async, [this] { log_.reset(); });
    EXPECT_EQ(ended.wait_for(pause), std::future_status::timeout) << "the log gives up at once";
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::vector<char> bytes(1 << 16);
    std::ptrdiff_t lines = 0;
    for (bool is_over = false; !is_over;) {
      is_over = ended.wait_for(milliseconds{1}) == std::future_status::ready;
      for (ssize_t got = 0; (got = ::read(ends_[0], bytes.data(), bytes.size())) > 0;) lines += std::count(bytes.begin(), bytes.begin() + got, '\n');
    }
    return lines;
  }

  std::unique_ptr<AccessLog> log_;

 private:
  int ends_[2] = {-1, -1};
};

TEST_P(UnreadPipe, IsBoundedAndCounted) {
  // At most what is being written and what waits are kept, 8 MiB each.
  EXPECT_LT(fill(64 << 20), 20u << 20);
  const auto dropped = log_->dropped();
  EXPECT_GT(dropped, 0u);
  for (int i = 0; i < 1000; ++i) log_->write(record());
  log_->flush();
  EXPECT_GT(log_->dropped(), dropped);
  EXPECT_TRUE(log_ends()) << "the log does not end while nobody reads";
}

TEST_P(UnreadPipe, DoesNotKeepTheLogFromEnding) {
  fill(1 << 20);
  log_->flush();
  EXPECT_EQ(log_->dropped(), 0u);
  EXPECT_TRUE(log_ends()) << "the log does not end while nobody reads";
}

TEST_P(UnreadPipe, WaitsForItsReaderWhenItEnds) {
  const std::size_t written = fill(1 << 20) / 500;
  log_->flush();
  EXPECT_EQ(lines_of_slow_end(milliseconds{1'000}), static_cast<std::ptrdiff_t>(written));
}

INSTANTIATE_TEST_SUITE_P(Descriptors, UnreadPipe, testing::Bool(),
                         [](const auto& about) { return about.param ? "nonblocking" : "blocking"; });

}  // namespace
}  // namespace proxyxai
