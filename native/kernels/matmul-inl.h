// The product of two plain matrices, whose shapes have no pattern: linear algebra multiplies a few rows with
// many, many with a few terms. Some hundred rows of A stay packed in the second-level cache; a panel of B is
// packed into the first-level one right before it meets them, so that it is never written further than that,
// and the next one is fetched meanwhile.
#pragma once
#include "gemm-inl.h"

namespace xt::XT_ISA {

// Rows of A that stay packed: half a MiB of float64 with the padding of panels.
template <class T>
constexpr size_t resident_rows = (256 / panel_rows<T>)*MR<T>;

// The panels of A, terms [k, k + kc) of `rows`, against all columns of B; C[m, n] at C[rows[m] + n].
template <class T>
void multiply_resident(const Side<T>& A, const Side<T>& B, size_t N, Slice rows, size_t k, size_t kc, T* C,
                       const size_t* row_offsets, bool accumulate, T* packed_A, T* packed_B) {
  for (size_t row = rows.begin; row < rows.end; row += MR<T>) {
    A.panel(A.source, row, smaller(rows.end - row, MR<T>), panel_rows<T>, k, kc,
            packed_A + packed_A_size<T>(row - rows.begin, kc));
  }
  for (size_t n = 0; n < N; n += NR<T>) {
    const size_t columns = smaller(N - n, NR<T>), next = smaller(N - n - columns, NR<T>);
    B.panel(B.source, n, columns, round_up(columns, lanes<T>), k, kc, packed_B);
    Prefetch ahead;
    if (B.stream && next > 0) {
      const size_t tiles = (rows.size() + MR<T> - 1) / MR<T>, stride = B.stream_row;
      ahead = {B.stream + k * stride + n + columns, kc, sizeof(T) * next, sizeof(T) * stride, tiles, kc};
    }
    multiply_block<T>(kc, columns, packed_A, packed_B, {C + n, row_offsets, nullptr}, rows.size(), accumulate,
                      ahead);
  }
}

template <class T>
bool matmul(const MatmulArgs<T>& args, Slice m) {
  if (args.K == 0) {
    if (!args.accumulate) clear_dense(m, {0, args.N}, args.C, args.C_row_stride);
    return true;
  }
  const size_t most = smaller(m.size(), resident_rows<T>), terms = smaller(args.K, KC);
  const size_t size_A = packed_A_size<T>(most, terms) + lanes<T>, size_B = packed_B_size<T>(terms, NR<T>);
  Room room;
  room.add<size_t>(m.size()).template add<T>(size_A).template add<T>(size_B);
  if (!scratch().reserve(room)) return false;
  size_t* offsets = scratch().take<size_t>(m.size());
  T *packed_A = scratch().take<T>(size_A), *packed_B = scratch().take<T>(size_B);
  dense_rows(offsets, m, args.C_row_stride);
  const Matrix<T> transposed_B = transposed(args.B);
  const Side<T> A{&args.A, pack_matrix_panel<T>}, B = side_of_transposed(transposed_B, args.N);
  for (size_t row = m.begin; row < m.end; row += resident_rows<T>) {
    const Slice rows{row, smaller(m.end, row + resident_rows<T>)};
    for (size_t k = 0; k < args.K; k += KC) {
      multiply_resident(A, B, args.N, rows, k, smaller(args.K - k, KC), args.C, offsets + (row - m.begin),
                        args.accumulate || k > 0, packed_A, packed_B);
    }
  }
  return true;
}

}  // namespace xt::XT_ISA
