// A grid step by sweeps: the rows of h pass the breakpoints in the order of h[·, j], so that only the piece
// of the moment is at hand. For so many breakpoints that the pieces of all m would not fit into a cache.
#pragma once
#include "grid_lookups-inl.h"

namespace xt::XT_ISA {

// Rows between two sweeps: more of them share the tables, fewer stay in cache.
constexpr size_t kRowsOfSweep = 4096;

// out[c] = constant[c] + slope[c] y, or that more than before.
template <class T>
XT_INLINE void take_piece(size_t count, const T* slope, const T* constant, T y, bool add, T* out) {
  const Vec<T> value = broadcast(y);
  size_t c = 0;
  for (; c + lanes<T> <= count; c += lanes<T>) {
    const Vec<T> piece = multiply_add<T>(load(constant + c), load(slope + c), value);
    store(out + c, add ? load(out + c) + piece : piece);
  }
  for (; c < count; ++c) {
    const T piece = constant[c] + slope[c] * y;
    out[c] = add ? out[c] + piece : piece;
  }
}

template <class T>
bool sweep_grid(const GridArgs<T>& args, Slice p, TakePhi<T> phi, Form form) {
  const size_t row = args.M * args.K, most = smaller(p.size(), kRowsOfSweep);
  Pieces<T> pieces(args, form);
  Room room;
  pieces.make_room(room);
  room.add<T>(most).template add<uint32_t>(most);
  if (!scratch().reserve(room)) return false;
  pieces.take(phi);
  T* keys = scratch().take<T>(most);
  uint32_t* rows = scratch().take<uint32_t>(most);
  for (size_t first = p.begin; first < p.end; first += most) {
    const size_t count = smaller(p.end - first, most);
    for (size_t j = 0; j < args.R; ++j) {
      // φ, which is the larger of h and 0, would change no piece: below the first breakpoint its slope is 0.
      for (size_t n = 0; n < count; ++n) keys[n] = args.h[(first + n) * args.R + j];
      sort_order(keys, count, rows);
      pieces.tabulate(j);
      size_t event = 0;
      for (size_t n = 0; n < count; ++n) {
        const T y = keys[rows[n]];
        for (; event < pieces.breakpoints() && pieces.at(event) <= y; ++event) pieces.pass(event);
        take_piece(row, pieces.slope(), pieces.constant(), y, j > 0, args.out + (first + rows[n]) * row);
      }
    }
  }
  return true;
}

template <class T, class X>
bool grid_by_sweeps(const GridArgs<T>& args, Slice p) {
  return sweep_grid<T>(args, p, take_phi<T, X>, form_of<X>);
}
template <class T, class X>
constexpr GridKernel<T> grid_sweeps() {
  if constexpr (has_breakpoints(form_of<X>)) return grid_by_sweeps<T, X>;
  return nullptr;
}

}  // namespace xt::XT_ISA
