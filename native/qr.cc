// Householder QR in blocks, and xt_qr. Nearly all of the work is products: a panel of kPanelColumns columns
// in one kernel, panels joined to blocks of kBlock, blocks applied to all that is right of them.
#include <algorithm>
#include <cmath>

#include "linalg.h"

namespace xt {

Reflectors::Reflectors(Algebra& algebra, size_t rows, size_t most)
    : algebra_(algebra),
      V_(algebra, rows, most, Content::any),
      T_(algebra, (most + kBlock - 1) / kBlock * kBlock, kBlock),
      tau_(algebra, 1, most) {}

Reflectors::Block Reflectors::block(size_t first) const {
  return {first, std::min(kBlock, count_ - first), first};
}

// T[j,j] = −tau_j, T[j,:j] = −tau_j (Vᵀv_j)ᵀ T[:j,:j]
void Reflectors::make_T(const Block& block) {
  const View V = V_.view().part(block.row, block.first, V_.view().rows - block.row, block.width);
  const View T = T_.view().part(block.first, 0, block.width, block.width);
  Buffer products(algebra_, block.width, block.width, Content::any);
  if (!algebra_.good()) return;
  algebra_.multiply(products.view(), transposed(V), V);
  for (size_t j = 0; j < block.width; ++j) {
    const double tau = tau_.data()[block.first + j];
    double* row = T.row(j);
    std::fill_n(row, block.width, 0.0);
    for (size_t k = 0; k < j; ++k) {
      const double factor = -tau * products.view().at(j, k);
      for (size_t i = 0; i <= k; ++i) row[i] += factor * T.at(k, i);
    }
    row[j] = -tau;
  }
}

void Reflectors::apply(const Block& block, const View& A, bool transpose) {
  if (A.columns == 0 || !algebra_.good()) return;
  const View V = V_.view().part(block.row, block.first, A.rows, block.width);
  const View T = T_.view().part(block.first, 0, block.width, block.width);
  Buffer projected(algebra_, block.width, A.columns, Content::any);
  Buffer weighted(algebra_, block.width, A.columns, Content::any);
  if (!algebra_.good()) return;
  algebra_.multiply(projected.view(), transposed(V), A);
  algebra_.multiply(weighted.view(), transpose ? Factor(T) : transposed(T), projected.view());
  algebra_.multiply(A, V, weighted.view(), true);
}

void Reflectors::factor(const View& A, size_t most) {
  const size_t start = count_, wanted = std::min({A.rows, A.columns, most});
  Buffer panel(algebra_, A.rows, kPanelColumns, Content::any);
  for (size_t done = 0; done < wanted && algebra_.good();) {
    const size_t block_width = std::min(kBlock, wanted - done);
    for (size_t at = done; at < done + block_width && algebra_.good();) {
      const size_t width = std::min(kPanelColumns, done + block_width - at);
      const View columns = A.part(at, at, A.rows - at, width);
      const View work{panel.data(), columns.rows, width, kPanelColumns};
      if (width < kPanelColumns) fill({panel.data(), columns.rows, kPanelColumns, kPanelColumns}, 0);
      copy(columns, work);
      algebra_.kernels().reflect_panel(panel.data(), columns.rows, width, tau_.data() + start + at);
      const View V = V_.view().part(start + at, start + at, columns.rows, width);
      // Zeros above in the block, this one or one that is cut elsewhere, and below where A ends before the
      // vectors do.
      const size_t above = std::min(start + done, (start + at) / kBlock * kBlock);
      fill(V_.view().part(above, start + at, start + at - above, width), 0);
      const size_t end = start + A.rows;
      fill(V_.view().part(end, start + at, V_.view().rows - end, width), 0);
      copy(work, V);
      for (size_t r = 0; r < width; ++r) {
        for (size_t c = r; c < width; ++c) {
          columns.at(r, c) = work.at(r, c);
          V.at(r, c) = r == c;
        }
        std::fill_n(columns.row(r), r, 0.0);
      }
      fill(columns.part(width, 0, columns.rows - width, width), 0);
      const Block narrow{start + at, width, start + at};
      count_ = start + at + width;
      make_T(narrow);
      // The rest of the block; what is right of the block waits for all of it.
      at += width;
      apply(narrow, A.part(at - width, at, A.rows - at + width, done + block_width - at), true);
    }
    const Block wide{start + done, block_width, start + done};
    make_T(wide);
    apply(wide, A.part(done, done + block_width, A.rows - done, A.columns - done - block_width), true);
    done += block_width;
  }
}

void Reflectors::apply_to(const View& A) {
  for (size_t blocks = (count_ + kBlock - 1) / kBlock; blocks-- > 0 && algebra_.good();) {
    const Block now = block(blocks * kBlock);
    make_T(now);
    apply(now, A.part(now.row, 0, A.rows - now.row, A.columns), false);
  }
}

void Reflectors::form(const View& Q) {
  fill(Q, 0);
  for (size_t n = 0; n < std::min(Q.rows, Q.columns); ++n) Q.at(n, n) = 1;
  for (size_t blocks = (count_ + kBlock - 1) / kBlock; blocks-- > 0 && algebra_.good();) {
    const Block now = block(blocks * kBlock);
    make_T(now);
    // Columns before the block are still those of the identity, zero in its rows.
    const size_t from = std::min(now.first, Q.columns);
    apply(now, Q.part(now.row, from, Q.rows - now.row, Q.columns - from), false);
  }
}

void Reflectors::take(const Factor& vectors, const double* taus, size_t shift) {
  const View V = V_.view().part(0, 0, vectors.rows, vectors.columns);
  fill(V_.view(), 0);
  copy(vectors, V);
  for (size_t r = 0; r < V.rows; ++r) {
    for (size_t j = r < shift ? 0 : r - shift + 1; j < V.columns; ++j) V.at(r, j) = 0;
  }
  std::copy_n(taus, V.columns, tau_.data());
  count_ = V.columns;
}

bool is_tall(size_t rows, size_t columns) { return rows > 8 * columns && rows > 2048; }

// A slice of rows after the other: each is put below the R of those before, in memory that stays in cache
// (sequential TSQR, Demmel et al., SIAM J. Sci. Comput. 34, 2012).
void triangle(Algebra& algebra, const Factor& A, double scale, const View& R) {
  const size_t n = A.columns, slice = std::max<size_t>(512, 3 * n);
  Buffer stacked(algebra, n + slice, n);
  Reflectors reflectors(algebra, n + slice, n);
  if (!algebra.good()) return;
  const View all = stacked.view();
  for (size_t at = 0; at < A.rows && algebra.good(); at += slice) {
    const size_t count = std::min(slice, A.rows - at);
    copy_scaled(A.part(at, 0, count, n), scale, all.part(n, 0, count, n));
    fill(all.part(n + count, 0, slice - count, n), 0);
    reflectors.clear();
    reflectors.factor(all);
  }
  copy(all.part(0, 0, n, n), R);
}

}  // namespace xt

int32_t xt_qr(uint32_t context, size_t m, size_t n, const double* A, double* Q, double* R) {
  const size_t k = std::min(m, n);
  if (!xt::holds_doubles(A, {m, n}) || !xt::holds_doubles(R, {k, n}) || (Q && !xt::holds_doubles(Q, {m, k})))
    return XT_ARGUMENT;
  xt::Algebra algebra(context);
  if (!algebra.good() || k == 0) return algebra.status;
  const double scale = xt::scale_of(A, m * n);
  if (std::isnan(scale)) return XT_NUMERIC;
  const double scale_back = scale ? 1 / scale : 0;
  const xt::Factor all(A, m, n, n, 1);
  const xt::View result{R, k, n, n};
  if (Q == nullptr && xt::is_tall(m, n)) {
    xt::triangle(algebra, all, scale, result);
    xt::scale(result, scale_back);
    return algebra.status;
  }
  xt::Buffer work(algebra, m, n, xt::Content::any);
  xt::Reflectors reflectors(algebra, m, k);
  if (!algebra.good()) return algebra.status;
  xt::copy_scaled(all, scale, work.view());
  reflectors.factor(work.view());
  xt::copy_scaled(work.view().part(0, 0, k, n), scale_back, result);
  if (Q != nullptr) reflectors.form({Q, m, k, k});
  return algebra.status;
}
