// Gradients of a joined contraction with ⊕ = sum or logsumexp, for one side at a time. For a panel of its
// rows and a block of terms,
//   D[k][row] = Σ_n dout[row, n] w ∂(own ⊗ other)/∂own,  w = 1 or e^(own ⊗ other − out),
// and D goes back through ξ to the operands, to wherever their values came from.
#pragma once
#include "joined_rows-inl.h"

namespace xt::XT_ISA {

// ⊗ with the side in question first: the left side of X, or the right one.
template <class X>
struct OwnLeft {
  template <class V>
  static XT_INLINE V value(V own, V other) {
    return X::value(own, other);
  }
  template <class V>
  static XT_INLINE V weigh(V gradient, V own, V other) {
    return gradient * X::dx(own, other);
  }
};
template <class X>
struct OwnRight {
  template <class V>
  static XT_INLINE V value(V own, V other) {
    return X::value(other, own);
  }
  template <class V>
  static XT_INLINE V weigh(V gradient, V own, V other) {
    return gradient * X::dy(other, own);
  }
};
struct OwnAlone {
  template <class V>
  static XT_INLINE V value(V own, V) {
    return own;
  }
  template <class V>
  static XT_INLINE V weigh(V gradient, V, V) {
    return gradient;
  }
};

// dout and out: [n][width]; other: [kc][other_width].
template <class T, class P, bool softmax>
void gradient_of_panel(size_t kc, size_t width, size_t used, const T* own, const T* other, size_t other_width,
                       size_t n_count, const T* dout, const T* out, T* D) {
  for (size_t k = 0; k < kc; ++k) {
    for (size_t r = 0; r < used; r += lanes<T>) {
      const Vec<T> x = load(own + k * width + r);
      Vec<T> sum = load(D + k * width + r);
      for (size_t n = 0; n < n_count; ++n) {
        const Vec<T> y = broadcast(other[k * other_width + n]);
        Vec<T> gradient = load(dout + n * width + r);
        if (softmax) {
          const Vec<T> total = load(out + n * width + r);
          const Vec<T> weight = exp_nonpositive(fast::min(P::value(x, y) - total, Vec<T>{}));
          gradient *= absolute(total) <= max_finite<Vec<T>>() ? weight : Vec<T>{};
        }
        sum += P::weigh(gradient, x, y);
      }
      store(D + k * width + r, sum);
    }
  }
}

// data[rows[r] + terms[k]] += values[k][r] for r < count.
template <class T>
void scatter_row(T* data, const size_t* rows, size_t count, ptrdiff_t row_step, const T* values) {
  if (row_step == 1) {
    for (size_t r = 0; r < count; ++r) data[rows[0] + r] += values[r];
  } else {
    for (size_t r = 0; r < count; ++r) data[rows[r]] += values[r];
  }
}

// Back through the fold over a side's operands, whose panels are `gathered` and become those of their
// gradients.
template <class T, class X>
void gradient_of_join(size_t operands, size_t used, size_t width, size_t kc, bool from_unit,
                      T* const* gathered, const T* D) {
  const Vec<T> unit = broadcast(T(X::unit));
  for (size_t k = 0; k < kc; ++k) {
    for (size_t r = 0; r < used; r += lanes<T>) {
      const size_t at = k * width + r;
      Vec<T> states[kMaxJoined], values[kMaxJoined];
      for (size_t x = 0; x < operands; ++x) {
        values[x] = load(gathered[x] + at);
        states[x] = x           ? X::value(states[x - 1], values[x])
                    : from_unit ? X::value(unit, values[0])
                                : values[0];
      }
      Vec<T> gradient = load(D + at);
      for (size_t x = operands - 1; x > 0; --x) {
        store(gathered[x] + at, gradient * X::dy(states[x - 1], values[x]));
        gradient = gradient * X::dx(states[x - 1], values[x]);
      }
      store(gathered[0] + at, from_unit ? gradient * X::dy(unit, values[0]) : gradient);
    }
  }
}

template <class T>
void scatter_panels(const SideState<T>& state, size_t row, size_t count, size_t width, size_t kc,
                    T* const* gathered, T* const* to) {
  for (size_t x = 0; x < state.side->count; ++x) {
    if (!to[x]) continue;
    list_offsets(*state.own, state.side->operands[x].own, row, count, state.rows);
    const ptrdiff_t row_step = step_of(state.rows, count);
    for (size_t k = 0; k < kc; ++k)
      scatter_row(to[x] + state.term_offsets[x][k], state.rows, count, row_step, gathered[x] + k * width);
  }
}

template <class T>
using PanelGradient = void (*)(size_t, size_t, size_t, const T*, const T*, size_t, size_t, const T*, const T*,
                               T*);
template <class T>
using JoinGradient = void (*)(size_t, size_t, size_t, size_t, bool, T* const*, const T*);

// [⊗, or none][right side][softmax]
template <class T>
constexpr PanelGradient<T> panel_gradients[kXiCount + 1][2][2] = {
#define XI(name, ...)                                                                                 \
  {{gradient_of_panel<T, OwnLeft<xi_##name>, false>, gradient_of_panel<T, OwnLeft<xi_##name>, true>}, \
   {gradient_of_panel<T, OwnRight<xi_##name>, false>, gradient_of_panel<T, OwnRight<xi_##name>, true>}},
#include "../xi.def"
#undef XI
    {{gradient_of_panel<T, OwnAlone, false>, gradient_of_panel<T, OwnAlone, true>},
     {gradient_of_panel<T, OwnAlone, false>, gradient_of_panel<T, OwnAlone, true>}},
};

template <class T>
constexpr JoinGradient<T> join_gradients[kXiCount] = {
#define XI(name, ...) gradient_of_join<T, xi_##name>,
#include "../xi.def"
#undef XI
};

template <class T>
bool gradient_of_side(const JoinedGradientArgs<T>& args, bool is_right) {
  const JoinedArgs<T>& f = *args.forward;
  const JoinedSide<T>&own_side = is_right ? f.right : f.left, &other_side = is_right ? f.left : f.right;
  const Axes &own_axes = is_right ? f.columns : f.rows, &other_axes = is_right ? f.rows : f.columns;
  const size_t *out_own = is_right ? f.out_columns : f.out_rows,
               *out_other = is_right ? f.out_rows : f.out_columns;
  T* const* to = is_right ? args.right : args.left;
  bool wanted = false;
  for (size_t x = 0; x < own_side.count; ++x) wanted |= to[x] != nullptr;
  if (!wanted) return true;

  constexpr size_t width = panel_rows<T>, step = MR<T>, other_width = NR<T>;
  const size_t terms = f.terms.count, kc_most = smaller(terms, KC);
  SideState<T> own, other;
  Room room;
  own.plan(room, f, own_side, own_axes, false, step, step, width);
  other.plan(room, f, other_side, other_axes, false, other_width, other_width, other_width);
  for (size_t x = 0; x < own_side.count; ++x) room.add<T>(kc_most, width);
  room.add<T>(kc_most, width).template add<T>(kc_most, width).template add<T>(kc_most, other_width);
  room.add<T>(other_width, width).template add<T>(other_width, width);
  room.add<size_t>(width).template add<size_t>(other_width);
  if (!scratch().reserve(room)) return false;
  own.take(step, width);
  other.take(other_width, other_width);
  T* gathered[kMaxJoined];
  for (size_t x = 0; x < own_side.count; ++x) gathered[x] = scratch().take<T>(kc_most * width);
  T* values = scratch().take<T>(kc_most * width);
  T* D = scratch().take<T>(kc_most * width);
  T* other_values = scratch().take<T>(kc_most * other_width);
  T* dout = scratch().take<T>(other_width * width);
  T* out = scratch().take<T>(other_width * width);
  size_t* row_offsets = scratch().take<size_t>(width);
  size_t* other_offsets = scratch().take<size_t>(other_width);
  for (size_t n = 0; n < kc_most * other_width; ++n) other_values[n] = 0;

  const auto pack = joined_kernels<T>[f.xi].pack;
  const bool alone = other_side.count == 0, unit_own = !is_right && f.from_unit,
             unit_other = is_right && f.from_unit;
  const auto panel_gradient =
      panel_gradients<T>[alone ? kXiCount : f.combine][is_right][f.reduce == XT_LOGSUMEXP];
  for (size_t g = 0; g < f.batch.count; ++g) {
    own.batch(f.batch, g);
    other.batch(f.batch, g);
    const size_t out_at = offset_of(f.batch, f.out_batch, g);
    T* to_batch[kMaxJoined] = {};
    for (size_t x = 0; x < own_side.count; ++x) {
      if (to[x]) to_batch[x] = to[x] + (own.base[x] - own_side.operands[x].data);
    }
    for (size_t row = 0; row < own_axes.count; row += step) {
      const size_t count = smaller(own_axes.count - row, step), used = round_up(count, lanes<T>);
      list_offsets(own_axes, out_own, row, count, row_offsets);
      for (size_t k = 0; k < terms; k += KC) {
        const size_t kc = smaller(terms - k, KC);
        own.begin(k, kc);
        other.begin(k, kc);
        const Packing<T> own_packing{&own, unit_own}, other_packing{&other, unit_other};
        pack(&own_packing, row, count, width, k, kc, values);
        for (size_t n = 0; n < kc * width; ++n) D[n] = 0;
        for (size_t n = 0; n < other_axes.count; n += other_width) {
          const size_t n_count = smaller(other_axes.count - n, other_width);
          if (!alone) pack(&other_packing, n, n_count, other_width, k, kc, other_values);
          list_offsets(other_axes, out_other, n, n_count, other_offsets);
          gather(args.dout + out_at, row_offsets, count, other_offsets, n_count, width, dout);
          gather(f.out + out_at, row_offsets, count, other_offsets, n_count, width, out);
          panel_gradient(kc, width, used, values, other_values, other_width, n_count, dout, out, D);
        }
        for (size_t x = 0; x < own_side.count; ++x) {
          list_offsets(own_axes, own_side.operands[x].own, row, count, own.rows);
          gather(own.base[x], own.rows, count, own.term_offsets[x], kc, width, gathered[x]);
        }
        join_gradients<T>[f.xi](own_side.count, used, width, kc, unit_own, gathered, D);
        scatter_panels(own, row, count, width, kc, gathered, to_batch);
      }
    }
  }
  return true;
}

template <class T>
bool joined_gradient(const JoinedGradientArgs<T>& args) {
  return gradient_of_side(args, false) && gradient_of_side(args, true);
}

}  // namespace xt::XT_ISA
