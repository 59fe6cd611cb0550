// What an instruction set offers: a table of single-threaded kernels for slices of the work. Free of
// instruction sets.
#pragma once
#include <cstddef>
#include <cstdint>

#include "abi.h"
#include "scratch.h"

namespace xt {

enum Xi {
#define XI(name, id, ...) xi_##name = id,
#include "xi.def"
#undef XI
};
constexpr size_t kXiCount = 0
#define XI(...) +1
#include "xi.def"
#undef XI
    ;

// A half-open range of rows, or of elements.
struct Slice {
  size_t begin, end;
  size_t size() const { return end - begin; }
};

class Handover;

template <class T>
struct ContractArgs {
  size_t B, L, R, K;
  const T *a, *h, *G;  // G as pack_weights laid it out, if is_packed
  T* out;
  bool is_packed;
  Slice columns;  // of K, from a multiple of tile_columns
  // Terms of Σ_ij that `out` holds the sum of already; and what of its slice a call may give away, or null.
  size_t first_term;
  Handover* handover;
};

template <class T>
struct ContractGradientArgs {
  size_t B, L, R, K;
  const T *a, *h, *G, *dout;
  T *da, *dh, *dG;
  bool accumulate;
};

constexpr size_t kMaxJoined = XT_MAX_JOINED, kMaxAxes = XT_MAX_AXES;

// A multi-index: its extents, row-major.
struct Axes {
  size_t rank = 0;
  size_t extents[kMaxAxes];
  size_t count = 1;  // product of the extents
};

// An operand with its strides over the batch, over the rows (left) or columns (right), and over the terms.
template <class T>
struct JoinedOperand {
  const T* data;
  size_t batch[kMaxAxes], own[kMaxAxes], terms[kMaxAxes];
};

template <class T>
struct JoinedSide {
  size_t count = 0;
  JoinedOperand<T> operands[kMaxJoined];
};

// out[g,m,n] = ⊕_s left[g,m,s] ⊗ right[g,n,s] (abi.h, xt_joined)
template <class T>
struct JoinedArgs {
  uint32_t xi, combine, reduce;
  bool from_unit;
  Axes batch, rows, columns, terms;
  JoinedSide<T> left, right;
  size_t out_batch[kMaxAxes], out_rows[kMaxAxes], out_columns[kMaxAxes];
  T* out;
  double* arg;
};

template <class T>
struct JoinedGradientArgs {
  const JoinedArgs<T>* forward;
  const T* dout;
  T* left[kMaxJoined];
  T* right[kMaxJoined];
};

// out[p,m,k] = Σ_ij G[i,j,k] ξ(a[m,i], h[p,j])
template <class T>
struct GridArgs {
  size_t P, M, L, R, K;
  const T *a, *h, *G;
  T* out;
};

// order[n] = index of the n-th smallest key; keys must be numbers.
void sort_order(const float* keys, size_t count, uint32_t* order);
void sort_order(const double* keys, size_t count, uint32_t* order);

template <class T>
struct Matrix {
  const T* data;
  size_t row_stride, col_stride;
};

template <class T>
struct MatmulArgs {
  size_t M, N, K;
  Matrix<T> A, B;
  T* C;
  size_t C_row_stride;
  bool accumulate;
};

// s[b,r] = ξ_t ⟨f[t,b,:], v[t,r,:]⟩ and scores = s λ (abi.h, xt_project_fold)
template <class T>
struct ProjectFoldArgs {
  size_t steps, B, R, M, K;
  const T* f;
  size_t f_row, f_step;
  const T* v;
  size_t v_row, v_step;
  const T* lambda;
  T *scores, *s, *winners;
};

// out[w,p,:] += Σ_q d[p,q] x[w,q,:], w = winners[p,q] (abi.h, xt_winner_sums)
template <class T>
struct WinnerSumsArgs {
  size_t steps, P, Q, M;
  const T *winners, *d;
  bool transposed;
  const T* x;
  size_t x_row, x_step;
  T* out;
  size_t out_row, out_step;
};

template <class T>
struct AdamArgs {
  T *p, *m, *v;
  const T* g;
  double rate, beta1, beta2, epsilon, correction1, correction2, scale, decay;
};

template <class T>
struct LossArgs {
  uint32_t loss;
  size_t rows, K;
  const T* scores;
  const int32_t* labels;
  const T* targets;
  T* dscores;
};

template <class T>
using GridKernel = bool (*)(const GridArgs<T>&, Slice p);

// A kernel returns false only when scratch memory cannot be had.
template <class T>
struct KernelTable {
  using Element = T;
  size_t tile_rows, tile_columns, lanes;  // slices are cut at multiples of these
  bool (*contract[kXiCount])(const ContractArgs<T>&, Slice b);
  size_t (*packed_length)(size_t terms, size_t K);
  void (*pack_weights)(size_t terms, size_t K, const T* G, T* packed);
  bool (*contract_gradient_inputs[kXiCount])(const ContractGradientArgs<T>&, Slice b);
  bool (*contract_gradient_weights[kXiCount])(const ContractGradientArgs<T>&, Slice ij);
  GridKernel<T> grid[kXiCount];
  // Of finite templates; null where there is none.
  GridKernel<T> grid_lookups[kXiCount], grid_sweeps[kXiCount];
  bool (*joined)(const JoinedArgs<T>&, Slice g, Slice m, Slice n);
  // Whether `joined` cuts into output elements (then g counts them all) rather than tiles.
  bool (*joined_by_element)(const JoinedArgs<T>&);
  // Of one side, of whose rows the slice takes some.
  bool (*joined_gradient)(const JoinedGradientArgs<T>&, bool is_right, Slice g, Slice rows);
  void (*fold[kXiCount])(size_t T_, size_t N, const T* z, T* out, Slice n);
  bool (*fold_gradient[kXiCount])(size_t T_, size_t N, const T* z, const T* dout, T* dz, Slice n);
  void (*outer[kXiCount])(size_t N, const T* x, const T* y, T* out, Slice m);
  bool (*project_fold[kXiCount])(const ProjectFoldArgs<T>&, Slice b, Slice r);
  bool (*are_winners)(const T* winners, size_t count, size_t steps);  // from -1 to below `steps`
  bool (*winner_sums)(const WinnerSumsArgs<T>&, Slice p);
  bool (*matmul)(const MatmulArgs<T>&, Slice m);
  void (*activate)(int activation, size_t cols, const T* bias, T* z, Slice rows);
  void (*activate_gradient)(int activation, size_t cols, const T* y, T* dy, Slice rows);
  void (*column_sums)(size_t rows, size_t cols, const T* x, T* out);
  void (*adam)(const AdamArgs<T>&, Slice n);
  void (*loss)(const LossArgs<T>&, double* result);
  double (*sum_squares)(const T* x, const T* y, Slice n);  // of x − y, or of x where y is null
  double (*peak)(size_t repetitions, double* alive);
};

constexpr size_t kPanelColumns = 16;  // of reflectors that are made together
constexpr size_t kPadding = 8;        // doubles of the widest vector

// A ← A − u yᵀ − x vᵀ, sums += Aᵀ next; A [rows, columns]
struct BidiagonalStep {
  double* A;
  size_t stride, rows, columns;
  const double *u, *y, *x, *v, *next;
  double* sums;
};

// Linear algebra in float64; kernels/linalg-inl.h says what each computes.
struct LinalgKernels {
  void (*reflect_panel)(double* panel, size_t rows, size_t columns, double* tau);
  void (*bidiagonal_update)(const BidiagonalStep& step);
  void (*project)(const double* A, size_t stride, size_t rows, size_t columns, const double* v, double* out);
  double (*subtract)(double* row, const double* pivot, double factor, size_t count);
  void (*subtract_triangle)(double* A, size_t stride, size_t n, const double* pivot, const double* factors,
                            double* largest);
  void (*rotate)(double* x, double* y, size_t count, double c, double s);
  void (*reduce_modulo)(double* x, size_t count, double p);
  void (*eliminate_modulo)(double* A, size_t stride, size_t rows, size_t columns, const double* pivot,
                           double scale, double p, double* factors, size_t factor_stride);
};

struct Kernels {
  KernelTable<float> f32;
  KernelTable<double> f64;
  LinalgKernels linalg;
};

template <class T>
const KernelTable<T>& table_of(const Kernels& kernels);
template <>
inline const KernelTable<float>& table_of<float>(const Kernels& kernels) {
  return kernels.f32;
}
template <>
inline const KernelTable<double>& table_of<double>(const Kernels& kernels) {
  return kernels.f64;
}

}  // namespace xt
