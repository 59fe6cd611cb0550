#include "linalg.h"

#include <algorithm>
#include <cmath>

namespace xt {

void copy(const Factor& from, const View& to) {
  constexpr size_t tile = 16;  // rows and columns that stay in cache while one of both is strided
  if (from.column_stride == 1) {
    for (size_t r = 0; r < to.rows; ++r) std::copy_n(from.data + r * from.row_stride, to.columns, to.row(r));
    return;
  }
  for (size_t r = 0; r < to.rows; r += tile) {
    for (size_t c = 0; c < to.columns; c += tile) {
      for (size_t i = r; i < std::min(to.rows, r + tile); ++i) {
        for (size_t j = c; j < std::min(to.columns, c + tile); ++j)
          to.at(i, j) = from.data[i * from.row_stride + j * from.column_stride];
      }
    }
  }
}

void scale(const View& of, double factor) {
  for (size_t r = 0; r < of.rows; ++r) {
    for (size_t c = 0; c < of.columns; ++c) of.at(r, c) *= factor;
  }
}

void copy_scaled(const Factor& from, double factor, const View& to) {
  copy(from, to);
  scale(to, factor);
}

void fill(const View& to, double value) {
  for (size_t r = 0; r < to.rows; ++r) std::fill_n(to.row(r), to.columns, value);
}

// SplitMix64
void fill_random(double* to, size_t count, uint64_t seed) {
  for (size_t n = 0; n < count; ++n) {
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    to[n] = static_cast<double>(static_cast<int64_t>(z ^ (z >> 31)) >> 11) * 0x1p-52;
  }
}

// Multiply-adds that are worth waking a thread, which sleeps between large products: what is done between
// them takes longer than it waits for.
constexpr double kWorthWaking = 2e6;

void Algebra::multiply(const View& C, const Factor& A, const Factor& B, bool accumulate) {
  if (!good() || C.rows == 0 || C.columns == 0) return;
  const auto& table = run_.kernels->f64;
  const MatmulArgs<double> args{C.rows,
                                C.columns,
                                A.columns,
                                {A.data, A.row_stride, A.column_stride},
                                {B.data, B.row_stride, B.column_stride},
                                C.data,
                                C.stride,
                                accumulate};
  Context run = run_;
  if (1.0 * C.rows * C.columns * A.columns < kWorthWaking) run.threads = 1;
  const int32_t result = xt::multiply(run, table, args);
  if (result != XT_OK) status = result;
}

double Algebra::norm(const View& A) {
  double sum = 0;
  const auto& table = run_.kernels->f64;
  if (A.stride == A.columns) return std::sqrt(table.sum_squares(A.data, nullptr, {0, A.rows * A.columns}));
  for (size_t r = 0; r < A.rows; ++r) sum += table.sum_squares(A.row(r), nullptr, {0, A.columns});
  return std::sqrt(sum);
}

Buffer::Buffer(Algebra& algebra, size_t rows, size_t columns, Content content, size_t padding) {
  size_t stride, count, bytes;
  if (__builtin_add_overflow(columns, padding, &stride) || __builtin_mul_overflow(rows, stride, &count) ||
      __builtin_mul_overflow(count, sizeof(double), &bytes) || bytes > SIZE_MAX / 2) {
    algebra.status = XT_MEMORY;
    return;
  }
  block_ = take_block(bytes);
  if (block_.data == nullptr) {
    algebra.status = XT_MEMORY;
    return;
  }
  double* data = static_cast<double*>(block_.data);
  // And to the end of the block, which vectors read.
  if (content == Content::zeros) std::fill_n(data, padded(bytes) / sizeof(double), 0.0);
  view_ = {data, rows, columns, stride};
}

double scale_of(const double* A, size_t count) {
  double largest = 0, poison = 0;
  for (size_t n = 0; n < count; ++n) {
    const double size = std::fabs(A[n]);
    largest = size > largest ? size : largest;
    poison += A[n] * 0.0;  // NaN for what is not finite
  }
  if (poison != 0 || largest == 0) return poison != 0 ? NAN : 0;
  int exponent;
  std::frexp(largest, &exponent);
  // Its inverse is a number too.
  return std::ldexp(1.0, std::clamp(-exponent, -1022, 1022));
}

}  // namespace xt
