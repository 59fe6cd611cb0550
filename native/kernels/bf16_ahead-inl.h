// What is ahead of a multiplication by bf16 parts: rows to pack, and weights to pack or to fetch. It is done
// in turns between the products of tiles (Bf16Beside), which hides most of it: of six products of C2 on
// Emerald Rapids, all that is no product takes 3 of 12 ms, and took 8 of 17 before and after whole blocks of
// products.
#pragma once
#include "bf16_pack-inl.h"

namespace xt::XT_ISA {

// Columns of a block of B, of some half a megabyte, and rows of one of A.
constexpr size_t kBf16Columns = 512, kBf16RowsOfBlock = 4 * kBf16Block;

// The part of ξ that a slice needs to know, and its rows, after φ where `has_phi` says so of a panel.
struct Bf16Outer {
  PackRows whole, after_phi;
  TakePhi<float> phi;
  // No ξ but zero is smaller, of operands that are zero or of these sizes at least.
  float (*least)(float a, float h);
  Bf16Rows rows;
  bool* has_phi;
};

// Where a contraction is: at a block of columns from n on, of terms from k on and of rows from `row` on.
struct Bf16Place {
  const Bf16Scheme* scheme;
  const ContractArgs<float>* args;
  Slice b;
  size_t n = 0, k = 0, row = b.begin;

  size_t columns() const { return smaller(args->K - n, kBf16Columns); }
  size_t terms() const { return smaller(args->L * args->R - k, scheme->block_terms); }
  size_t rows() const { return smaller(b.end - row, kBf16RowsOfBlock); }
  size_t steps() const { return bf16_steps(terms()); }
  // Whether the block belongs to the same sums as the one before it.
  bool continues() const { return k % scheme->sum_terms > 0; }
  size_t panel() const { return steps() * scheme->parts * kBf16Panel; }
  bool is_end() const { return n >= args->K; }

  Bf16Place next_rows() const {
    Bf16Place next = *this;
    next.row += kBf16RowsOfBlock;
    return next.row < b.end ? next : next_terms();
  }
  Bf16Place next_terms() const {
    Bf16Place next = *this;
    next.row = b.begin;
    next.k += scheme->block_terms;
    if (next.k < args->L * args->R) return next;
    next.k = 0;
    next.n += kBf16Columns;
    return next;
  }
};

// How many pieces of work are due at a turn, so that all are done after `turns`, evenly.
struct Bf16Pace {
  size_t whole = 0, rest = 0, turns = 1, credit = 0;

  Bf16Pace() = default;
  Bf16Pace(size_t pieces, size_t turns) : whole(pieces / turns), rest(pieces % turns), turns(turns) {}

  XT_INLINE size_t due() {
    credit += rest;
    const bool one_more = credit >= turns;
    if (one_more) credit -= turns;
    return whole + one_more;
  }
};

// Pieces of work in turns, stretch by stretch: Own::some(count) does up to `count` of the stretch at hand and
// says how many, Own::next_stretch() sets `left` to the pieces of the next one, or leaves it at none.
template <class Own>
class Bf16Stretches {
 public:
  XT_INLINE void turn() { pieces(pace.due()); }
  __attribute__((noinline)) void finish() { pieces(SIZE_MAX); }

 protected:
  Bf16Pace pace;
  size_t left = 0;

 private:
  XT_INLINE void pieces(size_t most) {
    Own& own = static_cast<Own&>(*this);
    while (most > 0 && left > 0) {
      const size_t count = own.some(smaller(most, left));
      most -= count;
      left -= count;
      if (left == 0) own.next_stretch();
    }
  }
};

// Rows of a block of A: step after step, in each panel after panel.
class Bf16RowsAhead : public Bf16Stretches<Bf16RowsAhead> {
  friend class Bf16Stretches<Bf16RowsAhead>;

 public:
  explicit Bf16RowsAhead(const Bf16Outer& outer) : outer(outer) {}

  __attribute__((noinline)) void start(const Bf16Place& place, uint16_t* A, size_t turns) {
    this->place = place;
    this->A = A;
    row = step = 0;
    pace = {place.rows() * place.steps(), turns};
    set_step();
  }

 private:
  XT_INLINE size_t some(size_t count) {
    pack(rows, terms, count, parts, to);
    rows = rows.from(count);
    to += count * kBf16Step;
    return count;
  }
  __attribute__((noinline)) void next_stretch() {
    row += kBf16Block;
    if (row < place.rows()) return set_panel();
    row = 0;
    if (++step < place.steps()) set_step();
  }
  void set_step() {
    const size_t done = step * kBf16Step;
    parts = place.scheme->parts;
    terms.set(place.k + done, place.terms() - done, place.args->R);
    set_panel();
  }
  void set_panel() {
    const size_t of_slice = place.row - place.b.begin + row;
    rows = outer.rows.from(of_slice);
    left = smaller(place.rows() - row, kBf16Block);
    pack = outer.has_phi[of_slice / kBf16Block] ? outer.after_phi : outer.whole;
    to = A + row / kBf16Block * place.panel() + step * parts * kBf16Panel;
  }

  // Of the panel at hand.
  PackRows pack = nullptr;
  Bf16Rows rows{};
  size_t parts = 0;
  uint16_t* to = nullptr;
  Bf16Terms terms;

  const Bf16Outer& outer;
  Bf16Place place{};
  uint16_t* A = nullptr;
  size_t row = 0, step = 0;
};

// Weights of a block of B: two terms after the other, of each panel after panel; or lines of those that are
// packed, fetched into the second-level cache.
class Bf16WeightsAhead {
 public:
  __attribute__((noinline)) void start(const Bf16Place& place, uint16_t* B, Bf16Least& least, size_t turns) {
    const float* G = place.args->G + place.k * place.args->K + place.n;
    *this = {};
    this->least = &least;
    from = G;
    to = B;
    K = place.args->K;
    columns = place.columns();
    terms = place.terms();
    parts = place.scheme->parts;
    panel = place.panel();
    term_end = place.steps() * kBf16Step;
    pace = {term_end / 2 * bf16_panels(columns), turns};
  }
  void start_fetching(const Bf16Place& place, const uint16_t* B, size_t turns) {
    *this = {};
    packed = B;
    packed_end = B + place.panel() * bf16_panels(place.columns());
    pace = {(packed_end - packed) * sizeof *B / kLine, turns};
  }
  XT_INLINE void turn() { some(pace.due()); }
  void finish() { some(SIZE_MAX); }

 private:
  static constexpr size_t kLine = 64;

  void some(size_t most) {
    for (; most > 0 && packed < packed_end; --most, packed += kLine / sizeof *packed)
      __builtin_prefetch(packed, 0, 2);
    for (; most > 0 && term < term_end; --most) {
      const float* first = from + term * K + column;
      // A step ahead, and harmless beyond the end.
      for (size_t n = 0; n < 2; ++n) {
        __builtin_prefetch(first + (kBf16Step + n) * K, 0, 2);
        __builtin_prefetch(first + (kBf16Step + n) * K + kLine / sizeof *first, 0, 2);
      }
      bf16_pack_pair(
          term < terms ? first : nullptr, term + 1 < terms ? first + K : nullptr,
          smaller(columns - column, kBf16Block), parts,
          to + column / kBf16Block * panel + term / kBf16Step * parts * kBf16Panel + term % kBf16Step * 16,
          *least);
      column += kBf16Block;
      if (column < columns) continue;
      column = 0;
      term += 2;
    }
  }

  Bf16Pace pace;
  const uint16_t *packed = nullptr, *packed_end = nullptr;
  const float* from = nullptr;
  uint16_t* to = nullptr;
  Bf16Least* least = nullptr;
  size_t K = 0, columns = 0, terms = 0, parts = 0, panel = 0;
  size_t term = 0, term_end = 0, column = 0;
};

// Work that Own::do_turn does.
template <class Own>
struct Bf16InTurns : Bf16Beside {
  Bf16InTurns() : Bf16Beside{[](Bf16Beside& beside) { static_cast<Own&>(beside).do_turn(); }} {}
};

struct Bf16Ahead : Bf16InTurns<Bf16Ahead> {
  Bf16RowsAhead rows;
  Bf16WeightsAhead weights;

  explicit Bf16Ahead(const Bf16Outer& outer) : rows(outer) {}

  XT_INLINE void do_turn() {
    rows.turn();
    weights.turn();
  }
};

}  // namespace xt::XT_ISA
