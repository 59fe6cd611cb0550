// What linear algebra needs beside the matrix product: narrow panels of reflectors, the two passes of a
// bidiagonalization, rotations of rows, elimination modulo a prime. float64 only; single-threaded.
#pragma once
#include "../kernels.h"
#include "xi-inl.h"

namespace xt::XT_ISA {

constexpr size_t panel_vectors = kPanelColumns / lanes<double>;

// panel [rows, kPanelColumns] ← the Householder QR of its first `columns` columns: R on and above the
// diagonal, below it the reflectors I − tau v vᵀ, whose v begins with a 1 that is not stored. The pass that
// applies a reflector collects Aᵀx for the next one, so that each column costs one pass (Howell, Demmel et
// al., ACM TOMS 34, 2008, for bidiagonalization).
inline void reflect_panel(double* panel, size_t rows, size_t columns, double* tau) {
  using V = Vec<double>;
  V sums[panel_vectors]{};
  for (size_t i = 1; i < rows; ++i) {
    const double* row = panel + i * kPanelColumns;
    for (size_t n = 0; n < panel_vectors; ++n)
      sums[n] = multiply_add<double>(sums[n], broadcast(row[0]), load(row + n * lanes<double>));
  }
  for (size_t j = 0; j < columns; ++j) {
    tau[j] = 0;
    if (j + 1 >= rows) continue;
    double* first = panel + j * kPanelColumns;
    double products[kPanelColumns], w[kPanelColumns] = {};
    for (size_t n = 0; n < panel_vectors; ++n) store(products + n * lanes<double>, sums[n]);
    const double head = first[j];
    // A tail whose squares may have underflowed, of a matrix of size 1, is as good as zero.
    const bool reflects = products[j] > 1e-280;
    double scale = 0;
    if (reflects) {
      const double norm = __builtin_sqrt(head * head + products[j]);
      const double alpha = head > 0 ? -norm : norm;
      tau[j] = (alpha - head) / alpha;
      scale = 1 / (head - alpha);
      for (size_t n = j + 1; n < columns; ++n) {
        w[n] = tau[j] * (first[n] + products[n] * scale);
        first[n] -= w[n];
      }
      first[j] = alpha;
    }
    V weights[panel_vectors];
    for (size_t n = 0; n < panel_vectors; ++n) {
      weights[n] = load(w + n * lanes<double>);
      sums[n] = V{};
    }
    for (size_t i = j + 1; i < rows; ++i) {
      double* row = panel + i * kPanelColumns;
      const double v = row[j] * scale;
      V values[panel_vectors];
      for (size_t n = 0; n < panel_vectors; ++n) {
        values[n] = load(row + n * lanes<double>) - broadcast(v) * weights[n];
        store(row + n * lanes<double>, values[n]);
      }
      row[j] = v;
      if (i == j + 1 || j + 1 == columns) continue;
      const V x = broadcast(row[j + 1]);
      for (size_t n = 0; n < panel_vectors; ++n) sums[n] = multiply_add<double>(sums[n], x, values[n]);
    }
  }
}

template <int rows>
XT_INLINE void update_rows(const BidiagonalStep& step, size_t i) {
  using V = Vec<double>;
  double* row[rows];
  V u[rows], x[rows], next[rows];
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    row[r] = step.A + (i + r) * step.stride;
    u[r] = broadcast(step.u[i + r]);
    x[r] = broadcast(step.x[i + r]);
    next[r] = broadcast(step.next[i + r]);
  }
  for (size_t c = 0; c < step.columns; c += lanes<double>) {
    const V y = load(step.y + c), v = load(step.v + c);
    V sum = load(step.sums + c);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const V value = load(row[r] + c) - u[r] * y - x[r] * v;
      store(row[r] + c, value);
      sum = multiply_add<double>(sum, next[r], value);
    }
    store(step.sums + c, sum);
  }
}

// A ← A − u yᵀ − x vᵀ, then sums += Aᵀ next, in one pass. Rows of A and the vectors over columns are
// readable, and zero, up to a multiple of kPadding.
inline void bidiagonal_update(const BidiagonalStep& step) {
  size_t i = 0;
  for (; i + 4 <= step.rows; i += 4) update_rows<4>(step, i);
  for (; i < step.rows; ++i) update_rows<1>(step, i);
}

template <int rows>
XT_INLINE void project_rows(const double* A, size_t stride, size_t columns, const double* v, double* out) {
  using V = Vec<double>;
  V sums[rows]{};
  for (size_t c = 0; c < columns; c += lanes<double>) {
    const V at = load(v + c);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) sums[r] = multiply_add<double>(sums[r], load(A + r * stride + c), at);
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) out[r] = sum_lanes<double>(sums[r]);
}

// out ← A v, padded as above.
inline void project(const double* A, size_t stride, size_t rows, size_t columns, const double* v,
                    double* out) {
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) project_rows<4>(A + i * stride, stride, columns, v, out + i);
  for (; i < rows; ++i) project_rows<1>(A + i * stride, stride, columns, v, out + i);
}

// row ← row − factor · pivot, and the largest size of what is left. Reads and writes whole vectors: what
// follows the row keeps its value.
XT_INLINE double subtract_row(double* row, const double* pivot, double factor, size_t count) {
  Vec<double> sizes{};
  size_t n = 0;
  for (; n + lanes<double> <= count; n += lanes<double>) {
    const Vec<double> left = load(row + n) - factor * load(pivot + n);
    store(row + n, left);
    sizes = fast::max(sizes, absolute(left));
  }
  if (n < count) {
    const Vec<double> kept = load(row + n), left = kept - factor * load(pivot + n);
    const Int<double> within = first_lanes<double>(count - n);
    store(row + n, within ? left : kept);
    sizes = fast::max(sizes, within ? absolute(left) : Vec<double>{});
  }
  return largest_lane<double>(sizes);
}

inline double subtract(double* row, const double* pivot, double factor, size_t count) {
  return subtract_row(row, pivot, factor, count);
}

// The same for every row of the upper triangle of A [n,n].
inline void subtract_triangle(double* A, size_t stride, size_t n, const double* pivot, const double* factors,
                              double* largest) {
  for (size_t r = 0; r < n; ++r) {
    largest[r] = subtract_row(A + r * stride + r, pivot + r, factors[r], n - r);
  }
}

// (x, y) ← (c x + s y, c y − s x)
inline void rotate(double* x, double* y, size_t count, double c, double s) {
  size_t n = 0;
  for (; n + lanes<double> <= count; n += lanes<double>) {
    const Vec<double> a = load(x + n), b = load(y + n);
    store(x + n, c * a + s * b);
    store(y + n, c * b - s * a);
  }
  for (; n < count; ++n) {
    const double a = x[n], b = y[n];
    x[n] = c * a + s * b;
    y[n] = c * b - s * a;
  }
}

// x − p·round(x/p) for integers |x| < 2^53: adding and taking away 1.5·2^52 rounds to an integer, and the
// product of quotient and p is an integer below 2^53 too, so nothing is lost with or without FMA.
template <class V>
XT_INLINE V residue(V x, double p, double inverse) {
  constexpr double rounder = 6755399441055744.0;
  const V quotient = (x * inverse + rounder) - rounder;
  return x - quotient * p;
}

inline void reduce_modulo(double* x, size_t count, double p) {
  const double inverse = 1 / p;
  size_t n = 0;
  for (; n + lanes<double> <= count; n += lanes<double>) store(x + n, residue(load(x + n), p, inverse));
  for (; n < count; ++n) x[n] = residue(x[n], p, inverse);
}

// One step of elimination: for each of `rows` rows of A, factor ← row[0]·scale and row ← row − factor·pivot,
// all modulo p. Residues lie within ±p/2, so that |row − factor·pivot| < 2^53 for p up to 2^26.
inline void eliminate_modulo(double* A, size_t stride, size_t rows, size_t columns, const double* pivot,
                             double scale, double p, double* factors, size_t factor_stride) {
  const double inverse = 1 / p;
  for (size_t i = 0; i < rows; ++i) {
    double* row = A + i * stride;
    const double factor = residue(row[0] * scale, p, inverse);
    factors[i * factor_stride] = factor;
    if (factor == 0) continue;
    size_t n = 0;
    for (; n + lanes<double> <= columns; n += lanes<double>)
      store(row + n, residue(load(row + n) - factor * load(pivot + n), p, inverse));
    for (; n < columns; ++n) row[n] = residue(row[n] - factor * pivot[n], p, inverse);
  }
}

constexpr LinalgKernels make_linalg() {
  LinalgKernels table{};
  table.reflect_panel = reflect_panel;
  table.bidiagonal_update = bidiagonal_update;
  table.project = project;
  table.subtract = subtract;
  table.subtract_triangle = subtract_triangle;
  table.rotate = rotate;
  table.reduce_modulo = reduce_modulo;
  table.eliminate_modulo = eliminate_modulo;
  return table;
}

}  // namespace xt::XT_ISA
