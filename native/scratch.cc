#include "scratch.h"

#include <cstdlib>

namespace xt {

Scratch::~Scratch() { std::free(block_); }

bool Scratch::reserve(const Room& room) {
  const size_t bytes = room.bytes();
  used_ = 0;
  if (bytes <= capacity_) return true;
  if (bytes > SIZE_MAX / 2) return false;
  std::free(block_);
  const size_t rounded = (bytes + 4095) / 4096 * 4096;
  block_ = static_cast<unsigned char*>(std::aligned_alloc(64, rounded));
  capacity_ = block_ ? rounded : 0;
  return block_ != nullptr;
}

Scratch& scratch() {
  thread_local Scratch own;
  return own;
}

}  // namespace xt
