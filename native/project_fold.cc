// xt_project_fold and xt_winner_sums: what a CP network's passes run on.
#include <algorithm>

#include "abi.h"
#include "call.h"

using xt::Holds;
using xt::in;
using xt::out;
using xt::Slice;

namespace {

// Elements of f that a kernel packs for its rows: with fewer rows the packing of v would show, with more the
// packed f would leave the cache. At least so many tiles, however many elements they have.
constexpr size_t kPacked = size_t{1} << 20, kLeastTiles = 16;

}  // namespace

int32_t xt_project_fold(uint32_t context, uint32_t dtype, uint32_t xi, size_t T_, size_t B, size_t R,
                        size_t M, size_t K, const void* f, size_t f_row, size_t f_step, const void* v,
                        size_t v_row, size_t v_step, const void* lambda, void* scores, void* s,
                        void* winners) {
  // An empty array may have a null pointer of its own.
  const Holds holds = xt::holds_of(dtype);
  if (xi >= xt::kXiCount || !holds.strided(f, {{T_, f_step}, {B, f_row}, {M, 1}}) ||
      !holds.strided(v, {{T_, v_step}, {R, v_row}, {M, 1}}) ||
      (scores && !(holds(lambda, {R, K}) && holds(scores, {B, K}))) || (s && !holds(s, {B, R})) ||
      (winners && !holds(winners, {B, R}))) {
    return XT_ARGUMENT;
  }
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = xt::ElementOf<decltype(table)>;
    const xt::ProjectFoldArgs<T> args{T_,
                                      B,
                                      R,
                                      M,
                                      scores ? K : 0,
                                      in<T>(f),
                                      f_row,
                                      f_step,
                                      in<T>(v),
                                      v_row,
                                      v_step,
                                      in<T>(lambda),
                                      out<T>(scores),
                                      out<T>(s),
                                      out<T>(winners)};
    const double work = 1.0 * T_ * B * R * std::max<size_t>(M, 1);
    const size_t tile = table.tile_rows;
    const auto kernel = [&](Slice b, Slice r) { return table.project_fold[xi](args, b, r); };
    // Scores are sums over r, so they are cut by rows. Else whichever can be shared out more evenly.
    if (!scores && B / tile < R / table.tile_columns) {
      return run.over(R, table.tile_columns, work, [&](Slice r) { return kernel({0, B}, r); });
    }
    const size_t tiles = std::max(kPacked / (T_ * M + 1) / tile, kLeastTiles);
    return run.over(
        B, tile, work,
        [&](Slice b) {
          return kernel(b, {0, R});
        },
        tiles * tile);
  });
}

int32_t xt_winner_sums(uint32_t context, uint32_t dtype, size_t T_, size_t P, size_t Q, size_t M,
                       const void* winners, const void* d, uint32_t transposed, const void* x, size_t x_row,
                       size_t x_step, void* result, size_t out_row, size_t out_step) {
  const Holds holds = xt::holds_of(dtype);
  if (!holds(winners, {P, Q}) || !holds(d, {P, Q}) || !holds.strided(x, {{T_, x_step}, {Q, x_row}, {M, 1}}) ||
      !holds.strided(result, {{T_, out_step}, {P, out_row}, {M, 1}})) {
    return XT_ARGUMENT;
  }
  // Threads share the rows. With an out_step of 0 all steps add up in one place of each.
  xt::Axis axes[] = {{M, 1}, {P, out_row}, {T_, out_step}};
  if (!xt::apart(axes, out_step == 0 ? 2 : 3)) return XT_ARGUMENT;
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = xt::ElementOf<decltype(table)>;
    if (T_ == 0 || Q == 0 || M == 0) return XT_OK;
    if (!table.are_winners(in<T>(winners), P * Q, T_)) return XT_ARGUMENT;
    const xt::WinnerSumsArgs<T> args{T_,
                                     P,
                                     Q,
                                     M,
                                     in<T>(winners),
                                     in<T>(d),
                                     transposed != 0,
                                     in<T>(x),
                                     x_row,
                                     x_step,
                                     out<T>(result),
                                     out_row,
                                     out_step};
    return run.over(P, 1, 1.0 * P * Q * (M + 8), [&](Slice p) { return table.winner_sums(args, p); });
  });
}
