// xt_numerical_rank: how many singular values exceed a threshold, without computing them.
//
// A P = Q [R; 0, E] with ‖E‖_F far below the threshold t, and R [k,n] upper trapezoidal. By
// AᵀA = P (RᵀR + EᵀE) Pᵀ the squares of the singular values of A and R differ by ‖E‖_F² at most. Those of R
// above t are the positive eigenvalues of R Rᵀ − t² I, and, by Sylvester's law of inertia, of N = D⁻¹ R Rᵀ
// D⁻¹ − t² D⁻² for any diagonal D. With D the sizes of the rows of R, or t where they are smaller, all
// elements of N are 1 at most: nothing is lost by squaring, however the rows are graded (what Demmel et al.,
// Linear Algebra Appl. 299, 1999, do for singular values). Of N the rows far above t are eliminated by
// Cholesky's method, and the few that are left have their inertia counted.
//
// Rounding: the computed R is that of A + ΔA, ‖ΔA‖_F ≤ c ε ‖A‖_F, with c = kRounding (1 + √n/16): several
// times what is seen and what probabilistic analysis promises (Higham & Mary, SIAM J. Sci. Comput. 41, 2019);
// it covers the SVD that this stands in for as well. N is computed with an error of `slack` at most, by the
// bounds of xt_full_rank. The values are counted at both ends of what follows for t and N; only if the two
// numbers are equal, that is the rank.
#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg.h"

namespace xt {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kRounding = 64;
constexpr size_t kLeast = 96;     // rows and columns from which on a proof costs less than the values
constexpr double kRest = 0.01;    // of the threshold, at most ‖E‖_F
constexpr double kLarge = 64;     // thresholds, from which on a row is eliminated at once
constexpr size_t kWindow = 320;   // rows that may be left then
constexpr size_t kLeading = 128;  // rows of R that decide the largest singular value

struct Interval {
  double low, high;
};

// The largest singular value, from the first rows of R and the norm of all others: with λ that of G = R1 R1ᵀ,
// λ^q ≤ tr G^q ≤ rows · λ^q for q = 2^kSquarings.
Interval largest_singular_value(Algebra& algebra, const View& R, double rest) {
  constexpr int squarings = 24;
  const size_t count = std::min(R.rows, kLeading);
  const View first = R.part(0, 0, count, R.columns);
  Buffer now(algebra, count, count, Content::any), next(algebra, count, count, Content::any);
  if (!algebra.good()) return {0, 0};
  algebra.multiply(now.view(), first, transposed(first));
  double log = 0, weight = 1;  // ln tr G^q / q
  View power = now.view(), squared = next.view();
  for (int step = 0;; ++step) {
    double trace = 0;
    for (size_t i = 0; i < count; ++i) trace += power.at(i, i);
    log += weight * std::log(trace);
    if (step == squarings) break;
    weight /= 2;
    for (size_t i = 0; i < count * count; ++i) power.data[i] /= trace;
    algebra.multiply(squared, power, power);
    std::swap(power, squared);
  }
  double others = rest * rest;
  for (size_t r = count; r < R.rows; ++r) {
    const double norm = algebra.norm(R.part(r, 0, 1, R.columns));
    others += norm * norm;
  }
  const double rounding = 1 + 64 * kEpsilon * static_cast<double>(R.columns);
  return {std::exp(0.5 * (log - weight * std::log(static_cast<double>(count)))) / rounding,
          std::sqrt(std::exp(log) + others) * rounding};
}

// The number of positive eigenvalues of a symmetric matrix, which is destroyed: L B Lᵀ with the largest
// element as pivot, alone or in a block of two, which has one eigenvalue of either sign (Bunch & Parlett,
// SIAM J. Numer. Anal. 8, 1971).
size_t positive_eigenvalues(const View& A) {
  const double threshold = (1 + std::sqrt(17.0)) / 8;
  size_t positive = 0;
  const auto exchange = [&](size_t x, size_t y) {
    if (x == y) return;
    std::swap_ranges(A.row(x), A.row(x) + A.columns, A.row(y));
    for (size_t r = 0; r < A.rows; ++r) std::swap(A.at(r, x), A.at(r, y));
  };
  for (size_t at = 0; at < A.rows;) {
    double beside = 0, diagonal = 0;
    size_t p = at, q = at, d = at;
    for (size_t i = at; i < A.rows; ++i) {
      for (size_t j = at; j < i; ++j) {
        if (std::fabs(A.at(i, j)) > beside) {
          beside = std::fabs(A.at(i, j));
          p = j;
          q = i;
        }
      }
      if (std::fabs(A.at(i, i)) > diagonal) {
        diagonal = std::fabs(A.at(i, i));
        d = i;
      }
    }
    if (beside == 0 && diagonal == 0) break;
    if (diagonal >= threshold * beside) {
      exchange(at, d);
      const double pivot = A.at(at, at);
      positive += pivot > 0;
      for (size_t i = at + 1; i < A.rows; ++i) {
        const double factor = A.at(i, at) / pivot;
        for (size_t j = at + 1; j < A.rows; ++j) A.at(i, j) -= factor * A.at(at, j);
      }
      at += 1;
      continue;
    }
    exchange(at, p);
    exchange(at + 1, q);
    const double a = A.at(at, at), b = A.at(at + 1, at), c = A.at(at + 1, at + 1);
    const double determinant = a * c - b * b;
    positive += 1;
    for (size_t i = at + 2; i < A.rows; ++i) {
      const double x = A.at(i, at), y = A.at(i, at + 1);
      const double first = (c * x - b * y) / determinant, second = (a * y - b * x) / determinant;
      for (size_t j = at + 2; j < A.rows; ++j) A.at(i, j) -= first * A.at(at, j) + second * A.at(at + 1, j);
    }
    at += 2;
  }
  return positive;
}

// Singular values above thresholds, of R [k,n].
class Count {
 public:
  // Scales the rows of R, by powers of two, so that nothing is rounded.
  Count(Algebra& algebra, const View& R, double threshold)
      : algebra_(algebra),
        gram_(algebra, R.rows, R.rows),
        work_(algebra, R.rows, R.rows, Content::any),
        squares_(algebra, 1, R.rows) {
    if (!algebra.good()) return;
    const size_t k = R.rows;
    large_ = k;
    for (size_t r = 0; r < k; ++r) {
      const double size = std::max(algebra.norm(R.part(r, 0, 1, R.columns)), threshold);
      if (large_ == k && size < kLarge * threshold) large_ = r;
      const double inverse = std::exp2(-std::ceil(std::log2(size)));
      for (size_t c = r; c < R.columns; ++c) R.at(r, c) *= inverse;
      squares_.data()[r] = inverse * inverse;
    }
    constexpr size_t rows = 128;
    for (size_t r = 0; r < k; r += rows) {
      const size_t count = std::min(rows, k - r);
      // What is left of the diagonal is zero.
      algebra.multiply(gram_.view().part(r, 0, count, r + count), R.part(r, r, count, R.columns - r),
                       transposed(R.part(0, r, r + count, R.columns - r)));
    }
    slack_ = 4 * (R.columns + 4.0 * (k + 1)) * kEpsilon * k;
  }

  bool is_small() const { return gram_.view().rows - large_ <= kWindow; }

  // Values above `threshold`, of N + sign · slack; false if rows that should be large are not.
  bool above(double threshold, double sign, size_t* result) {
    const View G = gram_.view(), N = work_.view();
    const size_t k = G.rows, left = k - large_;
    for (size_t r = 0; r < k; ++r) {
      std::copy_n(G.row(r), r + 1, N.row(r));
      N.at(r, r) += sign * slack_ - threshold * threshold * squares_.data()[r];
    }
    if (!cholesky(algebra_, N, large_)) return false;
    const View rest = N.part(large_, large_, left, left);
    for (size_t r = 0; r < left; ++r) {
      for (size_t c = r + 1; c < left; ++c) rest.at(r, c) = rest.at(c, r);
    }
    *result = large_ + positive_eigenvalues(rest);
    return true;
  }

 private:
  Algebra& algebra_;
  Buffer gram_, work_, squares_;
  size_t large_ = 0;
  double slack_ = 0;
};

// Of A [m,n], m ≥ n, which is destroyed; false if there is no proof.
bool certified_rank(Algebra& algebra, const View& A, double tolerance, size_t* rank) {
  const double norm = algebra.norm(A);
  const double margin = kRounding * (1 + std::sqrt(static_cast<double>(A.rows)) / 16) * kEpsilon * norm;
  // No singular value is larger than the norm.
  if (tolerance * norm < 4 * margin) return false;
  double rest;
  const size_t k = pivoted_triangle(algebra, A, kRest * tolerance, &rest);
  if (!algebra.good() || k == 0) return false;
  const View R = A.part(0, 0, k, A.columns);
  const Interval largest = largest_singular_value(algebra, R, rest);
  const double high = tolerance * (largest.high + margin) + margin;
  const double low = tolerance * (largest.low - margin) - margin;
  if (!algebra.good() || !(low > 2 * rest)) return false;
  Count count(algebra, R, high);
  size_t at_least, at_most;
  return algebra.good() && count.is_small() && count.above(high, -1, &at_least) &&
         count.above(std::sqrt(low * low - rest * rest), 1, &at_most) && algebra.good() &&
         at_least == at_most && (*rank = at_least, true);
}

}  // namespace

}  // namespace xt

int32_t xt_numerical_rank(uint32_t context, size_t m, size_t n, const double* A, double tolerance,
                          double* result) {
  if (!xt::present(A, {m, n}) || result == nullptr || !(tolerance >= 0)) return XT_ARGUMENT;
  xt::Algebra algebra(context);
  if (!algebra.good()) return algebra.status;
  const double scale = xt::scale_of(A, m * n);
  if (std::isnan(scale)) return XT_NUMERIC;
  result[0] = 0;
  result[1] = scale == 0;
  if (scale == 0 || std::min(m, n) < xt::kLeast) return XT_OK;
  const xt::Factor all(A, m, n, n, 1), tall = m < n ? all.transposed() : all;
  const bool is_tall = xt::is_tall(tall.rows, tall.columns);
  xt::Buffer work(algebra, is_tall ? tall.columns : tall.rows, tall.columns, xt::Content::any);
  if (!algebra.good()) return algebra.status;
  if (is_tall) {
    xt::triangle(algebra, tall, scale, work.view());
  } else {
    xt::copy_scaled(tall, scale, work.view());
  }
  size_t rank;
  if (algebra.good() && xt::certified_rank(algebra, work.view(), tolerance, &rank)) {
    result[0] = static_cast<double>(rank);
    result[1] = 1;
  }
  return algebra.status;
}
