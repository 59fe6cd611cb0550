// Made by scripts/generate.mjs from native/xi.def and native/abi.h. Do not edit.
#pragma once
#define XT_TABLE_HASH "b251676a44507dd1"
