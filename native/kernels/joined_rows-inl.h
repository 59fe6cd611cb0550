// Joined contractions element by element, out[n] = ⊕_s left[n, s] ⊗ right[n, s]: where there is no product of
// rows and columns to make a tile of. Vectors hold neighbouring elements of out, or, where out is small,
// terms.
#pragma once
#include "logsumexp-inl.h"

namespace xt::XT_ISA {

struct LeftOnly {
  template <class V>
  static XT_INLINE V value(V x, V) {
    return x;
  }
};

// state[r] += Σ_k left[k][r] ⊗ right[k][r] for r < width.
template <class T, class X>
void sum_elements(size_t kc, size_t width, const T* left, const T* right, T* state) {
  for (size_t r = 0; r < width; r += lanes<T>) {
    Vec<T> value{};
    for (size_t k = 0; k < kc; ++k) {
      value = SumOf<X>::step(value, load(left + k * width + r), load(right + k * width + r));
    }
    store(state + r, load(state + r) + value);
  }
}

// state[r] ⊕= ⊕_k left[k][r] ⊗ right[k][r] for r < width; neither for sums nor for logsumexp.
template <class T, class S>
void reduce_elements(size_t kc, size_t width, const T* left, const T* right, T* state) {
  for (size_t r = 0; r < width; r += lanes<T>) {
    Vec<T> value = load(state + r);
    for (size_t k = 0; k < kc; ++k) {
      value = S::step(value, load(left + k * width + r), load(right + k * width + r));
    }
    store(state + r, value);
  }
}

template <class T, class X>
void logsumexp_elements(size_t kc, size_t width, const T* left, const T* right, T* state) {
  for (size_t r = 0; r < width; r += lanes<T>) {
    Vec<T> largest = broadcast(T(-infinity));
    for (size_t k = 0; k < kc; ++k)
      largest = exact::max(largest, X::value(load(left + k * width + r), load(right + k * width + r)));
    const auto finite = absolute(largest) <= max_finite<Vec<T>>();
    const Vec<T> shift = finite ? largest : Vec<T>{};
    Vec<T> sum{};
    for (size_t k = 0; k < kc; ++k) {
      const Vec<T> term = X::value(load(left + k * width + r), load(right + k * width + r));
      sum += exp_flushed(term - shift);
    }
    const Vec<T> value = finite ? largest + log_normal(sum) : largest;
    store(state + r, exact::logaddexp(load(state + r), value));
  }
}

// Most terms win nowhere, which one look at all lanes tells.
template <class T, bool largest>
__attribute__((noinline)) void take_winners(const Vec<T>& values, double term, T* state, double* arg) {
  const Vec<T> so_far = load(state);
  const auto wins = (largest ? values > so_far : values < so_far) | ((values != values) & (so_far == so_far));
  if (!any_lane<T>(wins)) return;
  for (int n = 0; n < lanes<T>; ++n) {
    const T value = values[n], best = state[n];
    if ((largest ? value > best : value < best) || (value != value && best == best)) {
      state[n] = value;
      arg[n] = term;
    }
  }
}

// Beside the value, which the state keeps, the first term that won, from `term` on.
template <class T, class X, bool largest>
void arg_elements(size_t term, size_t kc, size_t width, const T* left, const T* right, T* state,
                  double* arg) {
  for (size_t k = 0; k < kc; ++k) {
    for (size_t r = 0; r < width; r += lanes<T>) {
      const Vec<T> values = X::value(load(left + k * width + r), load(right + k * width + r));
      take_winners<T, largest>(values, static_cast<double>(term + k), state + r, arg + r);
    }
  }
}

template <class T>
struct ElementKernels {
  void (*reduce[4])(size_t, size_t, const T*, const T*, T*);
  void (*arg[2])(size_t, size_t, size_t, const T*, const T*, T*, double*);
};

template <class T, class X>
constexpr ElementKernels<T> element_kernels_of() {
  return {{sum_elements<T, X>, reduce_elements<T, CarefulMaxOf<X>>, reduce_elements<T, CarefulMinOf<X>>,
           logsumexp_elements<T, X>},
          {arg_elements<T, X, true>, arg_elements<T, X, false>}};
}

template <class T>
constexpr ElementKernels<T> element_kernels[kXiCount + 1] = {
#define XI(name, ...) element_kernels_of<T, exact::xi_##name>(),
#include "../xi.def"
#undef XI
    element_kernels_of<T, LeftOnly>(),
};

// The multi-index of out's elements, and strides of out or of an operand over it.
template <class T>
Axes elements_of(const JoinedArgs<T>& args) {
  Axes all;
  const Axes* parts[] = {&args.batch, &args.rows, &args.columns};
  for (const Axes* part : parts) {
    for (size_t axis = 0; axis < part->rank; ++axis) all.extents[all.rank++] = part->extents[axis];
    all.count *= part->count;
  }
  return all;
}
template <class T>
void list_strides(const JoinedArgs<T>& args, const size_t* batch, const size_t* rows, const size_t* columns,
                  size_t* strides) {
  for (size_t n = 0; n < args.batch.rank; ++n) *strides++ = batch[n];
  for (size_t n = 0; n < args.rows.rank; ++n) *strides++ = rows ? rows[n] : 0;
  for (size_t n = 0; n < args.columns.rank; ++n) *strides++ = columns ? columns[n] : 0;
}

template <class T>
T identity_of(uint32_t reduce) {
  return reduce == XT_SUM ? T(0) : reduce == XT_MIN ? T(infinity) : T(-infinity);
}

// x[r] ⊕= y[r]; not inlined, since logaddexp is long and this is wanted four times.
template <class T>
__attribute__((noinline)) void merge_states(uint32_t reduce, size_t width, const T* y, T* x) {
  for (size_t r = 0; r < width; r += lanes<T>) {
    const Vec<T> a = load(x + r), b = load(y + r);
    store(x + r, reduce == XT_SUM   ? a + b
                 : reduce == XT_MAX ? exact::max(a, b)
                 : reduce == XT_MIN ? exact::min(a, b)
                                    : exact::logaddexp(a, b));
  }
}

// Terms in vectors, where out has fewer elements than a vector: how many at a time.
constexpr size_t kTermsAtATime = 512;
// So many terms are added to a sum, and so many sums become one of the next level: rounding grows with the
// logarithm of the number of terms. 2²⁵ equal ones lost 6e-4 of their sum when single terms met all that
// came.
constexpr size_t kTermsOfASum = 32, kSumsOfALevel = 16, kLevels = 8;

// Elements of out, or else terms, as the rows of panels: what both ways of reducing share.
template <class T>
struct ElementReduction {
  const JoinedArgs<T>& args;
  const bool along_terms;
  const Axes all, none{};
  const size_t step, kc_most;
  JoinedSide<T> flat[2];
  SideState<T> sides[2];
  T *panels[2], *state, *levels;
  double* arg;
  size_t *offsets, out_strides[3 * kMaxAxes];
  size_t sums = 0, used_levels = 0;

  // Cold: once a call, and better small.
  __attribute__((cold)) explicit ElementReduction(const JoinedArgs<T>& given)
      : args(given),
        along_terms(elements_of(given).count < static_cast<size_t>(lanes<T>) &&
                    given.terms.count > static_cast<size_t>(lanes<T>)),
        all(elements_of(given)),
        step(along_terms ? kTermsAtATime : NR<T>),
        kc_most(along_terms ? 1 : smaller(KC, given.terms.count)) {
    list_strides(args, args.out_batch, args.out_rows, args.out_columns, out_strides);
    for (int side = 0; side < 2; ++side) {
      const JoinedSide<T>& from = side ? args.right : args.left;
      flat[side].count = from.count;
      for (size_t x = 0; x < from.count; ++x) {
        const JoinedOperand<T>& operand = from.operands[x];
        JoinedOperand<T>& to = flat[side].operands[x];
        to.data = operand.data;
        list_strides(args, operand.batch, side ? nullptr : operand.own, side ? operand.own : nullptr,
                     along_terms ? to.batch : to.own);
        for (size_t n = 0; n < args.terms.rank; ++n) (along_terms ? to.own : to.terms)[n] = operand.terms[n];
      }
    }
  }

  __attribute__((cold)) bool reserve() {
    JoinedArgs<T> view = args;
    if (along_terms) view.terms = none;
    Room room;
    for (int side = 0; side < 2; ++side) {
      sides[side].plan(room, view, flat[side], along_terms ? args.terms : all, false, step, step, step);
      sides[side].terms = along_terms ? &none : &args.terms;
      room.add<T>(kc_most, step);
    }
    room.add<T>(step).template add<T>(kLevels, step).template add<double>(step).template add<size_t>(step);
    if (!scratch().reserve(room)) return false;
    for (int side = 0; side < 2; ++side) {
      sides[side].take(step, step);
      panels[side] = scratch().take<T>(kc_most * step);
      for (size_t n = 0; n < kc_most * step; ++n) panels[side][n] = 0;
    }
    state = scratch().take<T>(step);
    levels = scratch().take<T>(kLevels * step);
    arg = scratch().take<double>(step);
    offsets = scratch().take<size_t>(step);
    return true;
  }

  void fill(T* values) const {
    for (size_t r = 0; r < step; ++r) values[r] = identity_of<T>(args.reduce);
  }

  void start() {
    fill(state);
    for (size_t r = 0; r < step; ++r) arg[r] = 0;
    sums = used_levels = 0;
  }

  // Hands the state to the next level, and this to the one above it, wherever a level is full.
  void carry() {
    if (args.reduce != XT_SUM && args.reduce != XT_LOGSUMEXP) return;
    T* from = state;
    size_t level = 0;
    for (size_t n = ++sums; n % kSumsOfALevel == 0 && level < kLevels; n /= kSumsOfALevel, ++level) {
      T* to = levels + level * step;
      if (level == used_levels) {
        fill(to);
        ++used_levels;
      }
      merge_states(args.reduce, step, from, to);
      fill(from);
      from = to;
    }
  }

  void collect() {
    for (size_t level = 0; level < used_levels; ++level)
      merge_states(args.reduce, step, levels + level * step, state);
  }

  void batch(size_t element) {
    for (auto& side : sides) side.batch(along_terms ? all : none, element);
  }

  // Takes kc terms in for `count` rows; rows beyond them keep what they have. Not inlined: two ways need it.
  __attribute__((noinline)) void reduce(size_t row, size_t count, size_t term, size_t kc) {
    const size_t width = round_up(count, lanes<T>);
    const bool has_right = args.right.count > 0;
    for (int side = 0; side < 1 + has_right; ++side) {
      sides[side].begin(term, kc);
      const Packing<T> packing{&sides[side], side == 0 && args.from_unit};
      joined_kernels<T>[args.xi].pack(&packing, row, count, width, 0, kc, panels[side]);
    }
    const ElementKernels<T>& kernels = element_kernels<T>[has_right ? args.combine : kXiCount];
    const size_t first = along_terms ? row : term;
    const size_t most = args.reduce == XT_SUM ? kTermsOfASum : kc;
    for (size_t k = 0; k < kc; k += most) {
      const size_t terms = smaller(kc - k, most);
      const T *left = panels[0] + k * width, *right = panels[has_right] + k * width;
      T kept[lanes<T>];
      double kept_arg[lanes<T>];
      for (size_t r = count; r < width; ++r) {
        kept[r - count] = state[r];
        kept_arg[r - count] = arg[r];
      }
      if (args.arg) {
        kernels.arg[args.reduce == XT_MIN](first + k, terms, width, left, right, state, arg);
      } else {
        kernels.reduce[args.reduce](terms, width, left, right, state);
      }
      for (size_t r = count; r < width; ++r) {
        state[r] = kept[r - count];
        arg[r] = kept_arg[r - count];
      }
      carry();
    }
  }

  void by_rows(Slice elements) {
    batch(0);
    for (size_t row = elements.begin; row < elements.end; row += step) {
      const size_t count = smaller(elements.end - row, step);
      start();
      for (size_t k = 0; k < args.terms.count; k += KC)
        reduce(row, count, k, smaller(args.terms.count - k, KC));
      collect();
      list_offsets(all, out_strides, row, count, offsets);
      for (size_t r = 0; r < count; ++r) {
        args.out[offsets[r]] = state[r];
        if (args.arg) args.arg[offsets[r]] = arg[r];
      }
    }
  }

  void by_terms(Slice elements) {
    for (size_t element = elements.begin; element < elements.end; ++element) {
      batch(element);
      start();
      for (size_t term = 0; term < args.terms.count; term += step)
        reduce(term, smaller(args.terms.count - term, step), 0, 1);
      collect();
      const size_t at = offset_of(all, out_strides, element);
      if (args.arg) {
        args.arg[at] = first_winner();
      }
      // The last halves are parts of a vector, whose other lanes nobody reads any more.
      for (size_t half = step / 2; half > 0; half /= 2) merge_states(args.reduce, half, state + half, state);
      args.out[at] = state[0];
    }
  }

  // Of the terms that each row of the state holds the best of, the first that is best of all.
  __attribute__((cold)) double first_winner() const {
    size_t best = 0;
    double first = arg[0];
    for (size_t r = 1; r < step; ++r) {
      const T value = state[r], so_far = state[best];
      const double term = arg[r] + static_cast<double>(r);
      const bool better = (args.reduce == XT_MIN ? value < so_far : value > so_far) ||
                          (value != value && so_far == so_far) ||
                          ((value == so_far || (value != value && so_far != so_far)) && term < first);
      if (!better) continue;
      best = r;
      first = term;
    }
    return first;
  }
};

template <class T>
bool joined_elements(const JoinedArgs<T>& args, Slice elements) {
  ElementReduction<T> reduction(args);
  if (!reduction.reserve()) return false;
  if (reduction.along_terms)
    reduction.by_terms(elements);
  else
    reduction.by_rows(elements);
  return true;
}

}  // namespace xt::XT_ISA
