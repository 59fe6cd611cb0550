// A grid step by lookups: the pieces of all m and j are tabulated side by side, and each h finds its own
// among the breakpoints by bisection.
#pragma once
#include "../grid_pieces.h"
#include "grid-inl.h"

namespace xt::XT_ISA {

// Rows whose places are found together, before a strip of the tables meets all of them.
constexpr size_t kRowsOfLookup = 256;
// Vectors of a row in a strip: 2 × 4 accumulators, two cache lines of slopes and two of constants (AVX2).
constexpr size_t kStripVectors = 4;

// How a row of out, [M,K], is cut into strips of equal width, the last with room to spare.
template <class T>
struct Strips {
  explicit Strips(size_t row) {
    const size_t all = round_up(row, lanes<T>) / lanes<T>;
    count = (all + kStripVectors - 1) / kStripVectors;
    vectors = (all + count - 1) / count;
    width = vectors * lanes<T>;
  }
  size_t count, vectors, width;
};

// out[p,:] = Σ_j constant + slope · h[p,j] of the pieces at places[p,j] of the table of each j, for `vectors`
// vectors.
template <class T, int vectors>
void sum_pieces(size_t R, const uint32_t* places, const T* h, const T* table, size_t stride, T* out) {
  Vec<T> lines[vectors], constants[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) lines[v] = constants[v] = Vec<T>{};
  for (size_t j = 0; j < R; ++j, table += stride) {
    const T* piece = table + places[j];
    const Vec<T> y = broadcast(h[j]);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      lines[v] = multiply_add<T>(lines[v], load(piece + v * lanes<T>), y);
      constants[v] += load(piece + (vectors + v) * lanes<T>);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) store(out + v * lanes<T>, lines[v] + constants[v]);
}

template <class T>
using SumPieces = void (*)(size_t R, const uint32_t* places, const T* h, const T* table, size_t stride,
                           T* out);
template <class T>
constexpr SumPieces<T> kSumPieces[kStripVectors] = {sum_pieces<T, 1>, sum_pieces<T, 2>, sum_pieces<T, 3>,
                                                    sum_pieces<T, 4>};

// places[n] = breakpoints at or below y[n], times `scale`, for whole vectors of y. Without a branch: none
// could be foretold.
template <class T>
void find_places(const BreakpointIndex<T>& index, const T* y, size_t count, uint32_t scale,
                 uint32_t* places) {
  constexpr int together = lanes<T> < 4 ? lanes<T> : 4;
  const Vec<T> least = broadcast(index.least), slope = broadcast(index.scale);
  const Vec<T> last = broadcast(static_cast<T>(index.buckets) - 1);
  for (size_t n = 0; n < count; n += lanes<T>) {
    const Vec<T> offset = (load(y + n) - least) * slope,
                 positive_offset = offset > Vec<T>{} ? offset : Vec<T>{};
    T buckets[lanes<T>];
    store(buckets, positive_offset < last ? positive_offset : last);
    for (int lane = 0; lane < lanes<T>; lane += together) {
      size_t place[together];
#pragma GCC unroll 4
      for (int c = 0; c < together; ++c) place[c] = index.starts[static_cast<int32_t>(buckets[lane + c])];
      for (size_t step = index.first_step; step; step /= 2) {
#pragma GCC unroll 4
        for (int c = 0; c < together; ++c) {
          const size_t further = place[c] + step;
          place[c] = index.values[further - 1] <= y[n + lane + c] ? further : place[c];
        }
      }
#pragma GCC unroll 4
      for (int c = 0; c < together; ++c) places[n + lane + c] = static_cast<uint32_t>(place[c]) * scale;
    }
  }
}

// Copies values, with zeros in place of what is infinite or NaN; whether there was any.
template <class T>
bool copy_finite(const T* from, size_t count, T* to) {
  const size_t whole = count / lanes<T> * lanes<T>;
  Int<T> finite = ~Int<T>{};
  for (size_t n = 0; n < count; n += lanes<T>) {
    const Vec<T> value = n < whole ? load(from + n) : load_part(from + n, count - n);
    const Int<T> is_finite = value - value == Vec<T>{};
    store(to + n, is_finite ? value : Vec<T>{});
    finite &= is_finite;
  }
  return any_lane<T>(~finite);
}

template <class T>
bool is_finite(const T* values, size_t count) {
  bool finite = true;
  for (size_t n = 0; n < count; ++n) finite &= values[n] - values[n] == 0;
  return finite;
}

// Rows in which something is infinite or NaN are left to `directly`, whatever rows are beside them: results
// do not depend on how the rows are cut for the threads.
template <class T>
bool look_up_grid(const GridArgs<T>& args, Slice p, TakePhi<T> phi, Form form, GridKernel<T> directly) {
  const size_t row = args.M * args.K, R = args.R;
  const Strips<T> strips(row);
  const size_t width = strips.width, of_block = round_up(kRowsOfLookup * R, lanes<T>);
  Pieces<T> pieces(args, form);
  Room room;
  pieces.make_room(room);
  pieces.make_room_for_lookup(room, width, strips.count);
  room.add<T>(of_block).template add<uint32_t>(of_block).template add<T>(width);
  if (!scratch().reserve(room)) return false;
  pieces.take(phi);
  const auto lookup = pieces.take_lookup(width, strips.count);
  const size_t of_column = lookup.pieces * 2 * width, of_strip = R * of_column;
  T *h = scratch().take<T>(of_block), *last = scratch().take<T>(width);
  uint32_t* places = scratch().take<uint32_t>(of_block);
  if (!lookup.index.buckets) __builtin_memset(places, 0, of_block * sizeof(uint32_t));

  bool all_done = true;
  const SumPieces<T> sum = kSumPieces<T>[strips.vectors - 1];
  for (size_t first = p.begin; first < p.end; first += kRowsOfLookup) {
    const size_t count = smaller(p.end - first, kRowsOfLookup);
    if (copy_finite(args.h + first * R, count * R, h)) all_done = false;
    const size_t whole = round_up(count * R, lanes<T>);
    phi(h, whole);
    if (lookup.index.buckets) find_places(lookup.index, h, whole, static_cast<uint32_t>(2 * width), places);
    // What a strip writes beyond the row is overwritten: by the first strip, which comes last, of a later
    // row.
    for (size_t s = strips.count; s-- > 0;) {
      const T* table = lookup.tables + s * of_strip;
      for (size_t r = 0; r < count; ++r) {
        T *out = args.out + (first + r) * row, *at = out + s * width;
        const bool fits = at + width <= args.out + p.end * row;
        sum(R, places + r * R, h + r * R, table, of_column, fits ? at : last);
        if (!fits) __builtin_memcpy(at, last, (row - s * width) * sizeof(T));
      }
    }
  }
  for (size_t r = p.begin; r < p.end && !all_done; ++r) {
    Slice left{r, r};
    while (left.end < p.end && !is_finite(args.h + left.end * R, R)) ++left.end;
    if (left.size() && !directly(args, left)) return false;
    r = left.end;
  }
  return true;
}

template <class X>
constexpr Form form_of = Form::none;
template <>
constexpr Form form_of<xi_product> = Form::product;
template <>
constexpr Form form_of<xi_rectifier> = Form::max;
template <>
constexpr Form form_of<xi_max> = Form::max;
template <>
constexpr Form form_of<xi_min> = Form::min;
template <>
constexpr Form form_of<xi_relusum> = Form::sum_of_positive;

template <class T, class X>
bool grid_by_lookups(const GridArgs<T>& args, Slice p) {
  return look_up_grid<T>(args, p, take_phi<T, X>, form_of<X>, grid_directly<T, X>);
}
template <class T, class X>
constexpr GridKernel<T> grid_lookups() {
  if constexpr (form_of<X> != Form::none) return grid_by_lookups<T, X>;
  return nullptr;
}

}  // namespace xt::XT_ISA
