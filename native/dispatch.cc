#include "dispatch.h"

#include <cstddef>

#include "abi.h"
#include "table_hash.gen.h"

namespace xt {

#define ISA(name, ...) const Kernels& kernels_##name();
#include "isas.def"
#undef ISA

namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports asks XGETBV too: a processor that has the instructions under a kernel that does not
// save the registers counts as without.
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

struct IsaRow {
  const char* name;
  bool usable;
  const char* needs;
  const Kernels* kernels;
};

constexpr unsigned kIsaCount = 0
#define ISA(...) +1
#include "isas.def"
#undef ISA
    ;

const IsaRow& isa_row(unsigned index) {
  static const IsaRow rows[] = {
#define ISA(name, probe, needs) {#name, probe, needs, &kernels_##name()},
#include "isas.def"
#undef ISA
  };
  return rows[index];
}

}  // namespace

const Kernels* usable_kernels(uint32_t index) {
  if (index >= kIsaCount) return nullptr;
  const IsaRow& row = isa_row(index);
  return row.usable ? row.kernels : nullptr;
}

const char* describe() {
  // By hand, since snprintf would bring the files of a C library into the WebAssembly module.
  static const struct Text {
    char json[1024];
    size_t used = 0;
    // Not inlined, or a text ends up as immediate values in the code.
    __attribute__((noinline)) Text& operator<<(const char* text) {
      while (*text && used + 1 < sizeof json) json[used++] = *text++;
      json[used] = 0;
      return *this;
    }
    Text& operator<<(unsigned number) {
      if (number >= 10) *this << number / 10;
      const char digit[] = {static_cast<char>('0' + number % 10), 0};
      return *this << digit;
    }
    Text() {
      *this << "{\"abi\":" << unsigned{XT_ABI_VERSION} << ",\"table\":\"" << XT_TABLE_HASH << "\",\"isas\":[";
      for (unsigned n = 0; n < kIsaCount; ++n) {
        const IsaRow& row = isa_row(n);
        *this << (n ? "," : "") << "{\"name\":\"" << row.name << "\",\"index\":" << n
              << ",\"usable\":" << (row.usable ? "true" : "false") << ",\"priority\":" << kIsaCount - n
              << ",\"reason\":\"" << (row.usable ? "needs " : "this processor lacks ") << row.needs << "\"}";
      }
      *this << "]}";
    }
  } text;
  return text.json;
}

}  // namespace xt
