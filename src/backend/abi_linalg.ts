import type { AbiBinding } from './abi_binding.ts';
import type { LinearAlgebra, Storage } from './interface.ts';

/** The linear algebra of a binary; `check` raises what a status means. */
export function abiLinearAlgebra<Pointer, Words>(
  { abi, allocate, pointer, result, ...binding }: AbiBinding<Pointer, Words>,
  context: number,
  check: (kernel: string, status: number) => void,
): LinearAlgebra {
  /** Allocates results, calls, and hands them out; a null among the lengths is a result that nobody wants. */
  const results = <const L extends readonly (number | null)[]>(
    kernel: string,
    lengths: L,
    call: (pointers: readonly Pointer[]) => number,
  ): Float64Array[] => {
    const storages: (Storage | null)[] = [];
    try {
      for (const length of lengths) storages.push(length === null ? null : allocate('float64', length));
      check(kernel, call(storages.map((storage) => (storage ? pointer(storage) : binding.null))));
    } catch (error) {
      for (const storage of storages) storage?.release();
      throw error;
    }
    return storages.map((storage) => (storage ? storage.take() : new Float64Array(0)) as Float64Array);
  };
  const wordsOf = (places: Int32Array | null = null) =>
    places === null ? binding.noWords : binding.words(places);
  return {
    singularValues(rows, cols, A, places) {
      const k = Math.min(rows, cols);
      const words = wordsOf(places);
      return results('singularValues', [k], ([s]) =>
        abi.xt_singular_values(context, rows, cols, pointer(A), words, s),
      )[0];
    },
    svd(rows, cols, A) {
      const k = Math.min(rows, cols);
      const [U, s, Vt] = results('svd', [rows * k, k, k * cols], ([u, values, v]) =>
        abi.xt_svd(context, rows, cols, pointer(A), u, values, v),
      );
      return { U, s, Vt };
    },
    leftSvd(rows, cols, A) {
      const k = Math.min(rows, cols);
      const [U, s] = results('leftSvd', [rows * k, k, null], ([u, values, v]) =>
        abi.xt_svd(context, rows, cols, pointer(A), u, values, v),
      );
      return { U, s };
    },
    qr(rows, cols, A) {
      const k = Math.min(rows, cols);
      const [Q, R] = results('qr', [rows * k, k * cols], ([q, r]) =>
        abi.xt_qr(context, rows, cols, pointer(A), q, r),
      );
      return { Q, R };
    },
    triangle(rows, cols, A) {
      const k = Math.min(rows, cols);
      return results('triangle', [null, k * cols], ([q, r]) =>
        abi.xt_qr(context, rows, cols, pointer(A), q, r),
      )[1];
    },
    fullRank(rows, cols, A, bound) {
      check('fullRank', abi.xt_full_rank(context, rows, cols, pointer(A), bound, result.pointer));
      return result.read()[0] === 1;
    },
    numericalRank(rows, cols, A, tolerance, places) {
      const words = wordsOf(places);
      check(
        'numericalRank',
        abi.xt_numerical_rank(context, rows, cols, pointer(A), words, tolerance, result.pointer),
      );
      const [rank, certain] = result.read();
      return certain === 1 ? rank : null;
    },
    rankModulo(rows, cols, A, prime) {
      check('rankModulo', abi.xt_rank_modulo(context, rows, cols, pointer(A), prime, result.pointer));
      return result.read()[0];
    },
  };
}
