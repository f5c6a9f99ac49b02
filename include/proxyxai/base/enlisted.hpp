#pragma once

#include <algorithm>
#include <vector>

namespace proxyxai {

/// Has something in a list of what is under way, once, for as long as it lives. The list outlives it. One thread.
template <class T>
class Enlisted {
 public:
  Enlisted(std::vector<T*>& list, T* one) : list_(list), one_(one) { list_.push_back(one_); }
  ~Enlisted() { list_.erase(std::find(list_.begin(), list_.end(), one_)); }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;

 private:
  std::vector<T*>& list_;
  T* const one_;
};

}  // namespace proxyxai
