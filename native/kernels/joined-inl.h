// out[g,m,n] = ⊕_s left[g,m,s] ⊗ right[g,n,s] over multi-indices: every step of a contraction. As a blocked
// product of tiles where there are rows and columns, else element by element (joined_rows-inl.h).
#pragma once
#include "joined_arg-inl.h"
#include "joined_rows-inl.h"
#include "logsumexp-inl.h"

namespace xt::XT_ISA {

// Room and offsets of out for a slice of rows and all of the columns.
template <class T>
struct OutOffsets {
  size_t *rows, *columns;
  bool neighbours;

  static void plan(Room& room, Slice m, Slice n) {
    room.add<size_t>(m.size()).template add<size_t>(n.size());
  }
  OutOffsets(const JoinedArgs<T>& args, Slice m, Slice n)
      : rows(scratch().take<size_t>(m.size())), columns(scratch().take<size_t>(n.size())) {
    list_offsets(args.rows, args.out_rows, m.begin, m.size(), rows);
    list_offsets(args.columns, args.out_columns, n.begin, n.size(), columns);
    neighbours = n.size() < 2 || step_of(columns, n.size()) == 1;
  }
};

// [⊗][⊕][careful]; logsumexp has a kernel of its own.
template <class T>
constexpr const PanelKernels<T>* tile_kernels[kXiCount][3][2] = {
#define XI(name, ...)                                                                              \
  {{&panel_kernels<T, SumOf<fast::xi_##name>>, &panel_kernels<T, SumOf<exact::xi_##name>>},        \
   {&panel_kernels<T, MaxOf<fast::xi_##name>>, &panel_kernels<T, CarefulMaxOf<exact::xi_##name>>}, \
   {&panel_kernels<T, MinOf<fast::xi_##name>>, &panel_kernels<T, CarefulMinOf<exact::xi_##name>>}},
#include "../xi.def"
#undef XI
};

// Whether a term is arithmetic alone, through which a NaN finds its way by itself.
XT_INLINE bool needs_no_care(uint32_t combine, uint32_t reduce) {
  return reduce == XT_SUM && (combine == xt::xi_product || combine == xt::xi_sum);
}

template <class T>
bool joined_tiles(const JoinedArgs<T>& args, Slice g, Slice m, Slice n) {
  const size_t terms = args.terms.count;
  SideState<T> left, right;
  Room room;
  add_gemm_room<T>(room, n.size(), terms);
  left.plan(room, args, args.left, args.rows, true, m.size(), MR<T>, panel_rows<T>);
  right.plan(room, args, args.right, args.columns, args.right.count > 1, smaller(n.size(), NC<T>), NR<T>,
             NR<T>);
  OutOffsets<T>::plan(room, m, n);
  LogSumExpScratch<T>::plan(room, args.reduce == XT_LOGSUMEXP ? smaller(terms, KC) : 0);
  if (!scratch().reserve(room)) return false;
  const GemmScratch<T> packed(n.size(), terms);
  left.take(m.size(), panel_rows<T>);
  right.take(smaller(n.size(), NC<T>), NR<T>);
  const OutOffsets<T> offsets(args, m, n);
  LogSumExpScratch<T> exponentials(args.reduce == XT_LOGSUMEXP ? smaller(terms, KC) : 0);

  const JoinedKernels<T>& kernels = joined_kernels<T>[args.xi];
  const Packing<T> left_packing{&left, args.from_unit}, right_packing{&right, false};
  const Side<T> A{&left_packing, kernels.pack, begin_joined_block<T>};
  const Side<T> B{&right_packing, kernels.pack, begin_joined_block<T>};
  for (size_t element = g.begin; element < g.end; ++element) {
    left.batch(args.batch, element);
    right.batch(args.batch, element);
    left.slice(m, kernels.phi);
    const size_t out = offset_of(args.batch, args.out_batch, element);
    for (size_t column = n.begin; column < n.end; column += NC<T>) {
      Slice columns{column, smaller(n.end, column + NC<T>)};
      right.slice(columns, kernels.phi);
      const size_t* column_offsets = offsets.columns + (column - n.begin);
      // Neighbouring columns need no list: their first is added here.
      const size_t shift = out + (offsets.neighbours ? column_offsets[0] : 0);
      const Target<T> to{args.out + shift, offsets.rows, offsets.neighbours ? nullptr : column_offsets};
      double* arg = args.arg ? args.arg + shift : nullptr;
      Flags<T> flags_B;
      const auto kernel = [&](size_t kc, size_t nc, const T* a, const T* b, Target<T> at, size_t rows,
                              bool accumulate, Prefetch& ahead) {
        if (args.reduce == XT_LOGSUMEXP) {
          logsumexp_block<T>(args.combine, kc, nc, a, b, at, rows, accumulate, right.fresh, exponentials);
          right.fresh = false;
          return;
        }
        bool careful = false;
        if (!needs_no_care(args.combine, args.reduce)) {
          if (right.fresh) {
            flags_B = Flags<T>{};
            for (size_t c = 0; c < nc; c += NR<T>) {
              const size_t width = round_up(smaller(nc - c, NR<T>), lanes<T>);
              scan_panels(flags_B, b + c * kc, width, width, width, kc);
            }
          }
          Flags<T> flags = flags_B;
          scan_panels(flags, a, rows, MR<T>, panel_rows<T>, kc);
          careful = flags.care();
        }
        right.fresh = false;
        if (arg) {
          arg_block<T>(args, left.term, kc, nc, a, b, at, arg + (at.data - to.data), rows, accumulate,
                       careful);
          return;
        }
        reduce_block(*tile_kernels<T>[args.combine][args.reduce][careful], kc, nc, a, b, at, rows, accumulate,
                     ahead);
      };
      gemm_columns<T>(m, columns, 0, args.columns.count, terms, A, B, to, false, packed, kernel,
                      [](size_t) {});
    }
  }
  return true;
}

// Out of nothing comes the neutral element of ⊕.
template <class T>
void fill_identity(const JoinedArgs<T>& args) {
  const T identity = identity_of<T>(args.reduce);
  for (size_t g = 0; g < args.batch.count; ++g) {
    const size_t at_batch = offset_of(args.batch, args.out_batch, g);
    for (size_t m = 0; m < args.rows.count; ++m) {
      const size_t at_row = at_batch + offset_of(args.rows, args.out_rows, m);
      for (size_t n = 0; n < args.columns.count; ++n) {
        const size_t at = at_row + offset_of(args.columns, args.out_columns, n);
        args.out[at] = identity;
        if (args.arg) args.arg[at] = -1;
      }
    }
  }
}

template <class T>
bool joined_by_element(const JoinedArgs<T>& args) {
  return args.right.count == 0 || args.rows.count == 1 || args.columns.count == 1 || args.terms.count == 0;
}

template <class T>
bool joined(const JoinedArgs<T>& args, Slice g, Slice m, Slice n) {
  if (args.terms.count == 0) {
    if (g.begin == 0) fill_identity(args);
    return true;
  }
  return joined_by_element(args) ? joined_elements(args, g) : joined_tiles(args, g, m, n);
}

}  // namespace xt::XT_ISA
