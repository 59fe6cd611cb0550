// Pieces of one result for the threads that compute it. Cores of a shared machine differ by a third from one
// moment to the next, and equal pieces would end when the slowest does: a thread that finds nothing left
// takes over half of what another has not come to.
#pragma once
#include <atomic>

#include "kernels.h"

namespace xt {

// A context counts them in a byte.
inline constexpr unsigned kMostThreads = 256;

// Rows and columns of a result, in which the terms before `term` are summed.
struct Piece {
  Slice rows, columns;
  size_t term;
};

// Nothing is inline here that the instruction sets' files use: the linker must have nothing to merge.
class Handover {
 public:
  // Over a piece for each of so many threads to begin with.
  explicit Handover(unsigned threads) : threads_(threads), unfinished_(threads) {}

  // The next piece for a thread, which calls `finished` behind it: its own, made by piece_of(thread), so that
  // its caches may hold what it held in the call before; that of another that has not come yet; or one that
  // was given away. False when there is none to come, or none comes for long.
  template <class F>
  bool take(unsigned thread, Piece& piece, F&& piece_of) {
    for (unsigned n = 0; n < threads_; ++n) {
      const unsigned at = (thread + n) % threads_;
      if (begun_[at].load(std::memory_order_relaxed) || begun_[at].exchange(true)) continue;
      piece = piece_of(at);
      return true;
    }
    return take_given(piece);
  }
  void finished() { unfinished_.fetch_sub(1, std::memory_order_release); }

  // For whoever computes a piece, between its blocks: whether a thread has nothing to do.
  bool is_wanted() const;
  // Gives a piece away, all of whose memory is written; false if another was quicker.
  bool give(const Piece& piece);

 private:
  bool take_given(Piece& piece);
  bool take_slot(Piece& piece);

  enum Slot { kEmpty, kWriting, kFull };
  const unsigned threads_;
  std::atomic<bool> begun_[kMostThreads] = {};
  std::atomic<unsigned> unfinished_, waiting_{0};
  std::atomic<int> slot_{kEmpty};
  Piece given_{};
};

}  // namespace xt
