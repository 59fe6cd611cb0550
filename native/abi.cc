// The C ABI: checks arguments, picks the kernel table, cuts the work into slices for the threads.
#include "abi.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "call.h"

namespace {

using xt::all_below;
using xt::Context;
using xt::ElementOf;
using xt::Holds;
using xt::holds_doubles;
using xt::holds_of;
using xt::in;
using xt::out;
using xt::Slice;
using xt::with_table;

// Rows of a batch that a contraction transposes at a time, in tiles: packing the weights again for each such
// block is a hundredth of its work.
constexpr size_t kTilesAtATime = 64;
// Rows that a contraction by bf16 parts takes at a time, in blocks: their sums, kept aside, take a megabyte.
constexpr size_t kBf16BlocksAtATime = 16;

// What packing costs a contraction beside its multiplications (xt::Cut): weights that a core's own cache
// holds, weights that do not fit it, and ξ.
constexpr size_t kOwnCache = 1 << 20;
constexpr double kPackingWeights = 4, kPackingStreams = 16, kPackingXi = 6;

}  // namespace

const char* xt_describe(void) { return xt::describe(); }

namespace {

bool is_size(std::initializer_list<size_t> extents) {
  size_t count = 1;
  return std::none_of(extents.begin(), extents.end(),
                      [&](size_t extent) { return __builtin_mul_overflow(count, extent, &count); });
}

// Elements of packed weights, laid out for the tile that the call runs on; none where whole panels of them
// are more than can be counted.
template <class T>
std::optional<size_t> packed_length(const Context& run, const xt::KernelTable<T>& table, size_t L, size_t R,
                                    size_t K) {
  size_t padded;
  if (__builtin_add_overflow(K, table.tile_columns, &padded) || !is_size({L, R, padded})) return {};
  const size_t terms = L * R;
  if (std::is_same_v<T, float> && run.bf16.tile) return run.bf16.kernels->packed_length(run.bf16, terms, K);
  return table.packed_length(terms, K);
}

// Whether packed weights have the length that the tile wants.
template <class T>
bool holds_packed(const Holds& holds, const void* packed, const Context& run, const xt::KernelTable<T>& table,
                  size_t L, size_t R, size_t K) {
  const auto length = packed_length(run, table, L, R, K);
  return length && holds(packed, {*length});
}

int32_t contract_with(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L, size_t R, size_t K,
                      const void* a, const void* h, const void* G, void* result, bool is_packed) {
  const Holds holds = holds_of(dtype);
  if (xi >= xt::kXiCount || !holds(a, {B, L}) || !holds(h, {B, R}) || (!is_packed && !holds(G, {L, R, K})) ||
      !holds(result, {B, K})) {
    return XT_ARGUMENT;
  }
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = ElementOf<decltype(table)>;
    const xt::ContractArgs<T> args{B,         L,      R, K,      in<T>(a), in<T>(h), in<T>(G), out<T>(result),
                                   is_packed, {0, K}, 0, nullptr};
    if (is_packed && !holds_packed(holds, G, run, table, L, R, K)) return XT_ARGUMENT;
    const double work = 1.0 * B * L * R * K;
    if constexpr (std::is_same_v<T, float>) {
      if (run.bf16.contracts(B, L, R, K)) {
        return run.over(
            K ? B : 0, xt::kBf16Block, work,
            [&](Slice b) { return run.bf16.kernels->contract[xi](run.bf16, args, b); },
            kBf16BlocksAtATime * xt::kBf16Block);
      }
    }
    const bool streams = sizeof(T) * L * R * K > kOwnCache;
    return run.over_result(
        {B, table.tile_rows, streams ? kPackingStreams : kPackingWeights},
        {K, table.tile_columns, kPackingXi}, work,
        [&](const xt::Piece& piece, xt::Handover* handover) {
          auto part = args;
          part.columns = piece.columns;
          part.first_term = piece.term;
          part.handover = handover;
          return table.contract[xi](part, piece.rows);
        },
        kTilesAtATime * table.tile_rows);
  });
}

}  // namespace

int32_t xt_contract(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L, size_t R, size_t K,
                    const void* a, const void* h, const void* G, void* result) {
  return contract_with(context, dtype, xi, B, L, R, K, a, h, G, result, false);
}

int32_t xt_contract_packed(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L, size_t R,
                           size_t K, const void* a, const void* h, const void* packed, void* result) {
  return contract_with(context, dtype, xi, B, L, R, K, a, h, packed, result, true);
}

int32_t xt_packed_length(uint32_t context, uint32_t dtype, size_t L, size_t R, size_t K, double* result) {
  if (!holds_doubles(result, {1})) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) -> int32_t {
    const auto length = packed_length(run, table, L, R, K);
    if (!length) return XT_ARGUMENT;
    result[0] = static_cast<double>(*length);
    return XT_OK;
  });
}

int32_t xt_pack_weights(uint32_t context, uint32_t dtype, size_t L, size_t R, size_t K, const void* G,
                        void* packed) {
  const Holds holds = holds_of(dtype);
  if (!holds(G, {L, R, K})) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = ElementOf<decltype(table)>;
    if (!holds_packed(holds, packed, run, table, L, R, K)) return XT_ARGUMENT;
    if constexpr (std::is_same_v<T, float>) {
      if (run.bf16.tile) {
        run.bf16.kernels->pack_weights(run.bf16, L * R, K, in<T>(G), out<T>(packed));
        return XT_OK;
      }
    }
    table.pack_weights(L * R, K, in<T>(G), out<T>(packed));
    return XT_OK;
  });
}

int32_t xt_contract_gradient(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L, size_t R,
                             size_t K, const void* a, const void* h, const void* G, const void* dout,
                             void* da, void* dh, void* dG, uint32_t accumulate) {
  const Holds holds = holds_of(dtype);
  if (xi >= xt::kXiCount || !holds(a, {B, L}) || !holds(h, {B, R}) || !holds(G, {L, R, K}) ||
      !holds(dout, {B, K}) || (dG && !holds(dG, {L, R, K}))) {
    return XT_ARGUMENT;
  }
  // An empty array may have a null pointer of its own.
  const bool inputs = da != nullptr || dh != nullptr;
  if (inputs && (!holds(da, {B, L}) || !holds(dh, {B, R}))) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = ElementOf<decltype(table)>;
    const xt::ContractGradientArgs<T> args{B,          L,          R,          K,
                                           in<T>(a),   in<T>(h),   in<T>(G),   in<T>(dout),
                                           out<T>(da), out<T>(dh), out<T>(dG), accumulate != 0};
    const double work = 1.0 * B * L * R * K;
    if (K == 0 || L == 0 || R == 0) {
      if (!inputs) return XT_OK;
      std::fill_n(args.da, B * L, T(0));
      std::fill_n(args.dh, B * R, T(0));
      return XT_OK;
    }
    const auto in_slices = [&](size_t rows, size_t at_a_time, auto&& of_inputs, auto&& of_weights) {
      const int32_t status = inputs ? run.over(B, rows, work, of_inputs, at_a_time * rows) : XT_OK;
      return dG && status == XT_OK ? run.over(L * R, rows, work, of_weights) : status;
    };
    if constexpr (std::is_same_v<T, float>) {
      const xt::Bf16Run bf16 = xt::bf16_run(context, XT_FULL);
      if (bf16.differentiates(B, L, R, K)) {
        return in_slices(
            xt::kBf16Block, kBf16BlocksAtATime,
            [&](Slice b) { return bf16.kernels->contract_gradient_inputs[xi](bf16, args, b); },
            [&](Slice ij) { return bf16.kernels->contract_gradient_weights[xi](bf16, args, ij); });
      }
    }
    return in_slices(
        table.tile_rows, kTilesAtATime, [&](Slice b) { return table.contract_gradient_inputs[xi](args, b); },
        [&](Slice ij) { return table.contract_gradient_weights[xi](args, ij); });
  });
}

int32_t xt_fold(uint32_t context, uint32_t dtype, uint32_t xi, size_t T_, size_t N, const void* z,
                void* result) {
  const Holds holds = holds_of(dtype);
  if (xi >= xt::kXiCount || !holds(z, {T_, N}) || !holds(result, {N})) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    return run.over(N, table.lanes, 10.0 * T_ * N, [&](Slice n) {
      table.fold[xi](T_, N, in<T>(z), out<T>(result), n);
      return true;
    });
  });
}

int32_t xt_fold_gradient(uint32_t context, uint32_t dtype, uint32_t xi, size_t T_, size_t N, const void* z,
                         const void* dout, void* dz) {
  const Holds holds = holds_of(dtype);
  if (xi >= xt::kXiCount || !holds(z, {T_, N}) || !holds(dout, {N}) || !holds(dz, {T_, N}))
    return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    return run.over(N, table.lanes, 10.0 * T_ * N, [&](Slice n) {
      return table.fold_gradient[xi](T_, N, in<T>(z), in<T>(dout), out<T>(dz), n);
    });
  });
}

int32_t xt_outer(uint32_t context, uint32_t dtype, uint32_t xi, size_t M, size_t N, const void* x,
                 const void* y, void* result) {
  const Holds holds = holds_of(dtype);
  if (xi >= xt::kXiCount || !holds(x, {M}) || !holds(y, {N}) || !holds(result, {M, N})) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    return run.over(M, 1, 10.0 * M * N, [&](Slice m) {
      table.outer[xi](N, in<T>(x), in<T>(y), out<T>(result), m);
      return true;
    });
  });
}

int32_t xt_matmul(uint32_t context, uint32_t dtype, size_t M, size_t N, size_t K, const void* A,
                  size_t A_row_stride, size_t A_col_stride, const void* B, size_t B_row_stride,
                  size_t B_col_stride, void* C, size_t C_row_stride, uint32_t accumulate) {
  const Holds holds = holds_of(dtype);
  if (!holds.strided(A, {{M, A_row_stride}, {K, A_col_stride}}) ||
      !holds.strided(B, {{K, B_row_stride}, {N, B_col_stride}}) ||
      !holds.strided(C, {{M, C_row_stride}, {N, 1}}) || (M > 1 && C_row_stride < N)) {
    return XT_ARGUMENT;
  }
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    const xt::MatmulArgs<T> args{M,
                                 N,
                                 K,
                                 {in<T>(A), A_row_stride, A_col_stride},
                                 {in<T>(B), B_row_stride, B_col_stride},
                                 out<T>(C),
                                 C_row_stride,
                                 accumulate != 0};
    return xt::multiply(run, table, args);
  });
}

int32_t xt_activate(uint32_t context, uint32_t dtype, uint32_t activation, size_t rows, size_t cols,
                    const void* bias, void* z) {
  const Holds holds = holds_of(dtype);
  if (activation > XT_TANH || !holds(bias, {cols}) || !holds(z, {rows, cols})) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    return run.over(rows, 1, 10.0 * rows * cols, [&](Slice part) {
      table.activate(activation, cols, in<T>(bias), out<T>(z), part);
      return true;
    });
  });
}

int32_t xt_activate_gradient(uint32_t context, uint32_t dtype, uint32_t activation, size_t rows, size_t cols,
                             const void* y, void* dy, void* dbias) {
  const Holds holds = holds_of(dtype);
  if (activation > XT_TANH || !holds(y, {rows, cols}) || !holds(dy, {rows, cols}) || !holds(dbias, {cols})) {
    return XT_ARGUMENT;
  }
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    const int32_t status = run.over(rows, 1, 10.0 * rows * cols, [&](Slice part) {
      table.activate_gradient(activation, cols, in<T>(y), out<T>(dy), part);
      return true;
    });
    table.column_sums(rows, cols, in<T>(dy), out<T>(dbias));
    return status;
  });
}

int32_t xt_adam(uint32_t context, uint32_t dtype, size_t N, void* p, const void* g, void* m, void* v,
                double rate, double beta1, double beta2, double epsilon, double correction1,
                double correction2, double scale, double decay) {
  const Holds holds = holds_of(dtype);
  if (!holds(p, {N}) || !holds(g, {N}) || !holds(m, {N}) || !holds(v, {N})) return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    const xt::AdamArgs<T> args{out<T>(p), out<T>(m), out<T>(v),   in<T>(g),    rate,  beta1,
                               beta2,     epsilon,   correction1, correction2, scale, decay};
    return run.over(N, table.lanes, 10.0 * N, [&](Slice n) {
      table.adam(args, n);
      return true;
    });
  });
}

int32_t xt_loss(uint32_t context, uint32_t dtype, uint32_t loss, size_t rows, size_t K, const void* scores,
                const int32_t* labels, const void* targets, void* dscores, double* result) {
  const bool known = loss == XT_SOFTMAX || loss == XT_MSE;
  const Holds holds = holds_of(dtype);
  if (!known || !holds(scores, {rows, K}) || (dscores != nullptr && !holds(dscores, {rows, K})) ||
      (targets != nullptr && !holds(targets, {rows, K})) || !holds_doubles(result, {2})) {
    return XT_ARGUMENT;
  }
  if (rows > 0 && (labels == nullptr) == (targets == nullptr)) return XT_ARGUMENT;
  if (rows > 0 && loss == XT_SOFTMAX && labels == nullptr) return XT_ARGUMENT;
  if (labels && !all_below(labels, rows, K)) return XT_ARGUMENT;
  return with_table(Context(context), dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    // One thread: the order of the sum must not depend on their number, and the work is 1/L of a
    // projection's.
    table.loss({loss, rows, K, in<T>(scores), labels, in<T>(targets), out<T>(dscores)}, result);
    return XT_OK;
  });
}

int32_t xt_sum_squares(uint32_t context, uint32_t dtype, size_t N, const void* x, const void* y,
                       double* result) {
  if (!holds_of(dtype)(x, {N}) || (y && !holds_of(dtype)(y, {N})) || !holds_doubles(result, {1}))
    return XT_ARGUMENT;
  const Context run(context);
  return with_table(run, dtype, [&](auto& table) {
    using T = ElementOf<decltype(table)>;
    // Pieces that depend on N alone are added in their order: so the sum does not depend on the threads.
    constexpr size_t most_pieces = 64, least = 1 << 14;
    const size_t size = std::max(least, (N / most_pieces / table.lanes + 1) * table.lanes);
    const size_t pieces = (N + size - 1) / size;
    double sums[most_pieces];
    const int32_t status = run.over(pieces, 1, 3.0 * N, [&](Slice slice) {
      for (size_t p = slice.begin; p < slice.end; ++p)
        sums[p] = table.sum_squares(in<T>(x), in<T>(y), {p * size, std::min(N, (p + 1) * size)});
      return true;
    });
    *result = std::accumulate(sums, sums + pieces, 0.0);
    return status;
  });
}

int32_t xt_peak(uint32_t context, uint32_t dtype, size_t repetitions, double* result) {
  if (!holds_doubles(result, {2})) return XT_ARGUMENT;
  return with_table(Context(context), dtype, [&](auto& table) {
    double alive = 0;
    result[0] = table.peak(repetitions, &alive);
    result[1] = alive;
    return XT_OK;
  });
}

#if defined(__wasm__)
// A vector may be read from the last element on.
void* xt_alloc(size_t bytes) {
  if (bytes > SIZE_MAX - 127) return nullptr;
  return std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
}
void xt_free(void* block) { std::free(block); }
#endif
