// Products of float32 matrices as sums of products of bf16 parts: x = x₁ + x₂ + x₃, each part the rest
// rounded to bf16, so that three parts hold all 24 bits. Free of instruction sets.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace xt {

// Terms that a tile takes at a time, and rows and columns of a block of C: two tiles of 16 each way.
constexpr size_t kBf16Step = 32, kBf16Block = 32;
// bf16 values of one part of 32 rows (of A) or columns (of B) over kBf16Step terms: two tiles.
constexpr size_t kBf16Panel = kBf16Step * kBf16Block;

struct Bf16Scheme {
  size_t parts, products;
  // Of contractions: such that a panel of B in all its parts takes up to 32 kB, of the 48 kB of a first-level
  // cache.
  size_t block_terms;
  // Whole blocks, after which a sum is added to the result and the next begins at zero.
  size_t sum_terms;
  // The parts that are multiplied. Neighbours share one of them, so that three parts take 14 loads of tiles
  // for 24 products.
  struct {
    uint8_t A, B;
  } product[6];
};

// By precision (abi.h). A part is at most 2⁻⁸ of the one before. The six products leave out A₂B₃ and A₃B₂, of
// 2⁻²⁴ of |A| |B| at most, the three of a two-way split A₂B₂ and the rests, of 2⁻¹⁶ each. Henry, Tang &
// Heinecke (ARITH 2019), "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
// Computations".
//
// Six products a term round six times as often as one multiply-add. In sums of 2048 terms, with vectors for
// the sums of these, the error stays at that of multiply-adds, where sums of all terms had four times as
// much. With fewer products what is left out outweighs that.
inline constexpr Bf16Scheme kBf16Schemes[] = {
    {3, 6, 128, 2048, {{0, 2}, {0, 1}, {1, 1}, {1, 0}, {0, 0}, {2, 0}}},
    {2, 3, 256, SIZE_MAX, {{0, 1}, {0, 0}, {1, 0}}},
    {1, 1, 512, SIZE_MAX, {{0, 0}}},
};

// Work for the vector units while those of the tiles are busy, in turns: whoever multiplies does one for each
// product of each step, as soon as its instructions are on their way. Much at a time would not do: the
// processor looks ahead by 512 instructions at most, and the tiles wait for what is behind a longer stretch.
struct Bf16Beside {
  void (*turn)(Bf16Beside&);
};

// How 32 × 32 of C are multiplied. Packed panels are [step][part][tile of 16 rows or columns]: a tile of A is
// [row][32 terms], one of B [pair of terms][column][2]: what TDPBF16PS takes, 1 kB each.
struct Bf16Tile {
  // Around each thread's multiplications.
  void (*begin)();
  void (*end)();
  // C [rows, cols] (+)= A·B over `steps` steps; C is a block of 32 rows of 32, of which those beyond rows and
  // cols may be written, on cache lines: where each row of a tile crosses one, C2 takes a quarter longer.
  void (*multiply)(const Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B, float* C,
                   size_t rows, size_t cols, bool accumulate, Bf16Beside& beside);
};

struct Bf16Kernels;

// From these sizes on six products a term in tiles of AMX take clearly less time than multiply-adds. Emerald
// Rapids, one thread: contractions of 250 rows 0.75 of it with K = 64, 0.68 with K = 96 and 0.58 with K =
// 256; twice of it with few rows, as each panel of weights is split for 32 of them, or with few pairs, 1.5
// with R = 1. Gradients of 250 rows 0.7 with K = 16 and 0.6 with K = 64, of few pairs (i, j) 1.1 to 1.3. In
// minutes in which the host slows tiles down the gradients take 1.05, contractions of K = 64 1.35.
constexpr size_t kTilesFromRows = 96, kTilesFromR = 16, kTilesFromPairs = 256;
constexpr size_t kTilesFromColumns = 96, kTilesFromGradientColumns = 16;

// What a contraction by parts runs with: `exact` computes what is too large or too small for bf16. Without a
// tile contractions are those of `exact`.
struct Bf16Run {
  const Bf16Scheme* scheme;
  const Bf16Tile* tile;
  const Bf16Kernels* kernels;
  const KernelTable<float>* exact;
  // Whether the tile takes contractions of every size, or those alone in which it is faster than `exact`.
  bool every_size;

  bool contracts(size_t B, size_t L, size_t R, size_t K) const {
    return tile && (every_size || (B >= kTilesFromRows && R >= kTilesFromR && L * R >= kTilesFromPairs &&
                                   K >= kTilesFromColumns));
  }
  bool differentiates(size_t B, size_t L, size_t R, size_t K) const {
    return tile && (every_size ||
                    (B >= kTilesFromRows && L * R >= kTilesFromPairs && K >= kTilesFromGradientColumns));
  }
};

// The contraction and its gradients around the tile; one set, compiled for AVX-512 BF16, serves every tile.
// Slices are cut at multiples of kBf16Block.
struct Bf16Kernels {
  bool (*contract[kXiCount])(const Bf16Run&, const ContractArgs<float>&, Slice b);
  bool (*contract_gradient_inputs[kXiCount])(const Bf16Run&, const ContractGradientArgs<float>&, Slice b);
  bool (*contract_gradient_weights[kXiCount])(const Bf16Run&, const ContractGradientArgs<float>&, Slice ij);
  // In float32 elements, with the layout of `exact` among them.
  size_t (*packed_length)(const Bf16Run&, size_t terms, size_t K);
  void (*pack_weights)(const Bf16Run&, size_t terms, size_t K, const float* G, float* packed);
};

// Whether two tiles compute the same, exactly for integers and within rounding for others: nothing else is
// known of a tile of the hardware until it has run.
bool tiles_agree(const Bf16Tile& x, const Bf16Tile& y);

}  // namespace xt
