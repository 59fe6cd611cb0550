// Node-API marshalling, and nothing else: the conversion of each argument follows from its C type, so a
// function of abi.h needs one line here. Lengths of typed arrays are checked by the caller,
// src/backend/checks.ts.
#include <node_api.h>

#include <tuple>
#include <utility>

#include "abi.h"

namespace {

bool read(napi_env env, napi_value value, double* to) {
  return napi_get_value_double(env, value, to) == napi_ok;
}

bool read(napi_env env, napi_value value, uint32_t* to) {
  return napi_get_value_uint32(env, value, to) == napi_ok;
}

bool read(napi_env env, napi_value value, size_t* to) {
  int64_t size;
  if (napi_get_value_int64(env, value, &size) != napi_ok || size < 0) return false;
  *to = static_cast<size_t>(size);
  return true;
}

bool read_pointer(napi_env env, napi_value value, void** to) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  *to = nullptr;
  if (type == napi_null) return true;
  return napi_get_typedarray_info(env, value, nullptr, nullptr, to, nullptr, nullptr) == napi_ok;
}

template <class T>
bool read(napi_env env, napi_value value, T** to) {
  void* pointer;
  if (!read_pointer(env, value, &pointer)) return false;
  *to = static_cast<T*>(pointer);
  return true;
}

template <class... Args, size_t... N>
napi_value invoke(napi_env env, napi_value* values, int32_t (*function)(Args...), std::index_sequence<N...>) {
  std::tuple<Args...> args;
  if (!(read(env, values[N], &std::get<N>(args)) && ...)) {
    napi_throw_type_error(env, "E_ARGUMENT", "xitensor addon: an argument has the wrong type");
    return nullptr;
  }
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
