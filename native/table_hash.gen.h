// Made by scripts/generate.mjs from native/xi.def and native/abi.h. Do not edit.
#pragma once
#define XT_TABLE_HASH "dddc88c4d74cd0ce"
