// Waiting for a word that is about to change.
#pragma once
#if !defined(__wasm__)
#include <sched.h>
#endif

namespace xt {

// Looks of some 50 µs in all, before others may have the core: there may be more threads than cores.
inline constexpr unsigned kLooks = 1500;

class Patience {
 public:
  void wait() {
    ++looks_;
#if defined(__x86_64__)
    if (looks_ < kLooks) return __builtin_ia32_pause();
#endif
#if !defined(__wasm__)
    sched_yield();
#endif
  }
  unsigned looks() const { return looks_; }

 private:
  unsigned looks_ = 0;
};

}  // namespace xt
