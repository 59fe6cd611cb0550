// Node-API marshalling, and nothing else: the conversion of each argument follows from its C type, so a
// function of abi.h needs one line here. Where an array ends is asked of the engine, not of the object, whose
// `length` may be anything; native/memory.h compares.
#include <node_api.h>

#include <tuple>
#include <utility>

#include "abi.h"
#include "memory.h"

namespace {

using xt::Array;

size_t bytes_of(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;  // later than this: refused wherever an element is asked of it
  }
}

bool read(napi_env env, napi_value value, double* to, Array*) {
  return napi_get_value_double(env, value, to) == napi_ok;
}

// Whole numbers only: napi_get_value_uint32 and its kin wrap and truncate what is none.
template <class Count>
__attribute__((noinline)) bool read_count(napi_env env, napi_value value, double most, Count* to) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0 && number <= most)) return false;
  *to = static_cast<Count>(number);
  return static_cast<double>(*to) == number;
}

bool read(napi_env env, napi_value value, uint32_t* to, Array*) {
  return read_count(env, value, 0x1p32 - 1, to);
}

bool read(napi_env env, napi_value value, size_t* to, Array*) {
  return read_count(env, value, 0x1p53 - 1, to);
}

bool read_array(napi_env env, napi_value value, void** to, Array* array) {
  napi_valuetype kind;
  if (napi_typeof(env, value, &kind) != napi_ok) return false;
  *to = nullptr;
  if (kind == napi_null) return true;
  napi_typedarray_type type;
  size_t length;
  if (napi_get_typedarray_info(env, value, &type, &length, to, nullptr, nullptr) != napi_ok) return false;
  // Of an empty or a detached array the address is null, which would say that there is none.
  static double empty;
  if (*to == nullptr) *to = &empty;
  *array = {*to, length * bytes_of(type)};
  return true;
}

template <class T>
bool read(napi_env env, napi_value value, T** to, Array* array) {
  void* pointer;
  if (!read_array(env, value, &pointer, array)) return false;
  *to = static_cast<T*>(pointer);
  return true;
}

template <class... Args, size_t... N>
napi_value invoke(napi_env env, napi_value* values, int32_t (*function)(Args...), std::index_sequence<N...>) {
  std::tuple<Args...> args;
  Array arrays[sizeof...(Args)] = {};
  if (!(read(env, values[N], &std::get<N>(args), arrays + N) && ...)) {
    napi_throw_type_error(env, "E_ARGUMENT", "xitensor addon: an argument has the wrong type");
    return nullptr;
  }
  const xt::Lent lent(arrays, sizeof...(Args));
  napi_value status;
  napi_create_int32(env, std::apply(function, args), &status);
  return status;
}

template <class... Args>
napi_value call(napi_env env, napi_callback_info info, int32_t (*function)(Args...)) {
  constexpr size_t expected = sizeof...(Args);
  size_t count = expected;
  napi_value values[expected];
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);  // missing arguments arrive as undefined
  return invoke(env, values, function, std::index_sequence_for<Args...>());
}

napi_value describe(napi_env env, napi_callback_info) {
  napi_value text;
  napi_create_string_utf8(env, xt_describe(), NAPI_AUTO_LENGTH, &text);
  return text;
}

template <auto function>
napi_property_descriptor method(const char* name) {
  const napi_callback callback = [](napi_env env, napi_callback_info info) {
    return call(env, info, function);
  };
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_enumerable, nullptr};
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor methods[] = {
#define FUNCTION(name) method<name>(#name)
      FUNCTION(xt_contract),
      FUNCTION(xt_contract_packed),
      FUNCTION(xt_packed_length),
      FUNCTION(xt_pack_weights),
      FUNCTION(xt_contract_gradient),
      FUNCTION(xt_contract_grid),
      FUNCTION(xt_joined),
      FUNCTION(xt_joined_gradient),
      FUNCTION(xt_fold),
      FUNCTION(xt_fold_gradient),
      FUNCTION(xt_project_fold),
      FUNCTION(xt_winner_sums),
      FUNCTION(xt_outer),
      FUNCTION(xt_matmul),
      FUNCTION(xt_activate),
      FUNCTION(xt_activate_gradient),
      FUNCTION(xt_embed),
      FUNCTION(xt_embed_gradient),
      FUNCTION(xt_loss),
      FUNCTION(xt_adam),
      FUNCTION(xt_sum_squares),
      FUNCTION(xt_singular_values),
      FUNCTION(xt_svd),
      FUNCTION(xt_qr),
      FUNCTION(xt_full_rank),
      FUNCTION(xt_numerical_rank),
      FUNCTION(xt_rank_modulo),
      FUNCTION(xt_populate),
      FUNCTION(xt_peak),
#undef FUNCTION
      {"xt_describe", nullptr, describe, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof methods / sizeof methods[0], methods);
  return exports;
}
