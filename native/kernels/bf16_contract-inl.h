// out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]) by products of bf16 parts: the loop nest of gemm-inl.h around a
// Bf16Tile. ξ is formed in float32, row by row, and split while packing.
//
// Whatever is infinite or NaN anywhere on the way makes its output so too: a part of it is, and neither
// leaves a sum. So of large numbers outputs alone are looked at, of small ones a and h as well
// (bf16_carry-inl.h). Such rows are computed anew in float32, 32 at a time, which are cut alike for any
// number of threads.
#pragma once
#include "bf16_ahead-inl.h"
#include "bf16_carry-inl.h"

namespace xt::XT_ISA {

// G packed as a whole: block after block of columns, in each block after block of terms.
struct Bf16Whole {
  const Bf16Scheme& scheme;
  size_t terms, K;

  size_t size() const { return bf16_size(scheme, K, terms); }
  size_t at(size_t n, size_t k) const {
    return bf16_size(scheme, n, terms) + bf16_size(scheme, smaller(K - n, kBf16Columns), k);
  }
};

// The parts lie behind the layout of the float32 kernel, from the next cache line on.
XT_INLINE size_t exact_length(const Bf16Run& run, size_t terms, size_t K) {
  return run.exact->packed_length(terms, K);
}
XT_INLINE uint16_t* parts_of(const Bf16Run& run, size_t terms, size_t K, const float* packed) {
  const auto end = reinterpret_cast<uintptr_t>(packed + exact_length(run, terms, K));
  return reinterpret_cast<uint16_t*>(round_up(end, 64));
}

// And behind these the size of the smallest weight.
XT_INLINE float* least_of(uint16_t* parts, const Bf16Whole& whole) {
  return reinterpret_cast<float*>(parts + whole.size());
}

inline size_t bf16_packed_length(const Bf16Run& run, size_t terms, size_t K) {
  const Bf16Whole whole{*run.scheme, terms, K};
  return exact_length(run, terms, K) + whole.size() / 2 + 1 + 64 / sizeof(float);
}

inline void bf16_pack_weights(const Bf16Run& run, size_t terms, size_t K, const float* G, float* packed) {
  const Bf16Scheme& scheme = *run.scheme;
  const Bf16Whole whole{scheme, terms, K};
  run.exact->pack_weights(terms, K, G, packed);
  uint16_t* parts = parts_of(run, terms, K, packed);
  Bf16Least least;
  for (size_t n = 0; n < K; n += kBf16Columns) {
    for (size_t k = 0; k < terms; k += scheme.block_terms) {
      least.take(bf16_pack_columns(scheme, G + k * K + n, K, smaller(terms - k, scheme.block_terms),
                                   smaller(K - n, kBf16Columns), parts + whole.at(n, k)));
    }
  }
  *least_of(parts, whole) = least.value();
}

// Rows of `columns` behind each other, ones, which every range holds, in what is left of `stride`.
__attribute__((noinline)) inline void copy_rows(const float* from, size_t count, size_t columns,
                                                size_t stride, float* to) {
  for (size_t row = 0; row < count; ++row, from += columns, to += stride) {
    for (size_t n = 0; n < stride; ++n) to[n] = n < columns ? from[n] : 1;
  }
}

inline void fill_bf16_outer(const ContractArgs<float>& args, Slice b, float* a, float* h,
                            const Bf16Outer& outer) {
  const size_t a_stride = outer.rows.a_stride, h_stride = outer.rows.h_stride;
  for (size_t row = b.begin, panel = 0; row < b.end; row += kBf16Block, ++panel) {
    const size_t count = smaller(b.end - row, kBf16Block);
    float *panel_a = a + panel * kBf16Block * a_stride, *panel_h = h + panel * kBf16Block * h_stride;
    copy_rows(args.a + row * args.L, count, args.L, a_stride, panel_a);
    copy_rows(args.h + row * args.R, count, args.R, h_stride, panel_h);
    outer.has_phi[panel] =
        take_phi_of_both(outer.phi, panel_a, count * a_stride, panel_h, count * h_stride,
                         [&] { copy_rows(args.a + row * args.L, count, args.L, a_stride, panel_a); });
  }
}

// A block of rows against a block of B. A panel of B stays in the first-level cache while those of A stream
// past it. C is [panel of rows][panel of columns][32][32].
inline void bf16_multiply_block(const Bf16Run& run, const Bf16Place& at, const uint16_t* A, const uint16_t* B,
                                float* C, Bf16Beside& beside) {
  const size_t panels = bf16_panels(at.columns());
  for (size_t n = 0; n < panels; ++n, B += at.panel()) {
    for (size_t row = 0; row < at.rows(); row += kBf16Block) {
      const size_t m = (at.row - at.b.begin + row) / kBf16Block;
      run.tile->multiply(*at.scheme, at.steps(), A + row / kBf16Block * at.panel(), B,
                         C + (m * panels + n) * kBf16Square, smaller(at.rows() - row, kBf16Block),
                         smaller(at.columns() - n * kBf16Block, kBf16Block), at.continues(), beside);
    }
  }
}

inline bool bf16_contract_outer(const Bf16Run& run, const ContractArgs<float>& args, Slice b, uint32_t xi,
                                Bf16Outer outer) {
  const Bf16Scheme& scheme = *run.scheme;
  const size_t terms = args.L * args.R, K = args.K;
  if (terms == 0) return run.exact->contract[xi](args, b);
  const Bf16Whole whole{scheme, terms, K};
  const size_t panels = bf16_panels(b.size()), kc_most = smaller(terms, scheme.block_terms);
  const size_t A_size = bf16_size(scheme, smaller(b.size(), kBf16RowsOfBlock), kc_most);
  const size_t B_size = args.is_packed ? 0 : bf16_size(scheme, smaller(K, kBf16Columns), kc_most);
  outer.rows.a_stride = round_up(args.L, lanes<float>);
  outer.rows.h_stride = round_up(args.R, lanes<float>);
  Room room;
  room.add<float>(panels, kBf16Block, outer.rows.a_stride)
      .add<float>(panels, kBf16Block, outer.rows.h_stride)
      .add<bool>(panels)
      .add<uint16_t>(A_size)
      .add<uint16_t>(A_size)
      .add<uint16_t>(B_size)
      .add<uint16_t>(B_size)
      .add<float>(panels, bf16_panels(smaller(K, kBf16Columns)), kBf16Square);
  if (!scratch().reserve(room)) return false;
  float* a = scratch().take<float>(panels * kBf16Block * outer.rows.a_stride);
  float* h = scratch().take<float>(panels * kBf16Block * outer.rows.h_stride);
  outer.has_phi = scratch().take<bool>(panels);
  outer.rows.a = a;
  outer.rows.h = h;
  uint16_t* A[] = {scratch().take<uint16_t>(A_size), scratch().take<uint16_t>(A_size)};
  uint16_t* B[] = {scratch().take<uint16_t>(B_size), scratch().take<uint16_t>(B_size)};
  float* C = scratch().take<float>(panels * bf16_panels(smaller(K, kBf16Columns)) * kBf16Square);
  fill_bf16_outer(args, b, a, h, outer);

  uint16_t* parts = args.is_packed ? parts_of(run, terms, K, args.G) : nullptr;
  Bf16Least weights;
  Bf16Place at{&scheme, &args, b};
  Bf16Ahead ahead(outer);
  ahead.rows.start(at, A[0], 1);
  ahead.rows.finish();
  if (!parts) {
    ahead.weights.start(at, B[0], weights, 1);
    ahead.weights.finish();
  }
  run.tile->begin();
  for (size_t of_A = 0, of_B = 0; !at.is_end();) {
    const Bf16Place next = at.next_rows(), next_block = at.next_terms();
    const size_t turns = scheme.products * at.steps() * bf16_panels(at.columns());
    if (!next.is_end()) ahead.rows.start(next, A[!of_A], turns * bf16_panels(at.rows()));
    if (at.row == b.begin && !next_block.is_end()) {
      if (parts) {
        ahead.weights.start_fetching(next_block, parts + whole.at(next_block.n, next_block.k),
                                     turns * panels);
      } else {
        ahead.weights.start(next_block, B[!of_B], weights, turns * panels);
      }
    }
    bf16_multiply_block(run, at, A[of_A], parts ? parts + whole.at(at.n, at.k) : B[of_B], C, ahead);
    ahead.rows.finish();
    of_A = !of_A;
    if (next.row == b.begin) {
      ahead.weights.finish();
      of_B = !of_B;
      if (!next.continues())
        bf16_carry(C, {b.size(), at.columns()}, args.out + b.begin * K + at.n, K, at.k >= scheme.sum_terms);
    }
    at = next;
  }
  run.tile->end();

  const float of_G = parts ? *least_of(parts, whole) : weights.value();
  return bf16_redo(
      b,
      [&](Slice rows) {
        const Bf16Values a{args.a + rows.begin * args.L, rows.size() * args.L};
        const Bf16Values h{args.h + rows.begin * args.R, rows.size() * args.R};
        const float of_xi = outer.least(a.smallest(), h.smallest());
        return keeps_bits(of_xi, of_G) &&
               Bf16Values{args.out + rows.begin * K, rows.size() * K}.within(0, FLT_MAX);
      },
      [&](Slice rows) { return run.exact->contract[xi](args, rows); });
}

// A product of two may be as small as that of the smallest, a sum may cancel to all but the last of 24 bits.
template <class X>
float least_xi(float a, float h) {
  if constexpr (__is_same(X, xi_product)) return a * h;
  return (a < h ? a : h) * (X::selects ? 1 : 0x1p-24f);
}

template <class X, uint32_t id>
bool bf16_contract(const Bf16Run& run, const ContractArgs<float>& args, Slice b) {
  return bf16_contract_outer(
      run, args, b, id,
      {bf16_pack_rows<Whole<X>>, bf16_pack_rows<AfterPhi<X>>, take_phi<float, X>, least_xi<X>, {}, nullptr});
}

}  // namespace xt::XT_ISA
