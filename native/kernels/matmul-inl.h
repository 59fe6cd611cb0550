// The product of two plain matrices, whose shapes have no pattern: linear algebra multiplies a few rows with
// many, many with a few terms, a matrix larger than any cache with a few columns. What is small stays packed
// in the second-level cache; a panel of the other side is packed into the first-level one right before it
// meets that, so that it is never written further, and the next one is fetched meanwhile.
#pragma once
#include "gemm-inl.h"

namespace xt::XT_ISA {

// Rows of A that stay packed: half a MiB of float64 with the padding of panels.
template <class T>
constexpr size_t resident_rows = (256 / panel_rows<T>)*MR<T>;
// Elements of B that may stay packed instead, and how few columns or terms it is worth for: the panels of A,
// or the rows of C, are what comes from memory then, and are met once and from front to back.
template <class T>
constexpr size_t resident_B = 3 * 131072 / sizeof(T);
constexpr size_t most_narrow = 64;

// The panels of A, terms [k, k + kc) of `rows`, against all columns of B; C[m, n] at C[rows[m] + n].
template <class T>
void multiply_resident(const Side<T>& A, const Side<T>& B, size_t N, Slice rows, size_t k, size_t kc, T* C,
                       const size_t* row_offsets, bool accumulate, T* packed_A, T* packed_B) {
  for (size_t row = rows.begin; row < rows.end; row += MR<T>) {
    A.panel(A.source, row, smaller(rows.end - row, MR<T>), panel_rows<T>, k, kc,
            packed_A + packed_A_size<T>(row - rows.begin, kc));
  }
  for (size_t n = 0; n < N; n += NR<T>) {
    const size_t count = smaller(N - n, NR<T>), next = smaller(N - n - count, NR<T>);
    B.panel(B.source, n, count, round_up(count, lanes<T>), k, kc, packed_B);
    Prefetch ahead;
    if (B.stream && next > 0) {
      const size_t tiles = (rows.size() + MR<T> - 1) / MR<T>, stride = B.stream_row;
      ahead = {B.stream + k * stride + n + count, kc, sizeof(T) * next, sizeof(T) * stride, tiles, kc};
    }
    multiply_block<T>(kc, count, packed_A, packed_B, {C + n, row_offsets, nullptr}, rows.size(), accumulate,
                      ahead);
  }
}

// The same with all columns of B packed, and one panel of A after the other.
template <class T>
void multiply_streamed(const Matrix<T>& A, const Side<T>& B, size_t N, Slice rows, size_t k, size_t kc, T* C,
                       const size_t* row_offsets, bool accumulate, T* packed_A, T* packed_B) {
  pack_B(B, 0, N, k, kc, packed_B);
  const size_t tiles = (N + NR<T> - 1) / NR<T>;
  for (size_t row = rows.begin; row < rows.end; row += MR<T>) {
    const size_t count = smaller(rows.end - row, MR<T>), next = smaller(rows.end - row - count, MR<T>);
    pack_matrix_panel<T>(&A, row, count, panel_rows<T>, k, kc, packed_A);
    Prefetch ahead;
    if (A.col_stride == 1 && next > 0) {
      const T* from = A.data + (row + count) * A.row_stride + k;
      ahead = {from, next, sizeof(T) * kc, sizeof(T) * A.row_stride, tiles, kc};
    }
    multiply_block<T>(kc, N, packed_A, packed_B, {C, row_offsets + (row - rows.begin), nullptr}, count,
                      accumulate, ahead);
  }
}

template <class T>
bool matmul(const MatmulArgs<T>& args, Slice m) {
  if (args.K == 0) {
    if (!args.accumulate) clear_dense(m, {0, args.N}, args.C, args.C_row_stride);
    return true;
  }
  const size_t terms = smaller(args.K, KC), N = args.N;
  const bool streams =
      (N <= most_narrow || args.K <= most_narrow) && packed_B_size<T>(terms, N) <= resident_B<T>;
  const size_t most = smaller(m.size(), streams ? MR<T> : resident_rows<T>);
  const size_t size_A = packed_A_size<T>(most, terms) + lanes<T>,
               size_B = packed_B_size<T>(terms, streams ? N : NR<T>);
  Room room;
  room.add<size_t>(m.size()).template add<T>(size_A).template add<T>(size_B);
  if (!scratch().reserve(room)) return false;
  size_t* offsets = scratch().take<size_t>(m.size());
  T *packed_A = scratch().take<T>(size_A), *packed_B = scratch().take<T>(size_B);
  dense_rows(offsets, m, args.C_row_stride);
  const Matrix<T> transposed_B = transposed(args.B);
  const Side<T> A{&args.A, pack_matrix_panel<T>}, B = side_of_transposed(transposed_B, N);
  for (size_t row = m.begin; row < m.end; row += streams ? m.size() : resident_rows<T>) {
    const Slice rows{row, streams ? m.end : smaller(m.end, row + resident_rows<T>)};
    const size_t* at = offsets + (row - m.begin);
    for (size_t k = 0; k < args.K; k += KC) {
      const size_t kc = smaller(args.K - k, KC);
      const bool accumulate = args.accumulate || k > 0;
      if (streams) {
        multiply_streamed(args.A, B, N, rows, k, kc, args.C, at, accumulate, packed_A, packed_B);
      } else {
        multiply_resident(A, B, N, rows, k, kc, args.C, at, accumulate, packed_A, packed_B);
      }
    }
  }
  return true;
}

}  // namespace xt::XT_ISA
