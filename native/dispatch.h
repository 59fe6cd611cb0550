// Instruction sets compiled into this binary: which of them this processor can run, and why not.
#pragma once
#include <cstdint>

#include "bf16.h"
#include "kernels.h"

namespace xt {

// The tables of instruction set `index`; null if there is none or the processor lacks it.
const Kernels* usable_kernels(uint32_t index);

// How float32 contractions run in a context (abi.h) at a precision, if by products of bf16 parts.
Bf16Run bf16_run(uint32_t context, uint32_t precision);

// JSON for xt_describe.
const char* describe();

}  // namespace xt
