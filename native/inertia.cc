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
  const auto subtract = algebra.kernels().subtract_triangle;
  Buffer sizes(algebra, 3, n);
  if (!algebra.good()) return 0;
  double *const largest = sizes.data(), *const first = largest + n, *const second = first + n;
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
      first[r] = (c * x - b * y) / determinant;
      second[r] = (a * y - b * x) / determinant;
    }
    const View rest = A.part(next, next, n - next, n - next);
    subtract(rest.data, A.stride, rest.rows, A.row(at) + next, first + next, largest + next);
    if (!single)
      subtract(rest.data, A.stride, rest.rows, A.row(at + 1) + next, second + next, largest + next);
    at = next;
  }
  return positive;
}

void invert_block(Algebra& algebra, const View& R, double floor, const View& X) {
  const size_t n = R.rows;
  const auto subtract = algebra.kernels().subtract;
  fill(X, 0);
  for (size_t i = n; i-- > 0;) {
    const double inverse = std::fabs(R.at(i, i)) <= floor ? 0 : 1 / R.at(i, i);
    double* row = X.row(i);
    for (size_t k = i + 1; k < n; ++k) subtract(row + k, X.row(k) + k, inverse * R.at(i, k), n - k);
    row[i] = inverse;
  }
}

void invert_triangle(Algebra& algebra, const View& R, const View& X) {
  const size_t n = R.rows;
  if (n <= kTriangleRows)
    return invert_block(algebra, R, -1, X);  // a zero makes infinities, which no bound lets pass
  const size_t half = (n / 2 + kTriangleRows - 1) / kTriangleRows * kTriangleRows, rest = n - half;
  const View R12 = R.part(0, half, half, rest), X11 = X.part(0, 0, half, half);
  const View X12 = X.part(0, half, half, rest), X22 = X.part(half, half, rest, rest);
  invert_triangle(algebra, R.part(0, 0, half, half), X11);
  invert_triangle(algebra, R.part(half, half, rest, rest), X22);
  Buffer product(algebra, half, rest, Content::any);  // −R12 X22
  if (!algebra.good()) return;
  const View P = product.view();
  for (size_t c = 0; c < rest; c += kTriangleRows) {
    const size_t count = std::min(kTriangleRows, rest - c), terms = c + count;
    algebra.multiply(P.part(0, c, half, count), R12.part(0, 0, half, terms), X22.part(0, c, terms, count));
  }
  for (size_t k = 0; k < half * rest; ++k) P.data[k] = -P.data[k];
  for (size_t r = 0; r < half; r += kTriangleRows) {
    const size_t count = std::min(kTriangleRows, half - r), terms = half - r;
    algebra.multiply(X12.part(r, 0, count, rest), X11.part(r, r, count, terms), P.part(r, 0, terms, rest));
  }
}

}  // namespace xt
