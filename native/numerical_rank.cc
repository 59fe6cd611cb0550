// xt_numerical_rank: how many singular values exceed a threshold t, without computing them.
//
// A P = Q (R11, R12; 0, R22) with l rows of R11, all of them far above t. By Sylvester's law of inertia (of
// AᵀA − t² I, whose first block is eliminated) l + p singular values exceed t, where p is the number of
// positive eigenvalues of
//
//   R22ᵀ R22 − t² M,   M = I + R12ᵀ (R11 R11ᵀ − t² I)⁻¹ R12,   if σ_min(R11) > t.
//
// With W = R11⁻¹ R12, V = t R11⁻ᵀ W and θ = t ‖R11⁻¹‖_F,  I + WᵀW + VᵀV ≤ M ≤ (1 + θ⁴ / (1 − θ²)) (I + WᵀW +
// VᵀV). Rows of V whose share of θ² is negligible are left out: V0ᵀV0 ≤ θ0² WᵀW. W and V are computed from
// rows of R11 scaled to size 1: how these are graded costs no accuracy. R22 is a few thousand t at most, so
// that its squares lose nothing either, and it need not be triangular: the decomposition ends where R11 does.
// Of a matrix whose remainder E vanishes before few columns are left, ‖E‖_F far below t, the rows of R are
// reduced to a square triangle by a second decomposition, of Rᵀ; by AᵀA = P (RᵀR + EᵀE) Pᵀ the squares of the
// values differ by ‖E‖_F² at most.
//
// Rounding: the computed R is that of A + ΔA, ‖ΔA‖_F ≤ c ε ‖A‖_F, with c = kRounding (1 + √m/16): several
// times what is seen and what probabilistic analysis promises (Higham & Mary, SIAM J. Sci. Comput. 41, 2019);
// it covers the SVD that this stands in for as well. Two more constants are of this kind, without a proof for
// all matrices: the residual of R11⁻¹, for which the bound of an unblocked inverse is taken (Higham 2002,
// section 14.2.1; seen are 10⁻⁴ of it), and the growth of elements in Bunch and Parlett's decomposition, 16.
// So this holds under a model of rounding; the rank modulo a prime is a proof without one. The
// values are counted at both ends of what all this leaves open; only if the two numbers are equal, that is
// the rank.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "tall.h"

namespace xt {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kRounding = 64;
constexpr size_t kLeast = 96;    // rows and columns from which on a proof costs less than the values
constexpr double kRest = 0.01;   // of the threshold, at most ‖E‖_F where E is left out
constexpr double kLarge = 128;   // thresholds: rows of R11 are larger
constexpr size_t kWindow = 384;  // columns that R22 may have
constexpr size_t kSpare = 64;    // of these, which rows near the end of R11 may need
constexpr double kHead = 1e-5;   // of WᵀW, what V does without
constexpr size_t kLeading = 64;  // rows of R that decide the largest singular value
constexpr size_t kColumns = 16;  // R12 has a multiple of these, whole vectors

struct Interval {
  double low, high;
};

// The largest singular value of (R; 0, E), from the first rows of R and the norms of all others: with λ that
// of G = R1 R1ᵀ, λ^q ≤ tr G^q ≤ rows · λ^q for q = 2^squarings.
Interval largest_singular_value(Algebra& algebra, const View& R, const double* norms, double rest) {
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
  for (size_t r = count; r < R.rows; ++r) others += norms[r] * norms[r];
  const double rounding = 1 + 64 * kEpsilon * static_cast<double>(R.columns);
  return {std::exp(0.5 * (log - weight * std::log(static_cast<double>(count)))) / rounding,
          std::sqrt(std::exp(log) + others) * rounding};
}

// G ← the upper triangle of leftᵀ left, and its trace is returned.
double gram(Algebra& algebra, const Factor& left, const View& G) {
  const Factor from = left.transposed();
  for (size_t r = 0; r < G.rows; r += kTriangleRows) {
    const size_t count = std::min(kTriangleRows, G.rows - r);
    algebra.multiply(G.part(r, r, count, G.rows - r), from.part(r, 0, count, left.rows),
                     left.part(0, r, left.rows, G.rows - r));
  }
  double trace = 0;
  for (size_t r = 0; r < G.rows; ++r) trace += G.at(r, r);
  return trace;
}

// What R22ᵀ R22 − t² M is, for R [m,n] with zeros below its diagonal in the first `rows` columns, the norms
// of so many rows, and a threshold.
class Window {
 public:
  Window(Algebra& algebra, const View& R, size_t rows, const double* norms, double threshold)
      : algebra_(algebra), threshold_(threshold) {
    while (large_ < rows && norms[large_] >= kLarge * threshold) ++large_;
    // Whole vectors, as long as R22 has no row whose square would hide the threshold.
    size_t l = large_;
    while (l > 0 && (R.columns - l) % kColumns != 0 && norms[l - 1] < 16 * kLarge * threshold) --l;
    if ((R.columns - l) % kColumns == 0) large_ = l;
    columns_ = R.columns - large_;
    if (columns_ > kWindow) return;
    squares_.emplace(algebra, columns_, columns_, Content::any);
    M_.emplace(algebra, columns_, columns_, Content::any);
    if (algebra.good()) is_good_ = reduce(R, norms);
  }

  bool is_good() const { return is_good_; }

  // Values of R above t, if M is as large (sign = −1) or as small (1) as it may be.
  size_t above(double t, double sign) const {
    Buffer work(algebra_, columns_, columns_, Content::any);
    if (!algebra_.good()) return 0;
    const View N = work.view(), squares = squares_->view(), M = M_->view();
    // M(t) grows with t, and V is that of the threshold, which t does not exceed.
    const double square = t * t / threshold_ / threshold_;
    const double factor =
        square * (sign < 0 ? (1 + excess_) * (1 + relative_) : 1 - relative_ - (1 - square) * theta_squared_);
    for (size_t r = 0; r < columns_; ++r) {
      for (size_t c = r; c < columns_; ++c) N.at(r, c) = squares.at(r, c) - factor * M.at(r, c);
      N.at(r, r) += sign * slack_ - factor;
    }
    return large_ + positive_eigenvalues(algebra_, N);
  }

 private:
  // Squares of R22 in units of the threshold, and M − I. Scales the rows of R11 and R12, by powers of two, so
  // that nothing is rounded.
  bool reduce(const View& R, const double* norms) {
    const size_t l = large_, q = columns_;
    const View R12 = R.part(0, l, l, q), R22 = R.part(l, l, R.rows - l, q);
    Buffer inverse(algebra_, l, l, Content::any), stacked(algebra_, 2 * l, q, Content::any),
        scales(algebra_, 2, l);
    if (!algebra_.good()) return false;
    const View X = inverse.view(), W = stacked.view().part(0, 0, l, q);
    double *const factors = scales.data(), *const sums = factors + l;
    for (size_t r = 0; r < l; ++r) {
      const double inverse_size = std::exp2(-std::ceil(std::log2(norms[r])));
      for (size_t c = r; c < R.columns; ++c) R.at(r, c) *= inverse_size;
      factors[r] = threshold_ * inverse_size;
    }
    invert_triangle(algebra_, R.part(0, 0, l, l), X);
    for (size_t r = 0; r < l; ++r) {
      for (size_t c = r; c < l; ++c) sums[c] += X.at(r, c) * X.at(r, c);
    }
    size_t head = 0;  // rows that V does without
    double head_squared = 0, inverse_squared = 0;
    for (size_t r = 0; r < l; ++r) {
      theta_squared_ += sums[r] * factors[r] * factors[r];
      inverse_squared += sums[r];
      if (theta_squared_ > kHead || (r + 1) % kTriangleRows != 0) continue;
      head = r + 1;
      head_squared = theta_squared_;
    }
    // The rows of the scaled R11 are 1 at most.
    const double residual = 2 * R.columns * kEpsilon * std::sqrt(l * inverse_squared);
    if (!(theta_squared_ < 0.5 && residual < 0.01)) return false;
    excess_ = (1 + theta_squared_ * theta_squared_ / (1 - theta_squared_)) * (1 + head_squared) - 1;
    for (size_t r = 0; r < l; r += kTriangleRows) {
      const size_t count = std::min(kTriangleRows, l - r);
      algebra_.multiply(W.part(r, 0, count, q), X.part(r, r, count, l - r), R12.part(r, 0, l - r, q));
    }
    for (size_t r = head; r < l; r += kTriangleRows) {
      const size_t count = std::min(kTriangleRows, l - r);
      const View V = stacked.view().part(l + r - head, 0, count, q);
      algebra_.multiply(V, transposed(X.part(0, r, r + count, count)), W.part(0, 0, r + count, q));
      for (size_t i = 0; i < count; ++i) {
        for (size_t c = 0; c < q; ++c) V.at(i, c) *= factors[r + i];
      }
    }
    const size_t terms = 2 * l - head;
    const double inverse_square = 1 / threshold_ / threshold_;
    double trace = q + gram(algebra_, stacked.view().part(0, 0, terms, q), M_->view());
    trace += inverse_square * gram(algebra_, R22, squares_->view());
    for (size_t r = 0; r < q; ++r) {
      for (size_t c = r; c < q; ++c) squares_->view().at(r, c) *= inverse_square;
    }
    relative_ = 4 * residual;
    slack_ = 4 * (terms + R22.rows + 4.0 * (q + 1)) * kEpsilon * trace;
    return algebra_.good() && slack_ < 0.01;
  }

  Algebra& algebra_;
  double threshold_;
  std::optional<Buffer> squares_, M_;
  size_t large_ = 0, columns_ = 0;
  bool is_good_ = false;
  double theta_squared_ = 0, excess_ = 0, relative_ = 0, slack_ = 0;
};

// Of A [m,n], m ≥ n, of this norm, which is destroyed, and which may be the triangle of a matrix of `rows`;
// false if there is no proof.
bool prove_rank(Algebra& algebra, const View& A, size_t rows, double norm, double tolerance, size_t* rank) {
  const size_t n = A.columns;
  double margin = kRounding * (1 + std::sqrt(static_cast<double>(rows)) / 16) * kEpsilon * norm;
  // No singular value is larger than the norm.
  if (tolerance * norm < 4 * margin) return false;
  Buffer sizes(algebra, 1, n, Content::any);
  if (!algebra.good()) return false;
  const Ending ending{0, kRest * tolerance, kLarge * tolerance, kWindow - kSpare};
  const size_t k = pivoted_triangle(algebra, A, norm, ending, sizes.data());
  if (!algebra.good() || k == 0) return false;
  double rest = algebra.norm(A.part(k, k, A.rows - k, n - k));  // ‖E‖_F
  const Interval largest = largest_singular_value(algebra, A.part(0, 0, k, n), sizes.data(), rest);
  const bool vanishes = k < n && rest <= kRest * tolerance * largest.low;
  if (vanishes) margin *= 2;  // of two decompositions
  const double high = tolerance * (largest.high + margin) + margin;
  const double low = tolerance * (largest.low - margin) - margin;
  if (!algebra.good()) return false;
  View R = A.part(0, 0, k == n ? n : A.rows, n);
  std::optional<Buffer> square;
  if (vanishes) {
    square.emplace(algebra, n, k, Content::any);
    Reflectors Q(algebra, n, k);
    if (!algebra.good()) return false;
    copy(transposed(A.part(0, 0, k, n)), square->view());
    Q.factor(square->view());
    R = square->view().part(0, 0, k, k);
    for (size_t r = 0; r < k; ++r) sizes.data()[r] = algebra.norm(R.part(r, r, 1, k - r));
  } else {
    rest = 0;
  }
  if (!algebra.good() || !(low > rest)) return false;
  Window window(algebra, R, k, sizes.data(), high);
  if (!algebra.good() || !window.is_good()) return false;
  *rank = window.above(high, -1);
  return window.above(std::sqrt(low * low - rest * rest), 1) == *rank && algebra.good();
}

}  // namespace

}  // namespace xt

int32_t xt_numerical_rank(uint32_t context, size_t m, size_t n, const double* A, const int32_t* places,
                          double tolerance, double* result) {
  const xt::Elements elements{m, n, A, places};
  if (!elements.fit() || !xt::holds_doubles(result, {2}) || !(tolerance >= 0)) return XT_ARGUMENT;
  xt::Algebra algebra(context);
  if (!algebra.good()) return algebra.status;
  xt::Tall tall(algebra, elements);
  if (!algebra.good()) return algebra.status;
  if (std::isnan(tall.scale)) return XT_NUMERIC;
  result[0] = 0;
  result[1] = tall.scale == 0;
  if (tall.scale == 0 || tall.columns < xt::kLeast) return XT_OK;
  const xt::View work = tall.copy(true);
  size_t rank;
  if (algebra.good() && xt::prove_rank(algebra, work, tall.rows, tall.norm(), tolerance, &rank)) {
    result[0] = static_cast<double>(rank);
    result[1] = 1;
  }
  return algebra.status;
}
