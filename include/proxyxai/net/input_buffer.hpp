#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "proxyxai/base/free_list.hpp"

namespace proxyxai {

/// The bytes of a connection that have been read and not used yet. Memory is held only while there are any, so that an
/// idle connection has none. Views into it die at `room` and `release`.
class InputBuffer {
 public:
  [[nodiscard]] std::string_view view() const { return {memory_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] char* data() { return memory_.get() + begin_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t bytes) { begin_ += bytes; }

  struct Room {
    char* data;
    std::size_t size;
  };
  /// At least `at_least` writable bytes behind the content; moves or grows the memory when needed.
  Room room(std::size_t at_least) {
    if (capacity_ - end_ < at_least) {
      const std::size_t content = size();
      std::size_t wanted = capacity_ == 0 ? smallest : capacity_;
      while (wanted - content < at_least) wanted *= 2;
      if (wanted != capacity_) {
        Memory larger(static_cast<char*>(FreeList<Block>::take(wanted)), Free{wanted});
        if (content > 0) std::memcpy(larger.get(), data(), content);
        memory_ = std::move(larger);
        capacity_ = wanted;
      } else {
        std::memmove(memory_.get(), data(), content);
      }
      begin_ = 0;
      end_ = content;
    }
    return {memory_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t bytes) { end_ += bytes; }

  /// Moves the content to the front, so that the next request starts with all the room.
  void compact() {
    if (begin_ == 0) return;
    std::memmove(memory_.get(), data(), size());
    end_ -= begin_;
    begin_ = 0;
  }
  void release() {
    memory_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  static constexpr std::size_t smallest = 4 << 10;
  struct Block {
    char bytes[smallest];
  };
  struct Free {
    std::size_t size;
    void operator()(char* memory) const {
      if (size == sizeof(Block)) FreeList<Block>::give(memory);
      else ::operator delete(memory);
    }
  };
  using Memory = std::unique_ptr<char[], Free>;

  Memory memory_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace proxyxai
