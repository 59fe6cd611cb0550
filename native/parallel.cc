// The pool of a process. POSIX threads themselves: std::thread throws where there is no thread to be had, and
// the C++ library would ask for a newer C library than Node does (native/glibc.h).
#include "parallel.h"

#include <pthread.h>

#include <atomic>
#include <new>

#include "patience.h"

namespace xt {

namespace {

class Pool {
 public:
  Pool() {
    pthread_attr_init(&detached_);
    pthread_attr_setdetachstate(&detached_, PTHREAD_CREATE_DETACHED);
  }

  bool try_run(unsigned parts, void (*job)(void*, unsigned), void* context) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    const bool enough = grow(parts - 1);
    if (enough) run(parts, job, context);
    busy_.store(false, std::memory_order_release);
    return enough;
  }

 private:
  void run(unsigned parts, void (*job)(void*, unsigned), void* context) {
    pthread_mutex_lock(&mutex_);
    job_ = job;
    context_ = context;
    parts_ = parts;
    pending_.store(parts - 1, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    pthread_mutex_unlock(&mutex_);
    pthread_cond_broadcast(&wake_);
    job(context, 0);
    for (Patience patience; pending_.load(std::memory_order_acquire) != 0;) patience.wait();
  }

  // False where no more threads are to be had: the caller runs its parts itself.
  bool grow(unsigned workers) {
    for (; workers_ < workers; ++workers_) {
      auto* worker = new (std::nothrow) Worker{this, workers_ + 1, generation_.load()};
      pthread_t thread;
      if (worker == nullptr || pthread_create(&thread, &detached_, work, worker) != 0) {
        delete worker;
        return false;
      }
    }
    return true;
  }

  struct Worker {
    Pool* pool;
    unsigned part, seen;
  };

  static void* work(void* argument) {
    const Worker worker = *static_cast<Worker*>(argument);
    delete static_cast<Worker*>(argument);
    worker.pool->work(worker.part, worker.seen);
    return nullptr;
  }

  // A training step is a train of short jobs, and waking a sleeping thread costs about as much as one of
  // them, so a worker looks for the next job before it sleeps.
  void work(unsigned part, unsigned seen) {
    for (;;) {
      Patience patience;
      for (unsigned n = 0; n < kLooks && generation_.load(std::memory_order_acquire) == seen; ++n)
        patience.wait();
      pthread_mutex_lock(&mutex_);
      while (generation_.load(std::memory_order_relaxed) == seen) pthread_cond_wait(&wake_, &mutex_);
      seen = generation_.load(std::memory_order_relaxed);
      const unsigned parts = parts_;
      const auto job = job_;
      void* const context = context_;
      pthread_mutex_unlock(&mutex_);
      if (part >= parts) continue;
      job(context, part);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake_ = PTHREAD_COND_INITIALIZER;
  pthread_attr_t detached_;
  std::atomic<bool> busy_{false};
  std::atomic<unsigned> generation_{0}, pending_{0};
  unsigned workers_ = 0, parts_ = 0;
  void (*job_)(void*, unsigned) = nullptr;
  void* context_ = nullptr;
};

// Never destroyed: workers outlive static destructors, and the library is linked with -z nodelete.
Pool& pool() {
  alignas(Pool) static unsigned char memory[sizeof(Pool)];
  static Pool* const made = new (memory) Pool;
  return *made;
}

}  // namespace

void run_parts(unsigned parts, void (*job)(void*, unsigned), void* context) {
  if (parts > 1 && pool().try_run(parts, job, context)) return;
  for (unsigned part = 0; part < parts; ++part) job(context, part);
}

}  // namespace xt
