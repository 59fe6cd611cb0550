// xt_contract_grid: chooses the cheaper of two ways, for all rows alike, and cuts the rows for the threads.
#include <algorithm>
#include <cmath>

#include "abi.h"
#include "call.h"

namespace {

template <class T>
bool all_finite(const T* values, size_t count) {
  return std::all_of(values, values + count, [](T value) { return std::isfinite(value); });
}

// Rough cycles: directly a pair and k cost half a vector operation; by sweeps a row and j cost its place in
// the order, measured at 150 cycles, and a multiply-add an element.
template <class T>
bool sweeps_are_cheaper(const xt::GridArgs<T>& args, double lanes) {
  const double pairs = 1.0 * args.P * args.M * args.R;
  const double directly = pairs * args.L * (args.K + 1) / (2 * lanes);
  const double tables = (1 + args.P / 4096.0) * args.R * args.M * args.L * args.K * 3;
  return 150.0 * args.P * args.R + 1.5 * pairs * args.K / lanes + tables < directly;
}

}  // namespace

int32_t xt_contract_grid(uint32_t context, uint32_t dtype, uint32_t xi, size_t P, size_t M, size_t L,
                         size_t R, size_t K, const void* a, const void* h, const void* G, void* result) {
  const xt::Holds holds = xt::holds_of(dtype);
  if (xi >= xt::kXiCount || !holds(a, {M, L}) || !holds(h, {P, R}) || !holds(G, {L, R, K}) ||
      !holds(result, {P, M, K})) {
    return XT_ARGUMENT;
  }
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = xt::ElementOf<decltype(table)>;
    if (P == 0 || M == 0 || K == 0) return XT_OK;
    if (L == 0 || R == 0) {
      std::fill_n(xt::out<T>(result), P * M * K, T(0));
      return XT_OK;
    }
    const xt::GridArgs<T> args{P, M, L, R, K, xt::in<T>(a), xt::in<T>(h), xt::in<T>(G), xt::out<T>(result)};
    const bool by_sweeps = table.grid_sweeps[xi] != nullptr && sweeps_are_cheaper(args, table.lanes) &&
                           all_finite(args.a, M * L) && all_finite(args.h, P * R);
    const auto kernel = by_sweeps ? table.grid_sweeps[xi] : table.grid[xi];
    return run.over(P, 2 * table.lanes, 1.0 * P * M * L * R * K,
                    [&](xt::Slice p) { return kernel(args, p); });
  });
}
