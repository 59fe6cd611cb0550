// ξ over many operands elementwise: the fold over steps that a CP network is made of, its gradient, and outer
// products.
#pragma once
#include "xi-inl.h"

namespace xt::XT_ISA {

// Calls body(load, store, n) for whole vectors of [begin, end), then for the rest of it.
template <class T, class F>
XT_INLINE void for_vectors(Slice n, F&& body) {
  size_t at = n.begin;
  for (; at + lanes<T> <= n.end; at += lanes<T>) {
    body([](const T* from) { return load(from); }, [](T* to, Vec<T> value) { store(to, value); }, at);
  }
  if (at < n.end) {
    const size_t count = n.end - at;
    body([=](const T* from) { return load_part(from, count); },
         [=](T* to, Vec<T> value) { store_part(to, value, count); }, at);
  }
}

template <class T, class X>
void fold(size_t steps, size_t N, const T* z, T* out, Slice n) {
  for_vectors<T>(n, [&](auto read, auto write, size_t at) {
    Vec<T> state = broadcast(T(X::unit));
    for (size_t t = 0; t < steps; ++t) state = X::value(state, read(z + t * N + at));
    write(out + at, state);
  });
}

// Backward through the recurrence s_t = ξ(s_{t−1}, z_t): the states of one vector of elements are kept, no
// more.
template <class T, class X>
bool fold_gradient(size_t steps, size_t N, const T* z, const T* dout, T* dz, Slice n) {
  if (!scratch().reserve(Room().add<T>(steps + 1, lanes<T>))) return false;
  T* states = scratch().take<T>((steps + 1) * lanes<T>);
  for_vectors<T>(n, [&](auto read, auto write, size_t at) {
    Vec<T> state = broadcast(T(X::unit));
    for (size_t t = 0; t < steps; ++t) {
      store(states + t * lanes<T>, state);
      state = X::value(state, read(z + t * N + at));
    }
    Vec<T> gradient = read(dout + at);
    for (size_t t = steps; t-- > 0;) {
      const Vec<T> before = load(states + t * lanes<T>), operand = read(z + t * N + at);
      write(dz + t * N + at, gradient * X::dy(before, operand));
      gradient = gradient * X::dx(before, operand);
    }
  });
  return true;
}

template <class T, class X>
void outer(size_t N, const T* x, const T* y, T* out, Slice m) {
  for (size_t row = m.begin; row < m.end; ++row) {
    const Vec<T> left = broadcast(x[row]);
    for_vectors<T>({0, N}, [&](auto read, auto write, size_t at) {
      write(out + row * N + at, X::value(left, read(y + at)));
    });
  }
}

}  // namespace xt::XT_ISA
