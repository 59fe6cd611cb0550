// xt_joined and xt_joined_gradient: read the plan, check it, cut the work into slices for the threads.
#include "abi.h"
#include "call.h"

namespace {

using xt::Axes;
using xt::JoinedArgs;
using xt::JoinedSide;
using xt::Slice;

// Reads the words of a plan in order; `good` turns false at the first that cannot be.
class Reader {
 public:
  Reader(const int32_t* words, size_t count) : at_(words), end_(words + count) {}
  bool good = true;

  size_t next() {
    if (at_ == end_ || *at_ < 0) good = false;
    return good ? static_cast<size_t>(*at_++) : 0;
  }
  bool at_end() const { return at_ == end_; }

  void axes(Axes& axes) {
    for (size_t n = 0; n < axes.rank; ++n) {
      axes.extents[n] = next();
      if (__builtin_mul_overflow(axes.count, axes.extents[n], &axes.count)) good = false;
    }
  }
  void strides(size_t* to, size_t rank) {
    for (size_t n = 0; n < rank; ++n) to[n] = next();
  }

 private:
  const int32_t *at_, *end_;
};

template <class T>
bool read_plan(const int32_t* words, size_t length, const void* const* operands, JoinedArgs<T>& args) {
  if (words == nullptr || !xt::holds_words(words, {length})) return false;
  Reader plan(words, length);
  for (Axes* axes : {&args.batch, &args.rows, &args.columns, &args.terms}) {
    axes->rank = plan.next();
    // Each for itself: with 32 bits their sum may pass for a small one.
    if (axes->rank > xt::kMaxAxes) return false;
  }
  args.left.count = plan.next();
  args.right.count = plan.next();
  const size_t rank = args.batch.rank + args.rows.rank + args.columns.rank;
  if (rank > xt::kMaxAxes || args.left.count < 1 || args.left.count > xt::kMaxJoined ||
      args.right.count > xt::kMaxJoined || (args.right.count == 0 && args.columns.rank > 0)) {
    return false;
  }
  for (Axes* axes : {&args.batch, &args.rows, &args.columns, &args.terms}) plan.axes(*axes);
  for (JoinedSide<T>* side : {&args.left, &args.right}) {
    const size_t own = side == &args.left ? args.rows.rank : args.columns.rank;
    for (size_t x = 0; x < side->count; ++x) {
      auto& operand = side->operands[x];
      operand.data = static_cast<const T*>(*operands++);
      plan.strides(operand.batch, args.batch.rank);
      plan.strides(operand.own, own);
      plan.strides(operand.terms, args.terms.rank);
    }
  }
  plan.strides(args.out_batch, args.batch.rank);
  plan.strides(args.out_rows, args.rows.rank);
  plan.strides(args.out_columns, args.columns.rank);
  return plan.good && plan.at_end();
}

struct Strided {
  const Axes& axes;
  const size_t* strides;
};

constexpr size_t kMostAxes = 3 * xt::kMaxAxes;

size_t list_axes(std::initializer_list<Strided> parts, xt::Axis* all) {
  size_t count = 0;
  for (const auto& [axes, strides] : parts) {
    for (size_t axis = 0; axis < axes.rank; ++axis) all[count++] = {axes.extents[axis], strides[axis]};
  }
  return count;
}

// Whether there is an element of this type behind every place along the axes.
template <class T>
bool holds(const T* data, std::initializer_list<Strided> parts) {
  xt::Axis all[kMostAxes];
  return xt::Holds(sizeof(T)).strided(data, all, list_axes(parts, all));
}

// Whether there is an element of its own for every place of out, so that threads may share them.
template <class T, class Element>
bool holds_out(const JoinedArgs<T>& args, const Element* data) {
  xt::Axis all[kMostAxes];
  const size_t count = list_axes(
      {{args.batch, args.out_batch}, {args.rows, args.out_rows}, {args.columns, args.out_columns}}, all);
  return xt::Holds(sizeof(Element)).strided(data, all, count) && xt::apart(all, count);
}

// Whether the operands are there, and of `gradients` those that are not null, which lie as they do.
template <class T>
bool holds_operands(const JoinedArgs<T>& args, void* const* gradients = nullptr) {
  for (const JoinedSide<T>* side : {&args.left, &args.right}) {
    const Axes& own = side == &args.left ? args.rows : args.columns;
    for (size_t x = 0; x < side->count; ++x) {
      const xt::JoinedOperand<T>& operand = side->operands[x];
      const T* gradient = gradients ? static_cast<const T*>(*gradients++) : nullptr;
      for (const T* data : {operand.data, gradient ? gradient : operand.data}) {
        if (!holds(data, {{args.batch, operand.batch}, {own, operand.own}, {args.terms, operand.terms}}))
          return false;
      }
    }
  }
  return true;
}

bool known(uint32_t xi, uint32_t combine, uint32_t reduce) {
  return xi < xt::kXiCount && combine < xt::kXiCount && reduce <= XT_LOGSUMEXP;
}

// Whether different places along axes that threads are to share are different elements of an operand,
// wherever along its other axes, where alone it may stand still.
template <class T>
bool may_share(const JoinedArgs<T>& args, const Axes& own, const xt::JoinedOperand<T>& operand,
               const Axes& shared) {
  xt::Axis all[kMostAxes];
  const size_t count =
      list_axes({{args.batch, operand.batch}, {own, operand.own}, {args.terms, operand.terms}}, all);
  const size_t first = &shared == &args.batch ? 0 : args.batch.rank;
  size_t moving = 0;
  for (size_t n = 0; n < count; ++n) {
    if (all[n].stride > 0 || (n >= first && n < first + shared.rank)) all[moving++] = all[n];
  }
  return xt::apart(all, moving);
}

// Cut by rows or by batch elements; bit-identical for any number of threads, as no sum is cut.
template <class T>
int32_t gradient_of_side(const xt::Context& run, const xt::KernelTable<T>& table,
                         const xt::JoinedGradientArgs<T>& args, bool is_right, double work) {
  const JoinedArgs<T>& forward = *args.forward;
  const JoinedSide<T>& side = is_right ? forward.right : forward.left;
  const Axes& rows = is_right ? forward.columns : forward.rows;
  T* const* to = is_right ? args.right : args.left;
  if (std::none_of(to, to + side.count, [](const T* gradient) { return gradient != nullptr; })) return XT_OK;
  const auto all_may_share = [&](const Axes& axes) {
    for (size_t x = 0; x < side.count; ++x) {
      if (to[x] && !may_share(forward, rows, side.operands[x], axes)) return false;
    }
    return true;
  };
  const size_t G = forward.batch.count;
  if (rows.count > table.tile_rows && all_may_share(rows)) {
    return run.over(rows.count, table.tile_rows, work, [&](Slice m) {
      return table.joined_gradient(args, is_right, {0, G}, m);
    });
  }
  return run.over(G, all_may_share(forward.batch) ? 1 : G, work, [&](Slice g) {
    return table.joined_gradient(args, is_right, g, {0, rows.count});
  });
}

// Tiles that a call keeps gathered operands for.
constexpr size_t kTilesAtATime = 32;

}  // namespace

int32_t xt_joined(uint32_t context, uint32_t dtype, uint32_t xi, uint32_t combine, uint32_t reduce,
                  uint32_t from_unit, const int32_t* plan, size_t plan_length, const void* x0, const void* x1,
                  const void* x2, const void* x3, const void* x4, const void* x5, const void* x6,
                  const void* x7, void* result, double* arg) {
  if (!known(xi, combine, reduce)) return XT_ARGUMENT;
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = xt::ElementOf<decltype(table)>;
    const void* operands[] = {x0, x1, x2, x3, x4, x5, x6, x7};
    JoinedArgs<T> args{};
    if (!read_plan(plan, plan_length, operands, args)) return XT_ARGUMENT;
    const size_t G = args.batch.count, M = args.rows.count, N = args.columns.count;
    if (G == 0 || M == 0 || N == 0) return XT_OK;
    if (!holds_out(args, static_cast<const T*>(result)) || (arg && !holds_out(args, arg)) ||
        !holds_operands(args))
      return XT_ARGUMENT;
    if (arg != nullptr && reduce != XT_MAX && reduce != XT_MIN) return XT_ARGUMENT;
    args.xi = xi;
    args.combine = combine;
    args.reduce = reduce;
    args.from_unit = from_unit != 0 && args.left.count == 1;
    args.out = static_cast<T*>(result);
    args.arg = arg;
    const double work = 1.0 * G * M * N * (args.terms.count ? args.terms.count : 1);
    if (table.joined_by_element(args)) {
      if (args.terms.count == 0) return table.joined(args, {0, 1}, {0, 1}, {0, 1}) ? XT_OK : XT_MEMORY;
      return run.over(G * M * N, table.lanes, 4 * work, [&](Slice g) {
        return table.joined(args, g, {0, 1}, {0, 1});
      });
    }
    const size_t most = kTilesAtATime * table.tile_rows;
    if (G >= 4 * run.threads || (M <= table.tile_rows && N <= table.tile_columns)) {
      return run.over(G, 1, work, [&](Slice g) {
        for (size_t m = 0; m < M; m += most) {
          if (!table.joined(args, g, {m, m + most < M ? m + most : M}, {0, N})) return false;
        }
        return true;
      });
    }
    if (M >= run.threads * table.tile_rows || M >= N) {
      return run.over(
          M, table.tile_rows, work,
          [&](Slice m) {
            return table.joined(args, {0, G}, m, {0, N});
          },
          most);
    }
    return run.over(N, table.tile_columns, work, [&](Slice n) {
      return table.joined(args, {0, G}, {0, M}, n);
    });
  });
}

int32_t xt_joined_gradient(uint32_t context, uint32_t dtype, uint32_t xi, uint32_t combine, uint32_t reduce,
                           uint32_t from_unit, const int32_t* plan, size_t plan_length, const void* x0,
                           const void* x1, const void* x2, const void* x3, const void* x4, const void* x5,
                           const void* x6, const void* x7, const void* out, const void* dout, void* d0,
                           void* d1, void* d2, void* d3, void* d4, void* d5, void* d6, void* d7) {
  if (!known(xi, combine, reduce) || reduce == XT_MAX || reduce == XT_MIN) return XT_ARGUMENT;
  const xt::Context run(context);
  return xt::with_table(run, dtype, [&](auto& table) -> int32_t {
    using T = xt::ElementOf<decltype(table)>;
    const void* operands[] = {x0, x1, x2, x3, x4, x5, x6, x7};
    void* gradients[] = {d0, d1, d2, d3, d4, d5, d6, d7};
    JoinedArgs<T> args{};
    if (!read_plan(plan, plan_length, operands, args)) return XT_ARGUMENT;
    // One by one: the product of four extents may be 2³², which is 0 on WebAssembly.
    for (size_t count : {args.batch.count, args.rows.count, args.columns.count, args.terms.count}) {
      if (count == 0) return XT_OK;
    }
    for (const void* values : {out, dout}) {
      if (!holds_out(args, static_cast<const T*>(values))) return XT_ARGUMENT;
    }
    if (!holds_operands(args, gradients)) return XT_ARGUMENT;
    args.xi = xi;
    args.combine = combine;
    args.reduce = reduce;
    args.from_unit = from_unit != 0 && args.left.count == 1;
    args.out = const_cast<T*>(static_cast<const T*>(out));
    xt::JoinedGradientArgs<T> backward{&args, static_cast<const T*>(dout), {}, {}};
    for (size_t x = 0; x < args.left.count; ++x) backward.left[x] = static_cast<T*>(gradients[x]);
    for (size_t x = 0; x < args.right.count; ++x)
      backward.right[x] = static_cast<T*>(gradients[args.left.count + x]);
    const double work = 1.0 * args.batch.count * args.rows.count * args.columns.count * args.terms.count;
    for (bool is_right : {false, true}) {
      const int32_t status = gradient_of_side(run, table, backward, is_right, 4 * work);
      if (status != XT_OK) return status;
    }
    return XT_OK;
  });
}
