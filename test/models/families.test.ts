import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { balancedTree, levelsOf } from '../../src/core/tree.ts';
import { MODEL_KINDS } from '../../src/models/config.ts';
import { loadModel, saveModel } from '../../src/models/disk.ts';
import { make, random, refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';
import { subjects } from '../support/subjects.ts';

/** One of each family, and what else decides shapes and names. */
const VARIANTS: readonly (readonly [string, object])[] = [
  ['cp', { kind: 'cp', rank: 70 }],
  ['cp, shared', { kind: 'cp', rank: 70, shared: true }],
  ['tt', { kind: 'tt', rank: [5, 7] }],
  ['tt, shared', { kind: 'tt', shared: true }],
  ['ht', { kind: 'ht', rank: [5, 7] }],
  ['ht, shared', { kind: 'ht', shared: true }],
  ['ht, diagonal', { kind: 'ht', diagonal: true }],
  ['ht, diagonal and shared', { kind: 'ht', diagonal: true, shared: true }],
];

describe.each(VARIANTS)('%s', (_, options) => {
  it.each(subjects)('an empty batch gives empty results, $label', ({ open }) => {
    const model = make({ backend: open(), ...options });
    expect(model.score(zeros([0, 3, 4]))).toEqual(zeros([0, 2]));
    // After another batch, whose gradients must not shine through.
    model.gradients(random([2, 3, 4]), random([2, 2]));
    const { parameters, inputs } = model.gradients(zeros([0, 3, 4]), zeros([0, 2]));
    expect(inputs).toEqual(zeros([0, 3, 4]));
    for (const { data } of Object.values(parameters)) expect(data.every((value) => value === 0)).toBe(true);
  });

  it.each(subjects)('many rows give what few give, $label', ({ open }) => {
    const model = make({ backend: open(), init: 'normal', ...options });
    const X = random([1203, 3, 4]);
    const all = model.score(X);
    expect(all.shape).toEqual([1203, 2]);
    for (const [start, end] of [
      [0, 7],
      [120, 135],
      [496, 505],
      [499, 500],
      [995, 1010],
      [1196, 1203],
    ]) {
      const few = { ...X, shape: [end - start, 3, 4], data: X.data.subarray(start * 12, end * 12) };
      expect(model.score(few).data).toEqual(all.data.subarray(start * 2, end * 2));
    }
  });

  it.each(subjects)('threads change no bit, $label', ({ open }) => {
    const results = [1, 3].map((threads) => {
      const model = make({ backend: open(threads), init: 'normal', rank: 40, ...options });
      return model.gradients(random([300, 3, 4]), random([300, 2]));
    });
    expect(results[1]).toEqual(results[0]);
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(
    VARIANTS.flatMap(([name, options]) =>
      (['float32', 'float64'] as const).map((dtype) => [name, dtype, options] as const),
    ),
  )('keep %s in %s', async (name, dtype, options) => {
    const model = make({ ...options, dtype, xi: 'l2', init: 'normal' });
    const path = join(folder, `${name} ${dtype}.safetensors`);
    await saveModel(model, path);
    const loaded = await loadModel(path, { backend: model.backend });
    expect(loaded.config).toEqual(model.config);
    expect(loaded.parameters).toEqual(model.parameters);
    const X = random([3, 3, 4], dtype);
    expect(loaded.score(X)).toEqual(model.score(X));
  });
});

describe('states', () => {
  it.each(['cp', 'ht'])('are refused for %s', (kind) => {
    expect(() => make({ kind }).states(random([1, 3, 4]))).toThrow(
      refusal('E_ARGUMENT', new RegExp(`a tt network, which has hidden states, received '${kind}'`)),
    );
  });
});

describe('rates', () => {
  it.each(MODEL_KINDS)('of %s are positive and at most 1', (kind) => {
    for (const xi of ['product', 'sum', 'max']) {
      for (const steps of [1, 3, 40]) {
        const { network, block } = make({ kind, xi, steps });
        for (const [name, shape] of block.layout) {
          const rate = network.rateScale(name, shape);
          expect(rate, name).toBeGreaterThan(0);
          expect(rate, name).toBeLessThanOrEqual(1);
        }
      }
    }
  });
});

it.each<[object, Record<string, number>]>([
  [
    { kind: 'tt', xi: 'product', steps: 64 },
    { 'features.A': 1, 'C.1': 1 / 4, 'G.1': 1 / 4 / Math.sqrt(30) },
  ],
  [
    { kind: 'tt', xi: 'max', steps: 64 },
    { 'features.A': 1, 'C.1': 1, 'G.1': 1 / Math.sqrt(30) },
  ],
  [
    { kind: 'cp', xi: 'product', steps: 9 },
    { 'features.A': 1 / 3, 'features.b': 1 / 9, v: 1 / 3, lambda: 1 / Math.sqrt(5) },
  ],
  [
    { kind: 'cp', xi: 'sum', steps: 9, shared: true },
    { 'features.A': 1, 'features.b': 1, v: 1 / 9 },
  ],
  [
    { kind: 'ht', xi: 'sum', steps: 4 },
    { 'features.A': 1, 'W.0': 1, 'B.1.0': 1 / 5 },
  ],
  [
    { kind: 'ht', xi: 'sum', steps: 4, diagonal: true },
    { 'W.0': 1 / 2, 'B.1.0': 1 / 2 / Math.sqrt(5) },
  ],
])('rates of %o', (options, rates) => {
  const { network, block } = make(options);
  const shapes = new Map(block.layout);
  for (const [name, rate] of Object.entries(rates))
    expect(network.rateScale(name, shapes.get(name)!), name).toBeCloseTo(rate, 12);
});

it.each(['logsumexp', 'sum'])('gradients of many examples are sums over parts of them, cp, %s', (xi) => {
  const model = make({ kind: 'cp', xi, dtype: 'float64', init: 'normal' });
  const [X, w] = [random([300, 3, 4], 'float64'), random([300, 2], 'float64', 4)];
  const part = ({ data, shape: [count, ...rest] }: Tensor, from: number, to: number) =>
    tensor(data.slice((data.length / count) * from, (data.length / count) * to), [to - from, ...rest]);
  const gradients = (from: number, to: number) =>
    model.gradients(part(X, from, to), part(w, from, to)).parameters;
  const [all, first, second] = [gradients(0, 300), gradients(0, 200), gradients(200, 300)];
  for (const [name, { data }] of Object.entries(all))
    data.forEach((sum, n) => void expect(sum).toBeCloseTo(first[name].data[n] + second[name].data[n], 9));
});

describe('the tree', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 1000])('over %d leaves joins every leaf once', (steps) => {
    const { levels } = balancedTree(steps);
    expect(levels.length).toBe(levelsOf(steps) + 1);
    const leaves: number[] = [];
    let parents = 0;
    const visit = (node: (typeof levels)[0][0]): void => {
      if (!node.children) {
        expect(node.level).toBe(0);
        leaves.push(node.place);
        return;
      }
      parents++;
      expect(Math.max(...node.children.map(({ level }) => level))).toBe(node.level - 1);
      node.children.forEach(visit);
    };
    expect(levels[levels.length - 1].length).toBe(1);
    visit(levels[levels.length - 1][0]);
    expect(leaves).toEqual(Array.from({ length: steps }, (_, t) => t));
    expect(parents).toBe(steps - 1);
  });
});
