// Made by scripts/generate.mjs from native/xi.def and native/abi.h. Do not edit.
#pragma once
#define XT_TABLE_HASH "fa9d09107b84d021"
