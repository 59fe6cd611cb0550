// What counting singular values takes beside products: the signs of eigenvalues, and the inverse of a
// triangle.
#include <algorithm>
#include <cmath>

#include "linalg.h"

namespace xt {

// L B Lᵀ with the largest element as pivot, alone or in a block of two, which has one eigenvalue of either
// sign (Bunch & Parlett, SIAM J. Numer. Anal. 8, 1971). The largest element of each row is known from its
// last update.
size_t positive_eigenvalues(Algebra& algebra, const View& A) {
  const double threshold = (1 + std::sqrt(17.0)) / 8;
  const size_t n = A.rows;
  const auto subtract = algebra.kernels().subtract;
  Buffer sizes(algebra, 1, n);
  if (!algebra.good()) return 0;
  double* largest = sizes.data();
  for (size_t r = 0; r < n; ++r) {
    for (size_t c = r; c < n; ++c) largest[r] = std::max(largest[r], std::fabs(A.at(r, c)));
  }
  // Rows and columns x ≤ y of what is left, from row `at` on. Every row is updated before its largest element
  // is asked for again.
  const auto exchange = [&](size_t at, size_t x, size_t y) {
    if (x == y) return;
    for (size_t r = at; r < x; ++r) std::swap(A.at(r, x), A.at(r, y));
    std::swap(A.at(x, x), A.at(y, y));
    for (size_t k = x + 1; k < y; ++k) std::swap(A.at(x, k), A.at(k, y));
    std::swap_ranges(A.row(x) + y + 1, A.row(x) + n, A.row(y) + y + 1);
  };
  size_t positive = 0;
  for (size_t at = 0; at < n;) {
    size_t d = at, p = at;
    for (size_t r = at; r < n; ++r) {
      if (std::fabs(A.at(r, r)) > std::fabs(A.at(d, d))) d = r;
      if (largest[r] > largest[p]) p = r;
    }
    if (largest[p] == 0) break;
    const bool single = std::fabs(A.at(d, d)) >= threshold * largest[p];
    if (single) {
      exchange(at, at, d);
    } else {
      size_t q = p + 1;
      while (q + 1 < n && std::fabs(A.at(p, q)) != largest[p]) ++q;
      exchange(at, at, p);
      exchange(at, at + 1, q);
    }
    const size_t next = at + (single ? 1 : 2);
    const double a = A.at(at, at), b = single ? 0 : A.at(at, at + 1), c = single ? 1 : A.at(at + 1, at + 1);
    const double determinant = a * c - b * b;
    positive += single ? a > 0 : 1;
    for (size_t r = next; r < n; ++r) {
      const double x = A.at(at, r), y = single ? 0 : A.at(at + 1, r);
      const double first = (c * x - b * y) / determinant, second = (a * y - b * x) / determinant;
      largest[r] = subtract(A.row(r) + r, A.row(at) + r, first, n - r);
      if (!single) largest[r] = subtract(A.row(r) + r, A.row(at + 1) + r, second, n - r);
    }
    at = next;
  }
  return positive;
}

void invert_triangle(Algebra& algebra, const View& R, const View& X) {
  constexpr size_t block = 64, strip = 128;
  Buffer products(algebra, R.rows, block, Content::any), negated(algebra, block, block);
  if (!algebra.good()) return;
  for (size_t at = 0; at < R.rows; at += block) {
    const size_t width = std::min(block, R.rows - at);
    const View D = R.part(at, at, width, width), Y = X.part(at, at, width, width);
    const View N = negated.view().part(0, 0, width, width);
    for (size_t i = width; i-- > 0;) {
      double* row = Y.row(i);
      const double inverse = 1 / D.at(i, i);
      for (size_t k = i + 1; k < width; ++k) {
        const double factor = -inverse * D.at(i, k);
        for (size_t j = k; j < width; ++j) row[j] += factor * Y.at(k, j);
      }
      row[i] = inverse;
      for (size_t j = i; j < width; ++j) N.at(i, j) = -row[j];
    }
    const View P{products.data(), at, width, width};
    for (size_t r = 0; r < at; r += strip) {
      const size_t count = std::min(strip, at - r);
      algebra.multiply(P.part(r, 0, count, width), X.part(r, r, count, at - r), R.part(r, at, at - r, width));
    }
    algebra.multiply(X.part(0, at, at, width), P, N);
  }
}

}  // namespace xt
