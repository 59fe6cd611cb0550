// What the gradients of a contraction do in turns between products of tiles (Bf16Beside): rows of A that are
// ahead, and sums of P that are behind.
#pragma once
#include "bf16_ahead-inl.h"
#include "bf16_lanes-inl.h"

namespace xt::XT_ISA {

// Rows of A over terms, 32 of them a step: runs of R rows with one a each, and h from row to row.
struct Bf16PairRows {
  PackLanes whole, after_phi;
  const bool* has_phi;  // by steps; null where there is no φ
  const float *a, *h;
  size_t a_run, a_step, h_row, h_run, h_step;
  size_t R, terms;
};

// Blocks of A: row after row, in each panel step after step.
class Bf16PairsAhead : public Bf16Stretches<Bf16PairsAhead> {
  friend class Bf16Stretches<Bf16PairsAhead>;

 public:
  __attribute__((noinline)) void start(const Bf16PairRows& of, Slice rows, uint16_t* A, size_t turns) {
    source = of;
    all = rows;
    to = A;
    steps = bf16_steps(of.terms);
    pace = {rows.size() * steps, turns};
    step = 0;
    set_step();
  }

 private:
  XT_INLINE size_t some(size_t most) {
    const size_t count = smaller(most, source.R - j);
    pack(a, h, source.h_row, count, terms, to + row * kBf16Step);
    row += count;
    j += count;
    h += count * source.h_row;
    if (j == source.R) {
      j = 0;
      a += source.a_run;
      h = first_h += source.h_run;
    }
    return count;
  }
  __attribute__((noinline)) void next_stretch() {
    to += 3 * kBf16Panel;
    if (++step == steps) {
      step = 0;
      all.begin = smaller(all.end, all.begin + kBf16Block);
    }
    set_step();
  }
  void set_step() {
    const size_t run = all.begin / source.R;
    j = all.begin % source.R;
    row = 0;
    left = smaller(all.size(), kBf16Block);
    terms = smaller(source.terms - step * kBf16Step, kBf16Step);
    pack = source.has_phi && source.has_phi[step] ? source.after_phi : source.whole;
    a = source.a + step * source.a_step + run * source.a_run;
    first_h = source.h + step * source.h_step + run * source.h_run;
    h = first_h + j * source.h_row;
  }

  Bf16PairRows source{};
  // Of the step of a panel at hand.
  PackLanes pack = nullptr;
  const float *a = nullptr, *h = nullptr, *first_h = nullptr;
  size_t row = 0, j = 0, terms = 0;
  uint16_t* to = nullptr;

  Slice all{};
  size_t step = 0, steps = 0;
};

// Operands and gradients of one panel in lanes.
struct Bf16PanelGradient {
  const float *a, *h;
  float *da, *dh;
};

// Rows of P, 32 × 32: pairs (i, j) with j fastest, or some i of each j after the other.
struct Bf16PairBlock {
  size_t first;  // pair, i·R + j
  size_t together, count;

  size_t rows() const { return together * count; }
  // Its rows from `row` on.
  Bf16PairBlock from(size_t row) const { return {first + row / together, together, count - row / together}; }
};

// Sums of P into da and dh. Those for da are summed by tile, by block and then as a whole: one sum over 1024
// terms of one sign had eight times the error of AVX-512, where every lane has its own.
class Bf16ReduceBehind : public Bf16Stretches<Bf16ReduceBehind> {
  friend class Bf16Stretches<Bf16ReduceBehind>;

 public:
  Bf16ReduceBehind(const ReduceForms& forms, size_t R) : forms(forms), R(R) {}

  // A tile of P, the first of its block and panel or another.
  void start(const float* of, bool is_first, const Bf16PairBlock& pairs, const Bf16PanelGradient& panel,
             size_t turns) {
    if (is_first) end_block();
    P = of;
    left = smaller(pairs.count, kBf16Block / pairs.together);
    row = pairs.together * kBf16Block;
    reduce = pairs.together > 1 ? forms.together : forms.alone;
    at = panel;
    j = pairs.first % R;
    at.a += pairs.first / R * kBf16Block;
    at.da += pairs.first / R * kBf16Block;
    pace = {left, turns};
  }
  __attribute__((noinline)) void end_block() {
    if (has_block) add(of_block, at.da);
    has_block = false;
  }

 private:
  XT_INLINE size_t some(size_t most) {
    const size_t count = smaller(most, R - j);
    reduce(P, at.a, at.h + j * kBf16Block, count, of_tile, at.dh + j * kBf16Block);
    P += count * row;
    j += count;
    if (j == R) {
      next_stretch();
      end_block();
      j = 0;
      at.a += kBf16Block;
      at.da += kBf16Block;
    }
    return count;
  }
  void next_stretch() {
    if (j > 0) add(of_tile, of_block);
    has_block = has_block || j > 0;
  }
  __attribute__((noinline)) void add(float* sums, float* to) {
    for (size_t n = 0; n < row; n += 16) {
      store(to + n, load(to + n) + load(sums + n));
      store(sums + n, Vec<float>{});
    }
  }

  ReduceForms forms;
  size_t R;
  ReduceLanes reduce = nullptr;
  const float* P = nullptr;
  Bf16PanelGradient at{};
  size_t j = 0, row = 0;
  bool has_block = false;
  alignas(64) float of_tile[kMostTogether * kBf16Block] = {}, of_block[kMostTogether * kBf16Block] = {};
};

struct Bf16PairsBeside : Bf16InTurns<Bf16PairsBeside> {
  Bf16PairsAhead pairs;

  XT_INLINE void do_turn() { pairs.turn(); }
};

struct Bf16GradientBeside : Bf16InTurns<Bf16GradientBeside> {
  Bf16PairsAhead pairs;
  Bf16ReduceBehind sums;

  Bf16GradientBeside(const ReduceForms& forms, size_t R) : sums(forms, R) {}

  XT_INLINE void do_turn() {
    pairs.turn();
    sums.turn();
  }
};

}  // namespace xt::XT_ISA
