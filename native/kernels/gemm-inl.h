// The blocked matrix product that every contraction runs on: panels of A and B packed into cache, a register
// tile of multiply-adds over them. What A is (a matrix, or ξ of two) is known only to the function that packs
// its panels.
//
// Loop nest and names after Goto & van de Geijn (ACM TOMS 34, 2008): KC × NC of B stays in L2, MC × KC of A
// streams past it, an MR × NR tile of C lives in registers. Every C[m,n] is summed over k in the same order
// whatever its place in a tile, so the result does not depend on how rows are cut for threads.
#pragma once
#include "../kernels.h"
#include "transpose-inl.h"

namespace xt::XT_ISA {

constexpr size_t KC = 256;
template <class T>
constexpr size_t MR = tile_rows;
template <class T>
constexpr size_t NR = static_cast<size_t>(tile_vectors) * lanes<T>;
template <class T>
constexpr size_t MC = 8 * MR<T>;
template <class T>
constexpr size_t NC = round_up(2048 / sizeof(T), NR<T>);
// A packed A panel has rows padded to whole vectors, so that it is written by aligned vectors. What the
// padding holds is never multiplied.
template <class T>
constexpr size_t panel_rows = round_up(MR<T>, lanes<T>);

// C tile of MR rows and W vectors, += Σ_k A[k][·] B[k][·]; A packed [kc][panel_rows], B packed [kc][W·lanes].
template <class T, int W>
XT_INLINE void multiply_tile(size_t kc, const T* A, const T* B, T* C, size_t C_stride, bool accumulate) {
  Vec<T> sum[tile_rows][W];
#pragma GCC unroll 16
  for (int r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) sum[r][w] = Vec<T>{};
  }
  for (size_t k = 0; k < kc; ++k) {
    Vec<T> b[W];
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) b[w] = load(B + w * lanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < tile_rows; ++r) {
      const Vec<T> a = broadcast(A[r]);
#pragma GCC unroll 4
      for (int w = 0; w < W; ++w) sum[r][w] = multiply_add<T>(sum[r][w], a, b[w]);
    }
    A += panel_rows<T>;
    B += W * lanes<T>;
  }
#pragma GCC unroll 16
  for (int r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      T* to = C + r * C_stride + w * lanes<T>;
      store(to, accumulate ? load(to) + sum[r][w] : sum[r][w]);
    }
  }
}

// The same for a tile that the edge of C cuts: computed whole beside C, then the part that exists is copied.
template <class T, int W>
__attribute__((noinline)) void multiply_edge_tile(size_t kc, const T* A, const T* B, T* C, size_t C_stride,
                                                  size_t rows, size_t cols, bool accumulate) {
  T whole[tile_rows * W * lanes<T>];
  multiply_tile<T, W>(kc, A, B, whole, W * lanes<T>, false);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) {
      const T value = whole[r * W * lanes<T> + c];
      C[r * C_stride + c] = accumulate ? C[r * C_stride + c] + value : value;
    }
  }
}

template <class T, int W>
void multiply_panel(size_t kc, const T* A, const T* B, T* C, size_t C_stride, size_t rows, size_t cols,
                    bool accumulate) {
  if (rows == MR<T> && cols == static_cast<size_t>(W) * lanes<T>) {
    multiply_tile<T, W>(kc, A, B, C, C_stride, accumulate);
  } else {
    multiply_edge_tile<T, W>(kc, A, B, C, C_stride, rows, cols, accumulate);
  }
}

// One packed A panel against all packed B panels of a block: rows of C[rows, nc].
template <class T>
void multiply_row_panel(size_t kc, size_t nc, const T* A, const T* B, T* C, size_t C_stride, size_t rows,
                        bool accumulate) {
  for (size_t n = 0; n < nc; n += NR<T>) {
    const size_t cols = smaller(nc - n, NR<T>);
    const T* panel = B + n * kc;
    const size_t width = (cols + lanes<T> - 1) / lanes<T>;
    if (width == 1) {
      multiply_panel<T, 1>(kc, A, panel, C + n, C_stride, rows, cols, accumulate);
    } else if (width == 2 || tile_vectors == 2) {
      multiply_panel<T, 2>(kc, A, panel, C + n, C_stride, rows, cols, accumulate);
    } else {
      multiply_panel<T, tile_vectors>(kc, A, panel, C + n, C_stride, rows, cols, accumulate);
    }
  }
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

// B[k, n] for k in [0, kc), n in [0, nc) into panels [kc][W·lanes], zeros behind the last column. W is
// tile_vectors but for the last panel, which is as narrow as its columns allow.
template <class T>
void pack_B(Matrix<T> B, size_t kc, size_t nc, T* to) {
  for (size_t n = 0; n < nc; n += NR<T>) {
    const size_t cols = smaller(nc - n, NR<T>);
    const size_t width = round_up(cols, lanes<T>);
    T* panel = to + n * kc;
    const T* from = B.data + n * B.col_stride;
    if (B.col_stride == 1 && cols == width) {
      for (size_t k = 0; k < kc; ++k) {
        for (size_t c = 0; c < width; c += lanes<T>)
          store(panel + k * width + c, load(from + k * B.row_stride + c));
      }
    } else if (B.row_stride == 1) {
      transpose_copy(from, B.col_stride, cols, kc, panel, width);
    } else {
      for (size_t k = 0; k < kc; ++k) {
        for (size_t c = 0; c < width; ++c) {
          panel[k * width + c] = c < cols ? from[k * B.row_stride + c * B.col_stride] : T(0);
        }
      }
    }
  }
}

// Packs rows [row, row + MR) × [k, k + kc) of A as [kc][MR]; `rows` ≤ MR of them exist, the rest may be
// anything.
template <class T>
struct PackA {
  const void* source;
  void (*panel)(const void* source, size_t row, size_t rows, size_t k, size_t kc, T* to);
};

template <class T>
void pack_matrix_panel(const void* source, size_t row, size_t rows, size_t k0, size_t kc, T* to) {
  const Matrix<T>& A = *static_cast<const Matrix<T>*>(source);
  const T* from = A.data + row * A.row_stride + k0 * A.col_stride;
  if (A.col_stride == 1) return transpose_copy(from, A.row_stride, rows, kc, to, panel_rows<T>);
  for (size_t r = 0; r < MR<T>; ++r) {
    for (size_t k = 0; k < kc; ++k)
      to[k * panel_rows<T> + r] = r < rows ? from[r * A.row_stride + k * A.col_stride] : T(0);
  }
}

// Room for a block of B and one of A; at most half a megabyte and 120 kB.
template <class T>
XT_INLINE Room& add_gemm_room(Room& room, size_t N, size_t K) {
  const size_t kc = smaller(K, KC);
  return room.add<T>(packed_B_size<T>(kc, smaller(N, NC<T>)))
      .template add<T>(packed_A_size<T>(MC<T>, kc) + lanes<T>);
}

// C[m, n] (+)= Σ_k A[m, k] B[k, n] for m in the slice. The caller added its room with add_gemm_room.
template <class T>
void gemm(Slice m, size_t N, size_t K, PackA<T> A, Matrix<T> B, T* C, size_t C_stride, bool accumulate) {
  const size_t kc_max = smaller(K, KC);
  T* packed_B = scratch().take<T>(packed_B_size<T>(kc_max, smaller(N, NC<T>)));
  T* packed_A = scratch().take<T>(packed_A_size<T>(MC<T>, kc_max) + lanes<T>);
  if (K == 0 && !accumulate) {
    for (size_t row = m.begin; row < m.end; ++row) {
      for (size_t n = 0; n < N; ++n) C[row * C_stride + n] = 0;
    }
  }
  for (size_t n = 0; n < N; n += NC<T>) {
    const size_t nc = smaller(N - n, NC<T>);
    for (size_t k = 0; k < K; k += KC) {
      const size_t kc = smaller(K - k, KC);
      const bool add = accumulate || k > 0;
      pack_B<T>({B.data + k * B.row_stride + n * B.col_stride, B.row_stride, B.col_stride}, kc, nc, packed_B);
      for (size_t block = m.begin; block < m.end; block += MC<T>) {
        const size_t block_end = smaller(m.end, block + MC<T>);
        for (size_t row = block; row < block_end; row += MR<T>) {
          A.panel(A.source, row, smaller(block_end - row, MR<T>), k, kc,
                  packed_A + packed_A_size<T>(row - block, kc));
        }
        for (size_t row = block; row < block_end; row += MR<T>) {
          multiply_row_panel<T>(kc, nc, packed_A + packed_A_size<T>(row - block, kc), packed_B,
                                C + row * C_stride + n, C_stride, smaller(block_end - row, MR<T>), add);
        }
      }
    }
  }
}

template <class T>
bool matmul(const MatmulArgs<T>& args, Slice m) {
  Room room;
  if (!scratch().reserve(add_gemm_room<T>(room, args.N, args.K))) return false;
  gemm<T>(m, args.N, args.K, {&args.A, pack_matrix_panel<T>}, args.B, args.C, args.C_row_stride,
          args.accumulate);
  return true;
}

}  // namespace xt::XT_ISA
