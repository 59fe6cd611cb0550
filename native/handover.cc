#include "handover.h"

#include "patience.h"

namespace xt {

namespace {

// Looks before a thread gives up and leaves. WebAssembly has no way to let others have the core meanwhile:
// some milliseconds, in which a thread comes from one block to the next.
#if defined(__wasm__)
constexpr unsigned kMostLooks = 1u << 20;
#else
constexpr unsigned kMostLooks = ~0u;
#endif

}  // namespace

bool Handover::is_wanted() const {
  return waiting_.load(std::memory_order_relaxed) != 0 && slot_.load(std::memory_order_relaxed) == kEmpty;
}

bool Handover::give(const Piece& piece) {
  int expected = kEmpty;
  if (!slot_.compare_exchange_strong(expected, kWriting, std::memory_order_acquire)) return false;
  given_ = piece;
  unfinished_.fetch_add(1, std::memory_order_relaxed);
  slot_.store(kFull, std::memory_order_release);
  return true;
}

bool Handover::take_slot(Piece& piece) {
  int expected = kFull;
  if (!slot_.compare_exchange_strong(expected, kWriting, std::memory_order_acquire)) return false;
  piece = given_;
  slot_.store(kEmpty, std::memory_order_release);
  return true;
}

// Whoever gave a piece away comes here after its own, so none is left behind when those that wanted it have
// gone.
bool Handover::take_given(Piece& piece) {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  bool taken = take_slot(piece);
  for (Patience patience; !taken && patience.looks() < kMostLooks; patience.wait()) {
    if (unfinished_.load(std::memory_order_acquire) == 0) break;
    taken = slot_.load(std::memory_order_relaxed) == kFull && take_slot(piece);
  }
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  return taken;
}

}  // namespace xt
