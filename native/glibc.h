// Functions that glibc has renewed since 2.28, the oldest that Node 20 runs on, under the names that they had
// there: an addon that is built beside a newer glibc would not load there else. Included before each source
// (binding.gyp).
#pragma once
#include <features.h>

#if defined(__GLIBC__)
#if defined(__x86_64__)
#define XT_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define XT_GLIBC "GLIBC_2.17"
#endif
#ifdef XT_GLIBC
__asm__(".symver exp, exp@" XT_GLIBC);
__asm__(".symver exp2, exp2@" XT_GLIBC);
__asm__(".symver log, log@" XT_GLIBC);
__asm__(".symver log2, log2@" XT_GLIBC);
__asm__(".symver pthread_create, pthread_create@" XT_GLIBC);
#undef XT_GLIBC
#endif
#endif
