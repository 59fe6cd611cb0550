// What every function of the ABI does first: decode the context, pick the table of the dtype, look at the
// arguments; and then cut its work for the threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <type_traits>

#include "abi.h"
#include "dispatch.h"
#include "handover.h"
#include "memory.h"
#include "parallel.h"

namespace xt {

// Below this many multiply-adds (or elements times ten) a job is done before a second thread has started.
inline constexpr double kWorthSharing = 2e5;

// Rows or columns of a product's result, cut at multiples of `tile`. Each part packs the whole other operand,
// which takes as long as multiplying `packing` rows or columns more.
struct Cut {
  size_t count, tile;
  double packing;

  // Of the whole work, what the busiest of `parts` does.
  double share(unsigned parts) const {
    return (static_cast<double>(slice_of(count, tile, parts - 1, parts).size()) + packing) /
           static_cast<double>(count);
  }
};

// The context of a call, decoded.
struct Context {
  const Kernels* kernels;
  unsigned threads;
  Bf16Run bf16;

  explicit Context(uint32_t context)
      : kernels(usable_kernels(context & 0xff)),
        threads(context >> 8 & 0xff ? context >> 8 & 0xff : 1),
        bf16(bf16_run(context, context >> 16 & 3)) {}

  // Runs kernel(slice) → bool over [0, count), cut at multiples of `granule` into parts for the threads and
  // these into slices of at most `most`, which bounds what a kernel keeps of its slice.
  template <class F>
  int32_t over(size_t count, size_t granule, double work, F&& kernel, size_t most = SIZE_MAX) const {
    if (count == 0) return XT_OK;
    const unsigned parts = work < kWorthSharing ? 1 : threads;
    std::atomic<bool> enough_memory{true};
    run_parts(parts, [&](unsigned part) {
      const Slice all = slice_of(count, granule, part, parts);
      for (Slice slice = all; slice.begin < all.end && enough_memory; slice.begin = slice.end) {
        slice.end = all.end - slice.begin > most ? slice.begin + most : all.end;
        if (!kernel(slice)) enough_memory = false;
      }
    });
    return enough_memory ? XT_OK : XT_MEMORY;
  }

  // Runs kernel(piece, handover) → bool over a product's result, cut by rows or by columns into a piece for
  // each thread, of which it gets at most `most_rows` at a time. On one thread there is nobody to hand over
  // to.
  template <class F>
  int32_t over_result(const Cut& rows, const Cut& columns, double work, F&& kernel, size_t most_rows) const {
    if (rows.count == 0 || columns.count == 0) return XT_OK;
    const unsigned parts = work < kWorthSharing ? 1 : threads;
    const bool by_rows = rows.share(threads) <= columns.share(threads);
    const auto piece_of = [&](unsigned part) {
      if (by_rows) return Piece{slice_of(rows.count, rows.tile, part, parts), {0, columns.count}, 0};
      return Piece{{0, rows.count}, slice_of(columns.count, columns.tile, part, parts), 0};
    };
    Handover handover(parts);
    std::atomic<bool> enough_memory{true};
    run_parts(parts, [&](unsigned part) {
      for (Piece piece; handover.take(part, piece, piece_of); handover.finished()) {
        const size_t end = piece.columns.size() ? piece.rows.end : 0;
        for (Slice& m = piece.rows; m.begin < end && enough_memory; m.begin = m.end) {
          m.end = end - m.begin > most_rows ? m.begin + most_rows : end;
          if (!kernel(piece, parts > 1 ? &handover : nullptr)) enough_memory = false;
        }
      }
    });
    return enough_memory ? XT_OK : XT_MEMORY;
  }
};

// A product of plain matrices, on the threads of a context. A part that takes columns packs all of A, whose
// elements are transposed, and one that takes rows all of B.
template <class T>
int32_t multiply(const Context& run, const KernelTable<T>& table, const MatmulArgs<T>& args) {
  const Cut rows{args.M, table.tile_rows, 5}, columns{args.N, table.tile_columns, 16};
  const auto part = [&](const Piece& piece, Handover*) {
    MatmulArgs<T> own = args;
    own.N = piece.columns.size();
    own.B.data += piece.columns.begin * args.B.col_stride;
    own.C += piece.columns.begin;
    return table.matmul(own, piece.rows);
  };
  return run.over_result(rows, columns, 1.0 * args.M * args.N * args.K, part, SIZE_MAX);
}

// Calls f with the table of the dtype, whose element type it can read off the argument.
template <class F>
int32_t with_table(const Context& context, uint32_t dtype, F&& f) {
  if (!context.kernels) return XT_ISA;
  if (dtype == XT_FLOAT32) return f(table_of<float>(*context.kernels));
  if (dtype == XT_FLOAT64) return f(table_of<double>(*context.kernels));
  return XT_ARGUMENT;
}

template <class T>
const T* in(const void* pointer) {
  return static_cast<const T*>(pointer);
}
template <class T>
T* out(void* pointer) {
  return static_cast<T*>(pointer);
}

// The element type of a kernel table.
template <class Table>
using ElementOf = typename std::remove_reference_t<Table>::Element;

}  // namespace xt
