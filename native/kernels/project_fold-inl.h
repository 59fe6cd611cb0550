// The fold of projections s[b,r] = ξ_t ⟨f[t,b,:], v[t,r,:]⟩ and the scores s λ that a CP network is made of.
// A few tiles of projections are folded into their states as soon as they are computed, and the states into
// scores: of B·T·R and B·R values no more than that exists.
#pragma once
#include "fold-inl.h"
#include "gemm-inl.h"

namespace xt::XT_ISA {

// Tiles, one below the other, that are folded together: the panel of v that they share is read once for all.
constexpr size_t kTiles = 4;
template <class T>
constexpr size_t tiles_size = kTiles* MR<T>* NR<T>;

// Folds `count` projections into their states, and where winners are wanted, of a ξ that selects one of its
// operands, notes the step whose projection the state is: -1 for none. False if there was a NaN among them.
template <class T>
using FoldTiles = bool (*)(const T* z, size_t count, T step, T* states, T* winners);
template <class T, class X, class Form>
bool fold_tiles(const T* z, size_t count, T step, T* states, T* winners) {
  Int<T> numbers = ~Int<T>{};
  for (size_t n = 0; n < count; n += lanes<T>) {
    const Vec<T> state = load(states + n), operand = load(z + n);
    numbers &= operand == operand;
    if constexpr (X::selects) {
      if (winners) {
        const Vec<T> before = X::dx(state, operand).holds ? load(winners + n) : broadcast(T(-1));
        store(winners + n, X::dy(state, operand).holds ? broadcast(step) : before);
      }
    }
    store(states + n, Form::value(state, operand));
  }
  return !any_lane<T>(~numbers);
}

// The same of whole tiles without winners: all steps of `tiles` of them, whose projections stay in
// registers. False if there may be a NaN among them, and then the states are worth nothing.
template <class T>
using FoldWholeTiles = bool (*)(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V,
                                size_t V_step, size_t tiles, T* states);
template <class T, class Form>
bool fold_whole_tiles(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V, size_t V_step,
                      size_t tiles, T* states) {
  Vec<T> sum[tile_vectors]{};  // NaN if a projection is; else it may be only where infinities meet
  Prefetch none;
  for (size_t t = 0; t < args.steps; ++t) {
    for (size_t tile = 0; tile < tiles; ++tile) {
      Vec<T> z[tile_rows][tile_vectors];
      reduce_terms<T, SumOf<fast::xi_product>, tile_rows, tile_vectors>(
          args.M, F + t * F_step + tile * args.M * panel_rows<T>, V + t * V_step, NR<T>, z, none);
      T* at = states + tile * MR<T> * NR<T>;
#pragma GCC unroll 16
      for (int r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 4
        for (int w = 0; w < tile_vectors; ++w, at += lanes<T>) {
          sum[w] += z[r][w];
          store(at, Form::value(load(at), z[r][w]));
        }
      }
    }
  }
  for (const Vec<T> total : sum) {
    if (any_lane<T>(total != total)) return false;
  }
  return true;
}

// What NaN needs is left out until one is met; where that saves nothing there is one form. Whole tiles are
// folded in registers where a step costs little beside the projection.
template <class T>
struct FoldForms {
  double unit;
  FoldTiles<T> fast, exact;
  FoldWholeTiles<T> whole;
};
template <class T, class X>
constexpr FoldForms<T> fold_forms_of() {
  constexpr FoldTiles<T> exact = fold_tiles<T, X, typename X::Exact>;
  if constexpr (X::selects) {
    return {X::unit, fold_tiles<T, X, typename X::Fast>, exact, fold_whole_tiles<T, typename X::Fast>};
  }
  return {X::unit, exact, exact, nullptr};
}
template <class T, class X>
constexpr FoldForms<T> fold_forms = fold_forms_of<T, X>();

// Packs rows as a panel [M][width] with zeros where there are fewer than `used`, so that no NaN comes of
// them.
template <class T>
void pack_padded(const T* data, size_t row_stride, size_t rows, size_t used, size_t width, size_t M, T* to) {
  const Matrix<T> from{data, row_stride, 1};
  if (rows < used) {
    for (size_t n = 0; n < M * width; ++n) to[n] = 0;
  }
  pack_matrix_panel<T>(&from, 0, rows, width, 0, M, to);
}

// Tiles [row][NR] of `rows` rows and their states.
template <class T>
struct Tiles {
  T *z, *states, *winners;
  size_t offsets[kTiles * MR<T>];

  Tiles(T* memory, bool with_winners)
      : z(memory), states(z + tiles_size<T>), winners(with_winners ? states + tiles_size<T> : nullptr) {
    for (size_t row = 0; row < kTiles * MR<T>; ++row) offsets[row] = row * NR<T>;
  }

  // The states after all steps, from packed F and V, of whole tiles.
  bool fold_whole(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V, size_t V_step,
                  size_t rows, const FoldForms<T>& forms) {
    for (size_t n = 0; n < rows * NR<T>; ++n) states[n] = T(forms.unit);
    return forms.whole(args, F, F_step, V, V_step, rows / MR<T>, states);
  }

  // Of any tiles.
  bool fold(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V, size_t V_step, size_t rows,
            size_t cols, double unit, FoldTiles<T> fold) {
    for (size_t n = 0; n < rows * NR<T>; ++n) {
      z[n] = 0;
      states[n] = T(unit);
      if (winners) winners[n] = -1;
    }
    bool numbers = true;
    Prefetch none;
    for (size_t t = 0; t < args.steps; ++t) {
      multiply_block<T>(args.M, cols, F + t * F_step, V + t * V_step, {z, offsets, nullptr}, rows, false,
                        none);
      numbers &= fold(z, rows * NR<T>, T(t), states, winners);
    }
    return numbers;
  }
};

// Stores rows × cols of a tile in a matrix.
template <class T>
void store_tile(const T* tile, size_t rows, size_t cols, T* to, size_t stride) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t c = 0; c < cols; c += lanes<T>) {
      const Vec<T> value = load(tile + row * NR<T> + c);
      if (c + lanes<T> <= cols) {
        store(to + row * stride + c, value);
      } else {
        store_part(to + row * stride + c, value, cols - c);
      }
    }
  }
}

// Adds states [rows][NR] times λ [cols][K], K in whole vectors, to scores [rows][K]. Four rows at a time, up
// to three more than there are.
template <class T>
void add_scores(const T* states, size_t rows, size_t cols, const T* lambda, size_t K, T* scores) {
  constexpr int together = 4;
  for (size_t row = 0; row < rows; row += together) {
    for (size_t k = 0; k < K; k += lanes<T>) {
      Vec<T> sum[together];
#pragma GCC unroll 4
      for (int n = 0; n < together; ++n) sum[n] = load(scores + (row + n) * K + k);
      for (size_t c = 0; c < cols; ++c) {
        const Vec<T> weight = load(lambda + c * K + k);
#pragma GCC unroll 4
        for (int n = 0; n < together; ++n) {
          sum[n] = multiply_add<T>(sum[n], broadcast(states[(row + n) * NR<T> + c]), weight);
        }
      }
#pragma GCC unroll 4
      for (int n = 0; n < together; ++n) store(scores + (row + n) * K + k, sum[n]);
    }
  }
}

template <class T>
bool project_fold_with(const ProjectFoldArgs<T>& args, Slice b, Slice r, const FoldForms<T>& forms) {
  const size_t steps = args.steps, M = args.M, K = round_up(args.K, lanes<T>);
  const size_t F_step = packed_A_size<T>(b.size(), M), V_step = args.v_step ? M * NR<T> : 0;
  const size_t V_steps = args.v_step ? steps : steps > 0;
  Room room;
  room.add<T>(steps, F_step + lanes<T>).template add<T>(V_steps, M, NR<T>);
  room.add<T>(3, tiles_size<T>).template add<T>(b.size() + 4, K).template add<T>(NR<T>, K);
  if (!scratch().reserve(room)) return false;
  T* F = scratch().take<T>(steps * (F_step + lanes<T>));
  T* V = scratch().take<T>(V_steps * M * NR<T>);
  Tiles<T> tiles(scratch().take<T>(3 * tiles_size<T>), args.winners != nullptr);
  T* scores = scratch().take<T>((b.size() + 4) * K);
  T* lambda = scratch().take<T>(NR<T> * K);
  for (size_t row = b.begin; row < b.end; row += MR<T>) {
    for (size_t t = 0; t < steps; ++t) {
      pack_padded(args.f + t * args.f_step + row * args.f_row, args.f_row, smaller(b.end - row, MR<T>), MR<T>,
                  panel_rows<T>, M, F + t * F_step + packed_A_size<T>(row - b.begin, M));
    }
  }
  if (args.scores) {
    for (size_t n = 0; n < (b.size() + 4) * K; ++n) scores[n] = 0;
  }
  for (size_t n = r.begin; n < r.end; n += NR<T>) {
    const size_t cols = smaller(r.end - n, NR<T>), width = round_up(cols, lanes<T>);
    for (size_t t = 0; t < V_steps; ++t) {
      pack_padded(args.v + t * args.v_step + n * args.v_row, args.v_row, cols, width, width, M,
                  V + t * V_step);
    }
    if (args.scores) pad_rows(args.lambda + n * args.K, cols, args.K, K, lambda);
    for (size_t row = b.begin; row < b.end; row += kTiles * MR<T>) {
      const size_t rows = smaller(b.end - row, kTiles * MR<T>), at = row * args.R + n;
      const auto fold = [&](FoldTiles<T> form) {
        return tiles.fold(args, F + packed_A_size<T>(row - b.begin, M), F_step, V, V_step, rows, width,
                          forms.unit, form);
      };
      const bool whole = forms.whole && !args.winners && rows % MR<T> == 0 && width == NR<T>;
      if (!(whole &&
            tiles.fold_whole(args, F + packed_A_size<T>(row - b.begin, M), F_step, V, V_step, rows, forms)) &&
          !fold(forms.fast) && forms.exact != forms.fast) {
        fold(forms.exact);
      }
      if (args.scores) add_scores(tiles.states, rows, cols, lambda, K, scores + (row - b.begin) * K);
      if (args.s) store_tile(tiles.states, rows, cols, args.s + at, args.R);
      if (args.winners) store_tile(tiles.winners, rows, cols, args.winners + at, args.R);
    }
  }
  for (size_t row = b.begin; args.scores && row < b.end; ++row) {
    for (size_t k = 0; k < args.K; ++k) args.scores[row * args.K + k] = scores[(row - b.begin) * K + k];
  }
  return true;
}

template <class T, class X>
bool project_fold(const ProjectFoldArgs<T>& args, Slice b, Slice r) {
  return project_fold_with<T>(args, b, r, fold_forms<T, X>);
}

// Adds d[n] x[w,:] to the sums [n][w][width] of the winners w[n].
template <class T>
XT_INLINE void add_winners(const T* winners, const T* d, size_t count, const T* x, size_t x_step, T* sums,
                           size_t sum_row, size_t sum_step, size_t width) {
  for (size_t n = 0; n < count; ++n, sums += sum_row) {
    const ptrdiff_t winner = static_cast<int32_t>(winners[n]);
    if (winner < 0) continue;
    const Vec<T> weight = broadcast(d[n]);
    const T* from = x + winner * x_step;
    T* to = sums + winner * sum_step;
    for (size_t m = 0; m < width; m += lanes<T>) {
      store(to + m, multiply_add<T>(load(to + m), weight, load(from + m)));
    }
  }
}

// Bytes of the sums that are made together: in the second-level cache, and so many that the rows x, which may
// be far larger, are read only a few times.
constexpr size_t kSums = size_t{1} << 18;
constexpr size_t kPairs = 16;  // q whose pairs are transposed at a time

// Sums of the rows that won: out[w,p,:] += Σ_q d[p,q] x[w,q,:] with w the winner of (p, q). What a gradient
// through a selecting ξ comes to, of which each pair reaches one step in T.
template <class T>
bool winner_sums(const WinnerSumsArgs<T>& args, Slice p) {
  const size_t width = round_up(args.M, lanes<T>);
  const size_t out_steps = args.out_step ? args.steps : 1, x_steps = args.x_step ? args.steps : 1;
  const size_t sum_row = out_steps * width, sum_step = args.out_step ? width : 0;
  const size_t together = smaller(p.size(), round_up(kSums / sizeof(T) / sum_row + 1, lanes<T>));
  const size_t stride = round_up(together, lanes<T>);
  Room room;
  room.add<T>(together, sum_row).template add<T>(x_steps, width).template add<T>(2, kPairs, stride);
  if (!scratch().reserve(room)) return false;
  T* sums = scratch().take<T>(together * sum_row);
  T* copy = scratch().take<T>(x_steps * width);
  T* turned = scratch().take<T>(2 * kPairs * stride);
  const bool whole = args.M == width;
  const size_t x_step = whole ? args.x_step : args.x_step ? width : 0;
  for (size_t first = p.begin; first < p.end; first += together) {
    const size_t count = smaller(together, p.end - first);
    for (size_t n = 0; n < count * sum_row; ++n) sums[n] = 0;
    for (size_t q = 0; q < args.Q; q += kPairs) {
      const size_t pairs = smaller(kPairs, args.Q - q);
      const T *winners = args.winners + q * args.P + first, *d = args.d + q * args.P + first;
      size_t next = args.P;
      if (!args.transposed) {
        const size_t at = first * args.Q + q;
        transpose_copy(args.winners + at, args.Q, count, pairs, turned, stride);
        transpose_copy(args.d + at, args.Q, count, pairs, turned + kPairs * stride, stride);
        winners = turned;
        d = turned + kPairs * stride;
        next = stride;
      }
      for (size_t n = 0; n < pairs; ++n) {
        const T* x = args.x + (q + n) * args.x_row;
        for (size_t t = 0; t < x_steps && !whole; ++t) {
          for (size_t m = 0; m < args.M; ++m) copy[t * width + m] = x[t * args.x_step + m];
        }
        add_winners(winners + n * next, d + n * next, count, whole ? x : copy, x_step, sums, sum_row,
                    sum_step, width);
      }
    }
    for (size_t n = 0; n < count; ++n) {
      for (size_t t = 0; t < out_steps; ++t) {
        T* to = args.out + t * args.out_step + (first + n) * args.out_row;
        for (size_t m = 0; m < args.M; ++m) to[m] += sums[n * sum_row + t * width + m];
      }
    }
  }
  return true;
}

}  // namespace xt::XT_ISA
