// Sums of the rows that won: out[w,p,:] += Σ_q d[p,q] x[w,q,:] with w the winner of (p, q). What a gradient
// through a selecting ξ comes to, of which each pair reaches one step in T. Pairs are taken as they lie in
// memory, along q or along p: the sums of a p, or the x of a q, stay in the first-level cache meanwhile, and
// what they meet in the second-level one.
#pragma once
#include "../kernels.h"
#include "xi-inl.h"

namespace xt::XT_ISA {

// Bytes of the sums that are made together, and of the x that they meet at a time.
constexpr size_t kSums = size_t{1} << 18;
constexpr size_t kMet = size_t{1} << 17;

template <class T>
bool are_winners(const T* winners, size_t count, size_t steps) {
  Int<T> inside = ~Int<T>{};
  for (size_t n = 0; n < count; n += lanes<T>) {
    const Vec<T> winner = n + lanes<T> <= count ? load(winners + n) : load_part(winners + n, count - n);
    inside &= (winner >= broadcast(T(-1))) & (winner < broadcast(T(steps)));
  }
  return !any_lane<T>(~inside);
}

// Rows of some q or p, and of each one for every step.
template <class T>
struct StepRows {
  T* data;
  size_t row, step;
};

// Of neighbours in memory: sums[w,n,:] += d[n] x[w,n,:] with w = winners[n], W vectors of each.
template <class T, int W>
void add_pairs(const T* winners, const T* d, size_t count, StepRows<const T> x, StepRows<T> sums) {
  for (size_t n = 0; n < count; ++n) {
    if (!(winners[n] >= 0)) continue;
    const size_t winner = static_cast<size_t>(static_cast<int32_t>(winners[n]));
    const T* from = x.data + n * x.row + winner * x.step;
    T* to = sums.data + n * sums.row + winner * sums.step;
    const Vec<T> weight = broadcast(d[n]);
    Vec<T> sum[W];
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      sum[w] = multiply_add<T>(load(to + w * lanes<T>), weight, load(from + w * lanes<T>));
    }
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) store(to + w * lanes<T>, sum[w]);
  }
}

template <class T>
__attribute__((noinline)) void add_rows(const T* winners, const T* d, size_t count, StepRows<const T> x,
                                        StepRows<T> sums, size_t width) {
  for (size_t m = 0; m < width;) {
    const size_t vectors = (width - m) / lanes<T>, together = vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1;
    (together == 4   ? add_pairs<T, 4>
     : together == 2 ? add_pairs<T, 2>
                     : add_pairs<T, 1>)(winners, d, count, x, sums);
    m += together * lanes<T>;
    x.data += together * lanes<T>;
    sums.data += together * lanes<T>;
  }
}

// Copies rows of M elements into rows of whole vectors.
template <class T>
void copy_steps(StepRows<const T> from, size_t steps, size_t count, size_t M, StepRows<T> to) {
  for (size_t t = 0; t < steps; ++t) {
    for (size_t q = 0; q < count; ++q) {
      const T* row = from.data + q * from.row + t * from.step;
      for (size_t m = 0; m < M; m += lanes<T>) {
        store(to.data + q * to.row + t * to.step + m,
              m + lanes<T> <= M ? load(row + m) : load_part(row + m, M - m));
      }
    }
  }
}

template <class T>
bool winner_sums(const WinnerSumsArgs<T>& args, Slice p) {
  const size_t Q = args.Q, width = round_up(args.M, lanes<T>);
  const size_t out_steps = args.out_step ? args.steps : 1, x_steps = args.x_step ? args.steps : 1;
  const size_t sum_row = out_steps * width, x_row = x_steps * width;
  const size_t together = smaller(p.size(), kSums / sizeof(T) / sum_row + 1);
  const size_t met = smaller(Q, kMet / sizeof(T) / x_row + 1);
  // Copied are the x that are met often enough, since caches keep few of what lies a power of two apart; and
  // those of the last q, beyond whose rows a whole vector would reach.
  const bool copies = together >= 4 * x_steps;
  const size_t beyond = width - args.M;
  const size_t last = beyond == 0 ? 0 : args.x_row == 0 ? Q : (beyond + args.x_row - 1) / args.x_row;
  const size_t direct = copies || last > Q ? 0 : Q - last;
  const size_t copied = copies ? met : 1;
  Room room;
  room.add<T>(together, sum_row).template add<T>(copied, x_row);
  if (!scratch().reserve(room)) return false;
  const StepRows<T> sums{scratch().take<T>(together * sum_row), sum_row, args.out_step ? width : 0};
  const StepRows<T> copy{scratch().take<T>(copied * x_row), x_row, args.x_step ? width : 0};
  for (size_t first = p.begin; first < p.end; first += together) {
    const size_t rows = smaller(together, p.end - first);
    for (size_t n = 0; n < rows * sum_row; ++n) sums.data[n] = 0;
    for (size_t begin = 0, end; begin < Q; begin = end) {
      end = copies ? smaller(Q, begin + met) : begin < direct ? smaller(direct, begin + met) : begin + 1;
      StepRows<const T> x{args.x + begin * args.x_row, args.x_row, args.x_step};
      if (begin >= direct) {
        copy_steps(x, x_steps, end - begin, args.M, copy);
        x = {copy.data, copy.row, copy.step};
      }
      if (args.transposed) {
        for (size_t q = begin; q < end; ++q) {
          const size_t pair = q * args.P + first;
          add_rows(args.winners + pair, args.d + pair, rows, {x.data + (q - begin) * x.row, 0, x.step}, sums,
                   width);
        }
      } else {
        for (size_t n = 0; n < rows; ++n) {
          const size_t pair = (first + n) * Q + begin;
          add_rows(args.winners + pair, args.d + pair, end - begin, x,
                   {sums.data + n * sum_row, 0, sums.step}, width);
        }
      }
    }
    for (size_t n = 0; n < rows; ++n) {
      for (size_t t = 0; t < out_steps; ++t) {
        T* to = args.out + t * args.out_step + (first + n) * args.out_row;
        for (size_t m = 0; m < args.M; ++m) to[m] += sums.data[n * sum_row + t * width + m];
      }
    }
  }
  return true;
}

}  // namespace xt::XT_ISA
