// Whether AMX-BF16 tiles can be used here; the last question is put to the tiles themselves.
#if defined(__x86_64__)
#include <cpuid.h>

#include "bf16.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace xt {

const Bf16Tile& bf16_tile_amx();
const Bf16Tile& bf16_tile_avx512bf16();

namespace {

bool processor_has_tiles() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & amx_bf16) && (edx & amx_tile) &&
         __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

// XTILECFG and XTILEDATA in XCR0.
bool system_saves_tiles() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned osxsave = 1u << 27, tiles = 3u << 17;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & osxsave)) return false;
  asm("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return (eax & tiles) == tiles;
}

// Linux gives a process the room for tiles when it asks (Documentation/arch/x86/xstate.rst).
bool system_permits_tiles() {
#if defined(__linux__)
  constexpr long ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18;
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
  return false;
#endif
}

}  // namespace

// Null if tiles can be used, or the reason why not.
const char* amx_refusal() {
  if (!processor_has_tiles()) return "this processor lacks AMX-TILE and AMX-BF16";
  if (!system_saves_tiles()) return "the operating system does not save AMX tiles";
  if (!system_permits_tiles()) return "the operating system does not permit AMX tiles";
  if (!tiles_agree(bf16_tile_amx(), bf16_tile_avx512bf16()))
    return "its tiles failed their self-test: they do not compute what AVX-512 BF16 does";
  return nullptr;
}

}  // namespace xt
#endif
