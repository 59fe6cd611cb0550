#include "memory.h"

#include <algorithm>

namespace xt {

namespace {

#if defined(__wasm__)
// 64 bits, since a memory of 4 GiB ends where 32 begin again.
bool ends_within(const void* data, size_t bytes) {
  constexpr uint64_t page = 65536;
  return uint64_t{reinterpret_cast<uintptr_t>(data)} + bytes <= __builtin_wasm_memory_size(0) * page;
}
#else
struct Arrays {
  const Array* first;
  size_t count;
};
thread_local Arrays lent{nullptr, 0};

bool ends_within(const void* data, size_t bytes) {
  // Two views may begin together, and then lie in one memory.
  const auto holds = [&](const Array& array) { return array.data == data && array.bytes >= bytes; };
  return lent.first == nullptr || std::any_of(lent.first, lent.first + lent.count, holds);
}
#endif

}  // namespace

#if !defined(__wasm__)
Lent::Lent(const Array* arrays, size_t count) { lent = {arrays, count}; }
Lent::~Lent() { lent = {nullptr, 0}; }
#endif

bool Holds::reaches(const void* data, size_t count) const {
  return count == 0 ||
         (data != nullptr && count <= SIZE_MAX / element_ && ends_within(data, count * element_));
}

bool Holds::operator()(const void* data, std::initializer_list<size_t> extents) const {
  size_t count = 1;
  for (size_t extent : extents) {
    if (__builtin_mul_overflow(count, extent, &count)) return false;
  }
  return reaches(data, count);
}

bool Holds::strided(const void* data, const Axis* axes, size_t count) const {
  size_t end = 1;
  bool fits = true;
  for (size_t n = 0; n < count; ++n) {
    if (axes[n].extent == 0) return true;
    size_t last;
    fits = fits && !__builtin_mul_overflow(axes[n].extent - 1, axes[n].stride, &last) &&
           !__builtin_add_overflow(end, last, &end);
  }
  return fits && reaches(data, end);
}

bool Holds::strided(const void* data, std::initializer_list<Axis> axes) const {
  return strided(data, axes.begin(), axes.size());
}

bool apart(Axis* axes, size_t count) {
  std::sort(axes, axes + count, [](const Axis& x, const Axis& y) { return x.stride < y.stride; });
  size_t reach = 0;
  bool apart = true;
  for (size_t n = 0; n < count; ++n) {
    if (axes[n].extent == 0) return true;
    if (axes[n].extent == 1) continue;
    apart = apart && axes[n].stride > reach;
    reach += (axes[n].extent - 1) * axes[n].stride;
  }
  return apart;
}

bool all_below(const int32_t* indices, size_t count, size_t bound) {
  if (!holds_words(indices, {count})) return false;
  return std::all_of(indices, indices + count,
                     [&](int32_t index) { return index >= 0 && static_cast<size_t>(index) < bound; });
}

}  // namespace xt
