// xt_singular_values and xt_svd.
//
// A is first compressed: A = Q [B; E] with Q orthogonal and ‖E‖_F ≤ kNegligible ‖A‖_F, the rows of B as many
// as A has singular values that matter. Then B = L Zᵀ, and only the small L is decomposed. By Weyl's
// inequality no singular value is wrong by more than ‖E‖_F + c·ε·‖A‖_F, c the usual slowly growing factor of
// Householder methods; of those beyond the rows of B, which are at most ‖E‖_F, 0 comes back.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "linalg.h"

namespace xt {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Rounding of the elimination itself leaves some ε‖A‖_F behind.
constexpr double kNegligible = 16 * kEpsilon;
// Columns of a sketch, and up to which size a matrix is decomposed as it is.
constexpr size_t kSketch = 128;

// A [m,n] ← Qᵀ A with its first rows B and a negligible rest; returns the number of rows of B. A randomised
// range finder with the remainder at hand (Halko, Martinsson & Tropp, SIAM Review 53, 2011, Algorithm 4.2;
// Martinsson & Voronin, SIAM J. Sci. Comput. 38, 2016): columns of E Ω span nearly the range of E, their
// reflectors move it into the first rows, and what is left below is the new E, whose norm decides.
size_t compress(Algebra& algebra, const View& A, Reflectors& Q) {
  const double negligible = kNegligible * algebra.norm(A);
  const size_t most = std::min(A.rows, A.columns);
  Buffer omega(algebra, A.columns, kSketch, Content::any), sketch(algebra, A.rows, kSketch, Content::any);
  if (!algebra.good()) return 0;
  for (size_t done = 0; algebra.good();) {
    const View E = A.part(done, 0, A.rows - done, A.columns);
    const size_t width = std::min(kSketch, most - done);
    if (width == 0 || algebra.norm(E) <= negligible) return done;
    const View Y{sketch.data(), E.rows, width, width};
    // Of a square matrix the last rows need no reflectors.
    if (width == A.rows - done) return done + width;
    // Fresh numbers each time: what the last Ω spanned is gone from E.
    fill_random(omega.data(), A.columns * width, done + 1);
    algebra.multiply(Y, E, {omega.data(), A.columns, width, width, 1});
    Q.factor(Y);
    // Columns behind the last pivot that matters hold rounding errors.
    size_t kept = width;
    while (kept > 1 && std::fabs(Y.at(kept - 1, kept - 1)) <= negligible / 4) --kept;
    Q.keep(done + kept);
    Q.apply_transposed(done, E);
    done += kept;
  }
  return 0;
}

// A [m,n] of any strides, m ≥ n; s [n]; U [m,n] and Vt [n,n] or without rows.
void decompose(Algebra& algebra, const Factor& A, double scale, double* s, const View& U, const View& Vt) {
  const size_t n = A.columns;
  // Without U the R of A says all.
  const bool only_R = U.rows == 0 && is_tall(A.rows, n);
  const size_t m = only_R ? n : A.rows;
  Buffer work(algebra, m, n, Content::any);
  Reflectors Q(algebra, m, n);
  if (!algebra.good()) return;
  const View all = work.view();
  size_t k = n;
  if (only_R) {
    triangle(algebra, A, scale, all);
  } else {
    copy_scaled(A, scale, all);
  }
  if (n > kSketch) {
    k = compress(algebra, all, Q);
  } else if (m > n) {
    Q.factor(all);
  }
  // B = L Zᵀ, of which L is the transposed R of Bᵀ.
  const bool has_Z = k < n;
  Reflectors Z(algebra, n, has_Z ? k : 0);
  Buffer rows(algebra, has_Z ? n : 0, k, Content::any);
  Buffer core(algebra, k, k, Content::zeros, kPadding);
  if (!algebra.good()) return;
  if (has_Z) {
    copy(transposed(all.part(0, 0, k, n)), rows.view());
    Z.factor(rows.view());
    copy(transposed(rows.view().part(0, 0, k, k)), core.view());
  } else {
    copy(all.part(0, 0, k, n), core.view());
  }
  const bool wants_U = U.rows > 0, wants_V = Vt.rows > 0;
  Buffer left(algebra, wants_U ? k : 0, k), right(algebra, wants_V ? k : 0, k), d(algebra, 2, k);
  Buffer order_memory(algebra, 1, k);
  if (!algebra.good()) return;
  double* e = d.data() + k;
  bidiagonalise(algebra, core.view(), d.data(), e, left.view(), right.view());
  diagonalise(algebra, d.data(), e, k, left.view(), right.view());
  if (!algebra.good()) return;
  size_t* order = reinterpret_cast<size_t*>(order_memory.data());
  std::iota(order, order + k, size_t{0});
  std::sort(order, order + k,
            [&](size_t x, size_t y) { return std::fabs(d.data()[x]) > std::fabs(d.data()[y]); });
  std::fill_n(s, n, 0.0);
  for (size_t i = 0; i < k; ++i) s[i] = std::fabs(d.data()[order[i]]) / scale;
  // U = Q (Uc, 0; 0, I), whose last columns belong to the values 0.
  if (wants_U) {
    fill(U, 0);
    for (size_t c = 0; c < k; ++c) {
      const double sign = d.data()[order[c]] < 0 ? -1 : 1;
      for (size_t r = 0; r < k; ++r) U.at(r, c) = sign * left.view().at(order[c], r);
    }
    for (size_t c = k; c < n; ++c) U.at(c, c) = 1;
    Q.apply_to(U);
  }
  if (wants_V) {
    Buffer columns(algebra, n, n);
    if (!algebra.good()) return;
    for (size_t c = 0; c < k; ++c) {
      for (size_t r = 0; r < k; ++r) columns.view().at(r, c) = right.view().at(order[c], r);
    }
    for (size_t c = k; c < n; ++c) columns.view().at(c, c) = 1;
    Z.apply_to(columns.view());
    copy(transposed(columns.view()), Vt);
  }
}

int32_t svd(uint32_t context, size_t m, size_t n, const double* A, double* U, double* s, double* Vt) {
  const size_t k = std::min(m, n);
  if (!holds_doubles(A, {m, n}) || !holds_doubles(s, {k}) || (U && !holds_doubles(U, {m, k})) ||
      (Vt && !holds_doubles(Vt, {k, n}))) {
    return XT_ARGUMENT;
  }
  Algebra algebra(context);
  if (!algebra.good() || k == 0) return algebra.status;
  const double scale = scale_of(A, m * n);
  if (std::isnan(scale)) return XT_NUMERIC;
  const View u{U, U ? m : 0, k, k}, vt{Vt, Vt ? k : 0, n, n};
  if (scale == 0) {
    std::fill_n(s, k, 0.0);
    for (const View& unit : {u, vt}) {
      fill(unit, 0);
      for (size_t i = 0; i < std::min(unit.rows, unit.columns); ++i) unit.at(i, i) = 1;
    }
    return XT_OK;
  }
  const Factor all(A, m, n, n, 1);
  if (m >= n) {
    decompose(algebra, all, scale, s, u, vt);
    return algebra.status;
  }
  // Aᵀ = Vtᵀ diag(s) Uᵀ
  Buffer left(algebra, Vt ? n : 0, k, Content::any), right(algebra, U ? k : 0, k, Content::any);
  if (!algebra.good()) return algebra.status;
  decompose(algebra, all.transposed(), scale, s, left.view(), right.view());
  if (Vt != nullptr) copy(transposed(left.view()), vt);
  if (U != nullptr) copy(transposed(right.view()), u);
  return algebra.status;
}

}  // namespace

}  // namespace xt

int32_t xt_singular_values(uint32_t context, size_t m, size_t n, const double* A, double* s) {
  return xt::svd(context, m, n, A, nullptr, s, nullptr);
}

int32_t xt_svd(uint32_t context, size_t m, size_t n, const double* A, double* U, double* s, double* Vt) {
  return xt::svd(context, m, n, A, U, s, Vt);
}
