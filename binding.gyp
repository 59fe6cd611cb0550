{
  # What every kernel is compiled with. Most of what -O3 adds to -O2 copies loops that are no register tile, for a quarter more
  # code; vector loops of -O3 are what the gradients want. Kernels throw nothing, and tables to unwind them by would be a
  # tenth of the addon.
  'variables': {
    'kernel_flags': ['-fno-exceptions', '-fno-asynchronous-unwind-tables'],
    'kernel_level': ['-O2', '-fvect-cost-model=dynamic'],
    # SSE2 is for processors of before 2013 and for comparison: as fast in its tiles, and 85 kB less.
    'sse2_level': ['-Os'],
    'avx512_flags': ['-mavx2', '-mfma', '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'],
  },
  # One static library an instruction set, each with its own flags and its own C++ namespace: an inline function that is
  # compiled twice with different flags would be merged by the linker and crash older processors.
  'target_defaults': {
    'cflags!': ['-O2', '-O3'],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden'],
    # The thread pool catches a refused thread, which Node's own flags would not allow.
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions'],
    'cflags_cc': ['-std=gnu++17', '-fno-math-errno', '-fno-trapping-math'],
    'xcode_settings': {'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++17', 'GCC_OPTIMIZATION_LEVEL': '3'},
  },
  'targets': [
    {
      'target_name': 'xitensor',
      'cflags_cc': ['<@(kernel_level)'],
      'sources': ['native/abi.cc', 'native/addon.cc', 'native/amx.cc', 'native/bf16_check.cc', 'native/bidiagonal.cc', 'native/blocks.cc',
                  'native/dispatch.cc', 'native/embed.cc', 'native/full_rank.cc',
                  'native/grid.cc', 'native/inertia.cc', 'native/joined.cc', 'native/linalg.cc', 'native/numerical_rank.cc', 'native/pages.cc',
                  'native/parallel.cc', 'native/pivoted_qr.cc', 'native/project_fold.cc', 'native/qr.cc', 'native/rank_modulo.cc', 'native/scratch.cc', 'native/sort.cc', 'native/svd.cc'],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['isa_sse2', 'isa_avx2', 'isa_avx512', 'isa_avx512bf16', 'isa_amx']}],
        ['target_arch=="arm64"', {'dependencies': ['isa_neon']}],
        # Pool threads outlive the last environment that loaded the addon, so its code must stay mapped.
        ['OS=="linux"', {'ldflags': ['-static-libstdc++', '-static-libgcc', '-Wl,-z,nodelete', '-Wl,--exclude-libs,ALL',
                                     '-Wl,--gc-sections', '-s']}],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {'target_name': 'isa_sse2', 'type': 'static_library', 'sources': ['native/kernels/isa_sse2.cc'],
         'cflags_cc': ['<@(sse2_level)'], 'cflags': ['<@(kernel_flags)']},
        {'target_name': 'isa_avx2', 'type': 'static_library', 'sources': ['native/kernels/isa_avx2.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(kernel_flags)', '-mavx2', '-mfma']},
        {'target_name': 'isa_avx512', 'type': 'static_library', 'sources': ['native/kernels/isa_avx512.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(kernel_flags)', '<@(avx512_flags)']},
        {'target_name': 'isa_avx512bf16', 'type': 'static_library', 'sources': ['native/kernels/isa_avx512bf16.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(kernel_flags)', '<@(avx512_flags)', '-mavx512bf16']},
        {'target_name': 'isa_amx', 'type': 'static_library', 'sources': ['native/kernels/isa_amx.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(kernel_flags)', '-mamx-tile', '-mamx-bf16']},
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {'target_name': 'isa_neon', 'type': 'static_library', 'sources': ['native/kernels/isa_neon.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(kernel_flags)']},
      ],
    }],
  ],
}
