// What the files of linear algebra share: views of matrices, memory that may be refused, products on the
// kernels of the call, and the Householder reflectors of a QR decomposition. float64 and row-major only.
#pragma once
#include <cstddef>

#include "abi.h"
#include "blocks.h"
#include "call.h"

namespace xt {

// A block of a row-major matrix.
struct View {
  double* data;
  size_t rows, columns, stride;

  double* row(size_t r) const { return data + r * stride; }
  double& at(size_t r, size_t c) const { return data[r * stride + c]; }
  View part(size_t r, size_t c, size_t row_count, size_t column_count) const {
    return {data + r * stride + c, row_count, column_count, stride};
  }
};

// A factor of a product: any strides.
struct Factor {
  const double* data;
  size_t rows, columns, row_stride, column_stride;

  Factor(const double* data_, size_t rows_, size_t columns_, size_t row_stride_, size_t column_stride_)
      : data(data_), rows(rows_), columns(columns_), row_stride(row_stride_), column_stride(column_stride_) {}
  Factor(const View& view) : Factor(view.data, view.rows, view.columns, view.stride, 1) {}
  Factor transposed() const { return {data, columns, rows, column_stride, row_stride}; }
  // Rows from r on, a part of the columns.
  Factor part(size_t r, size_t c, size_t row_count, size_t column_count) const {
    return {data + r * row_stride + c * column_stride, row_count, column_count, row_stride, column_stride};
  }
};
inline Factor transposed(const View& view) { return Factor(view).transposed(); }

void copy(const Factor& from, const View& to);
void scale(const View& of, double factor);
void copy_scaled(const Factor& from, double factor, const View& to);
void fill(const View& to, double value);

// Numbers in (−1, 1) from SplitMix64 (Steele et al., OOPSLA 2014), the same for the same seed.
void fill_random(double* to, size_t count, uint64_t seed);

// What a call computes with. The first failure stays in `status`, and whoever sees one stops.
class Algebra {
 public:
  explicit Algebra(uint32_t context) : run_(context) { status = run_.kernels ? XT_OK : XT_ISA; }

  int32_t status;
  bool good() const { return status == XT_OK; }
  const LinalgKernels& kernels() const { return run_.kernels->linalg; }

  // C = A B, or C += A B
  void multiply(const View& C, const Factor& A, const Factor& B, bool accumulate = false);
  // √ Σ a², of values whose squares neither overflow nor vanish.
  double norm(const View& A);

 private:
  Context run_;
};

enum class Content { zeros, any };

// A matrix that is freed with its scope. Where there is no memory for it, algebra.status says so.
class Buffer {
 public:
  Buffer(Algebra& algebra, size_t rows, size_t columns, Content content = Content::zeros, size_t padding = 0);
  ~Buffer() { give_back(block_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  double* data() const { return view_.data; }
  // [rows, columns]; rows lie columns + padding apart
  View view() const { return view_; }

 private:
  Block block_;
  View view_{};
};

// The scale that brings the largest |a| of finite values to size 1, a power of two, so that nothing is
// rounded by it, no square overflows, and those that vanish do not matter. 0 for a matrix of zeros, NaN for
// one that is not finite.
double scale_of(const double* A, size_t count);

// Reflectors I − tau v vᵀ in blocks of kBlock, as the compact WY form I + V Tᵀ Vᵀ (Schreiber & Van Loan, SIAM
// J. Sci. Stat. Comput. 10, 1989, with −Tᵀ for their T). Reflector j has its 1 in row j.
class Reflectors {
 public:
  static constexpr size_t kBlock = 64;

  Reflectors(Algebra& algebra, size_t rows, size_t most);
  size_t count() const { return count_; }

  // A ← R of A = Q R, zeros below the diagonal; appends the min(A.rows, A.columns) reflectors, or those of
  // the first `most` columns alone, after which the rest of A is Qᵀ A. Row 0 of A is row `count()` of the
  // vectors before.
  void factor(const View& A, size_t most = SIZE_MAX);
  // Forgets all of them.
  void clear() { count_ = 0; }
  // A ← Q A with all of them
  void apply_to(const View& A);
  // Q [rows, columns] ← the first columns of H_1 H_2 …
  void form(const View& Q);
  // Takes vectors from elsewhere: those of reflector j lie in column j, below a 1 in row j + shift.
  void take(const Factor& vectors, const double* taus, size_t shift);

 private:
  struct Block {
    size_t first, width, row;
  };
  Block block(size_t first) const;
  void make_T(const Block& block);
  // A ← (I + V T' Vᵀ) A for rows from the block's on; T' = Tᵀ, or T for the transpose.
  void apply(const Block& block, const View& A, bool transpose);

  Algebra& algebra_;
  size_t count_ = 0;
  Buffer V_, T_, tau_;
};

// Whether the R of a matrix is better had by `triangle`.
bool is_tall(size_t rows, size_t columns);

// R [n,n] of scale·A [m,n], without Q, in one pass over A.
void triangle(Algebra& algebra, const Factor& A, double scale, const View& R);

// Where a pivoted decomposition ends: where ‖E‖_F is at most `negligible`, or so many of the largest row of
// R; or where a row of R is below `row` of the largest, with `columns` at most from its diagonal on.
struct Ending {
  double negligible, rest, row;
  size_t columns;
};

// What else a pivoted decomposition is made of: Q, and the column that column j was exchanged with, one
// after the other.
struct Pivoted {
  Reflectors& Q;
  size_t* exchanged;
};

// A [m,n], m ≥ n ← (R, *; 0, E) of A P = Q (R, *; 0, E) with R upper triangular: its number of rows is
// returned, their norms (to the end of the matrix) are in `norms`. `all` is ‖A‖_F; `factors` may be null.
size_t pivoted_triangle(Algebra& algebra, const View& A, double all, const Ending& ending, double* norms,
                        const Pivoted* factors = nullptr);

// The number of positive eigenvalues of a symmetric matrix, of which only the upper triangle counts and is
// destroyed.
size_t positive_eigenvalues(Algebra& algebra, const View& A);

// Rows of a triangle that are multiplied together, whole tiles.
constexpr size_t kTriangleRows = 112;

// X ← the inverse of a small upper triangular R, all of it; zeros in row and column j where |R[j,j]| ≤ floor.
void invert_block(Algebra& algebra, const View& R, double floor, const View& X);

// X ← the inverse of an upper triangular R, with zeros below the diagonal in its blocks of kTriangleRows;
// what lies below these is not touched.
void invert_triangle(Algebra& algebra, const View& R, const View& X);

// A = Utᵀ · bidiagonal(d, e) · V with orthogonal Ut and V for a square A, which it destroys; its rows lie
// kPadding beyond its columns apart, with zeros between. Ut and V have no rows where they are not wanted.
void bidiagonalize(Algebra& algebra, const View& A, double* d, double* e, const View& Ut, const View& V);

// d ← the singular values of bidiagonal(d, e), unordered and with signs; rotates the rows of Ut and V so that
// Utᵀ · bidiagonal(d, e) · V stays what it is. The status is XT_CONVERGENCE if the iteration does not end.
void diagonalize(Algebra& algebra, double* d, double* e, size_t n, const View& Ut, const View& V);

}  // namespace xt
