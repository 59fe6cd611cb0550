// Instruction sets compiled into this binary: which of them this processor can run, and why not.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace xt {

// The tables of instruction set `index`; null if there is none or the processor lacks it.
const Kernels* usable_kernels(uint32_t index);

// JSON for xt_describe.
const char* describe();

}  // namespace xt
