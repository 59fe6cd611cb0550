import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridTensor } from '../../src/analysis/grid.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType, type Tensor, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { createModel, type Model } from '../../src/models/model.ts';
import { EPSILON, TOLERANCE } from '../conformance/case.ts';
import {
  asTensor,
  expectClose,
  type GoldenNet,
  golden,
  goldenModel,
  goldenNames,
  values,
} from '../support/golden.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

/** Scores of every sequence of templates, one by one: the definition of the grid. */
function scored(model: Model, templates: Tensor): Tensor {
  const { steps, inputs, dtype } = model.config;
  const M = templates.shape[0];
  const count = M ** steps;
  const X = tensor(new Float64Array(count * steps * inputs), [count, steps, inputs], dtype);
  for (let n = 0; n < count; n++) {
    for (let t = 0; t < steps; t++) {
      const m = Math.floor(n / M ** (steps - 1 - t)) % M;
      X.data.set(templates.data.subarray(m * inputs, (m + 1) * inputs), (n * steps + t) * inputs);
    }
  }
  return model.score(X);
}

const nets = goldenNames(/^net_/);

for (const subject of subjects) {
  describe(`golden grids on ${subject.label}`, () => {
    const backend = subject.open();
    it.each(nets)('%s', (file) => {
      const net = golden<GoldenNet>(file);
      for (const dtype of DTYPES) {
        const model = goldenModel(net, dtype, backend);
        const grid = gridTensor(model, asTensor(net.templates!, dtype));
        expect(grid.shape).toEqual(net.grid!.shape);
        expectClose(`${file} ${dtype}`, grid.data, values(net.grid!), TOLERANCE[dtype].value);
      }
    });

    it('equals the scores of all sequences, for every kind, ξ and length', () => {
      const options = {
        kind: fc.constantFrom('cp' as const, 'tt' as const, 'ht' as const),
        xi: fc.constantFrom(...XI_NAMES),
        dtype: fc.constantFrom(...DTYPES),
        steps: fc.integer({ min: 1, max: 5 }),
        outputs: fc.integer({ min: 1, max: 3 }),
        rank: fc.integer({ min: 1, max: 4 }),
        shared: fc.boolean(),
        diagonal: fc.boolean(),
        M: fc.integer({ min: 0, max: 3 }),
        seed: fc.nat(1000),
      };
      fc.assert(
        fc.property(fc.record(options), ({ M, diagonal, ...rest }) => {
          const shape = { ...rest, inputs: 2, features: { size: 3 }, init: 'normal', backend } as const;
          const tree = rest.kind === 'ht' ? { diagonal } : {};
          const model = createModel({ ...shape, ...tree });
          const rng = new Rng(rest.seed, 1);
          const templates = tensor(
            Float64Array.from({ length: 2 * M }, () => rng.normal()),
            [M, 2],
            rest.dtype,
          );
          const grid = gridTensor(model, templates);
          expect(grid.shape).toEqual([...new Array(rest.steps).fill(M), rest.outputs]);
          const bounding = createModel({ ...shape, ...tree, xi: rest.xi === 'min' ? 'max' : rest.xi });
          const parameters = Object.entries(model.parameters);
          bounding.setParameters(Object.fromEntries(parameters.map(([name, one]) => [name, absolute(one)])));
          const norm = largest(scored(bounding, absolute(templates)));
          close(grid, scored(model, templates), rest.dtype, norm);
        }),
        { numRuns: 40 },
      );
    });
  });
}

const absolute = ({ data, shape, dtype }: Tensor) => tensor(data.map(Math.abs), shape, dtype);
const largest = ({ data }: Tensor) => Math.max(0, ...Array.from(data, Math.abs));

/**
 * Sums of at most 3·4 terms and one operation more over at most 5 levels. `norm` is what the network gives for the absolute
 * values of all that it is made of, a bound on the sums of absolute terms: the terms themselves may cancel.
 */
function close(actual: Tensor, expected: Tensor, dtype: DType, norm: number): void {
  const scale = largest(expected) || 1;
  expectClose('grid', actual.data, expected.data, (100 * EPSILON[dtype] * Math.max(norm, scale)) / scale);
}

describe('limits', () => {
  const model = createModel({
    kind: 'tt',
    xi: 'max',
    steps: 16,
    inputs: 2,
    outputs: 1,
    rank: 2,
    features: { size: 2 },
  });
  const templates = (M: number) => tensor(new Float32Array(2 * M), [M, 2]);

  it('refuses what does not fit before it allocates, with size and limit', () => {
    expect(() => gridTensor(model, templates(100))).toThrow(
      refusal(
        'E_MEMORY',
        /at most 2147483648 bytes \(maxBytes\), received shape \[100, 100, .*\] of float32 with its block, 4e\+32 bytes$/,
      ),
    );
    const limit = 2 ** 16 * 4;
    expect(() => gridTensor(model, templates(2), { maxBytes: limit })).toThrow(
      refusal('E_MEMORY', /at most 262144 bytes \(maxBytes\), .* with its block, 67371008 bytes$/),
    );
  });

  it('is in float64 for a float32 model where that is wanted', () => {
    const narrow = createModel({ ...model.config, steps: 5, rank: 3, outputs: 2, init: 'normal', seed: 3 });
    const wide = createModel({ ...narrow.config, dtype: 'float64' });
    const widened = Object.entries(narrow.parameters).map(
      ([name, values]) => [name, tensor(values, undefined, 'float64')] as const,
    );
    wide.setParameters(Object.fromEntries(widened));
    const few = tensor([0.3, -0.7, 1.1, 0.2, -0.4, 0.9], [3, 2], 'float32');
    const grid = gridTensor(narrow, few, { dtype: 'float64' });
    expect(grid).toEqual(gridTensor(wide, tensor(few, undefined, 'float64')));
    expect(grid.data).not.toEqual(Float64Array.from(gridTensor(narrow, few).data));
    expect(() => gridTensor(wide, few, { dtype: 'float32' })).toThrow(
      refusal('E_ARGUMENT', /gridTensor dtype: expected one of float64, received 'float32'/),
    );
    const limit = { dtype: 'float64', maxBytes: 67372000 } as const;
    expect(() => gridTensor(model, templates(2), limit)).toThrow(
      refusal('E_MEMORY', /of float64 with its block, \d+ bytes$/),
    );
  });

  it('computes in blocks, tells how far it is, and stops when asked', () => {
    const wide = createModel({ ...model.config, steps: 18, rank: 64, init: 'normal' });
    const progress: [number, number][] = [];
    const grid = gridTensor(wide, templates(2), { onProgress: (...at) => void progress.push(at) });
    expect(progress.length).toBeGreaterThan(1);
    expect(progress.at(-1)).toEqual([2 ** 18, 2 ** 18]);
    expect(grid.data.every(Number.isFinite)).toBe(true);
    const controller = new AbortController();
    const stop = () => controller.abort();
    expect(() => gridTensor(wide, templates(2), { signal: controller.signal, onProgress: stop })).toThrow(
      refusal('E_ABORTED', /stopped after \d+ of 262144/),
    );
  });

  it('refuses a progress that is no function before it computes', () => {
    const options = { onProgress: 5 } as object;
    expect(() => gridTensor(model, templates(2), options)).toThrow(
      refusal('E_ARGUMENT', /gridTensor onProgress: expected a function/),
    );
  });

  it('refuses templates that do not fit the model', () => {
    expect(() => gridTensor(model, tensor(new Float32Array(3), [1, 3]))).toThrow(
      refusal('E_SHAPE', /templates/),
    );
    expect(() => gridTensor(model, tensor(new Float64Array(2), [1, 2]))).toThrow(
      refusal('E_DTYPE', /templates/),
    );
  });
});
