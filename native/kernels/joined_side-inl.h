// One side of a joined contraction: gathers its operands, whatever their strides, into panels and joins them
// by ξ. A panel is [term][row], rows in vectors.
#pragma once
#include "../abi.h"
#include "contract-inl.h"

namespace xt::XT_ISA {

// Σ of digit·stride for `count` successive multi-indices from `first` on.
__attribute__((noinline)) inline void list_offsets(const Axes& axes, const size_t* strides, size_t first,
                                                   size_t count, size_t* offsets) {
  size_t digits[kMaxAxes], offset = 0;
  for (size_t axis = axes.rank; axis-- > 0; first /= axes.extents[axis]) {
    digits[axis] = first % axes.extents[axis];
    offset += digits[axis] * strides[axis];
  }
  for (size_t n = 0; n < count; ++n) {
    offsets[n] = offset;
    for (size_t axis = axes.rank; axis-- > 0;) {
      offset += strides[axis];
      if (++digits[axis] < axes.extents[axis]) break;
      offset -= strides[axis] * axes.extents[axis];
      digits[axis] = 0;
    }
  }
}

XT_INLINE size_t offset_of(const Axes& axes, const size_t* strides, size_t index) {
  size_t offset;
  list_offsets(axes, strides, index, 1, &offset);
  return offset;
}

// The common difference of a list of offsets, or −1.
XT_INLINE ptrdiff_t step_of(const size_t* offsets, size_t count) {
  if (count < 2) return 0;
  const size_t step = offsets[1] - offsets[0];
  for (size_t n = 2; n < count; ++n) {
    if (offsets[n] - offsets[n - 1] != step) return -1;
  }
  return static_cast<ptrdiff_t>(step);
}

// to[k·width + r] = data[rows[r] + terms[k]], zeros for r from `count` up to a whole vector.
template <class T>
void gather(const T* data, const size_t* rows, size_t count, const size_t* terms, size_t kc, size_t width,
            T* to) {
  const ptrdiff_t row_step = step_of(rows, count), term_step = step_of(terms, kc);
  if (count > 1 && row_step == 0) {
    for (size_t k = 0; k < kc; ++k) {
      const Vec<T> value = broadcast(data[rows[0] + terms[k]]);
      for (size_t r = 0; r < round_up(count, lanes<T>); r += lanes<T>) store(to + k * width + r, value);
    }
  } else if (row_step == 1 || count == 1) {
    for (size_t k = 0; k < kc; ++k) {
      const T* from = data + rows[0] + terms[k];
      size_t r = 0;
      for (; r + lanes<T> <= count; r += lanes<T>) store(to + k * width + r, load(from + r));
      if (r < count) store(to + k * width + r, load_part(from + r, count - r));
    }
  } else if (row_step > 0 && term_step == 1) {
    transpose_copy(data + rows[0] + terms[0], static_cast<size_t>(row_step), count, kc, to, width);
  } else {
    for (size_t k = 0; k < kc; ++k) {
      const T* from = data + terms[k];
      for (size_t r = 0; r < round_up(count, lanes<T>); ++r)
        to[k * width + r] = r < count ? from[rows[r]] : T(0);
    }
  }
}

// An operand that varies over few of the terms is gathered once for a slice, at its distinct terms.
constexpr size_t kMostDistinct = 512;

template <class T>
struct SideState {
  const JoinedSide<T>* side;
  const Axes *own, *terms;
  const T* base[kMaxJoined];  // where the batch element begins
  size_t* rows;               // offsets of a panel's rows
  T* gathered;                // a panel of one operand
  size_t* term_offsets[kMaxJoined];
  Axes distinct_axes[kMaxJoined];
  size_t distinct_strides[kMaxJoined][kMaxAxes], index_strides[kMaxJoined][kMaxAxes];
  bool gathers_once[kMaxJoined];
  T* panels[kMaxJoined];  // of the slice at distinct terms, or null
  size_t* columns[kMaxJoined];
  bool* has_phi;                          // for each panel, whether φ has been taken; null if it never is
  size_t first, panel_step, panel_width;  // of the slice; rows a panel
  size_t term;                            // first term of the current block
  bool fresh;                             // a new block of terms has begun

  // Which operands to gather once. `most_rows` in panels of `step` rows, padded to `width`.
  Room& plan(Room& room, const JoinedArgs<T>& args, const JoinedSide<T>& its, const Axes& its_own, bool once,
             size_t most_rows, size_t step, size_t width) {
    side = &its;
    own = &its_own;
    terms = &args.terms;
    panel_step = step;
    panel_width = width;
    room.add<size_t>(width).template add<T>(KC, width).template add<bool>((most_rows + step - 1) / step);
    has_phi = nullptr;
    for (size_t x = 0; x < its.count; ++x) {
      Axes& axes = distinct_axes[x];
      axes = Axes{};
      for (size_t axis = 0; axis < terms->rank; ++axis) {
        if (its.operands[x].terms[axis] == 0) continue;
        distinct_strides[x][axes.rank] = its.operands[x].terms[axis];
        axes.extents[axes.rank++] = terms->extents[axis];
        axes.count *= terms->extents[axis];
      }
      size_t stride = 1;
      for (size_t axis = terms->rank; axis-- > 0;) {
        const bool varies = its.operands[x].terms[axis] != 0;
        index_strides[x][axis] = varies ? stride : 0;
        if (varies) stride *= terms->extents[axis];
      }
      gathers_once[x] = once && axes.count <= kMostDistinct && 2 * axes.count <= terms->count;
      const size_t count = (most_rows + step - 1) / step * width;
      room.add<size_t>(KC).template add<size_t>(KC);
      if (gathers_once[x]) room.add<T>(count, axes.count).template add<size_t>(kMostDistinct);
    }
    return room;
  }

  void take(size_t most_rows, size_t width) {
    rows = scratch().take<size_t>(width);
    gathered = scratch().take<T>(KC * width);
    bool once = side->count > 1;
    for (size_t x = 0; x < side->count; ++x) once = once && gathers_once[x];
    bool* flags = scratch().take<bool>((most_rows + panel_step - 1) / panel_step);
    has_phi = once ? flags : nullptr;
    for (size_t x = 0; x < side->count; ++x) {
      term_offsets[x] = scratch().take<size_t>(gathers_once[x] ? kMostDistinct : KC);
      columns[x] = scratch().take<size_t>(KC);
      const size_t count = (most_rows + panel_step - 1) / panel_step * width * distinct_axes[x].count;
      panels[x] = gathers_once[x] ? scratch().take<T>(count) : nullptr;
    }
  }

  void batch(const Axes& axes, size_t g) {
    for (size_t x = 0; x < side->count; ++x) {
      base[x] = side->operands[x].data + offset_of(axes, side->operands[x].batch, g);
    }
  }

  // Gathers what is gathered once for the slice. Where that is every operand, φ is taken of a panel if all of
  // them lie in its range there.
  void slice(Slice m, TakePhi<T> phi) {
    first = m.begin;
    for (size_t x = 0; x < side->count; ++x) {
      if (panels[x])
        list_offsets(distinct_axes[x], distinct_strides[x], 0, distinct_axes[x].count, term_offsets[x]);
    }
    for (size_t row = m.begin, panel = 0; row < m.end; row += panel_step, ++panel) {
      const size_t count = smaller(m.end - row, panel_step);
      for (size_t x = 0; x < side->count; ++x) {
        if (panels[x]) gather_once(x, row, count);
      }
      if (!has_phi) continue;
      has_phi[panel] = true;
      for (size_t x = 0; has_phi[panel] && x < side->count; ++x) {
        has_phi[panel] = phi(panel_of(x, row), panel_width * distinct_axes[x].count);
        for (size_t done = 0; !has_phi[panel] && done < x; ++done) gather_once(done, row, count);
      }
    }
  }

  T* panel_of(size_t x, size_t row) const {
    return panels[x] + (row - first) / panel_step * panel_width * distinct_axes[x].count;
  }

  void gather_once(size_t x, size_t row, size_t count) {
    list_offsets(*own, side->operands[x].own, row, count, rows);
    T* panel = panel_of(x, row);
    // Ones, which every range holds, beyond the last row.
    if (count < panel_width) {
      for (size_t n = 0; n < panel_width * distinct_axes[x].count; ++n) panel[n] = 1;
    }
    gather(base[x], rows, count, term_offsets[x], distinct_axes[x].count, panel_width, panel);
  }

  void begin(size_t k, size_t kc) {
    term = k;
    fresh = true;
    for (size_t x = 0; x < side->count; ++x) {
      if (panels[x])
        list_offsets(*terms, index_strides[x], k, kc, columns[x]);
      else
        list_offsets(*terms, side->operands[x].terms, k, kc, term_offsets[x]);
    }
  }

  // Operand x of a panel as [kc] vectors of rows: where it was gathered to, and how its terms lie there.
  const T* operand_panel(size_t x, size_t row, size_t count, size_t width, size_t kc, T* to) {
    if (panels[x]) return panel_of(x, row);
    list_offsets(*own, side->operands[x].own, row, count, rows);
    gather(base[x], rows, count, term_offsets[x], kc, width, to);
    return nullptr;
  }
};

// A side as gemm's packing functions see it.
template <class T>
struct Packing {
  SideState<T>* state;
  bool from_unit;
};

// ξ over the operands of a side, from the unit if asked: fills to [kc][width].
template <class T, class X>
void join_panel(SideState<T>& state, size_t row, size_t count, size_t width, size_t kc, T* to,
                bool from_unit) {
  const size_t used = round_up(count, lanes<T>);
  const bool has_phi = state.has_phi && state.has_phi[(row - state.first) / state.panel_step];
  for (size_t x = 0; x < state.side->count; ++x) {
    const T* panel = state.operand_panel(x, row, count, width, kc, x == 0 ? to : state.gathered);
    const size_t* columns = state.columns[x];
    if (x == 0) {
      if (panel) {
        for (size_t k = 0; k < kc; ++k) {
          for (size_t r = 0; r < used; r += lanes<T>)
            store(to + k * width + r, load(panel + columns[k] * state.panel_width + r));
        }
      }
      if (from_unit) {
        const Vec<T> unit = broadcast(T(X::unit));
        for (size_t k = 0; k < kc; ++k) {
          for (size_t r = 0; r < used; r += lanes<T>)
            store(to + k * width + r, X::value(unit, load(to + k * width + r)));
        }
      }
      continue;
    }
    const bool last = x + 1 == state.side->count;
    for (size_t k = 0; k < kc; ++k) {
      const T* from = panel ? panel + columns[k] * state.panel_width : state.gathered + k * width;
      for (size_t r = 0; r < used; r += lanes<T>) {
        T* at = to + k * width + r;
        if (has_phi) {
          const Vec<T> z = X::Fast::circle(load(at), load(from + r));
          store(at, last ? X::Fast::psi(z) : z);
        } else {
          store(at, X::value(load(at), load(from + r)));
        }
      }
    }
  }
}

template <class T, class X>
void pack_joined_panel(const void* source, size_t row, size_t count, size_t width, size_t, size_t kc, T* to) {
  const Packing<T>& packing = *static_cast<const Packing<T>*>(source);
  join_panel<T, X>(*packing.state, row, count, width, kc, to, packing.from_unit);
}

template <class T>
void begin_joined_block(const void* source, size_t k, size_t kc) {
  static_cast<const Packing<T>*>(source)->state->begin(k, kc);
}

template <class T>
struct JoinedKernels {
  PackPanel<T> pack;
  TakePhi<T> phi;
};

template <class T>
constexpr JoinedKernels<T> joined_kernels[kXiCount] = {
#define XI(name, ...) {pack_joined_panel<T, xi_##name>, take_phi<T, xi_##name>},
#include "../xi.def"
#undef XI
};

// What ⊗ and ⊕ need to know of a block: whether a NaN may come of it, and then the careful kernel is used.
template <class T>
struct Flags {
  Int<T> nan{}, positive_infinity{}, negative_infinity{};

  void scan(const T* values, size_t count) {
    for (size_t n = 0; n < count; n += lanes<T>) {
      const Vec<T> value = load(values + n);
      nan |= value != value;
      positive_infinity |= value > max_finite<Vec<T>>();
      negative_infinity |= value < -max_finite<Vec<T>>();
    }
  }
  bool care() const {
    const bool up = any_lane<T>(positive_infinity), down = any_lane<T>(negative_infinity);
    return any_lane<T>(nan) || up || down;
  }
};

// Values of the packed panels of a side, whose padding may hold anything.
template <class T>
void scan_panels(Flags<T>& flags, const T* panels, size_t rows, size_t step, size_t width, size_t kc) {
  for (size_t row = 0; row < rows; row += step, panels += kc * width) {
    const size_t used = round_up(smaller(rows - row, step), lanes<T>);
    for (size_t k = 0; k < kc; ++k) flags.scan(panels + k * width, used);
  }
}

}  // namespace xt::XT_ISA
