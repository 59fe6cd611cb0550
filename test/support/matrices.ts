import type { Rng } from '../../src/core/rng.ts';

const normals = (rng: Rng, count: number) => Float64Array.from({ length: count }, () => rng.normal());

/** A [m,k] · B [k,n]. */
export function product(A: Float64Array, B: Float64Array, m: number, k: number, n: number): Float64Array {
  const C = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < k; j++) {
      const a = A[i * k + j];
      for (let c = 0; c < n; c++) C[i * n + c] += a * B[j * n + c];
    }
  }
  return C;
}

/** A random matrix of rank `rank` with elements of size 1. */
export const lowRank = (rng: Rng, m: number, n: number, rank: number) =>
  product(normals(rng, m * rank), normals(rng, rank * n), m, rank, n);

/** A product of [m,r] and [r,n] random matrices modulo a prime. */
export function residues(rng: Rng, m: number, n: number, r: number, prime: number): Float64Array {
  const [A, B] = [m * r, r * n].map((count) => Float64Array.from({ length: count }, () => rng.below(prime)));
  const C = new Float64Array(m * n);
  for (let at = 0; at < m * n; at++) {
    const [i, j] = [Math.floor(at / n), at % n];
    for (let k = 0; k < r; k++) C[at] = (C[at] + A[i * r + k] * B[k * n + j]) % prime;
  }
  return C;
}

/** A [m,k] with column c multiplied by s[c]. */
export const scaleColumns = (A: Float64Array, s: Float64Array) => A.map((a, at) => a * s[at % s.length]);

export const subtract = (A: Float64Array, B: Float64Array) => A.map((a, at) => a - B[at]);

/** max |a|, NaN if there is one; 0 of nothing. */
export const largest = (A: Float64Array) =>
  A.reduce((size, a) => (Math.abs(a) <= size ? size : Math.abs(a)), 0);

/** How far the columns of Q [m,k] are from orthonormal: max |QᵀQ − I|. */
export function gram(Q: Float64Array, m: number, k: number): number {
  const G = new Float64Array(k * k);
  for (let r = 0; r < m; r++) {
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) G[i * k + j] += Q[r * k + i] * Q[r * k + j];
    }
  }
  for (let i = 0; i < k; i++) G[i * k + i] -= 1;
  return largest(G);
}
