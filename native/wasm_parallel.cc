// The pool of a WebAssembly memory. Threads are Web Workers or Node's, which only JavaScript can start: each
// is an instance of the module on the shared memory that has called xt_worker.
//
// Nobody waits for a thread to start or to wake: every thread, the caller among them, takes the next part
// that nobody has taken. What a part computes does not depend on who takes it.
#include <atomic>

#include "abi.h"
#include "parallel.h"

// Asks JavaScript for threads. They are up some time after this has returned, or never.
extern "C" __attribute__((import_module("env"), import_name("start_workers"))) void start_workers(
    unsigned count);

namespace xt {

namespace {

// Looks for the next job before a thread sleeps, some 50 µs: a training step is a train of short jobs, and
// waking a thread costs about as much as one of them.
constexpr int kSpins = 20000;

// Parts are counted in 16 bits, and the generation lies in the upper half of the ticket.
constexpr unsigned next_part(uint64_t ticket) { return ticket & 0xffff; }
constexpr unsigned part_count(uint64_t ticket) { return ticket >> 16 & 0xffff; }

struct Pool {
  // generation · 2³² + parts · 2¹⁶ + the next part to take: one word, so that what is taken is a part of the
  // job that was looked at. The caller waits for all parts before it writes another job.
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<unsigned> done{0};
  std::atomic<unsigned> sleeping{0};
  unsigned workers = 0;
  void (*job)(void*, unsigned) = nullptr;
  void* context = nullptr;

  // Takes a part and computes it; false if there is none.
  bool step() {
    uint64_t seen = ticket.load();
    do {
      if (next_part(seen) >= part_count(seen)) return false;
    } while (!ticket.compare_exchange_weak(seen, seen + 1));
    job(context, next_part(seen));
    done.fetch_add(1);
    return true;
  }

  // Memory instructions wait for a 32-bit word: the generation.
  int* generation() { return reinterpret_cast<int*>(&ticket) + 1; }
};

Pool pool;

}  // namespace

void run_parts(unsigned parts, void (*job)(void*, unsigned), void* context) {
  if (parts <= 1) {
    for (unsigned part = 0; part < parts; ++part) job(context, part);
    return;
  }
  if (pool.workers < parts - 1) {
    start_workers(parts - 1 - pool.workers);
    pool.workers = parts - 1;
  }
  pool.job = job;
  pool.context = context;
  pool.done.store(0);
  pool.ticket.store(((pool.ticket.load() >> 32) + 1) << 32 | static_cast<uint64_t>(parts) << 16);
  // A thread counts itself before it looks at the generation for the last time, so none is forgotten here.
  if (pool.sleeping.load() != 0) __builtin_wasm_memory_atomic_notify(pool.generation(), parts - 1);
  while (pool.step()) continue;
  // The main thread of a page may not sleep.
  while (pool.done.load() != parts) continue;
}

}  // namespace xt

void xt_worker(void) {
  auto& pool = xt::pool;
  for (;;) {
    const int generation = static_cast<int>(pool.ticket.load() >> 32);
    while (pool.step()) continue;
    auto idle = [&] { return static_cast<int>(pool.ticket.load() >> 32) == generation; };
    for (int spin = 0; spin < xt::kSpins && idle(); ++spin) continue;
    pool.sleeping.fetch_add(1);
    __builtin_wasm_memory_atomic_wait32(pool.generation(), generation, -1);
    pool.sleeping.fetch_sub(1);
  }
}
