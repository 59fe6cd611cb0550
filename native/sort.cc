// Sorting, outside of the files that are compiled once for each instruction set: std::sort is made of inline
// functions.
#include <algorithm>

#include "kernels.h"

namespace xt {

namespace {

template <class T>
void sort(const T* keys, size_t count, uint32_t* order) {
  for (size_t n = 0; n < count; ++n) order[n] = static_cast<uint32_t>(n);
  std::sort(order, order + count,
            [&](uint32_t x, uint32_t y) { return keys[x] < keys[y] || (keys[x] == keys[y] && x < y); });
}

}  // namespace

void sort_order(const float* keys, size_t count, uint32_t* order) { sort(keys, count, order); }
void sort_order(const double* keys, size_t count, uint32_t* order) { sort(keys, count, order); }

}  // namespace xt
