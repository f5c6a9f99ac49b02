#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// The memory that all request bodies share, and the place they go to when it is used up. Loop thread only, but for the
/// file operations, which run on `files`.
class BodyStore {
 public:
  /// `memory` bytes for all bodies together (BODY_MEMORY_BYTES); spool files are made, already unlinked, in `directory`.
  BodyStore(std::uint64_t memory, std::string directory);
  ~BodyStore();
  BodyStore(const BodyStore&) = delete;
  BodyStore& operator=(const BodyStore&) = delete;

  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] std::uint64_t spooled_bodies() const { return spooled_; }

 private:
  friend class RequestBody;
  bool take_memory(std::size_t bytes);
  bool take_staging(std::size_t bytes);
  void give_back(std::size_t bytes) { used_ -= bytes; }

  const std::uint64_t limit_;
  const std::string directory_;
  std::uint64_t used_ = 0;
  std::uint64_t spooled_ = 0;
  boost::asio::thread_pool files_{1};
};

/// One request body, kept whole so that it can be sent again: a view of the connection's buffer when it came with the
/// head, blocks of the shared budget while there is any, an unlinked temporary file beyond. Loop thread only.
class RequestBody {
 public:
  explicit RequestBody(BodyStore& store) : store_(store) {}
  ~RequestBody() { clear(); }
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  /// The body lies elsewhere and outlives this object.
  void set_view(std::string_view body);

  /// Where the next piece is to be written: at least `at_least` bytes. May write earlier ones to the file. Empty: the
  /// file system is full or failing, or there is no memory left even to spool with.
  Task<std::span<char>> room(std::size_t at_least);
  /// `bytes` of the last `room` have been filled.
  void commit(std::size_t bytes);
  /// No more will come. False: the file could not be written.
  Task<bool> finish();

  /// From now on the body reads as if at `at`, `removed` bytes gave way to `text`. After it is all there; `at` is always of the
  /// body as it came, of which no byte may be removed twice. Of texts at one place the first given comes first.
  void splice(std::uint64_t at, std::uint64_t removed, std::string text);

  [[nodiscard]] std::uint64_t size() const { return size_ - removed_ + added_; }
  [[nodiscard]] bool is_spooled() const { return file_ >= 0; }
  /// The piece at `offset` if it is in memory, else empty.
  [[nodiscard]] std::string_view piece(std::uint64_t offset) const;
  /// The piece at `offset`, also from the file; valid until the next call. Empty: the file could not be read.
  Task<std::string_view> load(std::uint64_t offset);

  /// Gives everything back.
  void clear();

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    std::size_t capacity = 0;
    std::size_t filled = 0;
  };
  struct Splice {
    std::uint64_t at = 0, removed = 0;
    std::string text;
  };
  /// What stands at an offset of the body as it reads: the rest of a text, or bytes of the body as it came.
  struct Place {
    std::string_view text;
    std::uint64_t original = 0;  // where those bytes are
    std::uint64_t most = 0;      // how many there are up to the next splice
  };
  [[nodiscard]] Place place(std::uint64_t offset) const;
  [[nodiscard]] std::string_view spliced_piece(std::uint64_t offset) const;
  [[nodiscard]] std::string_view original_piece(std::uint64_t offset) const;
  Task<std::string_view> load_original(std::uint64_t offset);
  Task<bool> spool();
  Task<bool> write_out(std::size_t first_block);
  void drop_blocks(std::size_t keep);

  BodyStore& store_;
  std::string_view view_;
  std::vector<Splice> splices_;  // by place
  std::uint64_t removed_ = 0, added_ = 0;  // bytes, by all of them
  std::string spliced_;         // a small body, spliced as a whole: one piece is one write
  std::vector<Block> blocks_;   // in order; once spooling, only the staging block
  int file_ = -1;
  std::uint64_t written_ = 0;   // bytes in the file
  std::uint64_t size_ = 0;
};

}  // namespace proxyxai
