// A matrix as its decompositions take it: in memory to work on, its longer side as rows, of harmless size.
#pragma once
#include <optional>

#include "linalg.h"

namespace xt {

// A [m,n], or where places [m + n] are not null the elements A[places[i] + places[m + j]].
struct Elements {
  size_t m, n;
  const double* A;
  const int32_t* places;

  // Whether A holds as many doubles, and all places are among them.
  bool fit() const;
};

class Tall {
 public:
  Tall(Algebra& algebra, const Elements& of);

  const bool is_wide;  // the rows here are columns there
  const size_t rows, columns;
  // A power of two that brings a matrix whose squares overflow or vanish to size 1; 1 for others, 0 for
  // zeros, NaN for what is not finite.
  double scale = 0;

  // scale · A, once: [rows, columns] to be overwritten. Where its R is enough and cheaper to work on, that,
  // [columns, columns].
  View copy(bool only_R);
  // ‖scale · A‖_F, after `copy`.
  double norm() const { return norm_; }

 private:
  Algebra& algebra_;
  Factor all_;
  double norm_ = 0;
  std::optional<Buffer> gathered_, copied_;
};

}  // namespace xt
