{
  # One static library an instruction set, each with its own flags and its own C++ namespace: an inline function that is
  # compiled twice with different flags would be merged by the linker and crash older processors.
  'target_defaults': {
    'cflags!': ['-O2'],
    'cflags': ['-O3', '-Wall', '-Wextra', '-fvisibility=hidden'],
    # The thread pool catches a refused thread, which Node's own flags would not allow.
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions'],
    'cflags_cc': ['-std=gnu++17', '-fno-math-errno', '-fno-trapping-math'],
    'xcode_settings': {'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++17', 'GCC_OPTIMIZATION_LEVEL': '3'},
  },
  'targets': [
    {
      'target_name': 'xitensor',
      'sources': ['native/abi.cc', 'native/addon.cc', 'native/dispatch.cc', 'native/grid.cc', 'native/joined.cc',
                  'native/pages.cc', 'native/parallel.cc', 'native/scratch.cc', 'native/sort.cc'],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['isa_sse2', 'isa_avx2', 'isa_avx512']}],
        ['target_arch=="arm64"', {'dependencies': ['isa_neon']}],
        # Pool threads outlive the last environment that loaded the addon, so its code must stay mapped.
        ['OS=="linux"', {'ldflags': ['-static-libstdc++', '-static-libgcc', '-Wl,-z,nodelete', '-Wl,--exclude-libs,ALL']}],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {'target_name': 'isa_sse2', 'type': 'static_library', 'sources': ['native/kernels/isa_sse2.cc']},
        {'target_name': 'isa_avx2', 'type': 'static_library', 'sources': ['native/kernels/isa_avx2.cc'],
         'cflags': ['-mavx2', '-mfma']},
        {'target_name': 'isa_avx512', 'type': 'static_library', 'sources': ['native/kernels/isa_avx512.cc'],
         'cflags': ['-mavx2', '-mfma', '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl',
                    '-mprefer-vector-width=512']},
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {'target_name': 'isa_neon', 'type': 'static_library', 'sources': ['native/kernels/isa_neon.cc']},
      ],
    }],
  ],
}
