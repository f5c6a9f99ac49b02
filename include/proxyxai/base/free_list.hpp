#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace proxyxai {

/// Memory of objects of one type that come and go all the time and are too large for the allocator's own quick path.
/// Keeps a bounded number of blocks; none under AddressSanitizer, which is to see every use after free. Loop thread only.
template <class Type>
class FreeList {
 public:
  static void* take(std::size_t size) {
    auto& kept = blocks();
    if (size != sizeof(Type) || kept.empty()) return ::operator new(size);
    void* const block = kept.back();
    kept.pop_back();
    return block;
  }
  static void give(void* block) noexcept {
    auto& kept = blocks();
    if (!sanitized && kept.size() < kept.capacity()) kept.push_back(block);
    else ::operator delete(block);
  }

 private:
#ifdef __SANITIZE_ADDRESS__
  static constexpr bool sanitized = true;
#else
  static constexpr bool sanitized = false;
#endif
  struct Kept : std::vector<void*> {
    Kept() { reserve(256); }
    ~Kept() {
      for (void* const each : *this) ::operator delete(each);
    }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
  };
  static std::vector<void*>& blocks() {
    static thread_local Kept kept;
    return kept;
  }
};

}  // namespace proxyxai
