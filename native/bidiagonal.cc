// The singular value decomposition of a square core: reduction to bidiagonal form and implicit QR on it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg.h"

namespace xt {

namespace {

// x ← v with v[0] = 1 and (I − tau v vᵀ) x = (alpha, 0, …)
double reflect(double* x, size_t count, double* alpha) {
  double tail = 0;
  for (size_t n = 1; n < count; ++n) tail += x[n] * x[n];
  *alpha = x[0];
  x[0] = 1;
  // A tail whose squares may have underflowed, of a matrix of size 1, is as good as zero.
  if (!(tail > 1e-280)) {
    std::fill(x + 1, x + count, 0.0);
    return 0;
  }
  const double head = *alpha, norm = std::sqrt(head * head + tail);
  *alpha = head > 0 ? -norm : norm;
  const double scale = 1 / (head - *alpha);
  for (size_t n = 1; n < count; ++n) x[n] *= scale;
  return (*alpha - head) / *alpha;
}

double dot(const double* x, const double* y, size_t count) {
  double sum = 0;
  for (size_t n = 0; n < count; ++n) sum += x[n] * y[n];
  return sum;
}

struct Rotation {
  double c, s, r;
};

// (c s; −s c)(f, g)ᵀ = (r, 0)ᵀ, for |f|, |g| of size 1 at most
Rotation rotation(double f, double g) {
  if (g == 0) return {1, 0, f};
  if (f == 0) return {0, 1, g};
  double scale = 1;
  if (std::max(std::fabs(f), std::fabs(g)) < 1e-140) {
    scale = 0x1p+600;
    f *= scale;
    g *= scale;
  }
  const double r = std::copysign(std::sqrt(f * f + g * g), f);
  return {f / r, g / r, r / scale};
}

// The smaller singular value of (f g; 0 h) (LAPACK, dlas2).
double smaller_of_two(double f, double g, double h) {
  f = std::fabs(f);
  g = std::fabs(g);
  h = std::fabs(h);
  const double low = std::min(f, h), high = std::max(f, h);
  if (low == 0) return 0;
  const double sum = 1 + low / high, difference = (high - low) / high;
  if (g < high) {
    const double ratio = g / high;
    return low * 2 /
           (std::sqrt(sum * sum + ratio * ratio) + std::sqrt(difference * difference + ratio * ratio));
  }
  const double ratio = high / g;
  if (ratio == 0) return low * high / g;
  const double a = sum * ratio, b = difference * ratio;
  return 2 * (low * (1 / (std::sqrt(1 + a * a) + std::sqrt(1 + b * b)))) * ratio;
}

// The rows of Ut and V that follow the rotations of a sweep.
struct Vectors {
  const LinalgKernels& kernels;
  const View &Ut, &V;

  void rotate(const View& rows, size_t i, const Rotation& by) const {
    if (rows.rows > 0) kernels.rotate(rows.row(i), rows.row(i + 1), rows.columns, by.c, by.s);
  }
  void right(size_t i, const Rotation& by) const { rotate(V, i, by); }
  void left(size_t i, const Rotation& by) const { rotate(Ut, i, by); }
};

// A sweep with shift zero over rows [low, high], which is accurate for the smallest values and deflates zeros
// on the diagonal (Demmel & Kahan, SIAM J. Sci. Stat. Comput. 11, 1990, "implicit zero-shift QR").
void sweep_unshifted(double* d, double* e, size_t low, size_t high, const Vectors& vectors) {
  double c = 1;
  Rotation old{1, 0, 0};
  for (size_t i = low; i < high; ++i) {
    const Rotation right = rotation(d[i] * c, e[i]);
    if (i > low) e[i - 1] = old.s * right.r;
    old = rotation(old.c * right.r, d[i + 1] * right.s);
    d[i] = old.r;
    c = right.c;
    vectors.right(i, right);
    vectors.left(i, old);
  }
  const double last = d[high] * c;
  d[high] = last * old.c;
  e[high - 1] = last * old.s;
}

// A sweep of implicit QR (Golub & Reinsch, Numer. Math. 14, 1970).
void sweep_shifted(double* d, double* e, size_t low, size_t high, double shift, const Vectors& vectors) {
  double f = (std::fabs(d[low]) - shift) * (std::copysign(1.0, d[low]) + shift / d[low]), g = e[low];
  for (size_t i = low; i < high; ++i) {
    const Rotation right = rotation(f, g);
    if (i > low) e[i - 1] = right.r;
    f = right.c * d[i] + right.s * e[i];
    e[i] = right.c * e[i] - right.s * d[i];
    g = right.s * d[i + 1];
    d[i + 1] *= right.c;
    const Rotation left = rotation(f, g);
    d[i] = left.r;
    f = left.c * e[i] + left.s * d[i + 1];
    d[i + 1] = left.c * d[i + 1] - left.s * e[i];
    if (i + 1 < high) {
      g = left.s * e[i + 1];
      e[i + 1] *= left.c;
    }
    vectors.right(i, right);
    vectors.left(i, left);
  }
  e[high - 1] = f;
}

}  // namespace

// One pass over what is left of A updates it by the last two reflectors and collects Aᵀu for the next left
// one, a second collects A v: 8/3 n³ operations in 2 passes a column.
void bidiagonalize(Algebra& algebra, const View& A, double* d, double* e, const View& Ut, const View& V) {
  const size_t n = A.rows;
  Buffer u(algebra, 2, n + kPadding), y(algebra, 1, n + kPadding), x(algebra, 1, n + kPadding),
      v(algebra, 1, n + kPadding), sums(algebra, 1, n + kPadding), taus(algebra, 2, n);
  if (!algebra.good() || n == 0) return;
  const LinalgKernels& kernels = algebra.kernels();
  double* left_taus = taus.data();
  double* right_taus = taus.data() + n;
  double *now = u.data(), *next = u.data() + n + kPadding;
  // What takes nothing away from A, but collects Aᵀu.
  for (size_t i = 0; i < n; ++i) now[i] = A.at(i, 0);
  left_taus[0] = reflect(now, n, &d[0]);
  kernels.bidiagonal_update(
      {A.data + 1, A.stride, n, n - 1, x.data(), y.data(), x.data(), v.data(), now, sums.data() + 1});
  for (size_t j = 0;; ++j) {
    for (size_t i = j; i < n; ++i) A.at(i, j) = now[i];
    if (j + 1 == n) break;
    const size_t at = j + 1, rest = n - at;
    for (size_t c = at; c < n; ++c) {
      y.data()[c] = left_taus[j] * sums.data()[c];
      v.data()[c] = A.at(j, c) - y.data()[c];
    }
    right_taus[j] = reflect(v.data() + at, rest, &e[j]);
    const double yv = dot(y.data() + at, v.data() + at, rest);
    kernels.project(A.row(at) + at, A.stride, rest, rest, v.data() + at, x.data() + at);
    for (size_t i = at; i < n; ++i) {
      x.data()[i] = right_taus[j] * (x.data()[i] - now[i] * yv);
      next[i] = A.at(i, at) - now[i] * y.data()[at] - x.data()[i];
    }
    std::copy_n(v.data() + at, rest, A.row(j) + at);
    left_taus[at] = reflect(next + at, rest, &d[at]);
    std::fill_n(sums.data(), n, 0.0);
    kernels.bidiagonal_update({A.row(at) + at + 1, A.stride, rest, rest - 1, now + at, y.data() + at + 1,
                               x.data() + at, v.data() + at + 1, next + at, sums.data() + at + 1});
    std::swap(now, next);
  }
  if (Ut.rows == 0 && V.rows == 0) return;
  Reflectors reflectors(algebra, n, n);
  Buffer Q(algebra, n, n);
  if (!algebra.good()) return;
  if (Ut.rows > 0) {
    reflectors.take(A, left_taus, 0);
    reflectors.form(Q.view());
    copy(transposed(Q.view()), Ut);
  }
  if (V.rows > 0) {
    reflectors.take(transposed(A).part(0, 0, n, n - 1), right_taus, 1);
    reflectors.form(Q.view());
    copy(transposed(Q.view()), V);
  }
}

// Elements below 4ε of the largest count as zero: together they change no singular value by more than 8ε
// times the largest, since no row or column holds more than two of them. Less is not reached where values are
// equal: there a sweep makes off-diagonal elements of an ε or two by rounding.
void diagonalize(Algebra& algebra, double* d, double* e, size_t n, const View& Ut, const View& V) {
  if (!algebra.good() || n == 0) return;
  const Vectors vectors{algebra.kernels(), Ut, V};
  double largest = 0;
  for (size_t i = 0; i < n; ++i) {
    largest = std::max({largest, std::fabs(d[i]), i + 1 < n ? std::fabs(e[i]) : 0});
  }
  const double negligible = largest * std::numeric_limits<double>::epsilon() * 4;
  // LAPACK's bound: 6 sweeps over all of the matrix for each value.
  double steps = 6.0 * n * n + 100;
  for (size_t high = n - 1; high > 0;) {
    if (std::fabs(e[high - 1]) <= negligible) {
      e[--high] = 0;
      continue;
    }
    size_t low = high - 1;
    while (low > 0 && std::fabs(e[low - 1]) > negligible) --low;
    if (low > 0) e[low - 1] = 0;
    bool has_zero = false;
    for (size_t i = low; i <= high; ++i) {
      if (std::fabs(d[i]) <= negligible / 16) {
        d[i] = 0;
        has_zero = true;
      }
    }
    const double shift = has_zero ? 0 : smaller_of_two(d[high - 1], e[high - 1], d[high]);
    const double ratio = has_zero ? 0 : shift / std::fabs(d[low]);
    if (ratio * ratio < std::numeric_limits<double>::epsilon()) {
      sweep_unshifted(d, e, low, high, vectors);
    } else {
      sweep_shifted(d, e, low, high, shift, vectors);
    }
    steps -= static_cast<double>(high - low);
    if (!(steps > 0)) {
      algebra.status = XT_CONVERGENCE;
      return;
    }
  }
}

}  // namespace xt
