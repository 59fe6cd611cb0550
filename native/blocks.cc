#include "blocks.h"

#include <cstdlib>

#include "abi.h"

namespace xt {

namespace {

#if defined(__wasm__)
constexpr size_t kMost = 0;  // its allocator asks nobody for pages, and its memory is bounded
#else
constexpr size_t kMost = size_t{1} << 25;  // bytes that a thread keeps
#endif
constexpr size_t kCount = 32;
constexpr size_t kLeast = size_t{1} << 13;  // smaller ones malloc has at hand
constexpr size_t kSlack = 4;                // a block serves requests down to this part of it

class Kept {
 public:
  Block take(size_t bytes) {
    size_t best = count_;
    for (size_t n = 0; n < count_; ++n) {
      const size_t size = blocks_[n].bytes;
      if (size >= bytes && size / kSlack <= bytes && (best == count_ || size < blocks_[best].bytes)) best = n;
    }
    if (best == count_) return {};
    const Block block = blocks_[best];
    remove(best);
    return block;
  }

  void keep(const Block& block) {
    if (block.bytes > kMost) return std::free(block.data);
    // The oldest make room.
    while (count_ == kCount || bytes_ + block.bytes > kMost) {
      std::free(blocks_[0].data);
      remove(0);
    }
    blocks_[count_++] = block;
    bytes_ += block.bytes;
  }

  ~Kept() {
    for (size_t n = 0; n < count_; ++n) std::free(blocks_[n].data);
  }

 private:
  void remove(size_t at) {
    bytes_ -= blocks_[at].bytes;
    --count_;
    for (size_t n = at; n < count_; ++n) blocks_[n] = blocks_[n + 1];
  }

  Block blocks_[kCount];
  size_t count_ = 0, bytes_ = 0;
};

Kept& kept() {
  thread_local Kept own;
  return own;
}

}  // namespace

Block take_block(size_t bytes) {
  const size_t rounded = padded(bytes);
  if (rounded >= kLeast) {
    const Block known = kept().take(rounded);
    if (known.data) return known;
  }
  void* data = std::aligned_alloc(64, rounded);
  if (!data) return {};
  if (rounded >= XT_POPULATED_BYTES) xt_populate(data, rounded);
  return {data, rounded};
}

void give_back(const Block& block) {
  if (block.bytes >= kLeast) {
    kept().keep(block);
  } else {
    std::free(block.data);
  }
}

}  // namespace xt
