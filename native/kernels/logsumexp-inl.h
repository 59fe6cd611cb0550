// ⊕ = logsumexp: ln Σ_k e^(A[k] ⊗ B[k]).
//
// For ⊗ = + the exponential of a term is a product, e^(A−α) e^(B−β), so that a block is an ordinary product
// of exponentials, taken while packing, with α and β the largest of each row and column: multiply-adds, and
// one logarithm for each element of a block. Where the two largest do not meet, the sum may lose what
// matters; that shows in its size, and those elements are computed from the terms themselves, as all are for
// other ⊗.
#pragma once
#include "joined_side-inl.h"

namespace xt::XT_ISA {

// A sum of at most KC products, each with a relative error of some ε, has lost at most KC times the smallest
// normal number to underflow: above this it is as good as exact.
template <class T>
constexpr T trusted_sum = sizeof(T) == 4 ? T(0x1p-90) : T(0x1p-950);

template <class T>
struct LogSumExpScratch {
  T *A = nullptr, *B = nullptr, *alpha = nullptr, *beta = nullptr, *sums = nullptr;
  bool* factored_B = nullptr;  // for each panel of the block whether its exponentials were taken

  static void plan(Room& room, size_t kc) {
    room.add<T>(packed_A_size<T>(MC<T>, kc) + lanes<T>).template add<T>(packed_B_size<T>(kc, NC<T>));
    room.add<T>(packed_A_size<T>(MC<T>, 1))
        .template add<T>(round_up(NC<T>, NR<T>))
        .template add<T>(MR<T>, NR<T>)
        .template add<bool>(NC<T> / NR<T> + 1);
  }
  explicit LogSumExpScratch(size_t kc) {
    A = scratch().take<T>(packed_A_size<T>(MC<T>, kc) + lanes<T>);
    B = scratch().take<T>(packed_B_size<T>(kc, NC<T>));
    alpha = scratch().take<T>(packed_A_size<T>(MC<T>, 1));
    beta = scratch().take<T>(round_up(NC<T>, NR<T>));
    sums = scratch().take<T>(MR<T> * NR<T>);
    factored_B = scratch().take<bool>(NC<T> / NR<T> + 1);
  }
};

// e^(panel − shift) with shift the largest of each row, 0 where that is −∞; [kc][width].
template <class T>
void exponentiate(const T* panel, size_t kc, size_t width, size_t used, T* shift, T* to) {
  for (size_t r = 0; r < used; r += lanes<T>) {
    Vec<T> largest = broadcast(T(-infinity));
    for (size_t k = 0; k < kc; ++k) largest = fast::max(load(panel + k * width + r), largest);
    largest = largest < -max_finite<Vec<T>>() ? Vec<T>{} : largest;
    store(shift + r, largest);
    for (size_t k = 0; k < kc; ++k)
      store(to + k * width + r, exp_flushed(load(panel + k * width + r) - largest));
  }
}

// One vector of elements from its terms: the largest, then the sum of what the others are beside it.
template <class T, class X>
Vec<T> logsumexp_of_terms(size_t kc, const T* A, const T* B, size_t width) {
  Vec<T> largest = broadcast(T(-infinity));
  for (size_t k = 0; k < kc; ++k)
    largest = exact::max(largest, X::value(broadcast(A[k * panel_rows<T>]), load(B + k * width)));
  const auto finite = absolute(largest) <= max_finite<Vec<T>>();
  const Vec<T> shift = finite ? largest : Vec<T>{};
  Vec<T> sum{};
  for (size_t k = 0; k < kc; ++k) {
    const Vec<T> term = X::value(broadcast(A[k * panel_rows<T>]), load(B + k * width));
    sum += exp_flushed(term - shift);
  }
  return finite ? largest + log_normal(sum) : largest;
}

// Without a list of columns no loop may look at it, not even under a condition: GCC makes a masked load of
// that, and one from a null pointer, with nothing to load, takes a microsecond.
template <class T>
void merge_logsumexp(Vec<T> value, size_t cols, T* C, const size_t* columns, bool accumulate) {
  const bool whole = cols == static_cast<size_t>(lanes<T>);
  if (columns) {
    Vec<T> before = broadcast(T(-infinity));
    for (size_t n = 0; accumulate && n < cols; ++n) before[n] = C[columns[n]];
    const Vec<T> merged = accumulate ? exact::logaddexp(before, value) : value;
    for (size_t n = 0; n < cols; ++n) C[columns[n]] = merged[n];
    return;
  }
  if (accumulate) value = exact::logaddexp(whole ? load(C) : load_part(C, cols), value);
  if (whole) {
    store(C, value);
  } else {
    store_part(C, value, cols);
  }
}

template <class T>
using TermsKernel = Vec<T> (*)(size_t kc, const T* A, const T* B, size_t width);

template <class T>
constexpr TermsKernel<T> logsumexp_kernels[kXiCount] = {
#define XI(name, ...) logsumexp_of_terms<T, xi_##name>,
#include "../xi.def"
#undef XI
};

// Exponentials of a packed panel, unless there are infinities in it, of which a difference cannot be taken.
// Settled panel by panel, as these are cut alike for any number of threads.
template <class T>
bool exponentiate_panel(size_t kc, const T* panel, size_t width, size_t used, T* shift, T* to) {
  Flags<T> flags;
  scan_panels(flags, panel, used, used, width, kc);
  if (flags.care()) return false;
  exponentiate(panel, kc, width, used, shift, to);
  return true;
}

template <class T>
void logsumexp_block(uint32_t combine, size_t kc, size_t nc, const T* A, const T* B, Target<T> to,
                     size_t rows, bool accumulate, bool fresh_B, LogSumExpScratch<T>& exponentials) {
  const bool may_factor = combine == xt::xi_sum;
  const TermsKernel<T> of_terms = logsumexp_kernels<T>[combine];
  bool factored[MC<T> / MR<T>] = {};
  for (size_t row = 0; may_factor && row < rows; row += MR<T>) {
    const size_t at = packed_A_size<T>(row, 1);
    factored[row / MR<T>] =
        exponentiate_panel(kc, A + at * kc, panel_rows<T>, round_up(smaller(rows - row, MR<T>), lanes<T>),
                           exponentials.alpha + at, exponentials.A + at * kc);
  }
  for (size_t n = 0; may_factor && fresh_B && n < nc; n += NR<T>) {
    const size_t width = round_up(smaller(nc - n, NR<T>), lanes<T>);
    exponentials.factored_B[n / NR<T>] =
        exponentiate_panel(kc, B + n * kc, width, width, exponentials.beta + n, exponentials.B + n * kc);
  }
  Prefetch none;
  size_t aside[MR<T>];
  for (size_t r = 0; r < MR<T>; ++r) aside[r] = r * NR<T>;
  for (size_t n = 0; n < nc; n += NR<T>) {
    const size_t cols = smaller(nc - n, NR<T>), width = round_up(cols, lanes<T>);
    for (size_t row = 0; row < rows; row += MR<T>) {
      const size_t panel = packed_A_size<T>(row, 1), present = smaller(rows - row, MR<T>);
      const bool product = factored[row / MR<T>] && exponentials.factored_B[n / NR<T>];
      if (product) {
        multiply_block<T>(kc, width, exponentials.A + panel * kc, exponentials.B + n * kc,
                          {exponentials.sums, aside, nullptr}, present, false, none);
      }
      for (size_t r = 0; r < present; ++r) {
        T* C = to.data + to.rows[row + r] + (to.columns ? 0 : n);
        for (size_t w = 0; w < cols; w += lanes<T>) {
          Vec<T> value{};
          bool trusted = false;
          if (product) {
            const Vec<T> sum = load(exponentials.sums + r * NR<T> + w);
            trusted = !any_lane<T>(sum < trusted_sum<T>);
            value = log_normal(sum) + load(exponentials.beta + n + w) + exponentials.alpha[panel + r];
          }
          if (!trusted) value = of_terms(kc, A + panel * kc + r, B + n * kc + w, width);
          merge_logsumexp(value, smaller(cols - w, lanes<T>), to.columns ? C : C + w,
                          to.columns ? to.columns + n + w : nullptr, accumulate);
        }
      }
    }
  }
}

}  // namespace xt::XT_ISA
