// xt_rank_modulo: Gaussian elimination modulo a prime in floating point. Every product and every sum is an
// integer below 2^53, hence exact; residues are kept within ±p/2, which leaves two more bits for sums (Dumas,
// Giorgi & Pernet, ACM TOMS 35, 2008, who do the same over a BLAS).
#include <algorithm>
#include <cmath>

#include "linalg.h"

namespace {

using xt::Algebra;
using xt::Buffer;
using xt::Content;
using xt::Factor;
using xt::View;

constexpr size_t kBlock = 64;  // columns that are eliminated before the rest is updated by products
constexpr size_t kStrip = 16;  // columns that are eliminated element by element

int64_t inverse_modulo(int64_t value, int64_t p) {
  int64_t r = p, next = (value % p + p) % p, t = 0, u = 1;
  while (next != 0) {
    const int64_t quotient = r / next;
    r -= quotient * next;
    std::swap(r, next);
    t -= quotient * u;
    std::swap(t, u);
  }
  return t;  // |t| < p, and r = 1
}

class Elimination {
 public:
  Elimination(Algebra& algebra, const View& A, double p)
      : algebra_(algebra), A_(A), p_(p), factors_(algebra, A.rows, kBlock) {
    // kBlock products and what they are added to.
    sums_are_exact_ = kBlock * (p / 2 + 2) * (p / 2 + 2) + p < 0x1p53;
  }

  size_t rank() {
    for (size_t c = 0; c < A_.columns && row_ < A_.rows && algebra_.good(); c += kBlock) {
      const size_t end = std::min(A_.columns, c + kBlock), first = row_;
      for (size_t strip = c; strip < end && algebra_.good(); strip += kStrip) {
        const size_t strip_end = std::min(end, strip + kStrip), strip_first = row_;
        for (size_t column = strip; column < strip_end; ++column) pivot(first, column, c, strip_end);
        update(strip_first, strip_first - first, strip_end, end);
      }
      update(first, 0, end, A_.columns);
    }
    return row_;
  }

 private:
  // Looks for a pivot in a column, moves its row up and eliminates the column up to `end`.
  void pivot(size_t first, size_t column, size_t from, size_t end) {
    size_t found = row_;
    while (found < A_.rows && A_.at(found, column) == 0) ++found;
    if (found == A_.rows) return;
    const size_t at = row_ - first;  // of the block's pivots
    const View factors = factors_.view();
    if (found != row_) {
      std::swap_ranges(A_.row(found) + from, A_.row(found) + A_.columns, A_.row(row_) + from);
      std::swap_ranges(factors.row(found), factors.row(found) + at, factors.row(row_));
    }
    const double scale = inverse_modulo(static_cast<int64_t>(A_.at(row_, column)), static_cast<int64_t>(p_));
    // Within ±p/2, so that its product with a residue is exact for p up to 2^26.
    const double centred = scale > p_ / 2 ? scale - p_ : scale < -p_ / 2 ? scale + p_ : scale;
    const size_t below = row_ + 1;
    if (below < A_.rows) {
      algebra_.kernels().eliminate_modulo(A_.row(below) + column, A_.stride, A_.rows - below, end - column,
                                          A_.row(row_) + column, centred, p_, factors.row(below) + at,
                                          factors.stride);
    }
    ++row_;
  }

  // Brings columns [from, to) up to date with the pivots in rows [first, row_), whose factors begin at column
  // `at`: the pivots' own rows by the inverse of the unit lower triangle of their factors, then those below.
  void update(size_t first, size_t at, size_t from, size_t to) {
    const size_t count = row_ - first, columns = to - from;
    if (count == 0 || from >= to) return;
    const View L = factors_.view().part(first, at, A_.rows - first, count);
    Buffer inverse(algebra_, count, count), pivots(algebra_, count, columns, Content::any);
    if (!algebra_.good()) return;
    const View X = inverse.view();
    for (size_t j = 0; j < count; ++j) {
      X.at(j, j) = 1;
      for (size_t i = j + 1; i < count; ++i) {
        double sum = 0;
        for (size_t k = j; k < i; ++k) {
          sum -= L.at(i, k) * X.at(k, j);
          algebra_.kernels().reduce_modulo(&sum, 1, p_);
        }
        X.at(i, j) = sum;
      }
    }
    const View own = A_.part(first, from, count, columns);
    multiply_exactly(pivots.view(), X, own, false);
    reduce(pivots.view());
    copy(pivots.view(), own);
    for (size_t n = 0; n < count * columns; ++n) pivots.data()[n] = -pivots.data()[n];
    const View rest = A_.part(row_, from, A_.rows - row_, columns);
    if (rest.rows == 0) return;
    multiply_exactly(rest, L.part(count, 0, rest.rows, count), pivots.view(), true);
    reduce(rest);
  }

  // C = A B or C += A B, not reduced. Where a sum could leave 2^53, A = 2^13 high + low.
  void multiply_exactly(const View& C, const View& A, const View& B, bool accumulate) {
    if (sums_are_exact_) return algebra_.multiply(C, A, B, accumulate);
    constexpr double radix = 0x1p13;
    Buffer high(algebra_, A.rows, A.columns, Content::any), low(algebra_, A.rows, A.columns, Content::any),
        product(algebra_, C.rows, C.columns, Content::any);
    if (!algebra_.good()) return;
    for (size_t r = 0; r < A.rows; ++r) {
      for (size_t c = 0; c < A.columns; ++c) {
        const double upper = std::nearbyint(A.at(r, c) / radix);
        high.view().at(r, c) = upper;
        low.view().at(r, c) = A.at(r, c) - upper * radix;
      }
    }
    algebra_.multiply(product.view(), high.view(), B);
    reduce(product.view());
    algebra_.multiply(C, low.view(), B, accumulate);
    for (size_t r = 0; r < C.rows; ++r) {
      for (size_t c = 0; c < C.columns; ++c) C.at(r, c) += radix * product.view().at(r, c);
    }
  }

  void reduce(const View& view) {
    for (size_t r = 0; r < view.rows; ++r) algebra_.kernels().reduce_modulo(view.row(r), view.columns, p_);
  }

  Algebra& algebra_;
  View A_;
  double p_;
  Buffer factors_;
  bool sums_are_exact_;
  size_t row_ = 0;
};

}  // namespace

int32_t xt_rank_modulo(uint32_t context, size_t m, size_t n, const double* A, uint32_t prime,
                       double* result) {
  if (!xt::holds_doubles(A, {m, n}) || !xt::holds_doubles(result, {1}) || prime < 2 || prime > XT_MAX_PRIME)
    return XT_ARGUMENT;
  for (size_t i = 0; i < m * n; ++i) {
    if (!(A[i] >= 0 && A[i] < prime && A[i] == std::floor(A[i]))) return XT_ARGUMENT;
  }
  Algebra algebra(context);
  if (!algebra.good()) return algebra.status;
  Buffer work(algebra, m, n, Content::any);
  if (!algebra.good()) return algebra.status;
  copy(Factor(A, m, n, n, 1), work.view());
  algebra.kernels().reduce_modulo(work.data(), m * n, prime);
  Elimination elimination(algebra, work.view(), prime);
  if (algebra.good()) result[0] = static_cast<double>(elimination.rank());
  return algebra.status;
}
