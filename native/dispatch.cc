#include "dispatch.h"

#include <cstddef>

#include "abi.h"
#include "table_hash.gen.h"

namespace xt {

#define ISA(name, ...) const Kernels& kernels_##name();
#define BF16(name, ...) const Bf16Tile& bf16_tile_##name();
#include "isas.def"
#undef ISA

#if defined(__x86_64__)
const char* amx_refusal();
const Bf16Kernels& bf16_kernels();
#endif

namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports asks XGETBV too: a processor that has the instructions under a kernel that does not
// save the registers counts as without.
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
const char* avx512bf16_refusal() {
  return has_avx512() && __builtin_cpu_supports("avx512bf16") ? nullptr : "this processor lacks AVX-512 BF16";
}
#endif

struct IsaRow {
  const char* name;
  bool usable;
  const char* reason;  // what it lacks, or else what it needs
  const Kernels* kernels;
  const Bf16Tile* tile;
  size_t tile_rate;
};

constexpr unsigned kIsaCount = 0
#define ISA(...) +1
#define BF16(...) +1
#include "isas.def"
#undef ISA
    ;

const IsaRow& isa_row(unsigned index) {
  static const auto of_tile = [](const char* name, const char* refusal, const char* needs,
                                 const Kernels& kernels, const Bf16Tile& tile, size_t rate) {
    return IsaRow{name, refusal == nullptr, refusal ? refusal : needs, &kernels, &tile, rate};
  };
  static const IsaRow rows[] = {
#define ISA(name, probe, needs) \
  {#name, probe, probe ? "needs " needs : "this processor lacks " needs, &kernels_##name(), nullptr, 0},
#define BF16(name, refusal, needs, rate) \
  of_tile(#name, refusal, "needs " needs, kernels_avx512(), bf16_tile_##name(), rate),
#include "isas.def"
#undef ISA
  };
  return rows[index];
}

// The instruction set whose tile `index` takes at a precision: its own at any, another's below float32 where
// that is faster than multiply-adds.
const IsaRow* row_of_tile(uint32_t index, uint32_t precision) {
  const IsaRow& row = isa_row(index);
  if (row.tile) return &row;
  for (unsigned n = 0; n < kIsaCount && precision != XT_FULL; ++n) {
    const IsaRow& other = isa_row(n);
    if (other.tile && other.usable && other.kernels == row.kernels &&
        kBf16Schemes[precision].products < other.tile_rate) {
      return &other;
    }
  }
  return nullptr;
}

}  // namespace

const Kernels* usable_kernels(uint32_t index) {
  if (index >= kIsaCount) return nullptr;
  const IsaRow& row = isa_row(index);
  return row.usable ? row.kernels : nullptr;
}

Bf16Run bf16_run(uint32_t context, uint32_t precision) {
  const uint32_t index = context & 0xff;
  if (precision > XT_BF16 || !usable_kernels(index)) return {};
#if defined(__x86_64__)
  if (const IsaRow* row = row_of_tile(index, precision)) {
    const Bf16Scheme& scheme = kBf16Schemes[precision];
    const bool chooses = precision == XT_FULL && scheme.products < row->tile_rate;
    return {&scheme, row->tile, &bf16_kernels(), &isa_row(index).kernels->f32,
            !chooses || (context & XT_TILES)};
  }
#endif
  return {};
}

const char* describe() {
  // By hand, since snprintf would bring the files of a C library into the WebAssembly module.
  static const struct Text {
    char json[2048];
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
              << ",\"reason\":\"" << row.reason << "\"";
        *this << ",\"tiles\":{";
        const char* separator = "";
        const char* const names[] = {"float32", "bf16x3", "bf16"};
        for (uint32_t precision = XT_FULL; row.usable && precision <= XT_BF16; ++precision) {
          const IsaRow* of_tile = row_of_tile(n, precision);
          if (!of_tile) continue;
          *this << separator << "\"" << names[precision] << "\":\"" << of_tile->name << "\"";
          separator = ",";
        }
        *this << "}";
        *this << "}";
      }
      *this << "]}";
    }
  } text;
  return text.json;
}

}  // namespace xt
