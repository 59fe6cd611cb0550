// The gradients of the contraction by products of three bf16 parts, both with pairs (i, j) as rows:
//   P[ij,b] = Σ_k G[i,j,k] dout[b,k], which goes into da and dh tile by tile;
//   dG[ij,k] = Σ_b ξ(a[b,i], h[b,j]) dout[b,k].
#pragma once
#include "bf16_carry-inl.h"
#include "bf16_gradient_ahead-inl.h"

namespace xt::XT_ISA {

// Pairs of a block of A for da and dh, in whose turn a panel of h, dh and dout, up to K = 128, stays in the
// first-level cache; for dG; and terms b of a block of B.
constexpr size_t kBf16PairsOfInputs = 8 * kBf16Block, kBf16PairsOfWeights = 2 * kBf16Block;
constexpr size_t kBf16BatchOfBlock = 512;

// 32 × 32 of A·B; sums of more terms than are rounded well in tiles are carried.
inline void bf16_product(const Bf16Run& run, size_t steps, const uint16_t* A, const uint16_t* B, float* C,
                         Bf16Extent extent, Bf16Beside& beside) {
  const size_t most = run.scheme->sum_terms / kBf16Step, step = run.scheme->parts * kBf16Panel;
  alignas(64) float next[kBf16Square];
  for (size_t done = 0; done < steps; done += most) {
    run.tile->multiply(*run.scheme, smaller(steps - done, most), A + done * step, B + done * step,
                       done ? next : C, extent.rows, extent.columns, false, beside);
    for (size_t n = 0; done > 0 && n < kBf16Square; n += 16) store(C + n, load(C + n) + load(next + n));
  }
}

// Where R fills panels, pairs come in blocks of some i together, and whatever is left over as it comes.
struct Bf16PairOrder {
  size_t L, R, together;

  Bf16PairBlock from(size_t pair) const {
    if (together == 1 || R < kBf16Block || L - pair / R < together)
      return {pair, 1, smaller(L * R - pair, kBf16PairsOfInputs)};
    return {pair, together, smaller(R - pair % R, kBf16PairsOfInputs / together)};
  }
  // Where the next block begins.
  size_t behind(const Bf16PairBlock& block) const {
    const size_t next = block.first + block.count;
    return block.together > 1 && next % R == 0 ? next + (block.together - 1) * R : next;
  }
};

// The rows of weights of a block, with terms k.
inline Bf16PairRows rows_of_weights(const ContractGradientArgs<float>& args, const Bf16PairBlock& block) {
  Bf16PairRows rows{};
  rows.whole = pack_rows_of_weights;
  rows.h = args.G + block.first * args.K;
  rows.h_step = kBf16Step;
  rows.terms = args.K;
  rows.R = block.together > 1 ? block.together : SIZE_MAX;
  rows.h_row = block.together > 1 ? args.R * args.K : args.K;
  rows.h_run = args.K;
  return rows;
}

inline bool bf16_gradient_of_inputs(const Bf16Run& run, const ContractGradientArgs<float>& args, Slice b,
                                    uint32_t xi, const ReduceForms& forms) {
  const Bf16Scheme& scheme = *run.scheme;
  const size_t L = args.L, R = args.R, K = args.K, steps = bf16_steps(K);
  const size_t panels = bf16_panels(b.size()), panel = steps * scheme.parts * kBf16Panel;
  const size_t A_size = bf16_size(scheme, smaller(L * R, kBf16PairsOfInputs), K);
  const size_t a_size = L * kBf16Block, h_size = R * kBf16Block;
  Room room;
  room.add<float>(2, panels, a_size).add<float>(2, panels, h_size).add<float>(K, kBf16Block);
  room.add<uint16_t>(2, A_size).add<uint16_t>(panels, panel).add<float>(2, kBf16Square);
  if (!scratch().reserve(room)) return false;
  float* a = scratch().take<float>(2 * panels * a_size);
  float* h = scratch().take<float>(2 * panels * h_size);
  float *da = a + panels * a_size, *dh = h + panels * h_size;
  float* dout = scratch().take<float>(K * kBf16Block);
  uint16_t* A[] = {scratch().take<uint16_t>(A_size), scratch().take<uint16_t>(A_size)};
  uint16_t* B = scratch().take<uint16_t>(panels * panel);
  float* P[] = {scratch().take<float>(kBf16Square), scratch().take<float>(kBf16Square)};
  const auto rows_of = [&](size_t p) { return smaller(b.size() - p * kBf16Block, kBf16Block); };
  for (size_t p = 0; p < panels; ++p) {
    const size_t row = b.begin + p * kBf16Block;
    to_lanes(args.a + row * L, rows_of(p), L, a + p * a_size);
    to_lanes(args.h + row * R, rows_of(p), R, h + p * h_size);
    to_lanes(args.dout + row * K, rows_of(p), K, dout);
    bf16_pack_columns(scheme, dout, kBf16Block, K, kBf16Block, B + p * panel);
  }
  for (size_t n = 0; n < panels * a_size; ++n) da[n] = 0;
  for (size_t n = 0; n < panels * h_size; ++n) dh[n] = 0;

  const Bf16PairOrder order{L, R, forms.count};
  const size_t turns = steps * scheme.products;  // of a product
  Bf16GradientBeside beside(forms, R);
  Bf16PairBlock block = order.from(0);
  beside.pairs.start(rows_of_weights(args, block), {0, block.rows()}, A[0], 1);
  beside.pairs.finish();
  run.tile->begin();
  for (size_t next = 0, of_A = 0, of_P = 0; next < L * R; of_A = !of_A) {
    const Bf16PairBlock at = block;
    next = order.behind(at);
    if (next < L * R) {
      block = order.from(next);
      beside.pairs.start(rows_of_weights(args, block), {0, block.rows()}, A[!of_A],
                         turns * panels * bf16_panels(at.rows()));
    }
    for (size_t p = 0; p < panels; ++p) {
      const Bf16PanelGradient own{a + p * a_size, h + p * h_size, da + p * a_size, dh + p * h_size};
      for (size_t m = 0; m < at.rows(); m += kBf16Block, of_P = !of_P) {
        bf16_product(run, steps, A[of_A] + m / kBf16Block * panel, B + p * panel, P[of_P],
                     {smaller(at.rows() - m, kBf16Block), rows_of(p)}, beside);
        beside.sums.finish();
        beside.sums.start(P[of_P], m == 0, at.from(m), own, turns);
      }
    }
    beside.pairs.finish();
  }
  beside.sums.finish();
  beside.sums.end_block();
  run.tile->end();

  for (size_t p = 0; p < panels; ++p) {
    const size_t row = b.begin + p * kBf16Block;
    from_lanes(da + p * a_size, rows_of(p), L, args.da + row * L);
    from_lanes(dh + p * h_size, rows_of(p), R, args.dh + row * R);
  }
  // Cut alike for any number of threads. What is infinite or NaN on the way, and reaches neither, is dropped
  // in float32 too.
  return bf16_redo(
      b,
      [&](Slice rows) {
        const size_t row = rows.begin;
        const Bf16Values a{args.a + row * L, rows.size() * L}, h{args.h + row * R, rows.size() * R};
        const Bf16Values da{args.da + row * L, a.count}, dh{args.dh + row * R, h.count};
        const Bf16Values dout{args.dout + row * K, rows.size() * K};
        const float of_dout = dout.largest();
        // Results are asked, not factors as of the contraction: dout is small for every example that is
        // learnt, and most batches would go to float32. A derivative is 1 or an operand at most.
        const float least = kBf16LeastSum * (1 + of_dout) * (1 + a.largest() + h.largest());
        return dout.within(kBf16LeastFactor, FLT_MAX) && da.within(least, FLT_MAX) &&
               dh.within(least, FLT_MAX) && (da.largest() + dh.largest() >= least || of_dout == 0);
      },
      [&](Slice rows) { return run.exact->contract_gradient_inputs[xi](args, rows); });
}

// Such that no sum over these of ξ dout overflows, whatever the ξ and however many there are.
constexpr float kBf16Largest = 0x1p31f;
// And such that the largest of a, h and dout do not lose parts of their product.
constexpr float kBf16LeastLargest = 0x1p-20f, kBf16LeastLargestOfDout = 0x1p-48f;

inline bool suits_parts(float least_largest, const Bf16Values& values) {
  const float largest = values.largest();
  return values.within(0, kBf16Largest) && (largest == 0 || largest >= least_largest);
}

struct Bf16PairLanes {
  PackLanes whole, after_phi;
  TakePhi<float> phi;
};

inline bool bf16_gradient_of_weights(const Bf16Run& run, const ContractGradientArgs<float>& args, Slice ij,
                                     uint32_t xi, const Bf16PairLanes& lanes_of) {
  const Bf16Scheme& scheme = *run.scheme;
  const size_t L = args.L, R = args.R, K = args.K;
  // Alike in every slice: each has the whole batch.
  if (args.B == 0 || !suits_parts(kBf16LeastLargest, {args.a, args.B * L}) ||
      !suits_parts(kBf16LeastLargest, {args.h, args.B * R}) ||
      !suits_parts(kBf16LeastLargestOfDout, {args.dout, args.B * K}))
    return run.exact->contract_gradient_weights[xi](args, ij);
  const size_t most = smaller(args.B, kBf16BatchOfBlock), columns_most = smaller(K, kBf16Columns);
  const size_t panels = bf16_panels(most), a_size = L * kBf16Block, h_size = R * kBf16Block;
  const size_t A_size = bf16_size(scheme, smaller(ij.size(), kBf16PairsOfWeights), most);
  const size_t B_size = bf16_size(scheme, columns_most, most);
  const size_t C_size = kBf16PairsOfWeights * round_up(columns_most, kBf16Block);
  Room room;
  room.add<float>(panels, a_size).add<float>(panels, h_size).add<bool>(panels);
  room.add<uint16_t>(2, A_size).add<uint16_t>(B_size).add<float>(C_size);
  if (!scratch().reserve(room)) return false;
  float* a = scratch().take<float>(panels * a_size);
  float* h = scratch().take<float>(panels * h_size);
  bool* has_phi = scratch().take<bool>(panels);
  uint16_t* A[] = {scratch().take<uint16_t>(A_size), scratch().take<uint16_t>(A_size)};
  uint16_t* B = scratch().take<uint16_t>(B_size);
  float* C = scratch().take<float>(C_size);
  const auto block_from = [&](size_t row) { return Slice{row, smaller(ij.end, row + kBf16PairsOfWeights)}; };
  Bf16PairsBeside beside;
  for (size_t b = 0; b < args.B; b += kBf16BatchOfBlock) {
    const size_t terms = smaller(args.B - b, kBf16BatchOfBlock), steps = bf16_steps(terms);
    const size_t panel = steps * scheme.parts * kBf16Panel;
    for (size_t p = 0; p < steps; ++p) {
      const size_t row = b + p * kBf16Block, rows = smaller(terms - p * kBf16Block, kBf16Block);
      float *own_a = a + p * a_size, *own_h = h + p * h_size;
      to_lanes(args.a + row * L, rows, L, own_a);
      to_lanes(args.h + row * R, rows, R, own_h);
      has_phi[p] = take_phi_of_both(lanes_of.phi, own_a, a_size, own_h, h_size,
                                    [&] { to_lanes(args.a + row * L, rows, L, own_a); });
    }
    const Bf16PairRows pairs{lanes_of.whole, lanes_of.after_phi, has_phi, a,      h, kBf16Block,
                             a_size,         kBf16Block,         0,       h_size, R, terms};
    for (size_t n = 0; n < K; n += kBf16Columns) {
      const size_t columns = smaller(K - n, kBf16Columns), panels_of_columns = bf16_panels(columns);
      bf16_pack_columns(scheme, args.dout + b * K + n, K, terms, columns, B);
      beside.pairs.start(pairs, block_from(ij.begin), A[0], 1);
      beside.pairs.finish();
      run.tile->begin();
      for (size_t row = ij.begin, of_A = 0; row < ij.end; row += kBf16PairsOfWeights, of_A = !of_A) {
        const Slice block = block_from(row);
        if (block.end < ij.end)
          beside.pairs.start(pairs, block_from(block.end), A[!of_A],
                             scheme.products * steps * panels_of_columns * bf16_panels(block.size()));
        for (size_t c = 0; c < panels_of_columns; ++c) {
          for (size_t m = 0; m < block.size(); m += kBf16Block) {
            const Bf16Extent extent{smaller(block.size() - m, kBf16Block),
                                    smaller(columns - c * kBf16Block, kBf16Block)};
            run.tile->multiply(scheme, steps, A[of_A] + m / kBf16Block * panel, B + c * panel,
                               C + (m / kBf16Block * panels_of_columns + c) * kBf16Square, extent.rows,
                               extent.columns, false, beside);
          }
        }
        beside.pairs.finish();
        bf16_carry(C, {block.size(), columns}, args.dG + row * K + n, K, args.accumulate || b > 0);
      }
      run.tile->end();
    }
  }
  return true;
}

template <class X, uint32_t id>
bool bf16_contract_gradient_inputs(const Bf16Run& run, const ContractGradientArgs<float>& args, Slice b) {
  return bf16_gradient_of_inputs(run, args, b, id, reduce_forms<X>);
}

template <class X, uint32_t id>
bool bf16_contract_gradient_weights(const Bf16Run& run, const ContractGradientArgs<float>& args, Slice ij) {
  return bf16_gradient_of_weights(
      run, args, ij, id,
      {pack_pairs_of_lanes<Whole<X>>, pack_pairs_of_lanes<AfterPhi<X>>, take_phi<float, X>});
}

}  // namespace xt::XT_ISA
