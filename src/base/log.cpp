#include "proxyxai/base/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "proxyxai/base/clock.hpp"

#include "patient_write.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t queue_lines = 8192;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// One line of text, or one JSON object, for each message; keys masked.
class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text = mask_keys({message.payload.data(), message.payload.size()});
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string when = to_log_time(std::chrono::time_point_cast<milliseconds>(message.time));
    std::string line;
    if (json_) {
      line.append(R"({"time":")").append(when).append(R"(","level":")").append(level.data(), level.size());
      line.append(R"(","message":")");
      append_json_text(line, text);
      line.append("\"}\n");
    } else {
      line.append(when).append(" ").append(level.data(), level.size()).append(" ").append(text).append("\n");
    }
    out.append(line.data(), line.data() + line.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(json_); }

 private:
  const bool json_;
};

/// Standard error. Until we are to stop, its reader may take as long as it likes; then it has a moment.
class PatientSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Any thread.
  void stop() { is_stopping_ = true; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view left(line.data(), line.size());
    while (!stands_still_) {
      const bool is_last_try = is_stopping_;
      if (write_patiently(STDERR_FILENO, left, is_last_try ? 2'000 : 500)) break;
      stands_still_ = is_last_try;
    }
  }
  void flush_() override {}

  std::atomic<bool> is_stopping_ = false;
  bool stands_still_ = false;  // at the end: nothing more is written
};

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): as spdlog's default logger is, which it belongs to
std::shared_ptr<PatientSink> standard_error;

/// How long the text is that begins with `beginning` and goes on with at least `shortest` characters that `is_part`; 0: it does not.
template <class IsPart>
std::size_t secret_length(std::string_view text, std::string_view beginning, std::size_t shortest, IsPart is_part) {
  if (!text.starts_with(beginning)) return 0;
  const auto end = std::find_if_not(text.begin() + beginning.size(), text.end(), is_part);
  const auto length = static_cast<std::size_t>(end - text.begin());
  return length - beginning.size() >= shortest ? length : 0;
}

}  // namespace

std::string mask_keys(std::string_view text) {
  // Within a word only what is long is taken for a key: `task-force` is none.
  constexpr std::size_t shortest = 8, shortest_within = 20, of_virtual_key = 40;
  const auto is_credential_character = [](char c) { return c > ' ' && c != '"' && c != '\''; };
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    const bool is_within = at > 0 && is_key_character(text[at - 1]);
    std::string_view shown = "sk-***";
    std::size_t length = secret_length(rest, "sk-", is_within ? shortest_within : shortest, is_key_character);
    if (length == 0) {
      // However what stands before it is written, such as `%73k-`.
      shown = "***";
      length = secret_length(rest, "Xvs", of_virtual_key, is_key_character);
    }
    if (length == 0) {
      shown = "Bearer ***";
      length = secret_length(rest, "Bearer ", shortest, is_credential_character);
    }
    if (length == 0) {
      out.push_back(text[at++]);
      continue;
    }
    out.append(shown);
    at += length;
  }
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      // What is beyond ASCII is shown byte by byte: right for logs, whatever encoding the sender meant.
      out.append("\\u00").push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
}

void start_logging(std::string_view level, bool json) {
  spdlog::init_thread_pool(queue_lines, 1);
  standard_error = std::make_shared<PatientSink>();
  auto logger = std::make_shared<spdlog::async_logger>("proxyxai", standard_error, spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_formatter(std::make_unique<LineFormatter>(json));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
}

void set_log_level(std::string_view level) { spdlog::set_level(spdlog::level::from_str(std::string(level))); }

void log_failure(std::string_view what, const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    spdlog::error("{} failed and will be tried again: {}", what, error.what());
  }
}

void stop_logging() {
  if (standard_error) standard_error->stop();
  spdlog::shutdown();
  standard_error.reset();
}

}  // namespace proxyxai
