// How far the arrays of a call reach. The addon says where each array that it was given ends, for the time of
// the call, and every function compares that with what its sizes, strides and plans ask for: lengths that
// JavaScript tells are whatever its objects claim. WebAssembly passes addresses alone, and an end there is
// that of its memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "abi.h"

namespace xt {

struct Array {
  const void* data;
  size_t bytes;
};

// The arrays of the calling thread's call, as long as it lives. Who calls the ABI without it, as C++ does, is
// believed.
class Lent {
 public:
  Lent(const Array* arrays, size_t count);
  ~Lent();
  Lent(const Lent&) = delete;
};

// Places `stride` elements apart, of which there are `extent`.
struct Axis {
  size_t extent, stride;
};

// What is asked of arrays with elements of so many bytes. An array of no elements may be null.
class Holds {
 public:
  constexpr explicit Holds(size_t element) : element_(element) {}
  // False if a product of extents does not fit a size_t, or if not so many elements are there.
  bool operator()(const void* data, std::initializer_list<size_t> extents) const;
  bool strided(const void* data, std::initializer_list<Axis> axes) const;
  bool strided(const void* data, const Axis* axes, size_t count) const;

 private:
  bool reaches(const void* data, size_t count) const;
  size_t element_;
};

inline Holds holds_of(uint32_t dtype) { return Holds(dtype == XT_FLOAT64 ? sizeof(double) : sizeof(float)); }
inline constexpr Holds holds_doubles(sizeof(double)), holds_words(sizeof(int32_t));

// Whether different places along these axes are different elements: each stride leads beyond all that the
// smaller ones reach. For axes that an array holds, so that nothing overflows; puts them into another order.
bool apart(Axis* axes, size_t count);

// Whether all of `count` indices are there and from 0 to bound−1, so that none leads out of an array.
bool all_below(const int32_t* indices, size_t count, size_t bound);

}  // namespace xt
