// xt_contract_grid: chooses the cheapest of three ways, for all rows alike, and cuts the rows for the
// threads.
#include <algorithm>
#include <cmath>

#include "abi.h"
#include "call.h"

namespace {

template <class T>
bool all_finite(const T* values, size_t count) {
  return std::all_of(values, values + count, [](T value) { return std::isfinite(value); });
}

// Products of two such numbers, and sums of them, neither overflow nor lose bits: Σ_i (G·a)·h may then stand
// for Σ_i G·(a·h).
template <class T>
bool all_moderate(const T* values, size_t count) {
  const T most = static_cast<T>(sizeof(T) == 4 ? 0x1p+50 : 0x1p+400);
  return std::all_of(values, values + count, [&](T value) {
    const T size = std::abs(value);
    return size == 0 || (size >= 1 / most && size <= most);
  });
}

// Tables of pieces should stay in the caches of a core.
constexpr double kMostTableBytes = 4 << 20;

// Rough cycles, measured on Zen 3. Directly a pair and k cost half a vector operation. A lookup costs a row
// and j its search and the loads of a piece, a sweep its place in the order. Both fill tables.
template <class T>
xt::GridKernel<T> cheapest_way(const xt::GridArgs<T>& args, const xt::KernelTable<T>& table, uint32_t xi) {
  const auto directly = table.grid[xi], lookups = table.grid_lookups[xi], sweeps = table.grid_sweeps[xi];
  if (!lookups) return directly;
  const double rows = 1.0 * args.P * args.R, pairs = 1.0 * args.M * args.L, R = args.R, lanes = table.lanes;
  const double vectors = std::ceil(1.0 * args.M * args.K / lanes);
  const double breakpoints = sweeps ? pairs : 0, found = sweeps ? 10 : 0, tabulated = 2 * R * pairs * args.K;
  const double by_pairs = rows * pairs * (args.K + 1) / (2 * lanes);
  const double by_lookups =
      rows * (found + 2.5 * vectors) + R * (breakpoints + 1) * (60 + 7 * vectors) + tabulated;
  const double by_sweeps =
      sweeps ? rows * (250 + 4 * vectors) + std::ceil(args.P / 4096.0) * (tabulated + R * pairs * 20)
             : INFINITY;
  const double table_bytes = 2 * sizeof(T) * R * (breakpoints + 1) * lanes * vectors;
  if (table_bytes <= kMostTableBytes && by_lookups < std::min(by_pairs, by_sweeps)) return lookups;
  return by_sweeps < by_pairs ? sweeps : directly;
}

// Sums of such numbers do not overflow: Σ_i G·h may be (Σ_i G)·h.
template <class T>
bool have_sums(const T* values, size_t count) {
  const T most = static_cast<T>(sizeof(T) == 4 ? 0x1p+90 : 0x1p+980);
  return std::all_of(values, values + count, [&](T value) { return std::abs(value) <= most; });
}

// Whether tables serve: their sums, of finite values, are what the definition adds, and a sweep sorts h.
// Where there are no breakpoints, Σ_i G·a is a factor or a summand of its own.
template <class T>
bool tables_serve(const xt::GridArgs<T>& args, bool has_breakpoints, bool sweeps) {
  const size_t a_length = args.M * args.L, G_length = args.L * args.R * args.K;
  if (!has_breakpoints) return all_moderate(args.a, a_length) && all_moderate(args.G, G_length);
  return all_finite(args.a, a_length) && have_sums(args.G, G_length) &&
         (!sweeps || all_finite(args.h, args.P * args.R));
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
    const auto way = cheapest_way(args, table, xi), sweeps = table.grid_sweeps[xi];
    const bool serves = way == table.grid[xi] || tables_serve(args, sweeps != nullptr, way == sweeps);
    const auto kernel = serves ? way : table.grid[xi];
    return run.over(P, 2 * table.lanes, 1.0 * P * M * L * R * K,
                    [&](xt::Slice p) { return kernel(args, p); });
  });
}
