// Fills the tables of one instruction set; the last header an isa_*.cc includes.
#pragma once
#include "contract_gradient-inl.h"
#include "elementwise-inl.h"
#include "fold-inl.h"
#include "grid_sweeps-inl.h"
#include "joined-inl.h"
#include "joined_gradient-inl.h"
#include "linalg-inl.h"
#include "loss-inl.h"
#include "matmul-inl.h"
#include "project_fold-inl.h"
#include "winner_sums-inl.h"

namespace xt::XT_ISA {

// clang-format off
template <class T>
constexpr KernelTable<T> make_table() {
  KernelTable<T> table{};
  table.tile_rows = MR<T>;
  table.tile_columns = NR<T>;
  table.lanes = lanes<T>;
#define XI(name, id, ...)                                                              \
  table.contract[id] = contract<T, xi_##name>;                                         \
  table.contract_gradient_inputs[id] = contract_gradient_inputs<T, xi_##name>;         \
  table.contract_gradient_weights[id] = contract_gradient_weights<T, xi_##name>;       \
  table.grid[id] = grid_directly<T, xi_##name>;                                        \
  table.grid_lookups[id] = grid_lookups<T, xi_##name>();                               \
  table.grid_sweeps[id] = grid_sweeps<T, xi_##name>();                                 \
  table.fold[id] = fold<T, xi_##name>;                                                 \
  table.fold_gradient[id] = fold_gradient<T, xi_##name>;                               \
  table.outer[id] = outer<T, xi_##name>;                                               \
  table.project_fold[id] = project_fold<T, xi_##name>;
#include "../xi.def"
#undef XI
  table.joined = joined<T>;
  table.joined_by_element = joined_by_element<T>;
  table.joined_gradient = joined_gradient<T>;
  table.packed_length = packed_length<T>;
  table.pack_weights = pack_weights<T>;
  table.are_winners = are_winners<T>;
  table.winner_sums = winner_sums<T>;
  table.matmul = matmul<T>;
  table.activate = activate<T>;
  table.activate_gradient = activate_gradient<T>;
  table.column_sums = column_sums<T>;
  table.adam = adam<T>;
  table.loss = loss<T>;
  table.sum_squares = sum_squares<T>;
  table.peak = peak<T>;
  return table;
}
// clang-format on

constexpr Kernels kernels{make_table<float>(), make_table<double>(), make_linalg()};

}  // namespace xt::XT_ISA
