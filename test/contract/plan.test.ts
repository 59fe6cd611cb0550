import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { type ContractOptions, contract, contractGradient } from '../../src/contract/contract.ts';
import type { XiError } from '../../src/core/errors.ts';
import { Rng } from '../../src/core/rng.ts';
import { zeros } from '../../src/core/tensor.ts';
import { expectClose } from '../support/golden.ts';
import { drawTensor, normal, shapesOf } from '../support/operands.ts';

const backend = selectBackend({ prefer: ['reference'] }).backend;
const plan = (expression: string, extents: Record<string, number>, options: ContractOptions) =>
  contract.plan(expression, shapesOf(expression, extents), { backend, ...options });
const steps = (...args: Parameters<typeof plan>) => plan(...args).steps.map(({ expression }) => expression);

describe('contract.plan', () => {
  it('prints what runs and what it costs', () => {
    const shapes = [
      [32, 64, 64],
      [250, 32],
      [250, 64],
    ];
    const printed = contract.plan('ijk; bi,bj -> bk', shapes, { xi: 'rectifier', backend });
    expect(String(printed).split('\n')).toEqual([
      'ijk; bi,bj -> bk · ξ = rectifier · ⊕ = sum · float32 → [250,64]',
      '  1  ijk; bi,bj -> bk  contract  66 MFLOP  684 kB  the pattern of the fast kernel',
      'work    66 MFLOP (all at once 98.3 MFLOP), 684 kB moved',
      'memory  0 B beyond inputs and output, in one block (64 kB of output each)',
      'runs    contract on reference float64, threads ≤ 1',
      'note    rectifier does not distribute over sum: terms are formed jointly, only weights are reduced alone',
    ]);
    expect(printed).toMatchObject({ flops: 250 * 32 * 64 * (1 + 2 * 64), peakBytes: 0, kernel: 'contract' });
  });

  const square = { i: 3, j: 4, k: 5, b: 6, q: 7, c: 2 };
  it.each([
    // A semiring: in pairs, weights included.
    ['; ij,jk,kq -> iq', 'sum', 'max', ['; ij,jk -> ik', '; ik,kq -> iq']],
    ['ij; jk,kq -> iq', 'product', 'sum', ['; ij,jk -> ik', '; ik,kq -> iq']],
    ['; ij,jk,kq -> iq', 'max', 'min', ['; ij,jk -> ik', '; ik,kq -> iq']],
    // No semiring: at once.
    ['; ij,jk,kq -> iq', 'rectifier', 'sum', ['; ij,jk,kq -> iq']],
    ['; ij,jk,kq -> iq', 'l2', 'max', ['; ij,jk,kq -> iq']],
    // An index of one operand alone.
    ['; ij,jk -> k', 'sum', 'logsumexp', ['; ij -> j', '; j,jk -> k']],
    ['; ij,jk -> k', 'relusum', 'max', ['; ij -> j', '; j,jk -> k']],
    ['; ij,jk -> k', 'relusum', 'sum', ['; ij,jk -> k']],
    ['; ij,jk -> k', 'product', 'max', ['; ij,jk -> k']],
    // max of max: in every operand.
    ['; ij,jk -> ik', 'rectifier', 'max', ['; ij -> i', '; jk -> k', '; i,k -> ik']],
    // Weights alone, and a step without weights before one with them.
    ['iqk; bi -> bk', 'l2', 'sum', ['; iqk -> ik', 'ik; bi -> bk']],
    ['bk; bi,bj -> bk', 'l2', 'sum', ['; bi,bj -> b', 'bk; b -> bk']],
    ['bk; bi,bj -> bk', 'product', 'max', ['; bi,bj -> b', 'bk; b -> bk']],
  ] as const)('%s with %s and %s', (expression, xi, reduce, expected) => {
    expect(steps(expression, square, { xi, reduce })).toEqual(expected);
  });

  it.each([
    ['ijk; bi,bj -> bk', ['contract']],
    ['pqr; sp,sq -> sr', ['contract']],
    ['ijk; bci,bcj -> bck', ['contract']],
    ['ijk; i,j -> k', ['contract']],
    ['kji; ib,jb -> kb', ['joined', 'joined', 'joined', 'contract', 'joined']],
    ['ijk; bi,bj,bq -> bk', ['joined', 'joined', 'joined']],
    ['bijk; bi,bj -> bk', ['joined']],
    ['iik; bi,bj -> bk', ['joined', 'joined']],
  ])('%s runs on %j', (expression, kernels) => {
    const extents = { i: 32, j: 40, k: 70, b: 9, c: 20, q: 3, p: 4, r: 4, s: 4 };
    if (expression.startsWith('kji')) extents.b = 512;
    const { steps } = plan(expression, extents, { xi: 'l2' });
    expect(steps.map(({ kernel }) => kernel)).toEqual(kernels);
    const { steps: others } = plan(expression, extents, { xi: 'l2', reduce: 'max' });
    expect(others.every(({ kernel }) => kernel === 'joined')).toBe(true);
  });

  it('says why, and what there is nothing to do for', () => {
    expect(String(plan('; ij -> i', { i: 2, j: 0 }, { xi: 'sum' }))).toMatch(
      /no terms: the output is the neutral/,
    );
    expect(String(plan('; ij,jk -> ik', square, { xi: 'sum', reduce: 'max' }))).toMatch(
      /\(max, sum\) is a semiring/,
    );
    expect(String(plan('i; ij,jk -> ik', square, { xi: 'min', reduce: 'max' }))).toMatch(
      /but its weights add/,
    );
    expect(contract.plan('ij->ji', [[2, 3]], { dtype: 'float64', backend })).toMatchObject({
      shape: [3, 2],
      dtype: 'float64',
    });
  });
});

describe('contract.plan of a function', () => {
  const shapes = [
    [2, 3, 4],
    [5, 2],
    [5, 3],
  ];

  it('is one step in which every term is formed by itself', () => {
    const xi = { value: Math.max, unit: 0 };
    const described = contract.plan('ijk; bi,bj -> bk', shapes, { xi });
    expect(String(described).split('\n')).toEqual([
      'ijk; bi,bj -> bk · ξ = a function · ⊕ = sum · float32 → [5,4]',
      '  1  ijk; bi,bj -> bk  reference  480 FLOP  276 B  every term by calls of the function',
      'work    480 FLOP (all at once 360 FLOP), 276 B moved',
      'memory  160 B beyond inputs and output, in one block (80 B of output each)',
      'runs    reference on reference float64, threads ≤ 1',
      'note    ξ is a function: neither order nor kernels, all in float64',
    ]);
    expect(contract.plan('ijk; bi,bj -> bk', shapes, { xi: Math.max, dtype: 'float64' })).toMatchObject({
      ...{ flops: 120 * 3, bytes: 552, peakBytes: 0, kernel: 'reference' },
    });
  });

  it('has no step where there are no terms', () => {
    const described = contract.plan('; ij -> i', [[2, 0]], { xi: Math.max });
    expect(described).toMatchObject({ steps: [], flops: 0, kernel: 'none' });
    expect(String(described)).toMatch(/no terms: the output is the neutral/);
  });
});

describe('contract.plan refuses what contract does', () => {
  const refusal = (call: () => unknown) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'XiError' });
    const { code, message } = thrown as XiError;
    return [code, message.replace('contract.plan ', 'contract ')];
  };

  it('tensors of several dtypes', () => {
    const [x, y] = [zeros([2, 3], 'float64'), zeros([3, 4], 'float32')];
    const mixed = refusal(() => contract.plan('ij,jk->ik', [x, y]));
    expect(mixed[1]).toMatch(/^contract operand 1 \(jk\): expected float64, received 'float32'/);
    expect(refusal(() => contract('ij,jk->ik', [x, y]))).toEqual(mixed);
    expect(refusal(() => contract.plan('ij,jk->ik', [[2, 3], y], { dtype: 'float64' }))).toEqual(mixed);
    expect(contract.plan('ij,jk->ik', [[2, 3], y]).dtype).toBe('float32');
  });

  it('tensors whose data do not fill their shape', () => {
    const [short, y] = [{ ...zeros([3, 2]), shape: [2, 2] }, zeros([2, 4])];
    const refused = refusal(() => contract.plan('ij,jk->ik', [short, y]));
    expect(refused[1]).toBe('contract operand 0 (ij): expected 4 elements for shape [2, 2], received 6');
    expect(refusal(() => contract('ij,jk->ik', [short, y]))).toEqual(refused);
  });

  it('steps of more operations than a double counts, by their size', () => {
    const letters = (count: number) =>
      Array.from({ length: count }, (_, n) => String.fromCodePoint(0x4e00 + n));
    const many = `; ${letters(600).join()} ->`;
    const vectors = new Array(600).fill(zeros([2000]));
    const refused = refusal(() => contract.plan(many, vectors, { xi: 'relusum' }));
    expect(refused[0]).toBe('E_MEMORY');
    expect(refused[1]).toMatch(
      /^contract expression: expected steps of fewer than 2\^1024 operations for '; 一,丁.*, received one over 10\^1981 places/,
    );
    const some = `; ${letters(120).join()} ->`;
    const fewer = refusal(() => contract.plan(some, vectors.slice(480), { xi: 'relusum' }));
    expect(refusal(() => contract(some, vectors.slice(480), { xi: 'relusum' }))).toEqual(fewer);
    const weighted = `一; ${letters(300).join()} ->`;
    const long = new Array(301).fill([2 ** 31 - 1]);
    expect(refusal(() => contract.plan(weighted, long, { xi: 'relusum' }))[1]).toMatch(/one over 10\^2800 /);
    // Sums of products are cheap in pairs, whatever all at once would take.
    expect(String(contract.plan(`${letters(600).join()}->`, vectors))).toMatch(
      /all at once over 10\^308 FLOP/,
    );
  });

  it('steps of more axes than kernels take', () => {
    const labels = Array.from({ length: 25 }, (_, n) => String.fromCodePoint(0x61 + n));
    const permutation = (count: number) => {
      const axes = labels.slice(0, count);
      return `${axes.join('')}->${[...axes].reverse().join('')}`;
    };
    const shape = new Array(25).fill(2);
    const wide = refusal(() => contract.plan(permutation(25), [shape]));
    expect(wide[1]).toMatch(/^contract expression: expected steps of at most 24 axes .*'abc.*received 25$/);
    expect(refusal(() => contract(permutation(25), [zeros(shape)]))).toEqual(wide);
    expect(contract.plan(permutation(24), [shape.slice(1)]).kernel).toBe('joined');
    // Neighbours that stay together are one axis, and a function has no step.
    const rows = contract.plan(`${labels.join('')}->${labels[24]}${labels.slice(0, 24).join('')}`, [shape]);
    expect(rows.kernel).toBe('joined');
    expect(contract.plan(`; ${permutation(25)}`, [shape], { xi: Math.max }).kernel).toBe('reference');
  });
});

/** Counts what a backend allocates at a time, released or not. */
function measured(): { backend: Backend; peak(): number } {
  let [now, peak] = [0, 0];
  const counting: Backend = {
    ...backend,
    allocate(dtype, length) {
      const storage = backend.allocate(dtype, length);
      const bytes = length * (dtype === 'float32' ? 4 : 8);
      now += bytes;
      peak = Math.max(peak, now);
      let released = false;
      const release = storage.release.bind(storage);
      storage.release = () => {
        if (!released) now -= bytes;
        released = true;
        release();
      };
      return storage;
    },
  };
  return { backend: counting, peak: () => peak };
}

describe('memory beyond inputs and output', () => {
  const chain = { i: 40, j: 30, k: 30, q: 41, b: 60, c: 50, e: 9 };
  it.each([
    ['; ij,jk,kq -> iq', 'sum', 'max', 1000],
    ['; bij,bjk,bkq -> biq', 'product', 'sum', 5000],
    ['bk; bci,bcj -> bck', 'l2', 'sum', 999],
    ['; i,j,k,b,c,e -> ', 'l2', 'max', 2 ** 26],
    // Of equal sides the first operand, which an intermediate is here, is on the right.
    ['; qj,jk,kb,bc,ce -> qe', 'product', 'sum', 2 ** 26],
    ['jk; bij -> bik', 'rectifier', 'logsumexp', 100],
    ['ek; bij,bc -> bcek', 'relusum', 'sum', 3000],
    ['qjkc; bq,bj,bk -> bc', 'l2', 'sum', 2 ** 15],
    ['qjkc; bq,bj,bk -> bc', 'l2', 'sum', 500],
  ] as const)('%s, %s, %s stays within %d bytes', (expression, xi, reduce, maxBytes) => {
    const extents = expression.includes('b') ? { ...chain, i: 8, j: 7, k: 6, q: 5, c: 9, b: 21 } : chain;
    if (expression.includes('e -> ')) Object.assign(extents, { i: 4, j: 3, k: 3, b: 3, c: 3, e: 3 });
    const operands = shapesOf(expression, extents).map((shape, n) =>
      drawTensor(new Rng(n, maxBytes), shape, 'float64', normal),
    );
    const described = contract.plan(expression, operands, { xi, reduce, maxBytes, backend });
    expect(described.peakBytes).toBeLessThanOrEqual(maxBytes);
    const counter = measured();
    const bounded = contract(expression, operands, { xi, reduce, maxBytes, backend: counter.backend });
    expect(counter.peak()).toBeLessThanOrEqual(described.peakBytes + bounded.data.byteLength);
    const free = contract(expression, operands, { xi, reduce, backend });
    expectClose(expression, bounded.data, free.data as Float64Array, 1e-12);
    const others = measured();
    const [some, all] = [maxBytes, 2 ** 40].map((limit, n) => {
      const on = n === 0 ? others.backend : backend;
      return contractGradient(expression, operands, bounded, { xi, reduce, maxBytes: limit, backend: on });
    });
    // Intermediates with their gradients or winners, beside the gradients themselves and the value.
    const results = [bounded, ...operands].reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(others.peak()).toBeLessThanOrEqual(maxBytes + results);
    some.forEach((gradient, n) => void expectClose('gradient', gradient.data, all[n].data, 1e-11));
  });

  it.each([
    ['; ij,jk,kl,lm -> im', 2 ** 13],
    ['; ij,jk,kl,lm -> mi', 2 ** 13],
    // The winners of a single step are as many as the output has elements.
    ['; ij,jm -> im', 2 ** 10],
    ['ij; jk,kl -> ', 2 ** 14],
  ])('holds winners within it too: %s', (expression, maxBytes) => {
    const extents = { i: 64, j: 30, k: 31, l: 32, m: 33 };
    const operands = shapesOf(expression, extents).map((shape, n) =>
      drawTensor(new Rng(n), shape, 'float64', normal),
    );
    const options = { xi: 'sum', reduce: 'max' } as const;
    const counter = measured();
    const { value, indices } = contract.arg(expression, operands, {
      ...{ ...options, maxBytes, backend: counter.backend },
    });
    // The winners are read in a copy besides, which is not counted here but fits too.
    expect(counter.peak()).toBeLessThanOrEqual(maxBytes + value.data.byteLength);
    const free = contract.arg(expression, operands, { ...options, backend });
    expect(indices).toEqual(free.indices);
    expectClose(expression, value.data, free.value.data as Float64Array, 1e-12);
  });

  it('is cut by indices of the output, more than one if it must be', () => {
    const described = plan(
      '; bij,bjk,bkq -> biq',
      { b: 7, i: 90, j: 10, k: 11, q: 90 },
      { xi: 'product', maxBytes: 50 },
    );
    expect(described.blocks).toBe(7 * 90);
    expect(String(described)).toMatch(/630 blocks of 1 of 90 \w, 1 of 7 b/);
    const whole = plan('ij; i -> ', { i: 90, j: 3 }, { xi: 'max', maxBytes: 50 });
    expect(String(whole)).toMatch(/maxBytes cannot be kept: no index of the output/);
  });
});
