// Scratch memory of a kernel call: one growing, 64-byte aligned block a thread, handed out front to back.
#pragma once
#include <cstddef>
#include <cstdint>

namespace xt {

// Bytes that a kernel is about to take. Saturates instead of wrapping, which products of sizes do on 32-bit
// WebAssembly. Always inlined: the instruction sets' files share this header, and the linker must have
// nothing to merge.
class Room {
 public:
  template <class T, class... Factors>
  __attribute__((always_inline)) Room& add(Factors... factors) {
    size_t size = sizeof(T), sum;
    bool wrapped = false;
    ((wrapped |= __builtin_mul_overflow(size, static_cast<size_t>(factors), &size)), ...);
    wrapped |= __builtin_add_overflow(size, size_t{63}, &size) ||
               __builtin_add_overflow(bytes_, size / 64 * 64, &sum);
    bytes_ = wrapped ? SIZE_MAX : sum;
    return *this;
  }
  __attribute__((always_inline)) size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

class Scratch {
 public:
  // Makes room and starts again at the front; false when memory is short. Earlier pointers end here.
  bool reserve(const Room& room);

  // `count` elements, aligned to a cache line, for which room was made.
  template <class T>
  __attribute__((always_inline)) T* take(size_t count) {
    T* taken = reinterpret_cast<T*>(block_ + used_);
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    return taken;
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
