// Large blocks of memory that a thread keeps for its next call: pages from the system cost more than the
// arithmetic of one pass over them (a fifth of xt_numerical_rank of 1000 × 1000 went there).
#pragma once
#include <cstddef>

namespace xt {

// A block of `bytes` or more, aligned to cache lines; null when memory is short.
struct Block {
  void* data = nullptr;
  size_t bytes = 0;
};
Block take_block(size_t bytes);
void give_back(const Block& block);

}  // namespace xt
