// Large blocks of memory that a thread keeps for its next call: pages from the system cost more than the
// arithmetic of one pass over them (a fifth of xt_numerical_rank of 1000 × 1000 went there).
#pragma once
#include <cstddef>

namespace xt {

// What a block of so many bytes takes: whole cache lines, and a vector may begin at its last element.
constexpr size_t padded(size_t bytes) { return (bytes + 56 + 63) / 64 * 64; }

// A block of `bytes` or more, padded and aligned to cache lines; null when memory is short.
struct Block {
  void* data = nullptr;
  size_t bytes = 0;
};
Block take_block(size_t bytes);
void give_back(const Block& block);

}  // namespace xt
