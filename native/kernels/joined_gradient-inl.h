// Gradients of a joined contraction with ⊕ = sum or logsumexp, for one side at a time: panels of its rows,
// some of which meet each panel of the other side together, so that this is packed once for all of them.
#pragma once
#include "panel_gradient-inl.h"

namespace xt::XT_ISA {

// data[rows[r] + terms[k]] += values[k][r] for r < count.
template <class T>
void scatter_row(T* data, const size_t* rows, size_t count, ptrdiff_t row_step, const T* values) {
  if (row_step == 1) {
    for (size_t r = 0; r < count; ++r) data[rows[0] + r] += values[r];
  } else {
    for (size_t r = 0; r < count; ++r) data[rows[r]] += values[r];
  }
}

template <class T>
struct SideGradient {
  static constexpr size_t width = panel_rows<T>, step = MR<T>, other_width = NR<T>, most_panels = 8;

  // A panel of the side: its values, what is added up of its gradient, and where ξ is taken apart its
  // exponentials with their shift, and the sums that these multiply.
  struct Panel {
    T *values, *D, *exponentials, *shift, *sums;
    size_t* rows;  // offsets in out
    bool factored;
  };

  const JoinedGradientArgs<T>& args;
  const JoinedArgs<T>& f;
  const bool is_right;
  const JoinedSide<T>&own_side, &other_side;
  const Axes &own_axes, &other_axes;
  const size_t *out_own, *out_other;
  T* const* const to;
  const bool alone, unit_own, unit_other;
  // Whether D is a product of matrices, and whether it is one of exponentials.
  const bool multiplies, exponentiates;
  const size_t terms, kc_most;
  SideState<T> own, other;
  Panel panels[most_panels];
  T *gathered[kMaxJoined], *other_values, *other_exponentials, *other_shift, *dout, *out, *rest;
  size_t* columns;  // offsets in out of the other side's panel

  SideGradient(const JoinedGradientArgs<T>& given, bool right)
      : args(given),
        f(*given.forward),
        is_right(right),
        own_side(right ? f.right : f.left),
        other_side(right ? f.left : f.right),
        own_axes(right ? f.columns : f.rows),
        other_axes(right ? f.rows : f.columns),
        out_own(right ? f.out_columns : f.out_rows),
        out_other(right ? f.out_rows : f.out_columns),
        to(right ? given.right : given.left),
        alone(other_side.count == 0),
        unit_own(!right && f.from_unit),
        unit_other(right && f.from_unit),
        multiplies(!alone && f.combine == xt::xi_product && f.reduce == XT_SUM),
        exponentiates(!alone && f.combine == xt::xi_sum && f.reduce == XT_LOGSUMEXP),
        terms(f.terms.count),
        kc_most(smaller(terms, KC)) {}

  bool reserve() {
    const size_t panel = kc_most * width, factors = exponentiates ? panel : 0;
    Room room;
    own.plan(room, f, own_side, own_axes, false, step, step, width);
    other.plan(room, f, other_side, other_axes, false, other_width, other_width, other_width);
    for (size_t p = 0; p < most_panels; ++p) {
      room.add<T>(panel).template add<T>(panel).template add<T>(factors).template add<T>(factors);
      room.add<T>(width).template add<size_t>(width);
    }
    for (size_t x = 0; x < own_side.count; ++x) room.add<T>(panel);
    room.add<T>(kc_most, other_width).template add<T>(exponentiates ? kc_most * other_width : 0);
    room.add<T>(other_width, width).template add<T>(other_width, width);
    room.add<T>(other_width).template add<T>(width).template add<size_t>(other_width);
    if (!scratch().reserve(room)) return false;
    own.take(step, width);
    other.take(other_width, other_width);
    for (Panel& p : panels) {
      p.values = scratch().take<T>(panel);
      p.D = scratch().take<T>(panel);
      p.exponentials = scratch().take<T>(factors);
      p.sums = scratch().take<T>(factors);
      p.shift = scratch().take<T>(width);
      p.rows = scratch().take<size_t>(width);
    }
    for (size_t x = 0; x < own_side.count; ++x) gathered[x] = scratch().take<T>(panel);
    other_values = scratch().take<T>(kc_most * other_width);
    other_exponentials = scratch().take<T>(exponentiates ? kc_most * other_width : 0);
    dout = scratch().take<T>(other_width * width);
    out = scratch().take<T>(other_width * width);
    other_shift = scratch().take<T>(other_width);
    rest = scratch().take<T>(width);
    columns = scratch().take<size_t>(other_width);
    for (size_t n = 0; n < kc_most * other_width; ++n) other_values[n] = 0;
    return true;
  }

  void run(Slice batch, Slice rows) {
    for (size_t g = batch.begin; g < batch.end; ++g) {
      own.batch(f.batch, g);
      other.batch(f.batch, g);
      const size_t at = offset_of(f.batch, f.out_batch, g);
      for (size_t row = rows.begin; row < rows.end; row += most_panels * step) {
        const Slice group{row, smaller(rows.end, row + most_panels * step)};
        for (size_t k = 0; k < terms; k += KC) block(group, at, k, smaller(terms - k, KC));
      }
    }
  }

  // The gradient of a group of panels at terms k to k + kc − 1.
  void block(Slice group, size_t at, size_t k, size_t kc) {
    const auto pack = joined_kernels<T>[f.xi].pack;
    own.begin(k, kc);
    other.begin(k, kc);
    const Packing<T> own_packing{&own, unit_own}, other_packing{&other, unit_other};
    Panel* panel = panels;
    for (size_t row = group.begin; row < group.end; row += step, ++panel) {
      const size_t count = smaller(group.end - row, step);
      list_offsets(own_axes, out_own, row, count, panel->rows);
      pack(&own_packing, row, count, width, k, kc, panel->values);
      for (size_t n = 0; n < kc * width; ++n) panel->D[n] = 0;
      panel->factored =
          exponentiates && exponentiate_panel(kc, panel->values, width, round_up(count, lanes<T>),
                                              panel->shift, panel->exponentials);
      for (size_t n = 0; panel->factored && n < kc * width; ++n) panel->sums[n] = 0;
    }
    for (size_t n = 0; n < other_axes.count; n += other_width) {
      const size_t n_count = smaller(other_axes.count - n, other_width);
      if (!alone) pack(&other_packing, n, n_count, other_width, k, kc, other_values);
      const bool factored =
          exponentiates && exponentiate_panel(kc, other_values, other_width, round_up(n_count, lanes<T>),
                                              other_shift, other_exponentials);
      list_offsets(other_axes, out_other, n, n_count, columns);
      panel = panels;
      for (size_t row = group.begin; row < group.end; row += step, ++panel)
        meet(*panel, smaller(group.end - row, step), at, kc, n_count, factored && panel->factored);
    }
    panel = panels;
    for (size_t row = group.begin; row < group.end; row += step, ++panel)
      finish(*panel, row, smaller(group.end - row, step), kc);
  }

  // Takes a panel of the other side in.
  void meet(Panel& panel, size_t count, size_t at, size_t kc, size_t n_count, bool factored) {
    const size_t used = round_up(count, lanes<T>);
    gather(args.dout + at, panel.rows, count, columns, n_count, width, dout);
    if (multiplies) {
      for (size_t r = 0; r < used; r += lanes<T>)
        multiply_shares<T>(kc, width, other_values, other_width, n_count, dout + r, panel.D + r);
      return;
    }
    const bool softmax = f.reduce == XT_LOGSUMEXP;
    if (softmax) gather(f.out + at, panel.rows, count, columns, n_count, width, out);
    const auto add = panel_gradients<T>[alone ? kXiCount : f.combine][is_right][softmax];
    if (!factored) {
      add(kc, width, used, panel.values, other_values, other_width, n_count, dout, out, panel.D);
      return;
    }
    for (size_t n = 0; n < n_count; ++n) {
      T *gradients = dout + n * width, *totals = out + n * width;
      if (take_shares(used, panel.shift, other_shift[n], gradients, totals, rest))
        add(kc, width, used, panel.values, other_values + n, other_width, 1, rest, totals, panel.D);
    }
    for (size_t r = 0; r < used; r += lanes<T>)
      multiply_shares<T>(kc, width, other_exponentials, other_width, n_count, dout + r, panel.sums + r);
  }

  // Back from D through ξ to the operands.
  void finish(Panel& panel, size_t row, size_t count, size_t kc) {
    for (size_t n = 0; panel.factored && n < kc * width; n += lanes<T>) {
      store(panel.D + n,
            multiply_add<T>(load(panel.D + n), load(panel.exponentials + n), load(panel.sums + n)));
    }
    for (size_t x = 0; x < own_side.count; ++x) {
      list_offsets(own_axes, own_side.operands[x].own, row, count, own.rows);
      gather(own.base[x], own.rows, count, own.term_offsets[x], kc, width, gathered[x]);
    }
    join_gradients<T>[f.xi](own_side.count, round_up(count, lanes<T>), width, kc, unit_own, gathered,
                            panel.D);
    for (size_t x = 0; x < own_side.count; ++x) {
      if (!to[x]) continue;
      list_offsets(own_axes, own_side.operands[x].own, row, count, own.rows);
      const ptrdiff_t row_step = step_of(own.rows, count);
      T* from_base = to[x] + (own.base[x] - own_side.operands[x].data);
      for (size_t n = 0; n < kc; ++n)
        scatter_row(from_base + own.term_offsets[x][n], own.rows, count, row_step, gathered[x] + n * width);
    }
  }
};

// Of the right side, or the left one, at the rows of a slice.
template <class T>
bool joined_gradient(const JoinedGradientArgs<T>& args, bool is_right, Slice g, Slice rows) {
  SideGradient<T> side(args, is_right);
  if (!side.reserve()) return false;
  side.run(g, rows);
  return true;
}

}  // namespace xt::XT_ISA
