// xt_singular_values and xt_svd.
//
// A P = Q (R; E) with column pivots and ‖E‖_F ≤ kNegligible ‖A‖_F, the rows of R as many as A has singular
// values that matter. Then R = L Zᵀ, and only the small L is decomposed. By Weyl's inequality no singular
// value is wrong by more than ‖E‖_F + c·ε·‖A‖_F, c the usual slowly growing factor of Householder methods; of
// those beyond the rows of R, which are at most ‖E‖_F, 0 comes back.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tall.h"

namespace xt {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Rounding of the elimination itself leaves some ε‖A‖_F behind.
constexpr double kNegligible = 16 * kEpsilon;
// Up to so many columns a matrix is decomposed as it is.
constexpr size_t kDirect = 128;

// A [m,n] of this norm ← its pivoted decomposition; returns the number of rows of R, the rest is negligible.
size_t compress(Algebra& algebra, const View& A, double norm, const Pivoted* factors) {
  const double negligible = kNegligible * norm;
  Buffer norms(algebra, 1, A.columns, Content::any);
  if (!algebra.good()) return 0;
  size_t k = pivoted_triangle(algebra, A, norm, {negligible, 0, 0, 0}, norms.data(), factors);
  if (!algebra.good()) return 0;
  const double rest = algebra.norm(A.part(k, k, A.rows - k, A.columns - k));
  // The last rows may hold rounding errors, and belong to the rest.
  for (double squares = rest * rest; k > 1; --k) {
    squares += norms.data()[k - 1] * norms.data()[k - 1];
    if (squares > negligible * negligible) break;
  }
  return k;
}

// work [m,n] of this norm, m ≥ n, which is destroyed; s [n] in units of 1 / scale; U [m,n] and Vt [n,n] or
// without rows.
void decompose(Algebra& algebra, const View& work, double norm, double scale, double* s, const View& U,
               const View& Vt) {
  const size_t m = work.rows, n = work.columns;
  const bool wants_U = U.rows > 0, wants_V = Vt.rows > 0, wants_factors = wants_U || wants_V;
  Reflectors Q(algebra, wants_factors || n <= kDirect ? m : 0, n);
  Buffer indices(algebra, 1, n, Content::any);
  if (!algebra.good()) return;
  const Pivoted factors{Q, reinterpret_cast<size_t*>(indices.data())};
  size_t k = n;
  if (n > kDirect) {
    k = compress(algebra, work, norm, wants_factors ? &factors : nullptr);
  } else if (m > n) {
    Q.factor(work);
  }
  if (!algebra.good()) return;
  // R = L Zᵀ, of which L is the transposed triangle of Rᵀ.
  const bool has_Z = k < n;
  Reflectors Z(algebra, n, has_Z ? k : 0);
  Buffer rows(algebra, has_Z ? n : 0, k, Content::any);
  Buffer core(algebra, k, k, Content::zeros, kPadding);
  if (!algebra.good()) return;
  if (has_Z) {
    copy(transposed(work.part(0, 0, k, n)), rows.view());
    Z.factor(rows.view());
    copy(transposed(rows.view().part(0, 0, k, k)), core.view());
  } else {
    copy(work.part(0, 0, k, n), core.view());
  }
  Buffer left(algebra, wants_U ? k : 0, k), right(algebra, wants_V ? k : 0, k), d(algebra, 2, k);
  Buffer order_memory(algebra, 1, k);
  if (!algebra.good()) return;
  double* e = d.data() + k;
  bidiagonalize(algebra, core.view(), d.data(), e, left.view(), right.view());
  diagonalize(algebra, d.data(), e, k, left.view(), right.view());
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
    // P, which exchanges last what was exchanged first.
    for (size_t j = n > kDirect ? Q.count() : 0; j-- > 0;) {
      const size_t with = factors.exchanged[j];
      double* const row = columns.view().row(j);
      if (with != j) std::swap_ranges(row, row + n, columns.view().row(with));
    }
    copy(transposed(columns.view()), Vt);
  }
}

int32_t svd(uint32_t context, const Elements& elements, double* U, double* s, double* Vt) {
  const size_t m = elements.m, n = elements.n, k = std::min(m, n);
  if (!elements.fit() || !holds_doubles(s, {k}) || (U && !holds_doubles(U, {m, k})) ||
      (Vt && !holds_doubles(Vt, {k, n}))) {
    return XT_ARGUMENT;
  }
  Algebra algebra(context);
  if (!algebra.good() || k == 0) return algebra.status;
  Tall tall(algebra, elements);
  if (!algebra.good()) return algebra.status;
  if (std::isnan(tall.scale)) return XT_NUMERIC;
  const View u{U, U ? m : 0, k, k}, vt{Vt, Vt ? k : 0, n, n};
  if (tall.scale == 0) {
    std::fill_n(s, k, 0.0);
    for (const View& unit : {u, vt}) {
      fill(unit, 0);
      for (size_t i = 0; i < std::min(unit.rows, unit.columns); ++i) unit.at(i, i) = 1;
    }
    return XT_OK;
  }
  if (!tall.is_wide) {
    const View work = tall.copy(U == nullptr);
    if (algebra.good()) decompose(algebra, work, tall.norm(), tall.scale, s, u, vt);
    return algebra.status;
  }
  // Aᵀ = Vtᵀ diag(s) Uᵀ
  const View work = tall.copy(Vt == nullptr);
  Buffer left(algebra, Vt ? n : 0, k, Content::any), right(algebra, U ? k : 0, k, Content::any);
  if (!algebra.good()) return algebra.status;
  decompose(algebra, work, tall.norm(), tall.scale, s, left.view(), right.view());
  if (Vt != nullptr) copy(transposed(left.view()), vt);
  if (U != nullptr) copy(transposed(right.view()), u);
  return algebra.status;
}

}  // namespace

}  // namespace xt

int32_t xt_singular_values(uint32_t context, size_t m, size_t n, const double* A, const int32_t* places,
                           double* s) {
  return xt::svd(context, {m, n, A, places}, nullptr, s, nullptr);
}

int32_t xt_svd(uint32_t context, size_t m, size_t n, const double* A, double* U, double* s, double* Vt) {
  return xt::svd(context, {m, n, A, nullptr}, U, s, Vt);
}
