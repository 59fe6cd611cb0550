#include "tall.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace xt {

namespace {

// to[r,c] ← A[row_at[r] + column_at[c]]
void gather(const double* A, const int32_t* row_at, const int32_t* column_at, const View& to) {
  for (size_t r = 0; r < to.rows; ++r) {
    const double* from = A + row_at[r];
    double* row = to.row(r);
    for (size_t c = 0; c < to.columns; ++c) row[c] = from[column_at[c]];
  }
}

}  // namespace

bool Elements::fit() const {
  if (!holds_doubles(A, {m, n})) return false;
  if (places == nullptr) return true;
  size_t count, last = 0;
  if (__builtin_add_overflow(m, n, &count) || !holds_words(places, {count})) return false;
  if (m == 0 || n == 0) return true;
  for (const auto& [from, to] : {std::pair{places, places + m}, std::pair{places + m, places + count}}) {
    if (*std::min_element(from, to) < 0) return false;
    last += static_cast<size_t>(*std::max_element(from, to));
  }
  return last < m * n;
}

Tall::Tall(Algebra& algebra, const Elements& of)
    : is_wide(of.m < of.n),
      rows(std::max(of.m, of.n)),
      columns(std::min(of.m, of.n)),
      algebra_(algebra),
      all_(of.A, rows, columns, is_wide ? 1 : columns, is_wide ? rows : 1) {
  if (of.places) {
    gathered_.emplace(algebra, rows, columns, Content::any);
    if (!algebra.good()) return;
    const int32_t *row_at = of.places, *column_at = of.places + of.m;
    gather(of.A, is_wide ? column_at : row_at, is_wide ? row_at : column_at, gathered_->view());
    all_ = gathered_->view();
  }
  const size_t count = rows * columns;
  norm_ = algebra.norm({const_cast<double*>(all_.data), 1, count, count});
  scale = norm_ > 0x1p-300 && norm_ < 0x1p300 ? 1 : scale_of(all_.data, count);
}

View Tall::copy(bool only_R) {
  const bool is_triangle = only_R && is_tall(rows, columns);
  if (gathered_ && !is_triangle && scale == 1) return gathered_->view();
  copied_.emplace(algebra_, is_triangle ? columns : rows, columns, Content::any);
  if (!algebra_.good()) return copied_->view();
  if (is_triangle) {
    triangle(algebra_, all_, scale, copied_->view());
  } else if (scale == 1) {
    xt::copy(all_, copied_->view());
  } else {
    copy_scaled(all_, scale, copied_->view());
  }
  if (scale != 1) norm_ = algebra_.norm(copied_->view());
  return copied_->view();
}

}  // namespace xt
