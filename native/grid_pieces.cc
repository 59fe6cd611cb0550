#include "grid_pieces.h"

#include <algorithm>
#include <limits>

namespace xt {

namespace {

// Whole vectors of every instruction set.
template <class T>
constexpr size_t padded(size_t count) {
  constexpr size_t part = 64 / sizeof(T);
  return (count + part - 1) / part * part;
}

size_t most_buckets(size_t values) { return std::min<size_t>(8 * values, 16384); }

}  // namespace

template <class T>
Pieces<T>::Pieces(const GridArgs<T>& args, Form form)
    : args_(args),
      form_(form),
      events_(args.M * args.L),
      breakpoints_(has_breakpoints(form) ? events_ : 0),
      pieces_(has_breakpoints(form) ? args.L + 1 : 1) {}

template <class T>
void Pieces<T>::make_room(Room& room) const {
  room.add<T>(padded<T>(events_)).template add<T>(events_);
  room.add<uint32_t>(events_).template add<uint32_t>(events_);
  room.add<uint32_t>(args_.M).template add<T>(args_.M, args_.K).template add<T>(args_.M, args_.K);
  for (int n = 0; n < 2; ++n) room.add<T>(args_.M, pieces_, args_.K);
}

template <class T>
void Pieces<T>::take(bool (*phi)(T*, size_t)) {
  Scratch& room = scratch();
  const size_t a_length = padded<T>(events_), table = args_.M * pieces_ * args_.K;
  a_ = room.take<T>(a_length);
  values_ = room.take<T>(events_);
  owners_ = room.take<uint32_t>(events_);
  own_ = room.take<uint32_t>(events_);
  passed_ = room.take<uint32_t>(args_.M);
  slope_ = room.take<T>(args_.M * args_.K);
  constant_ = room.take<T>(args_.M * args_.K);
  slopes_ = room.take<T>(table);
  constants_ = room.take<T>(table);
  std::fill(std::copy_n(args_.a, events_, a_), a_ + a_length, T(1));
  phi(a_, a_length);
  if (!breakpoints_) return;
  sort_order(a_, events_, owners_);
  std::fill_n(passed_, args_.M, 0);
  for (size_t n = 0; n < events_; ++n) {
    const uint32_t at = owners_[n], L = static_cast<uint32_t>(args_.L), m = at / L;
    values_[n] = a_[at];
    owners_[n] = m;
    own_[m * L + passed_[m]++] = at % L;
  }
}

// Σ_i G[i] max(a[i], y) = Σ_{a ≤ y} G[i] · y + Σ_{a > y} G[i] a[i]; for min the two sums change places.
template <class T>
void Pieces<T>::tabulate_selection(size_t j) {
  const size_t K = args_.K, L = args_.L;
  const bool is_min = form_ == Form::min;
  T *passed = is_min ? constants_ : slopes_, *ahead = is_min ? slopes_ : constants_;
  for (size_t m = 0; m < args_.M; ++m) {
    const T* a = a_ + m * L;
    const uint32_t* order = own_ + m * L;
    const size_t at = m * pieces_ * K;
    for (size_t k = 0; k < K; ++k) passed[at + k] = ahead[at + L * K + k] = 0;
    for (size_t n = 0; n < L; ++n) {
      const size_t up = order[n], down = order[L - 1 - n];
      const T *G_up = args_.G + (up * args_.R + j) * K, *G_down = args_.G + (down * args_.R + j) * K;
      const T scale_up = is_min ? a[up] : T(1), scale_down = is_min ? T(1) : a[down];
      T *from_up = passed + at + n * K, *from_down = ahead + at + (L - n) * K;
      for (size_t k = 0; k < K; ++k) {
        from_up[K + k] = from_up[k] + G_up[k] * scale_up;
        from_down[k - K] = from_down[k] + G_down[k] * scale_down;
      }
    }
  }
}

// Σ_i G[i] a[i] · y, and Σ_i G[i] · y + Σ_i G[i] a[i].
template <class T>
void Pieces<T>::tabulate_line(size_t j) {
  const size_t K = args_.K;
  const bool is_product = form_ == Form::product;
  for (size_t m = 0; m < args_.M; ++m) {
    T *slope = slopes_ + m * K, *constant = constants_ + m * K;
    for (size_t k = 0; k < K; ++k) slope[k] = constant[k] = 0;
    for (size_t i = 0; i < args_.L; ++i) {
      const T a = a_[m * args_.L + i];
      const T* G = args_.G + (i * args_.R + j) * K;
      for (size_t k = 0; k < K; ++k) {
        slope[k] += is_product ? G[k] * a : G[k];
        if (!is_product) constant[k] += G[k] * a;
      }
    }
  }
}

template <class T>
void Pieces<T>::tabulate(size_t j) {
  if (breakpoints_) {
    tabulate_selection(j);
  } else {
    tabulate_line(j);
  }
  for (size_t m = 0; m < args_.M; ++m) hold(m, passed_[m] = 0);
}

template <class T>
void Pieces<T>::make_room_for_lookup(Room& room, size_t width, size_t strips) const {
  room.add<T>(2 * breakpoints_ + 1).template add<uint32_t>(most_buckets(breakpoints_));
  room.add<T>(strips, args_.R, breakpoints_ + 1, 2 * width);
}

template <class T>
typename Pieces<T>::Lookup Pieces<T>::take_lookup(size_t width, size_t strips) {
  size_t pieces = 1;
  for (size_t event = 0; event < breakpoints_; ++event) pieces += ends_a_value(event);
  const BreakpointIndex<T> index = take_index();
  T* tables = scratch().take<T>(strips * args_.R * pieces * 2 * width);
  tabulate_all(width, strips, pieces, tables);
  return {index, pieces, tables};
}

template <class T>
bool Pieces<T>::ends_a_value(size_t event) const {
  return event + 1 == breakpoints_ || at(event) < at(event + 1);
}

template <class T>
BreakpointIndex<T> Pieces<T>::take_index() {
  T* values = scratch().take<T>(2 * breakpoints_ + 1);
  uint32_t* starts = scratch().take<uint32_t>(most_buckets(breakpoints_));
  size_t count = 0;
  for (size_t event = 0; event < breakpoints_; ++event) {
    if (ends_a_value(event)) values[count++] = at(event);
  }
  std::fill_n(values + count, count + 1, std::numeric_limits<T>::infinity());
  BreakpointIndex<T> index{values, starts};
  if (count == 0) return index;
  index.buckets = most_buckets(count);
  index.least = values[0];
  index.scale = static_cast<T>(index.buckets) / (values[count - 1] - values[0]);
  // As kernels find it, to the bit: it must never fall as values grow. NaN, of ∞·0, is the first bucket.
  const auto bucket_of = [&](T value) {
    const T place = (value - index.least) * index.scale, last = static_cast<T>(index.buckets - 1);
    return static_cast<size_t>(place > 0 ? std::min(place, last) : T(0));
  };
  size_t n = 0, fullest = 0;
  for (size_t bucket = 0; bucket < index.buckets; ++bucket) {
    const size_t start = n;
    while (n < count && bucket_of(values[n]) == bucket) ++n;
    starts[bucket] = static_cast<uint32_t>(start);
    fullest = std::max(fullest, n - start);
  }
  for (index.first_step = 1; 2 * index.first_step <= fullest;) index.first_step *= 2;
  return index;
}

template <class T>
void Pieces<T>::tabulate_all(size_t width, size_t strips, size_t pieces, T* tables) {
  const size_t row = args_.M * args_.K, piece = 2 * width, strip = args_.R * pieces * piece;
  std::fill_n(tables, strips * strip, T(0));
  for (size_t j = 0; j < args_.R; ++j) {
    T* to = tables + j * pieces * piece;
    const auto keep = [&] {
      for (size_t s = 0, c = 0; s < strips; ++s, c += width) {
        const size_t here = std::min(width, row - c);
        std::copy_n(slope_ + c, here, to + s * strip);
        std::copy_n(constant_ + c, here, to + s * strip + width);
      }
      to += piece;
    };
    tabulate(j);
    keep();
    for (size_t event = 0; event < breakpoints_; ++event) {
      pass(event);
      if (ends_a_value(event)) keep();
    }
  }
}

template class Pieces<float>;
template class Pieces<double>;

}  // namespace xt
