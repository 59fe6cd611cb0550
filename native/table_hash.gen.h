// Made by scripts/generate.mjs from native/xi.def and native/abi.h. Do not edit.
#pragma once
#define XT_TABLE_HASH "d53f65a4cb414f75"
