// xt_numerical_rank: how many singular values exceed a threshold t, without computing them.
//
// A P = Q (R; 0, E) with ‖E‖_F far below t, and R [k,n] upper trapezoidal. By AᵀA = P (RᵀR + EᵀE) Pᵀ the
// squares of the singular values of A and R differ by ‖E‖_F² at most. Let R = (R11, R12; 0, R22) with the l
// rows of R11 far above t. By Sylvester's law of inertia (of R Rᵀ − t² I, whose first block is eliminated) l
// + p values of R exceed t, where p is the number of positive eigenvalues of
//
//   R22 M⁻¹ R22ᵀ − t² I,   M = I + R12ᵀ (R11 R11ᵀ − t² I)⁻¹ R12,   if σ_min(R11) > t.
//
// With W = R11⁻¹ R12, V = t R11⁻ᵀ W and θ = t ‖R11⁻¹‖_F,  I + WᵀW + VᵀV ≤ M ≤ (1 + θ⁴ / (1 − θ²)) (I + WᵀW +
// VᵀV). All of this is computed from rows of R scaled to size 1: how the rows are graded costs no accuracy,
// which forming R Rᵀ itself would (as in Demmel et al., Linear Algebra Appl. 299, 1999).
//
// Rounding: the computed R is that of A + ΔA, ‖ΔA‖_F ≤ c ε ‖A‖_F, with c = kRounding (1 + √m/16): several
// times what is seen and what probabilistic analysis promises (Higham & Mary, SIAM J. Sci. Comput. 41, 2019);
// it covers the SVD that this stands in for as well. Errors behind R are bounded as in xt_full_rank, those of
// R11⁻¹ by Higham 2002, section 14.2.1. The values are counted at both ends of what all this leaves open;
// only if the two numbers are equal, that is the rank.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "linalg.h"

namespace xt {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kRounding = 64;
constexpr size_t kLeast = 96;    // rows and columns from which on a proof costs less than the values
constexpr double kRest = 0.01;   // of the threshold, at most ‖E‖_F
constexpr double kLarge = 128;   // thresholds: rows of R11 are larger
constexpr size_t kWindow = 384;  // rows that R22 may have
constexpr size_t kLeading = 64;  // rows of R that decide the largest singular value
constexpr size_t kRows = 112;    // of triangles, that are multiplied together: whole tiles
constexpr size_t kColumns = 16;  // R12 has a multiple of these, whole vectors

struct Interval {
  double low, high;
};

// The largest singular value, from the first rows of R and the norm of all others: with λ that of G = R1 R1ᵀ,
// λ^q ≤ tr G^q ≤ rows · λ^q for q = 2^squarings.
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

// What R22 M⁻¹ R22ᵀ is, for R [k,n] and a threshold.
class Window {
 public:
  // Scales the rows of R, by powers of two, so that nothing is rounded.
  Window(Algebra& algebra, const View& R, double threshold)
      : algebra_(algebra), inverses_(algebra, 1, R.rows), large_(R.rows) {
    if (!algebra.good()) return;
    for (size_t r = 0; r < R.rows; ++r) {
      const double size = std::max(algebra.norm(R.part(r, r, 1, R.columns - r)), threshold);
      if (large_ == R.rows && size < kLarge * threshold) large_ = r;
      inverses_.data()[r] = std::exp2(-std::ceil(std::log2(size)));
      for (size_t c = r; c < R.columns; ++c) R.at(r, c) *= inverses_.data()[r];
    }
    large_ -= std::min(large_, (kColumns - (R.columns - large_) % kColumns) % kColumns);
    rows_ = R.rows - large_;
    if (rows_ <= kWindow) is_good_ = reduce(R, threshold);
  }

  bool is_good() const { return is_good_; }

  // Values of R above t, if M is as large (sign = −1) or as small (1) as it may be.
  size_t above(double t, double sign) const {
    Buffer work(algebra_, rows_, rows_, Content::any);
    if (!algebra_.good()) return 0;
    const View N = work.view(), T = schur();
    const double square = t * t * (1 - sign * (sign < 0 ? excess_ + relative_ : relative_));
    for (size_t r = 0; r < rows_; ++r) {
      for (size_t c = 0; c <= r; ++c) N.at(c, r) = sign_ * T.at(r, c);
      const double inverse = inverses_.data()[large_ + r];
      N.at(r, r) += sign * slack_ - square * inverse * inverse;
    }
    return large_ + positive_eigenvalues(algebra_, N);
  }

 private:
  View schur() const { return gram_->view().part(eliminated_, eliminated_, rows_, rows_); }

  bool reduce(const View& R, double threshold) {
    const size_t l = large_, q = R.columns - l;
    const View R12 = R.part(0, l, l, q), R22 = R.part(l, l, rows_, q);
    Buffer inverse(algebra_, l, l), stacked(algebra_, 2 * l, q, Content::any);
    if (!algebra_.good()) return false;
    const View X = inverse.view(), Z = stacked.view(), W = Z.part(0, 0, l, q), V = Z.part(l, 0, l, q);
    invert_triangle(algebra_, R.part(0, 0, l, l), X);
    for (size_t r = 0; r < l; r += kRows) {
      const size_t count = std::min(kRows, l - r);
      algebra_.multiply(W.part(r, 0, count, q), X.part(r, r, count, l - r), R12.part(r, 0, l - r, q));
    }
    double theta_squared = 0;
    for (size_t r = 0; r < l; r += kRows) {
      const size_t count = std::min(kRows, l - r);
      algebra_.multiply(V.part(r, 0, count, q), transposed(X.part(0, r, r + count, count)),
                        W.part(0, 0, r + count, q));
    }
    Buffer sums(algebra_, 1, l);
    if (!algebra_.good()) return false;
    for (size_t r = 0; r < l; ++r) {
      for (size_t c = r; c < l; ++c) sums.data()[c] += X.at(r, c) * X.at(r, c);
    }
    double inverse_norm = 0;
    for (size_t r = 0; r < l; ++r) {
      const double factor = threshold * inverses_.data()[r];
      theta_squared += sums.data()[r] * factor * factor;
      inverse_norm += sums.data()[r];
      for (size_t c = 0; c < q; ++c) V.at(r, c) *= factor;
    }
    inverse_norm = std::sqrt(inverse_norm);
    // The rows of the scaled R11 are 1 at most.
    const double spread = std::sqrt(static_cast<double>(l)) * inverse_norm;
    const double residual = 2 * R.columns * kEpsilon * spread;
    if (!(theta_squared < 0.5 && residual < 0.01)) return false;
    excess_ = theta_squared * theta_squared / (1 - theta_squared);
    // M itself, or by Woodbury's identity I + Z Zᵀ, bordered by what its inverse is multiplied with, so that
    // the Schur complement is what is asked for.
    const bool by_rows = 2 * l < q;
    eliminated_ = by_rows ? 2 * l : q;
    sign_ = by_rows ? 1 : -1;
    gram_.emplace(algebra_, eliminated_ + rows_, eliminated_ + rows_);
    if (!algebra_.good()) return false;
    const View G = gram_->view(), border = G.part(eliminated_, 0, rows_, eliminated_);
    const Factor left = by_rows ? Factor(Z) : transposed(Z);
    for (size_t r = 0; r < eliminated_; r += kRows) {
      const size_t count = std::min(kRows, eliminated_ - r);
      algebra_.multiply(G.part(r, 0, count, r + count), left.part(r, 0, count, left.columns),
                        left.part(0, 0, r + count, left.columns).transposed());
    }
    double trace = 0;
    for (size_t r = 0; r < eliminated_; ++r) trace += G.at(r, r) += 1;
    if (by_rows) {
      algebra_.multiply(border, R22, transposed(Z));
      algebra_.multiply(schur(), R22, transposed(R22));
    } else {
      copy(R22, border);
    }
    const double rounding = 4 * (left.columns + 4.0 * (eliminated_ + 1)) * kEpsilon * trace;
    relative_ = 4 * residual + rounding;
    slack_ = rows_ * (rounding + 4 * (R.columns + 4.0 * (rows_ + 1)) * kEpsilon);
    return cholesky(algebra_, G, eliminated_) && relative_ < 0.01;
  }

  Algebra& algebra_;
  Buffer inverses_;
  std::optional<Buffer> gram_;
  size_t large_, rows_ = 0, eliminated_ = 0;
  bool is_good_ = false;
  double sign_ = 1, excess_ = 0, relative_ = 0, slack_ = 0;
};

// Of A [m,n], m ≥ n, of this norm, which is destroyed; false if there is no proof.
bool certified_rank(Algebra& algebra, const View& A, double norm, double tolerance, size_t* rank) {
  const double margin = kRounding * (1 + std::sqrt(static_cast<double>(A.rows)) / 16) * kEpsilon * norm;
  // No singular value is larger than the norm.
  if (tolerance * norm < 4 * margin) return false;
  double rest;
  const size_t k = pivoted_triangle(algebra, A, norm, kRest * tolerance, &rest);
  if (!algebra.good() || k == 0) return false;
  const View R = A.part(0, 0, k, A.columns);
  const Interval largest = largest_singular_value(algebra, R, rest);
  const double high = tolerance * (largest.high + margin) + margin;
  const double low = tolerance * (largest.low - margin) - margin;
  if (!algebra.good() || !(low > 2 * rest)) return false;
  Window window(algebra, R, high);
  if (!algebra.good() || !window.is_good()) return false;
  *rank = window.above(high, -1);
  return window.above(std::sqrt(low * low - rest * rest), 1) == *rank && algebra.good();
}

// to[r,c] ← A[row_at[r] + column_at[c]]
void gather(const double* A, const int32_t* row_at, const int32_t* column_at, const View& to) {
  for (size_t r = 0; r < to.rows; ++r) {
    const double* from = A + row_at[r];
    double* row = to.row(r);
    for (size_t c = 0; c < to.columns; ++c) row[c] = from[column_at[c]];
  }
}

}  // namespace

}  // namespace xt

int32_t xt_numerical_rank(uint32_t context, size_t m, size_t n, const double* A, const int32_t* places,
                          double tolerance, double* result) {
  if (!xt::present(A, {m, n}) || result == nullptr || !(tolerance >= 0)) return XT_ARGUMENT;
  xt::Algebra algebra(context);
  if (!algebra.good()) return algebra.status;
  const bool is_wide = m < n;
  const size_t rows = std::max(m, n), columns = std::min(m, n);
  std::optional<xt::Buffer> gathered;
  xt::Factor tall(A, rows, columns, is_wide ? 1 : columns, is_wide ? rows : 1);
  if (places) {
    gathered.emplace(algebra, rows, columns, xt::Content::any);
    if (!algebra.good()) return algebra.status;
    xt::gather(A, is_wide ? places + m : places, is_wide ? places : places + m, gathered->view());
    tall = gathered->view();
  }
  // Squares that neither overflow nor vanish need no scale, and their sum says that all elements are finite.
  const double size = algebra.norm({const_cast<double*>(tall.data), 1, m * n, m * n});
  const double scale = size > 0x1p-300 && size < 0x1p300 ? 1 : xt::scale_of(tall.data, m * n);
  if (std::isnan(scale)) return XT_NUMERIC;
  result[0] = 0;
  result[1] = scale == 0;
  if (scale == 0 || columns < xt::kLeast) return XT_OK;
  const bool is_tall = xt::is_tall(rows, columns), is_copy = gathered && !is_tall && scale == 1;
  xt::Buffer copied(algebra, is_copy ? 0 : is_tall ? columns : rows, columns, xt::Content::any);
  if (!algebra.good()) return algebra.status;
  const xt::View work = is_copy ? gathered->view() : copied.view();
  if (is_tall) {
    xt::triangle(algebra, tall, scale, work);
  } else if (scale != 1) {
    xt::copy_scaled(tall, scale, work);
  } else if (!is_copy) {
    xt::copy(tall, work);
  }
  const double norm = scale == 1 ? size : algebra.norm(work);
  size_t rank;
  if (algebra.good() && xt::certified_rank(algebra, work, norm, tolerance, &rank)) {
    result[0] = static_cast<double>(rank);
    result[1] = 1;
  }
  return algebra.status;
}
