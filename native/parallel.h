// Runs parts of one job on a pool of threads: parallel.cc has that of a process, wasm_parallel.cc that of a
// WebAssembly memory.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace xt {

// Calls job(context, part) for part = 0 … parts−1, part 0 on the calling thread, and returns when all are
// done. If the pool is busy with another caller's job, the parts run one after the other here: what a part
// computes must not depend on who runs it.
void run_parts(unsigned parts, void (*job)(void* context, unsigned part), void* context);

// Cuts [0, count) into `parts` ranges whose inner bounds are multiples of `granule`.
inline Slice slice_of(size_t count, size_t granule, unsigned part, unsigned parts) {
  const size_t granules = (count + granule - 1) / granule;
  auto bound = [&](size_t p) {
    const size_t at = static_cast<size_t>(uint64_t{granules} * p / parts) * granule;
    return at < count ? at : count;
  };
  return {bound(part), bound(part + 1)};
}

template <class F>
void run_parts(unsigned parts, F&& job) {
  run_parts(
      parts, [](void* context, unsigned part) { (*static_cast<F*>(context))(part); }, &job);
}

}  // namespace xt
