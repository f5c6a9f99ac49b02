#include "proxyxai/http/request_body.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

enum class Where { view, block, blocks, file };

/// A body that lies where bodies can lie.
class Splices : public testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    const std::size_t size = GetParam() == Where::view || GetParam() == Where::block ? 1'000 : 200'000;
    for (std::size_t i = 0; came_.size() < size; ++i) came_ += std::to_string(i) + ",";
    if (GetParam() == Where::view) body_.set_view(came_);
    else run_task(loop_, fill());
    EXPECT_EQ(body_.is_spooled(), GetParam() == Where::file);
  }

  Task<bool> fill() {
    for (std::size_t at = 0; at < came_.size();) {
      const std::span<char> room = co_await body_.room(1);
      const std::size_t size = std::min(room.size(), came_.size() - at);
      std::memcpy(room.data(), came_.data() + at, size);
      body_.commit(size);
      at += size;
    }
    co_return co_await body_.finish();
  }

  Task<std::string> read() {
    std::string text;
    while (text.size() < body_.size()) {
      const std::string_view piece = co_await body_.load(text.size());
      if (piece.empty()) break;
      text.append(piece);
    }
    co_return text;
  }

  /// Makes the changes, each of the body as it came, and compares.
  void splice(std::uint64_t at, std::uint64_t removed, const std::string& text) { body_.splice(at, removed, text); }
  void expect(const std::string& wanted) {
    EXPECT_EQ(body_.size(), wanted.size());
    const std::string loaded = run_task(loop_, read());
    EXPECT_TRUE(loaded == wanted);
    if (body_.is_spooled()) return;
    std::string pieces;
    while (pieces.size() < body_.size()) pieces.append(body_.piece(pieces.size()));
    EXPECT_TRUE(pieces == wanted);
    EXPECT_EQ(body_.piece(0).size() == wanted.size(), wanted.size() < 64 << 10) << "a small body is one piece";
  }

  boost::asio::io_context loop_{1};
  TempDirectory directory_;
  BodyStore store_{GetParam() == Where::file ? std::uint64_t{128} << 10 : std::uint64_t{4} << 20, directory_.path()};
  RequestBody body_{store_};
  std::string came_;
};

TEST_P(Splices, ReadAsIfTheBodyHadComeSo) {
  splice(100, 10, "longer than what was there");
  expect(came_.substr(0, 100) + "longer than what was there" + came_.substr(110));
}

TEST_P(Splices, MayBeSeveralInAnyOrder) {
  splice(500, 40, "B");
  splice(100, 10, "AAA");
  splice(900, 0, "C");
  expect(came_.substr(0, 100) + "AAA" + came_.substr(110, 390) + "B" + came_.substr(540, 360) + "C" + came_.substr(900));
}

TEST_P(Splices, MayTouchEachOtherAndTheEnds) {
  const std::uint64_t end = came_.size();
  splice(end - 5, 5, "the end");
  splice(0, 1, "");
  splice(1, 2, "x");
  splice(3, 0, "y");
  splice(3, 0, "z");
  splice(1, 0, "w");
  expect("wxyz" + came_.substr(3, end - 8) + "the end");
}

INSTANTIATE_TEST_SUITE_P(Bodies, Splices, testing::Values(Where::view, Where::block, Where::blocks, Where::file));

}  // namespace
}  // namespace proxyxai
