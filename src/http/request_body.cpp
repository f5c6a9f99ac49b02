#include "proxyxai/http/request_body.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <spdlog/spdlog.h>

#include "proxyxai/base/off_loop.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t first_block = 16 << 10;
constexpr std::size_t later_block = 64 << 10;
constexpr std::size_t staging_block = 32 << 10;

/// An anonymous file in `directory`; -1 with errno.
int open_unlinked(const std::string& directory) {
  const int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  // Some file systems (overlay, network ones) have no O_TMPFILE.
  std::string name = directory + "/body-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

bool write_all(int file, const char* data, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t put = ::pwrite(file, data, size, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    data += put;
    size -= static_cast<std::size_t>(put);
    offset += static_cast<std::uint64_t>(put);
  }
  return true;
}

}  // namespace

BodyStore::BodyStore(std::uint64_t memory, std::string directory) : limit_(memory), directory_(std::move(directory)) {}

BodyStore::~BodyStore() { files_.join(); }

bool BodyStore::take_memory(std::size_t bytes) {
  // The last quarter is for staging, so that bodies which came too late for memory can still move to the file.
  if (used_ + bytes > limit_ - limit_ / 4) return false;
  used_ += bytes;
  return true;
}

bool BodyStore::take_staging(std::size_t bytes) {
  if (used_ + bytes > limit_) return false;
  used_ += bytes;
  return true;
}

void RequestBody::set_view(std::string_view body) {
  view_ = body;
  size_ = body.size();
}

Task<std::span<char>> RequestBody::room(std::size_t at_least) {
  if (!blocks_.empty()) {
    Block& last = blocks_.back();
    if (last.capacity - last.filled >= at_least) co_return std::span(last.data.get() + last.filled, last.capacity - last.filled);
  }
  if (file_ < 0) {
    const std::size_t wanted = std::max(blocks_.empty() ? first_block : later_block, at_least);
    if (store_.take_memory(wanted)) {
      blocks_.push_back({std::unique_ptr<char[]>(new char[wanted]), wanted, 0});
      co_return std::span(blocks_.back().data.get(), wanted);
    }
    const bool spooling = co_await spool();
    if (!spooling) co_return std::span<char>();
  } else {
    const bool written = co_await write_out(0);
    if (!written) co_return std::span<char>();
  }
  Block& staging = blocks_.front();
  co_return std::span(staging.data.get() + staging.filled, staging.capacity - staging.filled);
}

void RequestBody::commit(std::size_t bytes) {
  if (bytes == 0) return;
  blocks_.back().filled += bytes;
  size_ += bytes;
}

Task<bool> RequestBody::spool() {
  const std::string& directory = store_.directory_;
  auto open = [&directory] { return open_unlinked(directory); };
  const int file = co_await off_loop(store_.files_, open);
  if (file < 0) {
    spdlog::error("cannot make a temporary file for a request body in '{}': is the disk full or read-only?", directory);
    co_return false;
  }
  file_ = file;
  ++store_.spooled_;
  const bool written = co_await write_out(0);
  if (!written) co_return false;
  drop_blocks(0);
  if (!store_.take_staging(staging_block)) co_return false;
  blocks_.push_back({std::unique_ptr<char[]>(new char[staging_block]), staging_block, 0});
  co_return true;
}

Task<bool> RequestBody::write_out(std::size_t first) {
  for (std::size_t i = first; i < blocks_.size(); ++i) {
    Block& block = blocks_[i];
    if (block.filled == 0) continue;
    const int file = file_;
    const char* data = block.data.get();
    const std::size_t filled = block.filled;
    const std::uint64_t offset = written_;
    auto write = [=] { return write_all(file, data, filled, offset); };
    const bool ok = co_await off_loop(store_.files_, write);
    if (!ok) {
      spdlog::error("cannot write a request body to its temporary file: is the disk of '{}' full?", store_.directory_);
      co_return false;
    }
    written_ += filled;
    block.filled = 0;
  }
  co_return true;
}

Task<bool> RequestBody::finish() {
  if (file_ < 0) co_return true;
  co_return co_await write_out(0);
}

void RequestBody::splice(std::uint64_t at, std::uint64_t removed, std::string text) {
  removed_ += removed;
  added_ += text.size();
  const auto is_behind = [at](const Splice& each) { return each.at > at || (each.at == at && each.removed > 0); };
  const auto next = std::find_if(splices_.begin(), splices_.end(), is_behind);
  splices_.insert(next, {at, removed, std::move(text)});
  spliced_.clear();
  if (size_ > later_block || original_piece(0).size() < size_) return;
  spliced_.reserve(size());
  while (spliced_.size() < size()) spliced_.append(spliced_piece(spliced_.size()));
}

RequestBody::Place RequestBody::place(std::uint64_t offset) const {
  std::uint64_t behind = 0;  // the last splice passed, in the body as it came
  for (const Splice& each : splices_) {
    const std::uint64_t before = each.at - behind;
    if (offset < before) return {{}, behind + offset, before - offset};
    offset -= before;
    if (offset < each.text.size()) return {std::string_view(each.text).substr(offset)};
    offset -= each.text.size();
    behind = each.at + each.removed;
  }
  return {{}, behind + offset, std::string_view::npos};
}

std::string_view RequestBody::spliced_piece(std::uint64_t offset) const {
  const Place found = place(offset);
  return found.text.empty() ? original_piece(found.original).substr(0, found.most) : found.text;
}

std::string_view RequestBody::piece(std::uint64_t offset) const {
  return spliced_.empty() ? spliced_piece(offset) : std::string_view(spliced_).substr(std::min<std::uint64_t>(offset, spliced_.size()));
}

Task<std::string_view> RequestBody::load(std::uint64_t offset) {
  const Place found = place(offset);
  if (!found.text.empty()) co_return found.text;
  const std::string_view loaded = co_await load_original(found.original);
  co_return loaded.substr(0, found.most);
}

std::string_view RequestBody::original_piece(std::uint64_t offset) const {
  if (offset >= size_ || file_ >= 0) return {};
  if (!view_.empty()) return view_.substr(offset);
  for (const Block& block : blocks_) {
    if (offset < block.filled) return {block.data.get() + offset, block.filled - static_cast<std::size_t>(offset)};
    offset -= block.filled;
  }
  return {};
}

Task<std::string_view> RequestBody::load_original(std::uint64_t offset) {
  if (file_ < 0) co_return original_piece(offset);
  Block& staging = blocks_.front();
  const int file = file_;
  char* const data = staging.data.get();
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(staging.capacity, size_ - offset));
  auto read = [=] { return ::pread(file, data, wanted, static_cast<off_t>(offset)); };
  const ssize_t got = co_await off_loop(store_.files_, read);
  if (got <= 0) co_return std::string_view();
  co_return std::string_view(data, static_cast<std::size_t>(got));
}

void RequestBody::drop_blocks(std::size_t keep) {
  while (blocks_.size() > keep) {
    store_.give_back(blocks_.back().capacity);
    blocks_.pop_back();
  }
}

void RequestBody::clear() {
  drop_blocks(0);
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  written_ = size_ = 0;
  removed_ = added_ = 0;
  view_ = {};
  splices_.clear();
  spliced_.clear();
}

}  // namespace proxyxai
