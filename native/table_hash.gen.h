// Made by scripts/generate.mjs from native/xi.def and native/abi.h. Do not edit.
#pragma once
#define XT_TABLE_HASH "f0af747e1d3c7d1f"
