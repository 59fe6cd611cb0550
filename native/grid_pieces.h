// Where ξ is linear in h between breakpoints a[m, ·], or everywhere, so is Σ_i G[i,j,k] ξ(a[m,i], h): a slope
// and a constant for each piece cost a row of h one multiply-add an element (m, k) and j instead of L. Sums,
// no differences: nothing cancels. Free of instruction sets.
#pragma once
#include "kernels.h"

namespace xt {

// What ξ does after φ. The sum of any numbers has none: Σ_i G·a + Σ_i G·h would cancel where a + h is small.
enum class Form { none, max, min, product, sum_of_positive };

constexpr bool has_breakpoints(Form form) { return form == Form::max || form == Form::min; }

// Distinct breakpoints, ascending, and where to begin to look among them: between the least and the largest
// lie equal buckets, eight for each breakpoint, and those of a bucket are bisected, by as many steps as the
// fullest needs.
template <class T>
struct BreakpointIndex {
  const T* values;         // and infinity behind them
  const uint32_t* starts;  // breakpoints before each bucket
  size_t buckets = 0, first_step = 0;
  T least = 0, scale = 0;  // a value's bucket is (value − least) · scale, as far as there is one
};

// The tables of one j after the other, in scratch memory, and the piece of all m that holds at the moment.
template <class T>
class Pieces {
 public:
  Pieces(const GridArgs<T>& args, Form form);

  void make_room(Room& room) const;
  // Takes that room, and φ of a.
  void take(bool (*phi)(T* values, size_t count));

  // Tables of j, and the piece before the first breakpoint.
  void tabulate(size_t j);
  // The piece behind the next breakpoint.
  __attribute__((always_inline)) void pass(size_t event) {
    const size_t m = owners_[event];
    hold(m, ++passed_[m]);
  }
  // Of all j: tables [strip][j][piece][slopes, constants][width], where the strips together hold the elements
  // (m, k) of a piece and zeros.
  struct Lookup {
    BreakpointIndex<T> index;
    size_t pieces;
    const T* tables;
  };
  void make_room_for_lookup(Room& room, size_t width, size_t strips) const;
  Lookup take_lookup(size_t width, size_t strips);

  // Of all m, and the value of the n-th. Always inlined, as Room is.
  __attribute__((always_inline)) size_t breakpoints() const { return breakpoints_; }
  __attribute__((always_inline)) T at(size_t event) const { return values_[event]; }
  // The piece, [M,K].
  __attribute__((always_inline)) const T* slope() const { return slope_; }
  __attribute__((always_inline)) const T* constant() const { return constant_; }

 private:
  void tabulate_selection(size_t j);
  void tabulate_line(size_t j);
  bool ends_a_value(size_t event) const;
  BreakpointIndex<T> take_index();
  void tabulate_all(size_t width, size_t strips, size_t pieces, T* tables);
  __attribute__((always_inline)) void hold(size_t m, size_t piece) {
    const size_t K = args_.K, to = m * K, from = (m * pieces_ + piece) * K;
    for (size_t k = 0; k < K; ++k) {
      slope_[to + k] = slopes_[from + k];
      constant_[to + k] = constants_[from + k];
    }
  }

  const GridArgs<T> args_;
  const Form form_;
  const size_t events_, breakpoints_;  // M·L; that or 0
  const size_t pieces_;                // of each m
  T* a_;                               // [M,L]
  T* values_;                          // of the breakpoints in order, [M·L], and the m that they belong to
  uint32_t *owners_, *own_;            // [M·L]; [M,L] indices into each a[m, ·] in order
  uint32_t* passed_;                   // [M] breakpoints at or below h
  T *slopes_, *constants_;             // [M,pieces,K]: [m][passed][k]
  T *slope_, *constant_;
};

}  // namespace xt
