// xt_full_rank: a Cholesky decomposition that exists is the proof.
#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg.h"

namespace xt {

namespace {

// G ← L of G = L Lᵀ for a symmetric G, of which only the lower triangle counts; false at a pivot that is not
// positive. Products with the inverse D⁻¹ of a diagonal block take the place of substitution, whose error
// they have only while D is well-conditioned: of P ≈ G21 D⁻ᵀ the residual E = G21 − P Dᵀ is computed, P
// corrected by E D⁻ᵀ, and false returned if the residuals that are left have a Frobenius norm above `most` in
// L Lᵀ.
bool cholesky(Algebra& algebra, const View& G, double most) {
  constexpr size_t block = 64;
  const size_t n = G.rows;
  Buffer inverse(algebra, block, block), diagonal(algebra, block, block);
  Buffer panel(algebra, n, block, Content::any), negated(algebra, n, block, Content::any);
  Buffer residual(algebra, n, block, Content::any);
  double squares = 0;
  for (size_t at = 0; at < n && algebra.good(); at += block) {
    const size_t width = std::min(block, n - at), rest = n - at - width;
    const View D = G.part(at, at, width, width);
    for (size_t j = 0; j < width; ++j) {
      for (size_t i = j; i < width; ++i) {
        double sum = D.at(i, j);
        for (size_t k = 0; k < j; ++k) sum -= D.at(i, k) * D.at(j, k);
        if (i == j && !(sum > 0)) return false;
        D.at(i, j) = i == j ? std::sqrt(sum) : sum / D.at(j, j);
      }
    }
    const View X = inverse.view().part(0, 0, width, width);
    fill(X, 0);
    for (size_t j = 0; j < width; ++j) {
      X.at(j, j) = 1 / D.at(j, j);
      for (size_t i = j + 1; i < width; ++i) {
        double sum = 0;
        for (size_t k = j; k < i; ++k) sum += D.at(i, k) * X.at(k, j);
        X.at(i, j) = -sum / D.at(i, i);
      }
    }
    const View lower = diagonal.view().part(0, 0, width, width), below = G.part(at + width, at, rest, width);
    for (size_t i = 0; i < width; ++i) std::copy_n(D.row(i), i + 1, lower.row(i));
    const View P{panel.data(), rest, width, width}, N{negated.data(), rest, width, width};
    const View E{residual.data(), rest, width, width};
    const auto subtract = [&] {
      for (size_t i = 0; i < rest * width; ++i) N.data[i] = -P.data[i];
      copy(below, E);
      algebra.multiply(E, N, transposed(lower), true);
    };
    algebra.multiply(P, below, transposed(X));
    subtract();
    algebra.multiply(P, E, transposed(X), true);
    subtract();
    const double missed = rest ? algebra.norm(E) : 0;
    squares += missed * missed;
    for (size_t r = 0; r < rest; r += 2 * block) {
      const size_t count = std::min(2 * block, rest - r);
      algebra.multiply(G.part(at + width + r, at + width, count, r + count), N.part(r, 0, count, width),
                       transposed(P.part(0, 0, r + count, width)), true);
    }
  }
  return algebra.good() && std::sqrt(2 * squares) <= most;
}

}  // namespace

}  // namespace xt

// G = AᵀA is computed with an error of at most γ_m ‖A‖_F², its Cholesky factor with one of γ_{n+1} ‖A‖_F²,
// γ_k = k u / (1 − k u), u = ε/2 (Higham, Accuracy and Stability, 2002, (3.13) and Theorem 10.3), and what
// the residuals of its blocks add. The slack (m + 4 (n + 1)) ε ‖A‖_F² is twice the first and eight times the
// second; a quarter of the latter may be residuals, whose own rounding is that of 64 terms. So if G − (bound²
// + slack) I has a factor, no σ² is below bound².
int32_t xt_full_rank(uint32_t context, size_t m, size_t n, const double* A, double bound, double* result) {
  if (!xt::holds_doubles(A, {m, n}) || !xt::holds_doubles(result, {1}) || !(bound >= 0)) return XT_ARGUMENT;
  xt::Algebra algebra(context);
  if (!algebra.good()) return algebra.status;
  result[0] = m == 0 || n == 0;
  if (m == 0 || n == 0) return XT_OK;
  const double scale = xt::scale_of(A, m * n);
  if (std::isnan(scale)) return XT_NUMERIC;
  if (scale == 0) return XT_OK;
  const size_t k = std::min(m, n);
  xt::Buffer scaled(algebra, m, n, xt::Content::any), gram(algebra, k, k, xt::Content::any);
  if (!algebra.good()) return algebra.status;
  xt::copy_scaled(xt::Factor(A, m, n, n, 1), scale, scaled.view());
  const xt::Factor tall = m < n ? xt::transposed(scaled.view()) : xt::Factor(scaled.view());
  const xt::View G = gram.view();
  constexpr size_t rows = 128;
  for (size_t r = 0; r < k; r += rows) {
    const size_t count = std::min(rows, k - r);
    algebra.multiply(G.part(r, 0, count, r + count), tall.part(0, r, tall.rows, count).transposed(),
                     tall.part(0, 0, tall.rows, r + count));
  }
  double trace = 0;
  for (size_t i = 0; i < k; ++i) trace += G.at(i, i);
  const double size = bound * scale,
               slack = (tall.rows + 4.0 * (k + 1)) * std::numeric_limits<double>::epsilon() * trace;
  if (!(size * size < trace)) return algebra.status;
  for (size_t i = 0; i < k; ++i) G.at(i, i) -= size * size + slack;
  result[0] = xt::cholesky(algebra, G, (k + 1.0) * std::numeric_limits<double>::epsilon() * trace);
  return algebra.status;
}
