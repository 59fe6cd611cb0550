// Scratch memory of a kernel call: one growing, 64-byte aligned block a thread, handed out front to back.
#pragma once
#include <cstddef>

namespace xt {

class Scratch {
 public:
  // Makes room for `bytes` and starts again at the front; false when memory is short. Earlier pointers end
  // here.
  bool reserve(size_t bytes);

  // `count` elements, aligned to a cache line. The caller reserved with bytes_for() for each take.
  template <class T>
  T* take(size_t count) {
    T* taken = reinterpret_cast<T*>(block_ + used_);
    used_ += bytes_for<T>(count);
    return taken;
  }

  template <class T>
  static constexpr size_t bytes_for(size_t count) {
    return (count * sizeof(T) + 63) / 64 * 64;
  }

  ~Scratch();

 private:
  unsigned char* block_ = nullptr;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

// The calling thread's own.
Scratch& scratch();

}  // namespace xt
