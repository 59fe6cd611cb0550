// A QR decomposition with column pivoting that can stop before the end. Columns are chosen a block
// at a time by a random sketch of the remainder (Duersch & Gu, SIAM J. Sci. Comput. 39, 2017; Martinsson et
// al., SIAM J. Sci. Comput. 39, 2017), from which Gaussian elimination takes the pivots (Dong & Martinsson,
// Adv. Comput. Math. 49, 2023): the rest are products. No probability enters a result: a bad choice costs
// rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg.h"

namespace xt {

namespace {

constexpr size_t kBlock = Reflectors::kBlock;
constexpr size_t kSketched = kBlock + 6;  // rows of a sketch: five tiles of 14
constexpr size_t kTargets = 8;            // of a row
constexpr size_t kStrip = 16;             // of its rows that are eliminated one by one

// Columns [begin, end) with those they are exchanged with, one after the other.
void swap_columns(const View& view, const size_t* with, size_t begin, size_t end) {
  for (size_t r = 0; r < view.rows; ++r) {
    double* row = view.row(r);
    for (size_t j = begin; j < end; ++j) std::swap(row[j], row[with[j]]);
  }
}

// S = Ω E for the remainder E of a decomposition.
class Sketch {
 public:
  Sketch(Algebra& algebra, size_t columns)
      : algebra_(algebra),
        sums_(algebra, kSketched, columns, Content::any),
        work_(algebra, kSketched, columns, Content::any),
        factors_(algebra, kSketched, kStrip),
        solved_(algebra, kSketched, kBlock),
        inverse_(algebra, kBlock, kBlock, Content::any) {}

  // Each row of E goes, with a sign, into kTargets rows of the sketch: as good as a dense Ω (Tropp et al.,
  // SIAM J. Sci. Comput. 41, 2019, section 3.3), in an eighth of the operations.
  void draw(const View& E) {
    Buffer random(algebra_, E.rows, kTargets, Content::any);
    if (!algebra_.good()) return;
    fill_random(random.data(), E.rows * kTargets, 1);
    const View S = sums_.view();
    fill(S, 0);
    const auto subtract = algebra_.kernels().subtract;
    for (size_t r = 0; r < E.rows; ++r) {
      for (size_t t = 0; t < kTargets; ++t) {
        const double number = random.view().at(r, t);
        double* sum = S.row(std::min(kSketched - 1, static_cast<size_t>(std::fabs(number) * kSketched)));
        subtract(sum, E.row(r), number < 0 ? -1 : 1, E.columns);
      }
    }
  }

  // About ‖E‖_F.
  double norm(size_t at) { return algebra_.norm(from(at)) / std::sqrt(kTargets); }

  // Puts the pivots of at most `width` columns of the rest in with[at …], column at + j to be swapped with
  // column with[at + j] one after the other, and returns their number. None is made of elements of size
  // `floor`.
  size_t choose(size_t at, size_t width, double floor, size_t* with) {
    const View S = from(at), W{work_.data(), kSketched, S.columns, S.columns};
    copy(S, W);
    const auto subtract = algebra_.kernels().subtract;
    for (size_t strip = 0; strip < width; strip += kStrip) {
      const size_t end = std::min(width, strip + kStrip);
      double largest = subtract(W.row(strip) + strip, W.row(strip) + strip, 0, W.columns - strip);
      for (size_t j = strip; j < end; ++j) {
        if (!(largest > floor)) return j;
        const double* row = W.row(j);
        size_t best = j;
        while (best + 1 < W.columns && std::fabs(row[best]) != largest) ++best;
        with[at + j] = at + best;
        for (size_t r = 0; r < kSketched; ++r) {
          std::swap(W.at(r, j), W.at(r, best));
          std::swap(S.at(r, j), S.at(r, best));
        }
        for (size_t r = end; r-- > j + 1;) {
          const double factor = W.at(r, j) / row[j];
          largest = subtract(W.row(r) + j + 1, row + j + 1, factor, W.columns - j - 1);
        }
      }
      eliminate(W, strip, end);
    }
    return width;
  }

  // After the chosen columns have become R11 and the rows right of them R12: with Ω Q = (Ω1, Ω2) the sketch
  // of the new remainder is Ω2 E = S2 − S1 R11⁻¹ R12.
  void update(size_t at, const View& R11, const View& R12, double floor) {
    const size_t width = R11.rows;
    const View X{solved_.data(), kSketched, width, width};
    divide(from(at).part(0, 0, kSketched, width), R11, floor, X);
    algebra_.multiply(from(at + width), X, R12, true);
  }

 private:
  View from(size_t at) const { return sums_.view().part(0, at, kSketched, sums_.view().columns - at); }

  // Takes the rows [strip, end) from those after them.
  void eliminate(const View& W, size_t strip, size_t end) {
    const size_t count = end - strip, below = kSketched - end;
    const View L{factors_.data(), below, count, count};
    divide(W.part(end, strip, below, count), W.part(strip, strip, count, count), 0, L);
    algebra_.multiply(W.part(end, end, below, W.columns - end), L, W.part(strip, end, count, W.columns - end),
                      true);
  }

  // X ← −B R⁻¹ for an upper triangular R; where an element of its diagonal is of size `floor` it is rounding,
  // and zeros come of it.
  void divide(const View& B, const View& R, double floor, const View& X) {
    const View inverse = inverse_.view().part(0, 0, R.rows, R.rows);
    invert_block(algebra_, R, floor, inverse);
    for (size_t r = 0; r < R.rows; ++r) {
      for (size_t c = r; c < R.rows; ++c) inverse.at(r, c) = -inverse.at(r, c);
    }
    algebra_.multiply(X, B, inverse);
  }

  Algebra& algebra_;
  Buffer sums_, work_, factors_, solved_, inverse_;
};

}  // namespace

size_t pivoted_triangle(Algebra& algebra, const View& A, double all, const Ending& ending, double* norms,
                        const Pivoted* factors) {
  const size_t n = A.columns;
  const double floor = all * std::numeric_limits<double>::epsilon() / 16;
  double largest = 0, last = all;
  Sketch sketch(algebra, n);
  Buffer indices(algebra, 2, n, Content::any);
  Reflectors block(algebra, factors ? 0 : A.rows, factors ? 0 : kBlock);
  if (!algebra.good()) return 0;
  Reflectors& Q = factors ? factors->Q : block;
  // Of a column what it was exchanged with, and where its block ends.
  size_t* const own = reinterpret_cast<size_t*>(indices.data());
  size_t *const with = factors ? factors->exchanged : own, *const end = own + n;
  sketch.draw(A);
  size_t at = 0, large = 0;
  while (at < n && algebra.good()) {
    const View E = A.part(at, at, A.rows - at, n - at);
    const double small = std::max(ending.negligible, ending.rest * largest);
    // The remainder is known about, or hidden below the rounding of that; its norm costs a pass.
    if ((sketch.norm(at) <= 2 * small || last <= small) && algebra.norm(E) <= small) break;
    while (large < at && norms[large] >= ending.row * largest) ++large;
    if (large < at && n - large <= ending.columns) break;
    const size_t most = std::min(kBlock, n - at);
    size_t width = sketch.choose(at, most, floor, with);
    if (width == 0) {
      // The sketch is rounding. If that is not all, columns come as they lie.
      if (algebra.norm(E) <= small) break;
      for (; width < most; ++width) with[at + width] = at + width;
    }
    swap_columns(A.part(at, 0, E.rows, n), with, at, at + width);
    if (!factors) Q.clear();
    Q.factor(E, width);
    sketch.update(at, E.part(0, 0, width, width), E.part(0, width, width, E.columns - width), floor);
    for (size_t r = 0; r < width; ++r) {
      norms[at + r] = algebra.norm(E.part(r, r, 1, E.columns - r));
      largest = std::max(largest, norms[at + r]);
      last = std::min(last, norms[at + r]);
    }
    std::fill_n(end + at, width, at + width);
    at += width;
  }
  // Rows of R, each while it is in cache.
  for (size_t r = 0; r < at; ++r) swap_columns(A.part(r, 0, 1, n), with, end[r], at);
  return at;
}

}  // namespace xt
