// xt_embed and its gradient: loads and stores only, so that no instruction set makes a difference.
#include <algorithm>

#include "abi.h"
#include "call.h"

namespace {

// Rows at a time whose z [rows,M] stays in the second level of cache while the rows of A pass by.
constexpr size_t kRows = 256;

// Calls body(m, first, last) for every feature of `m` and every block of rows of `rows`.
template <class F>
void over_blocks(xt::Slice rows, xt::Slice m, F&& body) {
  for (size_t first = rows.begin; first < rows.end; first += kRows) {
    const size_t last = std::min(first + kRows, rows.end);
    for (size_t feature = m.begin; feature < m.end; ++feature) body(feature, first, last);
  }
}

bool fits(uint32_t dtype, const int32_t* tokens, const void* A, const void* z, size_t rows, size_t M,
          size_t N) {
  const xt::Holds holds = xt::holds_of(dtype);
  return xt::all_below(tokens, rows, N) && holds(A, {M, N}) && holds(z, {rows, M});
}

}  // namespace

int32_t xt_embed(uint32_t context, uint32_t dtype, size_t rows, size_t M, size_t N, const int32_t* tokens,
                 const void* A, void* z) {
  if (!fits(dtype, tokens, A, z, rows, M, N)) return XT_ARGUMENT;
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) {
    using T = xt::ElementOf<decltype(table)>;
    return run.over(rows, 1, 10.0 * rows * M, [&](xt::Slice part) {
      over_blocks(part, {0, M}, [&](size_t m, size_t first, size_t last) {
        const T* from = xt::in<T>(A) + m * N;
        for (size_t row = first; row < last; ++row) xt::out<T>(z)[row * M + m] = from[tokens[row]];
      });
      return true;
    });
  });
}

int32_t xt_embed_gradient(uint32_t context, uint32_t dtype, size_t rows, size_t M, size_t N,
                          const int32_t* tokens, const void* dz, void* dA) {
  if (!fits(dtype, tokens, dA, dz, rows, M, N)) return XT_ARGUMENT;
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) {
    using T = xt::ElementOf<decltype(table)>;
    // Cut by features: each sum belongs to one thread, which takes the rows in their order.
    return run.over(M, 1, 10.0 * (rows + N) * M, [&](xt::Slice part) {
      T* to = xt::out<T>(dA);
      std::fill(to + part.begin * N, to + part.end * N, T(0));
      over_blocks({0, rows}, part, [&](size_t m, size_t first, size_t last) {
        for (size_t row = first; row < last; ++row) to[m * N + tokens[row]] += xt::in<T>(dz)[row * M + m];
      });
      return true;
    });
  });
}
