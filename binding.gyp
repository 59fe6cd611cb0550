{
  # Most of what -O3 adds to -O2 copies loops that are no register tile, for a quarter more code; vector loops of -O3 are what the
  # gradients want.
  'variables': {
    'kernel_level': ['-O2', '-fvect-cost-model=dynamic'],
    # SSE2 is for processors of before 2013 and for comparison: as fast in its tiles, and 85 kB less.
    'sse2_level': ['-Os'],
    'avx2_flags': ['-mavx2', '-mfma'],
    'avx512_flags': ['-mavx2', '-mfma', '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'],
  },
  # One static library an instruction set, each with its own flags and its own C++ namespace: an inline function that is
  # compiled twice with different flags would be merged by the linker and crash older processors.
  'target_defaults': {
    'cflags!': ['-O2', '-O3'],
    # Nothing here throws, and tables to unwind it by would be a tenth of the addon.
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden', '-fno-exceptions', '-fno-asynchronous-unwind-tables'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['-std=gnu++17', '-fno-math-errno', '-fno-trapping-math'],
    'conditions': [['OS=="linux"', {'cflags_cc': ['-include', '<(module_root_dir)/native/glibc.h']}]],
    # On macOS gyp takes no cflags. Nobody has tried this there: where it does not build, WebAssembly serves.
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++17', 'GCC_OPTIMIZATION_LEVEL': '2', 'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'OTHER_CPLUSPLUSFLAGS': ['-fno-math-errno', '-fno-trapping-math'],
    },
  },
  'targets': [
    {
      'target_name': 'xitensor',
      # No loop in it takes a share that counts: 41 kB less, and as fast.
      'cflags_cc': ['-Os'],
      'sources': ['native/abi.cc', 'native/addon.cc', 'native/amx.cc', 'native/bf16_check.cc', 'native/bidiagonal.cc', 'native/blocks.cc',
                  'native/dispatch.cc', 'native/embed.cc', 'native/full_rank.cc',
                  'native/grid.cc', 'native/grid_pieces.cc', 'native/handover.cc', 'native/inertia.cc', 'native/joined.cc', 'native/linalg.cc', 'native/memory.cc', 'native/numerical_rank.cc', 'native/pages.cc',
                  'native/parallel.cc', 'native/pivoted_qr.cc', 'native/project_fold.cc', 'native/qr.cc', 'native/rank_modulo.cc', 'native/scratch.cc', 'native/sort.cc', 'native/svd.cc', 'native/tall.cc'],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['isa_sse2', 'isa_avx2', 'isa_avx512', 'isa_avx512bf16', 'isa_amx']}],
        ['target_arch=="arm64"', {'dependencies': ['isa_neon']}],
        # Pool threads outlive the last environment that loaded the addon, so its code must stay mapped.
        # The C++ library is Node's own: of it, little more than new and delete is left.
        ['OS=="linux"', {'ldflags': ['-Wl,-z,nodelete', '-Wl,--gc-sections', '-s']}],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {'target_name': 'isa_sse2', 'type': 'static_library', 'sources': ['native/kernels/isa_sse2.cc'],
         'cflags_cc': ['<@(sse2_level)']},
        {'target_name': 'isa_avx2', 'type': 'static_library', 'sources': ['native/kernels/isa_avx2.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(avx2_flags)'],
         'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx2_flags)']}},
        {'target_name': 'isa_avx512', 'type': 'static_library', 'sources': ['native/kernels/isa_avx512.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(avx512_flags)'],
         'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)']}},
        {'target_name': 'isa_avx512bf16', 'type': 'static_library', 'sources': ['native/kernels/isa_avx512bf16.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['<@(avx512_flags)', '-mavx512bf16'],
         'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)', '-mavx512bf16']}},
        {'target_name': 'isa_amx', 'type': 'static_library', 'sources': ['native/kernels/isa_amx.cc'],
         'cflags_cc': ['<@(kernel_level)'], 'cflags': ['-mamx-tile', '-mamx-bf16'],
         'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['-mamx-tile', '-mamx-bf16']}},
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {'target_name': 'isa_neon', 'type': 'static_library', 'sources': ['native/kernels/isa_neon.cc'],
         'cflags_cc': ['<@(kernel_level)']},
      ],
    }],
  ],
}
