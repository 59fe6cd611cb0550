// The rows of xi.def as functors, for the max and min of the namespace that includes this: no include guard.

template <class V>
XT_INLINE V logaddexp(V x, V y) {
  return max(x, y) + log1p_unit(exp_flushed(minus_distance(x, y)));
}

// Scaled by the larger operand, so that nothing overflows or vanishes on the way.
template <class V>
XT_INLINE V hypot(V x, V y) {
  const V absolute_x = absolute(x), absolute_y = absolute(y);
  const V large = max(absolute_x, absolute_y), small = min(absolute_x, absolute_y);
  const V ratio = large == V{} ? V{} : small / large;
  const V safe = large > max_finite<V>() ? V{} : ratio;  // ∞/∞
  return large * square_root_of(safe * safe + 1);
}

// ∂/∂x √(x² + y²) = x / √(x² + y²)
template <class V>
XT_INLINE V hypot_weight(V x, V y) {
  const V length = hypot(x, y);
  return length == V{} ? V{} : x / length;
}

template <class V>
XT_INLINE V square_root(V z) {
  return root_of_sum(z);
}

template <class V>
XT_INLINE V exp(V x) {
  return exp_normal(x);
}

template <class V>
XT_INLINE V log(V z) {
  return log_of_sum(z);
}

// clang-format off
#define XI(name, id, formula, unit_value, value_expr, dx_expr, dy_expr, ties, tolerance, bound, phi_expr, circle_expr, psi_expr, range) \
  struct xi_##name {                                                                                        \
    static constexpr double unit = unit_value;                                                              \
    using Range = range_##range;                                                                            \
    static constexpr bool selects = selects_##bound;                                                        \
    template <class V> static XT_INLINE V value(V x, V y) { (void)x; (void)y; return value_expr; }          \
    template <class V> static XT_INLINE V phi(V x) { return phi_expr; }                                     \
    template <class V> static XT_INLINE V circle(V x, V y) { return circle_expr; }                              \
    template <class V> static XT_INLINE V psi(V z) { return psi_expr; }                                     \
    template <class V> static XT_INLINE auto dx(V x, V y) {                                                 \
      const V zero{}, one = V{} + 1; (void)zero; (void)one; (void)x; (void)y; return dx_expr; }             \
    template <class V> static XT_INLINE auto dy(V x, V y) {                                                 \
      const V zero{}, one = V{} + 1; (void)zero; (void)one; (void)x; (void)y; return dy_expr; }             \
  };
#include "../xi.def"
#undef XI
// clang-format on
