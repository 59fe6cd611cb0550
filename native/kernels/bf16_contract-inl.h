// out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]) by products of bf16 parts: the loop nest of gemm-inl.h around a
// Bf16Tile. ξ is formed in float32, row by row, and split while packing.
//
// Whatever is infinite or NaN anywhere on the way makes its output so too: a part of it is, and neither
// leaves a sum. So outputs alone are looked at, and the rows of those are computed anew in float32, 32 rows
// at a time, which are cut alike for any number of threads.
#pragma once
#include "bf16_pack-inl.h"

namespace xt::XT_ISA {

// Columns of a block of B, of some half a megabyte, and rows of one of A.
constexpr size_t kBf16Columns = 512, kBf16RowsOfBlock = 4 * kBf16Block;

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

inline size_t bf16_packed_length(const Bf16Run& run, size_t terms, size_t K) {
  const Bf16Whole whole{*run.scheme, terms, K};
  return exact_length(run, terms, K) + whole.size() / 2 + 64 / sizeof(float);
}

inline void bf16_pack_weights(const Bf16Run& run, size_t terms, size_t K, const float* G, float* packed) {
  const Bf16Scheme& scheme = *run.scheme;
  const Bf16Whole whole{scheme, terms, K};
  run.exact->pack_weights(terms, K, G, packed);
  uint16_t* parts = parts_of(run, terms, K, packed);
  for (size_t n = 0; n < K; n += kBf16Columns) {
    for (size_t k = 0; k < terms; k += scheme.block_terms) {
      bf16_pack_columns(scheme, G, K, n, smaller(K - n, kBf16Columns), k,
                        smaller(terms - k, scheme.block_terms), parts + whole.at(n, k));
    }
  }
}

// The part of ξ that a slice needs to know, and its rows as copies that vectors may read beyond, after φ
// where `has_phi` says so of a panel.
struct Bf16Outer {
  FormTerms whole, after_phi;
  TakePhi<float> phi;
  Bf16Rows rows;
  bool* has_phi;

  FormTerms form(size_t panel) const { return has_phi[panel] ? after_phi : whole; }
  Bf16Rows panel(size_t panel) const {
    const size_t first = panel * kBf16Block;
    return {rows.a + first * rows.a_stride, rows.h + first * rows.h_stride, rows.a_stride, rows.h_stride,
            rows.R};
  }
};

// Rows of `columns` behind each other, ones, which every range holds, in what is left of `stride`.
inline void copy_rows(const float* from, size_t count, size_t columns, size_t stride, float* to) {
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
    outer.has_phi[panel] = outer.phi(panel_a, count * a_stride);
    if (!outer.has_phi[panel]) continue;
    outer.has_phi[panel] = outer.phi(panel_h, count * h_stride);
    if (!outer.has_phi[panel]) copy_rows(args.a + row * args.L, count, args.L, a_stride, panel_a);
  }
}

// A block that is not whole: computed aside and merged.
inline void merge_bf16(const float* aside, size_t rows, size_t cols, float* C, size_t C_stride,
                       bool accumulate) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; c += 16) {
      const size_t width = smaller(cols - c, 16);
      const auto present = static_cast<__mmask16>((1u << width) - 1);
      float* to = C + r * C_stride + c;
      const __m512 before = _mm512_maskz_loadu_ps(accumulate ? present : 0, to);
      _mm512_mask_storeu_ps(to, present, _mm512_add_ps(before, load(aside + r * kBf16Block + c)));
    }
  }
}

struct Bf16Buffers {
  uint16_t *A, *B;
  float *line, *aside;
};

// All rows of a slice against one block of B. A panel of B stays in the first-level cache while those of A
// stream past it.
inline void bf16_multiply_block(const Bf16Run& run, const ContractArgs<float>& args, Slice b,
                                const Bf16Outer& outer, size_t n, size_t nc, size_t k, size_t kc,
                                const uint16_t* B, const Bf16Buffers& buffers, Prefetch& ahead) {
  const Bf16Scheme& scheme = *run.scheme;
  const size_t steps = bf16_steps(kc), panel = steps * scheme.parts * kBf16Panel;
  for (size_t block = b.begin; block < b.end; block += kBf16RowsOfBlock) {
    const size_t rows = smaller(b.end - block, kBf16RowsOfBlock);
    for (size_t row = 0; row < rows; row += kBf16Block) {
      const size_t index = (block + row - b.begin) / kBf16Block;
      bf16_pack_rows(scheme, outer.panel(index), outer.form(index), smaller(rows - row, kBf16Block), k, kc,
                     buffers.line, buffers.A + row / kBf16Block * panel);
    }
    for (size_t c = 0; c < nc; c += kBf16Block) {
      const size_t cols = smaller(nc - c, kBf16Block);
      for (size_t row = 0; row < rows; row += kBf16Block) {
        const size_t present = smaller(rows - row, kBf16Block);
        const uint16_t* panel_A = buffers.A + row / kBf16Block * panel;
        const uint16_t* panel_B = B + c / kBf16Block * panel;
        float* C = args.out + (block + row) * args.K + n + c;
        ahead.some(ahead.a_tile);
        if (present == kBf16Block && cols == kBf16Block) {
          run.tile->multiply(scheme, steps, panel_A, panel_B, C, args.K, present, cols, k > 0);
        } else {
          run.tile->multiply(scheme, steps, panel_A, panel_B, buffers.aside, kBf16Block, present, cols,
                             false);
          merge_bf16(buffers.aside, present, cols, C, args.K, k > 0);
        }
      }
    }
  }
}

inline bool all_finite(const float* values, size_t count) {
  Int<float> wrong{};
  size_t n = 0;
  for (; n + lanes<float> <= count; n += lanes<float>)
    wrong |= ~(absolute(load(values + n)) <= max_finite<Vec<float>>());
  if (n < count) wrong |= ~(absolute(load_part(values + n, count - n)) <= max_finite<Vec<float>>());
  return !any_lane<float>(wrong);
}

// The next block of B; see next_block of gemm-inl.h.
inline Prefetch bf16_ahead(const ContractArgs<float>& args, const Bf16Whole& whole, const uint16_t* parts,
                           size_t n, size_t k, size_t kc, size_t tiles) {
  const size_t next = smaller(whole.terms - k - kc, whole.scheme.block_terms);
  if (next == 0) return {};
  if (parts) {
    const size_t size = bf16_size(whole.scheme, smaller(args.K - n, kBf16Columns), next);
    return {parts + whole.at(n, k + kc), 1, sizeof(uint16_t) * size, 0, tiles, kc};
  }
  const size_t row = sizeof(float) * args.K;
  return {args.G + (k + kc) * args.K + n, next, smaller(row, sizeof(float) * kBf16Columns), row, tiles, kc};
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
  const size_t line = scheme.block_terms + lanes<float>;
  outer.rows.R = args.R;
  outer.rows.a_stride = round_up(args.L, lanes<float>);
  outer.rows.h_stride = round_up(args.R, lanes<float>) + lanes<float>;
  Room room;
  room.add<float>(panels, kBf16Block, outer.rows.a_stride)
      .add<float>(panels, kBf16Block, outer.rows.h_stride)
      .add<bool>(panels)
      .add<uint16_t>(A_size)
      .add<uint16_t>(B_size)
      .add<float>(line)
      .add<float>(kBf16Block, kBf16Block);
  if (!scratch().reserve(room)) return false;
  float* a = scratch().take<float>(panels * kBf16Block * outer.rows.a_stride);
  float* h = scratch().take<float>(panels * kBf16Block * outer.rows.h_stride);
  outer.has_phi = scratch().take<bool>(panels);
  outer.rows.a = a;
  outer.rows.h = h;
  Bf16Buffers buffers{};
  buffers.A = scratch().take<uint16_t>(A_size);
  buffers.B = scratch().take<uint16_t>(B_size);
  buffers.line = scratch().take<float>(line);
  buffers.aside = scratch().take<float>(kBf16Block * kBf16Block);
  fill_bf16_outer(args, b, a, h, outer);

  const uint16_t* parts = args.is_packed ? parts_of(run, terms, K, args.G) : nullptr;
  run.tile->begin();
  for (size_t n = 0; n < K; n += kBf16Columns) {
    const size_t nc = smaller(K - n, kBf16Columns);
    for (size_t k = 0; k < terms; k += scheme.block_terms) {
      const size_t kc = smaller(terms - k, scheme.block_terms);
      if (!parts) bf16_pack_columns(scheme, args.G, K, n, nc, k, kc, buffers.B);
      Prefetch ahead = bf16_ahead(args, whole, parts, n, k, kc, panels * bf16_panels(nc));
      bf16_multiply_block(run, args, b, outer, n, nc, k, kc, parts ? parts + whole.at(n, k) : buffers.B,
                          buffers, ahead);
    }
  }
  run.tile->end();

  for (size_t row = b.begin; row < b.end; row += kBf16Block) {
    const Slice rows{row, smaller(b.end, row + kBf16Block)};
    if (all_finite(args.out + row * K, rows.size() * K)) continue;
    if (!run.exact->contract[xi](args, rows)) return false;
  }
  return true;
}

template <class X, uint32_t id>
bool bf16_contract(const Bf16Run& run, const ContractArgs<float>& args, Slice b) {
  return bf16_contract_outer(
      run, args, b, id, {form_terms<Whole<X>>, form_terms<AfterPhi<X>>, take_phi<float, X>, {}, nullptr});
}

constexpr Bf16Kernels bf16_kernels{
    {
#define XI(name, id, ...) bf16_contract<xi_##name, id>,
#include "../xi.def"
#undef XI
    },
    bf16_packed_length,
    bf16_pack_weights,
};

}  // namespace xt::XT_ISA
