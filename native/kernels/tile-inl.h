// The register tiles: C[r][n] ⊕= A[·][r] ⊗ B[·][n] over packed panels, for every pair (⊗, ⊕).
#pragma once
#include "../kernels.h"
#include "transpose-inl.h"
#include "xi-inl.h"

namespace xt::XT_ISA {

template <class T>
constexpr size_t MR = tile_rows;
template <class T>
constexpr size_t NR = static_cast<size_t>(tile_vectors) * lanes<T>;
// A packed A panel has rows padded to whole vectors, so that it is written by aligned vectors. What the
// padding holds is never used.
template <class T>
constexpr size_t panel_rows = round_up(MR<T>, lanes<T>);

// How two partial results become one.
struct Adding {
  template <class V>
  static XT_INLINE V merge(V x, V y) {
    return x + y;
  }
};
// `careful` where a NaN may occur, which then stays.
template <bool largest, bool careful>
struct Picking {
  template <class V>
  static XT_INLINE V merge(V x, V y) {
    if constexpr (careful) {
      return largest ? exact::max(x, y) : exact::min(x, y);
    } else {
      return largest ? fast::max(x, y) : fast::min(x, y);
    }
  }
};

// A pair (⊗, ⊕): `step` takes one more term in, Merge joins partial results.
//
// rows: of the main tile. The semirings of matrix products have all registers. Where a term costs two or
// three instructions a few accumulators hide their latency, and where it costs dozens, or a NaN is about, one
// row of one vector does: less code is worth more than the last per cent.
template <class X>
constexpr int rows_of_tile = 4;
template <>
constexpr int rows_of_tile<fast::xi_logsumexp> = 1;
template <>
constexpr int rows_of_tile<fast::xi_l2> = 1;
#define XI(name, ...) \
  template <>         \
  constexpr int rows_of_tile<exact::xi_##name> = 1;
#include "../xi.def"
#undef XI

template <class X>
struct SumOf {
  static constexpr int rows = rows_of_tile<X>;
  static constexpr double identity = 0;
  using Merge = Adding;
  template <class V>
  static XT_INLINE V step(V sum, V a, V b) {
    return sum + X::value(a, b);
  }
};
template <>
struct SumOf<fast::xi_product> {
  static constexpr int rows = tile_rows;
  static constexpr double identity = 0;
  using Merge = Adding;
  template <class V>
  static XT_INLINE V step(V sum, V a, V b) {
    return multiply_add<typename MathOf<V>::T>(sum, a, b);
  }
};

template <class X>
constexpr int selecting_rows = rows_of_tile<X>;
template <>
constexpr int selecting_rows<fast::xi_sum> = tile_rows;

template <class X, bool largest, bool careful>
struct PickOf {
  static constexpr int rows = careful ? 1 : selecting_rows<X>;
  static constexpr double identity = largest ? -infinity : infinity;
  using Merge = Picking<largest, careful>;
  // The first of equal values is kept.
  template <class V>
  static XT_INLINE V step(V best, V a, V b) {
    return Merge::merge(best, X::value(a, b));
  }
};
template <class X>
using MaxOf = PickOf<X, true, false>;
template <class X>
using MinOf = PickOf<X, false, false>;
template <class X>
using CarefulMaxOf = PickOf<X, true, true>;
template <class X>
using CarefulMinOf = PickOf<X, false, true>;

// What a tile does with a term.
template <class T, class S>
struct Step {
  XT_INLINE Vec<T> operator()(Vec<T> state, Vec<T> a, Vec<T> b) const { return S::step(state, a, b); }
};
#if defined(XT_SUM_AS_MULTIPLY_ADD)
// a + b as 1·a + b, which rounds alike: where additions and maxima share two ports and multiply-adds have two
// of their own (measured on Zen 5), both go at the rate of multiply-adds; elsewhere it costs nothing.
template <class T, bool largest>
struct Step<T, PickOf<fast::xi_sum, largest, false>> {
  Vec<T> one = broadcast(T(1));
  Step() { asm("" : "+v"(one)); }  // else compilers make an addition of it
  XT_INLINE Vec<T> operator()(Vec<T> best, Vec<T> a, Vec<T> b) const {
    return Picking<largest, false>::merge(best, multiply_add<T>(b, a, one));
  }
};
#endif

// Terms between two turns of fetching: a tile that asks for all of its lines at once fills the queue of
// misses and stands (4 % of C2).
constexpr size_t fetch_every = 8;

// What comes after a block of B, `rows` rows of memory, fetched into the second-level cache a few lines at a
// time while the block is multiplied: the weights of a contraction are read once, from wherever they are.
struct Prefetch {
  const char* from = nullptr;
  size_t rows = 0, row_bytes = 0, stride = 0, at = 0;
  size_t a_tile = 0, a_turn = 0;  // lines

  Prefetch() = default;
  // While `tiles` tiles of kc terms are multiplied.
  Prefetch(const void* from, size_t rows, size_t row_bytes, size_t stride, size_t tiles, size_t kc)
      : from(static_cast<const char*>(from)),
        rows(rows),
        row_bytes(row_bytes),
        stride(stride),
        a_tile(rows * ((row_bytes + 63) / 64) / tiles + 1),
        a_turn(a_tile * fetch_every / kc + 1) {}

  XT_INLINE void some(size_t lines) {
    for (; lines > 0 && rows > 0; --lines) {
      __builtin_prefetch(from + at, 0, 2);
      at += 64;
      if (at >= row_bytes) {
        from += stride;
        at = 0;
        --rows;
      }
    }
  }
};

// Where a block of C lies: element (r, n) at data[rows[r] + columns[n]], or at data[rows[r] + n] if there is
// no list of columns.
template <class T>
struct Target {
  T* data;
  const size_t* rows;
  const size_t* columns;
};

// Work done between the terms of a tile, here none: `stretch` says how many of the next terms are alike,
// `term` does what belongs to one.
struct Alone {
  XT_INLINE size_t stretch(size_t terms) { return terms; }
  XT_INLINE void term() {}
};

// Whether a tile fetches ahead between its terms: that of contractions. WebAssembly has no instruction for
// it, and would be left with short stretches of terms.
template <class S, int rows>
constexpr bool fetches = false;
#if !defined(__wasm__)
template <>
constexpr bool fetches<SumOf<fast::xi_product>, tile_rows> = true;
#endif

// `rows` × W accumulators over kc terms; A [kc][panel_rows], B [kc] of rows that are `width` apart.
template <class T, class S, int rows, int W, class Beside = Alone>
XT_INLINE void reduce_terms(size_t kc, const T* A, const T* B, size_t width, Vec<T> (&state)[rows][W],
                            Prefetch& ahead, Beside&& beside = {}) {
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) state[r][w] = broadcast(T(S::identity));
  }
  const Step<T, S> step;
  const size_t turn = fetches<S, rows> && ahead.rows > 0 ? fetch_every : kc;
  for (size_t k = 0; k < kc;) {
    if constexpr (fetches<S, rows>) ahead.some(ahead.a_turn);
    for (const size_t end = k + beside.stretch(smaller(kc - k, turn)); k < end; ++k) {
      beside.term();
#if defined(XT_TERMS_AHEAD)
      if constexpr (fetches<S, rows>) {
        for (size_t v = 0; v < panel_rows<T>; v += lanes<T>)
          __builtin_prefetch(A + XT_TERMS_AHEAD * panel_rows<T> + v);
      }
#endif
      Vec<T> b[W];
#pragma GCC unroll 4
      for (int w = 0; w < W; ++w) b[w] = load(B + w * lanes<T>);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const Vec<T> a = broadcast(A[r]);
#pragma GCC unroll 4
        for (int w = 0; w < W; ++w) state[r][w] = step(state[r][w], a, b[w]);
      }
      A += panel_rows<T>;
      B += width;
    }
  }
}

// Full tiles of contiguous columns. A whole panel of B has a width that the compiler knows, so that
// WebAssembly reads from constant offsets (0.93 of the time of C1 on Zen 3).
template <class T, class S, int rows, int W, class Beside = Alone>
XT_INLINE void reduce_tile(size_t kc, const T* A, const T* B, size_t width, T* C, const size_t* row_offsets,
                           bool accumulate, Prefetch& ahead, Beside&& beside = {}) {
  Vec<T> state[rows][W];
  reduce_terms<T, S, rows, W>(kc, A, B, W == tile_vectors ? NR<T> : width, state, ahead, beside);
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      T* to = C + row_offsets[r] + w * lanes<T>;
      store(to, accumulate ? S::Merge::merge(load(to), state[r][w]) : state[r][w]);
    }
  }
}

// Merges a block computed aside, [rows][stride], into C: where C ends within a tile, or its columns are not
// neighbours.
template <class T, class Merge>
__attribute__((noinline)) void merge_aside(const T* aside, size_t stride, size_t rows, size_t cols, T* C,
                                           const size_t* row_offsets, const size_t* column_offsets,
                                           bool accumulate) {
  const size_t whole = column_offsets ? 0 : cols / lanes<T> * lanes<T>;
  for (size_t r = 0; r < rows; ++r) {
    T* row = C + row_offsets[r];
    for (size_t c = 0; c < whole; c += lanes<T>) {
      const Vec<T> value = load(aside + r * stride + c);
      store(row + c, accumulate ? Merge::merge(load(row + c), value) : value);
    }
    for (size_t c = whole; c < cols; ++c) {
      T* to = row + (column_offsets ? column_offsets[c] : c);
      Vec<T> value = broadcast(aside[r * stride + c]);
      if (accumulate) value = Merge::merge(broadcast(*to), value);
      *to = value[0];
    }
  }
}

template <class T>
constexpr size_t aside_offsets[16] = {0,          NR<T>,      2 * NR<T>,  3 * NR<T>, 4 * NR<T>,  5 * NR<T>,
                                      6 * NR<T>,  7 * NR<T>,  8 * NR<T>,  9 * NR<T>, 10 * NR<T>, 11 * NR<T>,
                                      12 * NR<T>, 13 * NR<T>, 14 * NR<T>, 15 * NR<T>};

// Some rows of a panel of A against one panel of B of W vectors.
template <class T, class S, int rows, int W>
XT_INLINE void reduce_rows_of_panel(size_t kc, const T* A, const T* B, size_t width, T* C, Target<T> to,
                                    size_t row, size_t present, size_t column, size_t cols, bool accumulate,
                                    Prefetch& ahead) {
  const bool whole =
      present == static_cast<size_t>(rows) && cols == W * static_cast<size_t>(lanes<T>) && !to.columns;
  T aside[rows * NR<T>];
  reduce_tile<T, S, rows, W>(kc, A, B, width, whole ? C : aside, whole ? to.rows + row : aside_offsets<T>,
                             whole && accumulate, ahead);
  if (!whole) {
    merge_aside<T, typename S::Merge>(aside, NR<T>, present, cols, C, to.rows + row,
                                      to.columns ? to.columns + column : nullptr, accumulate);
  }
}

// A whole panel of A, in tiles of S::rows and, where far fewer are present, of four, against W of the vectors
// of a panel of B that is `width` wide.
template <class T, class S, int W>
void reduce_panel(size_t kc, const T* A, const T* B, size_t width, Target<T> to, size_t present,
                  size_t column, size_t cols, bool accumulate, Prefetch& ahead) {
  constexpr int edge = S::rows < 4 ? S::rows : 4;
  T* C = to.data + (to.columns ? 0 : column);
  size_t row = 0;
  if constexpr (S::rows > edge) {
    // A row takes a fifth longer in tiles of four, and B is read once for each of them.
    const size_t by_edges = (present + edge - 1) / edge * edge;
    if (by_edges + by_edges / 5 >= static_cast<size_t>(S::rows)) {
      reduce_rows_of_panel<T, S, S::rows, W>(kc, A, B, width, C, to, 0, present, column, cols, accumulate,
                                             ahead);
      return;
    }
  }
  for (; row < present; row += edge) {
    reduce_rows_of_panel<T, S, edge, W>(kc, A + row, B, width, C, to, row,
                                        smaller(present - row, static_cast<size_t>(edge)), column, cols,
                                        accumulate, ahead);
  }
}

template <class T>
using PanelKernel = void (*)(size_t kc, const T* A, const T* B, size_t width, Target<T> to, size_t present,
                             size_t column, size_t cols, bool accumulate, Prefetch& ahead);

// The kernels of a pair (⊗, ⊕) by the vectors that they take at a time, less one; those of one row have one.
template <class T>
struct PanelKernels {
  PanelKernel<T> panel[tile_vectors];
};

template <class T, class S>
constexpr PanelKernels<T> panel_kernels_of() {
  PanelKernels<T> kernels{{reduce_panel<T, S, 1>}};
  if constexpr (S::rows > 1) {
    kernels.panel[1] = reduce_panel<T, S, 2>;
    kernels.panel[tile_vectors - 1] = reduce_panel<T, S, tile_vectors>;
  }
  return kernels;
}
template <class T, class S>
constexpr PanelKernels<T> panel_kernels = panel_kernels_of<T, S>();

// Columns at the end of a panel of B that are better met one by one: how many, and by a kernel for two whole
// panels of A.
template <class T>
struct SingleColumns {
  size_t (*count)(size_t cols);
  PanelKernel<T> kernel;
};

// The packed A panels of `rows` rows against all packed B panels of a block: columns [0, nc) of a Target. A
// panel of B stays in the first-level cache while those of A stream past it. Panels of B are tile_vectors
// wide but for the last, which is as narrow as its columns allow.
template <class T>
void reduce_block(const PanelKernels<T>& kernels, size_t kc, size_t nc, const T* A, const T* B, Target<T> to,
                  size_t rows, bool accumulate, Prefetch& ahead, SingleColumns<T> single = {}) {
  for (size_t n = 0; n < nc; n += NR<T>) {
    const size_t cols = smaller(nc - n, NR<T>), width = round_up(cols, lanes<T>);
    // Columns [begin, end) of the panel against rows from `row` on.
    const auto reduce = [&](size_t row, size_t begin, size_t end) {
      const size_t reach = round_up(end, lanes<T>);
      const PanelKernel<T> whole = kernels.panel[(reach - begin) / lanes<T> - 1];
      const size_t at_once = whole ? reach - begin : lanes<T>;
      const PanelKernel<T> kernel = whole ? whole : kernels.panel[0];
      for (; row < rows; row += MR<T>) {
        const T* panel_A = A + row / MR<T> * panel_rows<T> * kc;
        const size_t present = smaller(rows - row, MR<T>);
        if (present < MR<T>) ahead.some(ahead.a_tile);
        for (size_t c = begin; c < end; c += at_once) {
          kernel(kc, panel_A, B + n * kc + c, width, {to.data, to.rows + row, to.columns}, present, n + c,
                 smaller(end - c, at_once), accumulate, ahead);
        }
      }
    };
    const size_t few = single.kernel ? single.count(cols) : 0, begin = cols - few;
    if (begin > 0) reduce(0, 0, begin);
    if (few == 0) continue;
    size_t row = 0;
    for (; row + 2 * MR<T> <= rows; row += 2 * MR<T>) {
      single.kernel(kc, A + row / MR<T> * panel_rows<T> * kc, B + n * kc + begin, width,
                    {to.data, to.rows + row, to.columns}, 2 * MR<T>, n + begin, few, accumulate, ahead);
    }
    if (row < rows) reduce(row, begin, cols);
  }
}

}  // namespace xt::XT_ISA
