// The contraction of all pairs of M template vectors a and P hidden rows h, as one step of a grid tensor is:
// out[p,m,k] = Σ_ij G[i,j,k] ξ(a[m,i], h[p,j]).
//
// Directly, vectors hold neighbouring p, and a pair (i, j) costs one ∘ for some k together. The ways of
// grid_lookups-inl.h and grid_sweeps-inl.h do not form pairs.
#pragma once
#include "contract-inl.h"

namespace xt::XT_ISA {

// Rows of h at a time, and k at a time: 2 × kDepth accumulators.
template <class T>
constexpr size_t kGridRows = 2 * lanes<T>;
constexpr int kDepth = tile_rows > 8 ? 8 : 4;

// Templates at a time for a single k, whose two accumulators alone would wait for one another: one where ξ
// costs dozens of instructions. Where NaN are about, which is rare, no k go together either: less code.
template <class Pair>
constexpr int templates_together = 1;
template <class X>
constexpr int templates_together<PhiPair<X>> = rows_of_tile<typename X::Fast> == 1 ? 1
                                               : kDepth > 4                        ? 5
                                                                                   : 4;
template <class Pair>
constexpr int depth_of = 1;
template <class X>
constexpr int depth_of<PhiPair<X>> = kDepth;

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
  constexpr int together = templates_together<Pair>, depth = depth_of<Pair>;
  constexpr size_t W = kGridRows<T>;
  const size_t whole = depth > 1 ? args.K / depth * depth : 0;
  for (size_t n = 0; n < templates; ++n) {
    for (size_t k = 0; k < whole; k += depth) {
      grid_sums<T, Pair, depth, 1>(args, a + n * args.L, h, args.G + k, sums + (n * args.K + k) * W);
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

}  // namespace xt::XT_ISA
