// The blocked product that every contraction runs on: panels of A and B packed into cache, a register tile
// over them. What A and B are (a matrix, ξ of several operands) is known only to the functions that pack
// their panels, what ⊗ and ⊕ are only to the tile.
//
// Loop nest and names after Goto & van de Geijn (ACM TOMS 34, 2008): KC × NC of B stays in L2, MC × KC of A
// streams past it, an MR × NR tile of C lives in registers. Every C[m,n] is reduced over k in the same order
// whatever its place in a tile, so the result does not depend on how rows are cut for threads.
#pragma once
#include "../handover.h"
#include "one_panel-inl.h"

namespace xt::XT_ISA {

constexpr size_t KC = 256;
template <class T>
constexpr size_t MC = 8 * MR<T>;
template <class T>
constexpr size_t NC = round_up(2048 / sizeof(T), NR<T>);

// One side of a product. `panel` packs [at, at + count) × [k, k + kc) as [kc][width]; `begin`, where there is
// one, is told of every block of k before its panels are packed.
template <class T>
using PackPanel = void (*)(const void* source, size_t at, size_t count, size_t width, size_t k, size_t kc,
                           T* to);
template <class T>
using PackBlock = void (*)(const void* source, size_t at, size_t count, size_t k, size_t kc, T* to);
// A whole panel of A against one of B, both of them packed, that also packs the panel of A that begins at
// `row`.
template <class T>
using PanelBeside = void (*)(const void* source, size_t row, size_t k, size_t kc, T* to, const T* A,
                             const T* B, T* C, const size_t* row_offsets, bool accumulate, Prefetch& ahead);
template <class T>
struct Side {
  const void* source;
  PackPanel<T> panel;
  void (*begin)(const void* source, size_t k, size_t kc) = nullptr;
  // For A, where neighbouring panels are better packed together: those of rows [at, at + count).
  PackBlock<T> block = nullptr;
  // For A, where the next panel can be packed while one is multiplied.
  PanelBeside<T> beside = nullptr;
  // Where B lies in one piece with `stream_row` elements for each k, or null: for fetching ahead.
  const T* stream = nullptr;
  size_t stream_row = 0;
  // B's panels, block after block, as pack_whole made them, or null.
  const T* packed = nullptr;
};

// A matrix whose rows are the panel's.
template <class T>
void pack_matrix_panel(const void* source, size_t row, size_t rows, size_t width, size_t k0, size_t kc,
                       T* to) {
  if (kc == 0) return;
  const Matrix<T>& A = *static_cast<const Matrix<T>*>(source);
  const T* from = A.data + row * A.row_stride + k0 * A.col_stride;
  if (A.col_stride == 1 && A.row_stride != 1) {
    transpose_copy(from, A.row_stride, rows, kc, to, width);
  } else if (A.row_stride == 1) {
    // Vectors that reach beyond the rows read what belongs to the next k; after the last k there is nothing
    // to read.
    const size_t reach = round_up(rows, lanes<T>);
    const size_t safe = rows == reach ? kc : rows + A.col_stride >= reach ? kc - 1 : 0;
    for (size_t k = 0; k < safe; ++k) {
      for (size_t r = 0; r < reach; r += lanes<T>)
        store(to + k * width + r, load(from + k * A.col_stride + r));
    }
    for (size_t k = safe; k < kc; ++k) {
      for (size_t r = 0; r < rows; r += lanes<T>) {
        const size_t present = smaller(rows - r, lanes<T>);
        store(to + k * width + r, load_part(from + k * A.col_stride + r, present));
      }
    }
  } else {
    for (size_t k = 0; k < kc; ++k) {
      for (size_t r = 0; r < width; ++r) {
        to[k * width + r] = r < rows ? from[k * A.col_stride + r * A.row_stride] : T(0);
      }
    }
  }
}

// Copies [rows, columns] into rows of `stride`, zeros behind the columns.
template <class T>
void pad_rows(const T* from, size_t rows, size_t columns, size_t stride, T* to) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t n = 0; n < stride; ++n) to[r * stride + n] = n < columns ? from[r * columns + n] : T(0);
  }
}

// B [K, N] as a side: its columns are what a panel calls rows.
template <class T>
XT_INLINE Matrix<T> transposed(const Matrix<T>& B) {
  return {B.data, B.col_stride, B.row_stride};
}

template <class T>
Side<T> side_of_transposed(const Matrix<T>& B, size_t N) {
  Side<T> side{&B, pack_matrix_panel<T>};
  if (B.row_stride == 1 && B.col_stride >= N) {
    side.stream = B.data;
    side.stream_row = B.col_stride;
  }
  return side;
}

// Elements of the packed panels of `rows` rows, a multiple of MR but for the last block.
template <class T>
constexpr size_t packed_A_size(size_t rows, size_t kc) {
  return (rows + MR<T> - 1) / MR<T> * panel_rows<T> * kc;
}

// Elements that pack_B writes for a block of kc × nc.
template <class T>
constexpr size_t packed_B_size(size_t kc, size_t nc) {
  return kc * round_up(nc, NR<T>);
}

// Columns [n, n + nc) of B into panels [kc][W·lanes]. A B that lies in one piece is read from front to back,
// into all panels at once: panel after panel would jump from page to page.
template <class T>
void pack_B(const Side<T>& B, size_t n, size_t nc, size_t k, size_t kc, T* to) {
  if (B.stream && nc % lanes<T> == 0) {
    for (size_t row = 0; row < kc; ++row) {
      const T* from = B.stream + (k + row) * B.stream_row + n;
      for (size_t at = 0; at < nc; at += NR<T>) {
        const size_t width = smaller(nc - at, NR<T>);
        T* panel = to + at * kc + row * width;
        for (size_t c = 0; c < width; c += lanes<T>) store(panel + c, load(from + at + c));
      }
    }
    return;
  }
  for (size_t at = 0; at < nc; at += NR<T>) {
    const size_t cols = smaller(nc - at, NR<T>);
    B.panel(B.source, n + at, cols, round_up(cols, lanes<T>), k, kc, to + at * kc);
  }
}

// All of B, in the order in which gemm comes upon its blocks.
template <class T>
size_t packed_whole_size(size_t N, size_t K) {
  return N / NC<T> * packed_B_size<T>(K, NC<T>) + packed_B_size<T>(K, N % NC<T>);
}
// Where the panel lies that begins at column n, a multiple of NR, in a block of kc terms from k.
template <class T>
XT_INLINE size_t packed_block_at(size_t N, size_t K, size_t n, size_t k, size_t kc) {
  const size_t block = n / NC<T> * NC<T>;
  return packed_B_size<T>(K, block) + packed_B_size<T>(k, smaller(N - block, NC<T>)) + (n - block) * kc;
}
template <class T>
void pack_whole(const Side<T>& B, size_t N, size_t K, T* to) {
  for (size_t n = 0; n < N; n += NC<T>) {
    for (size_t k = 0; k < K; k += KC) {
      const size_t kc = smaller(K - k, KC);
      if (B.begin) B.begin(B.source, k, kc);
      pack_B(B, n, smaller(N - n, NC<T>), k, kc, to + packed_block_at<T>(N, K, n, k, kc));
    }
  }
}

// Room for a block of B and one of A; at most half a megabyte and 120 kB.
template <class T>
XT_INLINE Room& add_gemm_room(Room& room, size_t N, size_t K) {
  const size_t kc = smaller(K, KC);
  return room.add<T>(packed_B_size<T>(kc, smaller(N, NC<T>)))
      .template add<T>(packed_A_size<T>(MC<T>, kc) + lanes<T>);
}

template <class T>
struct GemmScratch {
  T *B, *A;
  GemmScratch(size_t N, size_t K)
      : B(scratch().take<T>(packed_B_size<T>(smaller(K, KC), smaller(N, NC<T>)))),
        A(scratch().take<T>(packed_A_size<T>(MC<T>, smaller(K, KC)) + lanes<T>)) {}
};

// What is fetched while the block of `columns` and k is multiplied: the next one of the same columns.
template <class T>
Prefetch next_block(const Side<T>& B, size_t N, size_t K, Slice columns, size_t k, size_t tiles) {
  const size_t kc = smaller(KC, K - k), next = smaller(KC, K - k - kc), nc = columns.size();
  if (next == 0) return {};
  if (B.packed) {
    const T* from = B.packed + packed_block_at<T>(N, K, columns.begin, k + kc, next);
    return {from, 1, sizeof(T) * packed_B_size<T>(next, nc), 0, tiles, kc};
  }
  if (!B.stream) return {};
  const T* from = B.stream + (k + kc) * B.stream_row + columns.begin;
  if (nc == B.stream_row) return {from, 1, sizeof(T) * next * nc, 0, tiles, kc};
  return {from, next, sizeof(T) * nc, sizeof(T) * B.stream_row, tiles, kc};
}

// Packs a block of A's rows and multiplies it with a block of B. Where a panel can be packed while the one
// before it meets the first of B, packing takes no time of its own but for the first: it needs ports and
// dispatch slots that multiply-adds leave free.
template <class T, class Kernel>
void pack_and_multiply(const Side<T>& A, Slice rows, size_t k, size_t kc, size_t nc, T* packed, const T* B,
                       Target<T> to, bool accumulate, Prefetch& ahead, Kernel&& kernel) {
  const auto panel = [&](size_t row) { return packed + packed_A_size<T>(row - rows.begin, kc); };
  const auto pack = [&](size_t row) {
    A.panel(A.source, row, smaller(rows.end - row, MR<T>), panel_rows<T>, k, kc, panel(row));
  };
  if (A.block) {
    A.block(A.source, rows.begin, rows.size(), k, kc, packed);
  } else if (A.beside && nc >= NR<T>) {
    size_t row = rows.begin;
    pack(row);
    for (; row + MR<T> < rows.end; row += MR<T>) {
      A.beside(A.source, row + MR<T>, k, kc, panel(row + MR<T>), panel(row), B, to.data,
               to.rows + (row - rows.begin), accumulate, ahead);
    }
    const Target<T> last{to.data, to.rows + (row - rows.begin), nullptr};
    kernel(kc, NR<T>, panel(row), B, last, rows.end - row, accumulate, ahead);
    B += NR<T> * kc;
    to.data += NR<T>;
    nc -= NR<T>;
  } else {
    for (size_t row = rows.begin; row < rows.end; row += MR<T>) pack(row);
  }
  kernel(kc, nc, packed, B, to, rows.size(), accumulate, ahead);
}

// C[m, n] (⊕)= ⊕_k A[m, k] ⊗ B[k, n] for m and n in their slices, at most NC columns, and k from `first`;
// `to` begins at the first of both. `kernel` is reduce_block for some pair, and `give_away` takes from the
// ends of m and n, before it comes to the terms from k on, what another thread goes on with. The caller added
// its room.
template <class T, class Kernel, class GiveAway>
void gemm_columns(Slice& m, Slice& columns, size_t first, size_t N, size_t K, const Side<T>& A,
                  const Side<T>& B, Target<T> to, bool accumulate, const GemmScratch<T>& packed,
                  Kernel&& kernel, GiveAway&& give_away) {
  for (size_t k = first; k < K; k += KC) {
    give_away(k);
    const size_t n = columns.begin, nc = columns.size(), kc = smaller(K - k, KC);
    if (A.begin) A.begin(A.source, k, kc);
    const T* block_B = packed.B;
    if (B.packed) {
      block_B = B.packed + packed_block_at<T>(N, K, n, k, kc);
    } else {
      if (B.begin) B.begin(B.source, k, kc);
      pack_B(B, n, nc, k, kc, packed.B);
    }
    const size_t tiles = (m.size() + MR<T> - 1) / MR<T> * ((nc + NR<T> - 1) / NR<T>);
    Prefetch ahead = next_block(B, N, K, columns, k, tiles);
    for (size_t block = m.begin; block < m.end; block += MC<T>) {
      const Slice rows{block, smaller(m.end, block + MC<T>)};
      const Target<T> at{to.data, to.rows + (block - m.begin), to.columns};
      pack_and_multiply(A, rows, k, kc, nc, packed.A, block_B, at, accumulate || k > 0, ahead, kernel);
    }
  }
}

template <class T>
void multiply_block(size_t kc, size_t nc, const T* A, const T* B, Target<T> to, size_t rows, bool accumulate,
                    Prefetch& ahead) {
  reduce_block(panel_kernels<T, SumOf<fast::xi_product>>, kc, nc, A, B, to, rows, accumulate, ahead,
               single_columns<T>());
}

// Offsets of the rows of a dense C.
XT_INLINE void dense_rows(size_t* offsets, Slice m, size_t stride) {
  for (size_t row = m.begin; row < m.end; ++row) offsets[row - m.begin] = row * stride;
}

template <class T>
void clear_dense(Slice m, Slice n, T* C, size_t stride) {
  for (size_t row = m.begin; row < m.end; ++row) {
    for (size_t column = n.begin; column < n.end; ++column) C[row * stride + column] = 0;
  }
}

// Where a slice of a dense C grows over the blocks of k, if not in C itself. Rows of a thread that lie beside
// another's are fetched ahead by that one's core, which takes them from the caches of this one: two threads
// lost up to a fifth.
template <class T>
struct Partial {
  static constexpr size_t apart = 4096 / sizeof(T);  // further than cores fetch ahead
  T* data = nullptr;
  size_t stride = 0;

  static constexpr size_t width(size_t N) { return round_up(smaller(N, NC<T>), lanes<T>); }
  static bool wanted(size_t K) { return K > KC; }
  static Room& plan(Room& room, Slice m, size_t N, size_t K) {
    return wanted(K) ? room.add<T>(m.size(), width(N)).template add<T>(2 * apart) : room;
  }
  static Partial take(Slice m, size_t N, size_t K) {
    if (!wanted(K)) return {};
    return {scratch().take<T>(m.size() * width(N) + 2 * apart) + apart, width(N)};
  }

  // To and from C, whose first row here is `first_row` and first column `first_column`.
  void store_into(T* C, size_t C_stride, Slice m, Slice n, size_t first_row, size_t first_column) const {
    for (size_t row = m.begin; row < m.end; ++row) {
      const T* from = data + (row - first_row) * stride + (n.begin - first_column);
      __builtin_memcpy(C + row * C_stride + n.begin, from, n.size() * sizeof(T));
    }
  }
  void load_from(const T* C, size_t C_stride, Slice m, Slice n) const {
    for (size_t row = m.begin; row < m.end; ++row) {
      __builtin_memcpy(data + (row - m.begin) * stride, C + row * C_stride + n.begin, n.size() * sizeof(T));
    }
  }
};

// C[m, n] (+)= Σ_k A[m, k] B[k, n] for one panel of rows and a B that lies in one piece, of which only what
// is left of a tile is packed, or is packed as a whole. Sums are those of other products, to the bit.
template <class T>
void gemm_one_panel(Slice m, Slice n, size_t N, size_t K, const Side<T>& A, const Side<T>& B, T* C,
                    const size_t* offsets, bool accumulate, const GemmScratch<T>& packed) {
  const auto tile = one_panel_tile_of<T>(m.size(), B.packed);
  const size_t rest = n.size() % tile.columns, whole = n.end - rest;
  for (size_t k = 0; k < K; k += KC, accumulate = true) {
    const size_t kc = smaller(K - k, KC);
    const auto at = [&](size_t column) {
      return B.packed ? B.packed + packed_block_at<T>(N, K, column, k, kc)
                      : B.stream + k * B.stream_row + column;
    };
    A.panel(A.source, m.begin, m.size(), panel_rows<T>, k, kc, packed.A);
    Prefetch ahead = next_block(B, N, K, n, k, n.size() / tile.columns + 1);
    for (size_t column = n.begin; column < whole; column += tile.columns) {
      tile.reduce(kc, packed.A, at(column), B.packed ? NR<T> : B.stream_row, C + column, offsets, m.size(),
                  accumulate, ahead);
    }
    if (rest == 0) continue;
    if (!B.packed) pack_B(B, whole, rest, k, kc, packed.B);
    multiply_block<T>(kc, rest, packed.A, B.packed ? at(whole) : packed.B, {C + whole, offsets, nullptr},
                      m.size(), accumulate, ahead);
  }
}

// Blocks of k below which what is left of begun columns is not worth giving away: whoever takes it transposes
// its operands first, which takes as long as one.
constexpr size_t fewest_blocks = 4;

// Half of what is left of a product that has come to the terms from k on: columns that it has not begun,
// columns, or rows. `columns` are those it is at, which end before n_end; false if there is nothing to give.
template <class T>
bool halve(Piece& piece, Slice m, Slice columns, size_t n_end, size_t first, size_t k, size_t K) {
  const size_t later = (n_end - columns.end + NC<T> - 1) / NC<T>;
  const size_t tiles = (columns.size() + NR<T> - 1) / NR<T>, panels = (m.size() + MR<T> - 1) / MR<T>;
  if (later > 0) {
    piece = {m, {columns.end + later / 2 * NC<T>, n_end}, first};
    return true;
  }
  if (K - k < fewest_blocks * KC || (tiles == 1 && panels == 1)) return false;
  if (tiles > 1) {
    piece = {m, {columns.begin + (tiles + 1) / 2 * NR<T>, columns.end}, k};
  } else {
    piece = {{m.begin + (panels + 1) / 2 * MR<T>, m.end}, columns, k};
  }
  return true;
}

// C[m, n] (+)= Σ_k A[m, k] B[k, n] for m and n in their slices, that of n from a multiple of NR, and a dense
// C of row stride C_stride, which holds the sum of the terms before `first`. If there is a `handover`, C
// grows in `partial`.
template <class T>
void gemm_dense(Slice m, Slice n, size_t N, size_t K, const Side<T>& A, const Side<T>& B, T* C,
                size_t C_stride, bool accumulate, Partial<T> partial = {}, size_t first = 0,
                Handover* handover = nullptr) {
  if (K == 0 && !accumulate) clear_dense(m, n, C, C_stride);
  const GemmScratch<T> packed(N, K);
  size_t* offsets = scratch().take<size_t>(m.size());
  if (first == 0 && m.size() <= MR<T> && (B.stream || B.packed) && !A.block) {
    dense_rows(offsets, m, C_stride);
    return gemm_one_panel(m, n, N, K, A, B, C, offsets, accumulate, packed);
  }
  dense_rows(offsets, partial.data ? Slice{0, m.size()} : m, partial.data ? partial.stride : C_stride);
  for (Slice columns = n; columns.begin < n.end; columns.begin = columns.end) {
    columns.end = smaller(n.end, (columns.begin / NC<T> + 1) * NC<T>);
    const auto give_away = [&](size_t k) {
      Piece piece;
      if (!handover || !handover->is_wanted()) return;
      if (!halve<T>(piece, m, columns, n.end, first, k, K)) return;
      const bool begun = piece.columns.begin < columns.end;
      if (begun && k > 0) {
        partial.store_into(C, C_stride, piece.rows, piece.columns, m.begin, columns.begin);
      }
      if (!handover->give(piece)) return;
      if (piece.rows.begin > m.begin) {
        m.end = piece.rows.begin;
      } else {
        n.end = piece.columns.begin;
        if (begun) columns.end = n.end;
      }
    };
    if (partial.data && first > 0) partial.load_from(C, C_stride, m, columns);
    gemm_columns<T>(m, columns, first, N, K, A, B,
                    {partial.data ? partial.data : C + columns.begin, offsets, nullptr}, accumulate, packed,
                    multiply_block<T>, give_away);
    if (partial.data) partial.store_into(C, C_stride, m, columns, m.begin, columns.begin);
  }
}

template <class T>
XT_INLINE Room& add_dense_gemm_room(Room& room, Slice m, size_t N, size_t K) {
  return add_gemm_room<T>(room, N, K).template add<size_t>(m.size());
}

}  // namespace xt::XT_ISA
