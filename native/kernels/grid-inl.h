// The contraction of all pairs of M template vectors a and P hidden rows h, as one step of a grid tensor is:
// out[p,m,k] = Σ_ij G[i,j,k] ξ(a[m,i], h[p,j]).
//
// Directly, vectors hold neighbouring p, and a pair (i, j) costs one ∘ for some k together. For max, min and
// rectifier there is a way whose cost does not know L: for given m and j the sum over i is a piecewise linear
// function of h with its breakpoints at a[m, ·], so that a sweep over p in the order of h[·, j] needs one
// multiply-add an element (m, k).
#pragma once
#include "contract-inl.h"

namespace xt::XT_ISA {

// Rows of h at a time, and k at a time: 2 × kDepth accumulators.
template <class T>
constexpr size_t kGridRows = 2 * lanes<T>;
constexpr int kDepth = tile_rows > 8 ? 8 : 4;

// Templates at a time for a single k, whose two accumulators alone would wait for one another: where NaN are
// about or ξ costs dozens of instructions, one.
template <class Pair>
constexpr int templates_together = 1;
template <class X>
constexpr int templates_together<PhiPair<X>> = rows_of_tile<typename X::Fast> == 1 ? 1
                                               : kDepth > 4                        ? 5
                                                                                   : 4;

// sums[n][k][p] = Σ_ij G[i,j,k] Pair(a[n,i], h[j][p]) for `depth` successive k and `templates` successive n.
template <class T, class Pair, int depth, int templates>
void grid_sums(const GridArgs<T>& args, const T* a, const T* h, const T* G, T* sums) {
  constexpr size_t W = kGridRows<T>;
  Vec<T> sum[templates][depth][2];
#pragma GCC unroll 5
  for (int n = 0; n < templates; ++n) {
#pragma GCC unroll 8
    for (int k = 0; k < depth; ++k) sum[n][k][0] = sum[n][k][1] = Vec<T>{};
  }
  for (size_t i = 0; i < args.L; ++i) {
    Vec<T> x[templates];
#pragma GCC unroll 5
    for (int n = 0; n < templates; ++n) x[n] = broadcast(a[n * args.L + i]);
    for (size_t j = 0; j < args.R; ++j, G += args.K) {
      const Vec<T> left = load(h + j * W), right = load(h + j * W + lanes<T>);
#pragma GCC unroll 5
      for (int n = 0; n < templates; ++n) {
        const Vec<T> pairs[2] = {Pair::value(x[n], left), Pair::value(x[n], right)};
#pragma GCC unroll 8
        for (int k = 0; k < depth; ++k) {
          const Vec<T> weight = broadcast(G[k]);
          sum[n][k][0] = multiply_add<T>(sum[n][k][0], weight, pairs[0]);
          sum[n][k][1] = multiply_add<T>(sum[n][k][1], weight, pairs[1]);
        }
      }
    }
  }
#pragma GCC unroll 5
  for (int n = 0; n < templates; ++n) {
#pragma GCC unroll 8
    for (int k = 0; k < depth; ++k) {
      T* to = sums + (n * args.K + k) * W;
      store(to, sum[n][k][0]);
      store(to + lanes<T>, sum[n][k][1]);
    }
  }
}

// The same for all k and `templates` templates.
template <class T, class Pair>
void grid_rows(const GridArgs<T>& args, const T* a, size_t templates, const T* h, T* sums) {
  constexpr int together = templates_together<Pair>;
  constexpr size_t W = kGridRows<T>;
  const size_t whole = args.K / kDepth * kDepth;
  for (size_t n = 0; n < templates; ++n) {
    for (size_t k = 0; k < whole; k += kDepth) {
      grid_sums<T, Pair, kDepth, 1>(args, a + n * args.L, h, args.G + k, sums + (n * args.K + k) * W);
    }
  }
  for (size_t k = whole; k < args.K; ++k) {
    if (templates < together) {
      for (size_t n = 0; n < templates; ++n) {
        grid_sums<T, Pair, 1, 1>(args, a + n * args.L, h, args.G + k, sums + (n * args.K + k) * W);
      }
      continue;
    }
    for (size_t n = 0; n < templates; n += together) {
      // The last ones again rather than fewer.
      const size_t at = smaller(n, templates - together);
      grid_sums<T, Pair, 1, together>(args, a + at * args.L, h, args.G + k, sums + (at * args.K + k) * W);
    }
  }
}

template <class T>
using GridRows = void (*)(const GridArgs<T>& args, const T* a, size_t templates, const T* h, T* sums);

template <class T>
bool grid_by_pairs(const GridArgs<T>& args, Slice p, TakePhi<T> phi, GridRows<T> of_phi,
                   GridRows<T> of_whole) {
  constexpr size_t W = kGridRows<T>;
  const size_t row = args.M * args.K, chunk = 256 / args.K + 1;  // templates between two transposes of sums
  const size_t all_a = round_up(args.M * args.L, lanes<T>) + lanes<T>;
  Room room;
  room.add<T>(all_a).template add<T>(args.R, W).template add<T>(args.R, W).template add<T>(chunk * args.K, W);
  if (!scratch().reserve(room)) return false;
  T* phi_a = scratch().take<T>(all_a);
  T* h = scratch().take<T>(args.R * W);
  T* phi_h = scratch().take<T>(args.R * W);
  T* sums = scratch().take<T>(chunk * args.K * W);
  for (size_t n = 0; n < all_a; ++n) phi_a[n] = n < args.M * args.L ? args.a[n] : T(1);
  const bool a_has_phi = phi(phi_a, all_a);
  for (size_t first = p.begin; first < p.end; first += W) {
    const size_t count = smaller(p.end - first, W);
    for (size_t n = 0; n < args.R * W; ++n) h[n] = 1;
    transpose_copy(args.h + first * args.R, args.R, count, args.R, h, W);
    for (size_t n = 0; n < args.R * W; ++n) phi_h[n] = h[n];
    const bool has_phi = a_has_phi && phi(phi_h, args.R * W);
    for (size_t m = 0; m < args.M; m += chunk) {
      const size_t templates = smaller(args.M - m, chunk), values = templates * args.K;
      if (has_phi) {
        of_phi(args, phi_a + m * args.L, templates, phi_h, sums);
      } else {
        of_whole(args, args.a + m * args.L, templates, h, sums);
      }
      T* out = args.out + first * row + m * args.K;
      const size_t whole = values / lanes<T> * lanes<T>;
      if (whole) transpose_copy(sums, W, whole, count, out, row);
      for (size_t n = whole; n < values; ++n) {
        for (size_t c = 0; c < count; ++c) out[c * row + n] = sums[n * W + c];
      }
    }
  }
  return true;
}

template <class T, class X>
bool grid_directly(const GridArgs<T>& args, Slice p) {
  return grid_by_pairs<T>(args, p, take_phi<T, X>, grid_rows<T, AfterPhi<X>>, grid_rows<T, Whole<X>>);
}

// Σ_i G[i] max(a[i], y) = Σ_{a ≤ y} G[i] · y + Σ_{a > y} G[i] a[i]; for min the two sums change places.
// Tables for one j: [m][breakpoints passed][k], of slopes and of constants. Sums, no differences: nothing
// cancels.
template <class T>
void tabulate_pieces(const GridArgs<T>& args, const T* a, const uint32_t* order, size_t j, bool is_min,
                     T* slopes, T* constants) {
  const size_t K = args.K, L = args.L;
  T *passed = is_min ? constants : slopes, *ahead = is_min ? slopes : constants;
  for (size_t m = 0; m < args.M; ++m) {
    const size_t at = m * (L + 1) * K;
    for (size_t k = 0; k < K; ++k) passed[at + k] = ahead[at + L * K + k] = 0;
    for (size_t n = 0; n < L; ++n) {
      const size_t up = order[m * L + n], down = order[m * L + L - 1 - n];
      const T *G_up = args.G + (up * args.R + j) * K, *G_down = args.G + (down * args.R + j) * K;
      const T scale_up = is_min ? a[m * L + up] : T(1), scale_down = is_min ? T(1) : a[m * L + down];
      T *from_up = passed + at + n * K, *from_down = ahead + at + (L - n) * K;
      for (size_t k = 0; k < K; ++k) {
        from_up[K + k] = from_up[k] + G_up[k] * scale_up;
        from_down[k - K] = from_down[k] + G_down[k] * scale_down;
      }
    }
  }
}

// Rows between two sweeps: more of them share the tables, fewer stay in cache.
constexpr size_t kRowsOfSweep = 4096;

template <class T>
bool sweep_grid(const GridArgs<T>& args, Slice p, TakePhi<T> phi, bool is_min) {
  const size_t row = args.M * args.K, events = args.M * args.L;
  const size_t most = smaller(p.size(), kRowsOfSweep), padded = round_up(events, lanes<T>) + lanes<T>;
  Room room;
  room.add<T>(padded).template add<T>(row).template add<T>(row);
  for (int n = 0; n < 2; ++n) room.add<T>(args.M, args.L + 1, args.K);
  room.add<uint32_t>(events).template add<uint32_t>(events).template add<uint32_t>(most);
  room.add<uint32_t>(args.M).template add<T>(most);
  if (!scratch().reserve(room)) return false;
  const size_t table = args.M * (args.L + 1) * args.K;
  T* a = scratch().take<T>(padded);
  T *slopes = scratch().take<T>(table), *constants = scratch().take<T>(table);
  T *slope = scratch().take<T>(row), *constant = scratch().take<T>(row);
  uint32_t *all = scratch().take<uint32_t>(events), *own = scratch().take<uint32_t>(events);
  uint32_t *rows = scratch().take<uint32_t>(most), *passed = scratch().take<uint32_t>(args.M);
  T* keys = scratch().take<T>(most);
  for (size_t n = 0; n < padded; ++n) a[n] = n < events ? args.a[n] : T(1);
  phi(a, padded);
  sort_order(a, events, all);
  for (size_t m = 0; m < args.M; ++m) passed[m] = 0;
  for (size_t n = 0; n < events; ++n) {
    const size_t m = all[n] / args.L;
    own[m * args.L + passed[m]++] = static_cast<uint32_t>(all[n] % args.L);
  }
  for (size_t first = p.begin; first < p.end; first += most) {
    const size_t count = smaller(p.end - first, most);
    for (size_t j = 0; j < args.R; ++j) {
      tabulate_pieces(args, a, own, j, is_min, slopes, constants);
      for (size_t n = 0; n < count; ++n) keys[n] = args.h[(first + n) * args.R + j];
      sort_order(keys, count, rows);
      for (size_t m = 0; m < args.M; ++m) {
        passed[m] = 0;
        for (size_t k = 0; k < args.K; ++k) {
          slope[m * args.K + k] = slopes[m * (args.L + 1) * args.K + k];
          constant[m * args.K + k] = constants[m * (args.L + 1) * args.K + k];
        }
      }
      size_t event = 0;
      for (size_t n = 0; n < count; ++n) {
        const T y = keys[rows[n]];
        for (; event < events && a[all[event]] <= y; ++event) {
          const size_t m = all[event] / args.L, at = (m * (args.L + 1) + ++passed[m]) * args.K;
          for (size_t k = 0; k < args.K; ++k) {
            slope[m * args.K + k] = slopes[at + k];
            constant[m * args.K + k] = constants[at + k];
          }
        }
        T* out = args.out + (first + rows[n]) * row;
        const Vec<T> value = broadcast(y);
        size_t c = 0;
        for (; c + lanes<T> <= row; c += lanes<T>) {
          const Vec<T> piece = multiply_add<T>(load(constant + c), load(slope + c), value);
          store(out + c, j ? load(out + c) + piece : piece);
        }
        for (; c < row; ++c) {
          const T piece = constant[c] + slope[c] * y;
          out[c] = j ? out[c] + piece : piece;
        }
      }
    }
  }
  return true;
}

template <class T, class X, bool is_min>
bool grid_by_sweeps(const GridArgs<T>& args, Slice p) {
  return sweep_grid<T>(args, p, take_phi<T, X>, is_min);
}

template <class T>
using GridKernel = bool (*)(const GridArgs<T>&, Slice);

// The way by sweeps where ξ selects one of its operands.
template <class T, class X>
constexpr GridKernel<T> grid_sweeps = nullptr;
template <class T>
constexpr GridKernel<T> grid_sweeps<T, xi_rectifier> = grid_by_sweeps<T, xi_rectifier, false>;
template <class T>
constexpr GridKernel<T> grid_sweeps<T, xi_max> = grid_by_sweeps<T, xi_max, false>;
template <class T>
constexpr GridKernel<T> grid_sweeps<T, xi_min> = grid_by_sweeps<T, xi_min, true>;

}  // namespace xt::XT_ISA
