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

// The winner after a step of a ξ that selects one of its operands: that step, the one before, or -1 for none.
template <class T, class X>
XT_INLINE Vec<T> winner_of(Vec<T> state, Vec<T> operand, Vec<T> winner, T step) {
  const Vec<T> before = X::dx(state, operand).holds ? winner : broadcast(T(-1));
  return X::dy(state, operand).holds ? broadcast(step) : before;
}

// Folds `count` projections into their states and, where they are wanted, winners.
template <class T>
using FoldTiles = void (*)(const T* z, size_t count, T step, T* states, T* winners);
template <class T, class X>
void fold_tiles(const T* z, size_t count, T step, T* states, T* winners) {
  for (size_t n = 0; n < count; n += lanes<T>) {
    const Vec<T> state = load(states + n), operand = load(z + n);
    if constexpr (X::selects) {
      if (winners) store(winners + n, winner_of<T, X>(state, operand, load(winners + n), step));
    }
    store(states + n, X::value(state, operand));
  }
}

// The same of whole tiles as soon as they are computed, in registers, for a ξ that selects and where no
// projection is NaN. A state has been through φ (max(x, 0) of the rectifier) from the start, so ∘ is all
// there is to a step, and a step that changes it has won.
template <class T>
using FoldWholeTiles = void (*)(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V,
                                size_t V_step, size_t tiles, T* states, T* winners);
template <class T, class X>
void fold_whole_tiles(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V, size_t V_step,
                      size_t tiles, T* states, T* winners) {
  Prefetch none;
  for (size_t t = 0; t < args.steps; ++t) {
    for (size_t tile = 0; tile < tiles; ++tile) {
      Vec<T> z[tile_rows][tile_vectors];
      reduce_terms<T, SumOf<fast::xi_product>, tile_rows, tile_vectors>(
          args.M, F + t * F_step + tile * args.M * panel_rows<T>, V + t * V_step, NR<T>, z, none);
      T* at = states + tile * MR<T> * NR<T>;
      T* winner = winners ? winners + tile * MR<T> * NR<T> : nullptr;
#pragma GCC unroll 16
      for (int r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 4
        for (int w = 0; w < tile_vectors; ++w) {
          const size_t n = r * NR<T> + w * lanes<T>;
          const Vec<T> state = load(at + n), next = X::Fast::circle(state, z[r][w]);
          store(at + n, next);
          if (winner) store(winner + n, next != state ? broadcast(T(t)) : load(winner + n));
        }
      }
    }
  }
}

template <class T>
struct FoldForms {
  double unit;
  FoldTiles<T> any;
  FoldWholeTiles<T> whole;
};
template <class T, class X>
constexpr FoldForms<T> fold_forms_of() {
  constexpr FoldTiles<T> any = fold_tiles<T, X>;
  if constexpr (X::selects) {
    return {X::unit, any, fold_whole_tiles<T, X>};
  }
  return {X::unit, any, nullptr};
}
template <class T, class X>
constexpr FoldForms<T> fold_forms = fold_forms_of<T, X>();

// The largest of the sizes of some values; infinite if one of them is, or is NaN. In four chains, which hide
// the latency of a maximum.
template <class T>
Vec<T> largest_size(const T* values, size_t count, Vec<T> largest = Vec<T>{}) {
  const auto size_of = [](Vec<T> value) {
    const Vec<T> size = absolute(value);
    return size <= max_finite<Vec<T>>() ? size : broadcast(T(infinity));
  };
  Vec<T> chains[4]{largest};
  size_t n = 0;
  for (; n + 4 * lanes<T> <= count; n += 4 * lanes<T>) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) chains[c] = fast::max(chains[c], size_of(load(values + n + c * lanes<T>)));
  }
  for (; n < count; n += lanes<T>) {
    const size_t present = smaller(count - n, lanes<T>);
    chains[0] = fast::max(chains[0], size_of(load_part(values + n, present)));
  }
  return fast::max(fast::max(chains[0], chains[1]), fast::max(chains[2], chains[3]));
}
// Of f, for some of its rows.
template <class T>
double largest_size_of_f(const ProjectFoldArgs<T>& args, Slice b) {
  const bool together = args.f_step == args.M;
  Vec<T> sizes{};
  for (size_t row = b.begin; row < b.end; ++row) {
    const T* from = args.f + row * args.f_row;
    for (size_t t = 0; t < (together ? 1 : args.steps); ++t) {
      sizes = largest_size(from + t * args.f_step, together ? args.steps * args.M : args.M, sizes);
    }
  }
  return largest_lane<T>(sizes);
}

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

  // The states after all steps, from packed F and V; `cols` in whole vectors. `in_registers` if the tiles are
  // whole, ξ selects and no projection is NaN.
  void fold(const ProjectFoldArgs<T>& args, const T* F, size_t F_step, const T* V, size_t V_step, size_t rows,
            size_t cols, const FoldForms<T>& forms, bool in_registers) {
    if (in_registers) {
      const size_t tiles = (rows + MR<T> - 1) / MR<T>;  // the rows of F end in zeros
      begin(tiles * MR<T>, forms.unit);
      return forms.whole(args, F, F_step, V, V_step, tiles, states, winners);
    }
    begin(rows, forms.unit);
    for (size_t n = 0; n < rows * NR<T>; ++n) z[n] = 0;  // columns that nobody computes
    Prefetch none;
    for (size_t t = 0; t < args.steps; ++t) {
      multiply_block<T>(args.M, cols, F + t * F_step, V + t * V_step, {z, offsets, nullptr}, rows, false,
                        none);
      forms.any(z, rows * NR<T>, T(t), states, winners);
    }
  }

 private:
  __attribute__((noinline)) void begin(size_t rows, double unit) {
    for (size_t n = 0; n < rows * NR<T>; ++n) {
      states[n] = T(unit);
      if (winners) winners[n] = -1;
    }
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

// Adds states [rows][NR] times λ [cols][K], K in whole vectors, to scores [rows][K]. Some rows at a time,
// which hides the latency of their sums, and up to kScored - 1 more than there are.
constexpr size_t kScored = 8;
static_assert(kTiles * tile_rows % kScored == 0);
template <class T>
void add_scores(const T* states, size_t rows, size_t cols, const T* lambda, size_t K, T* scores) {
  for (size_t row = 0; row < rows; row += kScored) {
    for (size_t k = 0; k < K; k += lanes<T>) {
      Vec<T> sum[kScored];
#pragma GCC unroll 8
      for (size_t n = 0; n < kScored; ++n) sum[n] = load(scores + (row + n) * K + k);
      for (size_t c = 0; c < cols; ++c) {
        const Vec<T> weight = load(lambda + c * K + k);
#pragma GCC unroll 8
        for (size_t n = 0; n < kScored; ++n) {
          sum[n] = multiply_add<T>(sum[n], broadcast(states[(row + n) * NR<T> + c]), weight);
        }
      }
#pragma GCC unroll 8
      for (size_t n = 0; n < kScored; ++n) store(scores + (row + n) * K + k, sum[n]);
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
  room.add<T>(3, tiles_size<T>).template add<T>(b.size() + kScored, K).template add<T>(NR<T>, K);
  if (!scratch().reserve(room)) return false;
  T* F = scratch().take<T>(steps * (F_step + lanes<T>));
  T* V = scratch().take<T>(V_steps * M * NR<T>);
  Tiles<T> tiles(scratch().take<T>(3 * tiles_size<T>), args.winners != nullptr);
  T* scores = scratch().take<T>((b.size() + kScored) * K);
  T* lambda = scratch().take<T>(NR<T> * K);
  for (size_t row = b.begin; row < b.end; row += MR<T>) {
    for (size_t t = 0; t < steps; ++t) {
      pack_padded(args.f + t * args.f_step + row * args.f_row, args.f_row, smaller(b.end - row, MR<T>), MR<T>,
                  panel_rows<T>, M, F + t * F_step + packed_A_size<T>(row - b.begin, M));
    }
  }
  const double largest_f = forms.whole ? largest_size_of_f(args, b) : 0;
  if (args.scores) {
    for (size_t n = 0; n < (b.size() + kScored) * K; ++n) scores[n] = 0;
  }
  for (size_t n = r.begin; n < r.end; n += NR<T>) {
    const size_t cols = smaller(r.end - n, NR<T>), width = round_up(cols, lanes<T>);
    for (size_t t = 0; t < V_steps; ++t) {
      pack_padded(args.v + t * args.v_step + n * args.v_row, args.v_row, cols, width, width, M,
                  V + t * V_step);
    }
    const bool in_registers = forms.whole && cols == NR<T> &&
                              largest_f * largest_lane<T>(largest_size(V, V_steps * M * NR<T>)) * M <
                                  MathOf<Vec<T>>::max_finite / 2;
    if (args.scores) pad_rows(args.lambda + n * args.K, cols, args.K, K, lambda);
    for (size_t row = b.begin; row < b.end; row += kTiles * MR<T>) {
      const size_t rows = smaller(b.end - row, kTiles * MR<T>), at = row * args.R + n;
      tiles.fold(args, F + packed_A_size<T>(row - b.begin, M), F_step, V, V_step, rows, width, forms,
                 in_registers);
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

}  // namespace xt::XT_ISA
