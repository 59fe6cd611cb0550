#include "parallel.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace xt {

namespace {

class Pool {
 public:
  bool try_run(unsigned parts, void (*job)(void*, unsigned), void* context) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (!turn.owns_lock() || !grow(parts - 1)) return false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = job;
      context_ = context;
      parts_ = parts;
      pending_.store(parts - 1, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    job(context, 0);
    while (pending_.load(std::memory_order_acquire) != 0) pause();
    return true;
  }

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
  }

  bool grow(unsigned workers) {
    try {
      for (; workers_ < workers; ++workers_) {
        std::thread([this, part = workers_ + 1, seen = generation_.load()] { work(part, seen); }).detach();
      }
    } catch (...) {  // no more threads to be had: the caller runs its parts itself
      return false;
    }
    return true;
  }

  // A training step is a train of short jobs, and waking a sleeping thread costs about as much as one of
  // them, so a worker looks for the next job for some 50 µs before it sleeps.
  void work(unsigned part, unsigned seen) {
    for (;;) {
      for (int spin = 0; spin < 1500 && generation_.load(std::memory_order_acquire) == seen; ++spin) pause();
      unsigned parts;
      void (*job)(void*, unsigned);
      void* context;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
        seen = generation_.load(std::memory_order_relaxed);
        parts = parts_;
        job = job_;
        context = context_;
      }
      if (part >= parts) continue;
      job(context, part);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex turn_, mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> generation_{0}, pending_{0};
  unsigned workers_ = 0, parts_ = 0;
  void (*job_)(void*, unsigned) = nullptr;
  void* context_ = nullptr;
};

}  // namespace

void run_parts(unsigned parts, void (*job)(void*, unsigned), void* context) {
  // Never destroyed: workers outlive static destructors, and the library is linked with -z nodelete.
  static Pool* pool = new Pool;
  if (parts > 1 && pool->try_run(parts, job, context)) return;
  for (unsigned part = 0; part < parts; ++part) job(context, part);
}

}  // namespace xt
