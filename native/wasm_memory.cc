// The C library of WebAssembly threads is not in Debian's wasi-libc, but its allocator needs no more than a
// lock: the linker gives every call of malloc and its kin to the __wrap_ functions (-Wl,--wrap).
#include <atomic>
#include <cstddef>

namespace {

std::atomic_flag held = ATOMIC_FLAG_INIT;

// Spins, since the main thread of a page may not sleep; holders are gone after a microsecond.
struct Lock {
  Lock() {
    while (held.test_and_set(std::memory_order_acquire)) continue;
  }
  ~Lock() { held.clear(std::memory_order_release); }
};

}  // namespace

extern "C" {
void* __real_malloc(size_t bytes);
void* __real_calloc(size_t count, size_t bytes);
void* __real_realloc(void* block, size_t bytes);
void* __real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void* block);

void* __wrap_malloc(size_t bytes) {
  Lock lock;
  return __real_malloc(bytes);
}
void* __wrap_calloc(size_t count, size_t bytes) {
  Lock lock;
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* block, size_t bytes) {
  Lock lock;
  return __real_realloc(block, bytes);
}
void* __wrap_aligned_alloc(size_t alignment, size_t bytes) {
  Lock lock;
  return __real_aligned_alloc(alignment, bytes);
}
void __wrap_free(void* block) {
  Lock lock;
  __real_free(block);
}
}
