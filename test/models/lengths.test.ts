import { describe, expect, it } from 'vitest';
import { type Tensor, zeros } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { ParameterBlock } from '../../src/models/parameters.ts';
import { expectClose } from '../support/golden.ts';
import { make, random, refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

const STEPS = 5;
const INPUTS = 4;
const lengths = Int32Array.of(3, 5, 2, 4, 5, 3, 2);

/** Examples with one of the lengths, cut to it. */
function cut(X: Tensor, length: number): { rows: number[]; X: Tensor } {
  const rows = [...lengths.keys()].filter((n) => lengths[n] === length);
  const out = zeros([rows.length, length, INPUTS], 'float64');
  rows.forEach((row, n) => {
    const from = row * STEPS * INPUTS;
    out.data.set(X.data.subarray(from, from + length * INPUTS), n * length * INPUTS);
  });
  return { rows, X: out };
}

describe.each(subjects)('sequences of several lengths in one batch, $label', ({ open }) => {
  it.each(XI_NAMES)('score and learn as in networks of as many steps, %s', (xi) => {
    const backend = open();
    const options = { xi, shared: true, dtype: 'float64', init: 'normal', backend };
    const model = make({ ...options, steps: STEPS });
    const X = random([lengths.length, STEPS, INPUTS], 'float64');
    const w = random([lengths.length, 2], 'float64', 4);
    const scores = model.score(X, { lengths });
    const gradients = model.gradients(X, w, { lengths });
    // Of other sequences, which leave states behind the ends of these.
    model.score(random([lengths.length, STEPS, INPUTS], 'float64', 8));
    const states = model.states(X, { lengths });
    const sums = new Map(model.block.layout.map(([name, shape]) => [name, zeros(shape, 'float64').data]));
    for (const length of new Set(lengths)) {
      const { rows, X: x } = cut(X, length);
      const small = make({ ...options, steps: length });
      const { 'C.middle': C, 'G.middle': G, ...ends } = model.parameters;
      small.setParameters(length > 2 ? { ...ends, 'C.middle': C, 'G.middle': G } : ends);
      const weights = zeros([rows.length, 2], 'float64');
      rows.forEach((row, n) => {
        weights.data.set(w.data.subarray(2 * row, 2 * row + 2), 2 * n);
      });
      const expected = small.score(x);
      const part = small.gradients(x, weights);
      const own = small.states(x);
      rows.forEach((row, n) => {
        states.forEach(({ shape: [, width], data }, t) => {
          const at = t < STEPS - 1 ? own[t] : own[length - 1];
          const ended = t >= length - 1 && t < STEPS - 1;
          const wanted = ended ? new Float64Array(width) : at.data.slice(n * width, (n + 1) * width);
          expectClose(`h_${t + 1} of row ${row}`, data.slice(row * width, (row + 1) * width), wanted, 1e-13);
        });
      });
      for (const [name, { data }] of Object.entries(part.parameters)) {
        data.forEach((value, n) => {
          sums.get(name)![n] += value;
        });
      }
      rows.forEach((row, n) => {
        const at = row * STEPS * INPUTS;
        const [own, padding] = [length * INPUTS, STEPS * INPUTS];
        expectClose(
          `scores of row ${row}`,
          scores.data.slice(2 * row, 2 * row + 2),
          expected.data.slice(2 * n, 2 * n + 2),
          1e-13,
        );
        expectClose(
          `inputs of row ${row}`,
          gradients.inputs.data.slice(at, at + own),
          part.inputs.data.slice(n * own, (n + 1) * own),
          1e-12,
        );
        expect(gradients.inputs.data.slice(at + own, at + padding).every((value) => value === 0)).toBe(true);
      });
    }
    for (const [name, sum] of sums) expectClose(name, gradients.parameters[name].data, sum, 1e-12);
  });
});

describe('lengths', () => {
  const model = make({ shared: true, init: 'normal' });

  it('of all steps change nothing, and what lies behind them does not matter', () => {
    const X = random([3, 3, 4]);
    expect(model.score(X, { lengths: Int32Array.of(3, 3, 3) })).toEqual(model.score(X));
    const spoilt = { ...X, data: X.data.map((value, n) => (n % 12 < 8 ? value : 1e3 * value)) };
    const two = { lengths: Int32Array.of(2, 2, 2) };
    expect(model.score(spoilt, two)).toEqual(model.score(X, two));
    expect(
      model.gradients(spoilt, zeros([3, 2]), two).parameters['G.middle'].data.every((g) => g === 0),
    ).toBe(true);
  });

  it('leave nothing of before in the gradients of cores that no sequence passes', () => {
    const { backend, network, block } = model;
    const [X, two] = [random([3, 3, 4]), Int32Array.of(2, 2, 2)];
    const weights = random([3, 2], 'float32', 4);
    const gradients = new ParameterBlock(backend, block.layout, 'float32');
    gradients.storage.fill(7);
    const x = backend.adopt(X.data);
    network.forward(block, x, 3, two, true);
    network.backward(block, x, 3, backend.adopt(weights.data), gradients, undefined, two);
    expect(gradients.tensors()).toEqual(model.gradients(X, weights, { lengths: two }).parameters);
  });

  it('many rows give what few give', () => {
    const X = random([1100, 3, 4]);
    const lengths = Int32Array.from({ length: 1100 }, (_, n) => 2 + (n % 2));
    const all = model.score(X, { lengths });
    const few = { ...X, shape: [20, 3, 4], data: X.data.subarray(490 * 12, 510 * 12) };
    expect(model.score(few, { lengths: lengths.slice(490, 510) }).data).toEqual(all.data.slice(980, 1020));
  });

  it.each<[string, object, unknown, string, RegExp]>([
    [
      'weights that are not shared',
      { shared: false },
      Int32Array.of(2, 3),
      'E_ARGUMENT',
      /not shared, 3 steps/,
    ],
    ['another family', { kind: 'cp', shared: true }, Int32Array.of(2, 3), 'E_ARGUMENT', /received 'cp/],
    ['one step', { steps: 1 }, Int32Array.of(1, 1), 'E_ARGUMENT', /at least 2 steps/],
    ['a list', {}, [2, 3], 'E_ARGUMENT', /an Int32Array, as Int32Array\.from\(lengths\) makes, /],
    ['too few', {}, Int32Array.of(2), 'E_SHAPE', /2 lengths, received 1/],
    ['a length of 1', {}, Int32Array.of(2, 1), 'E_ARGUMENT', /lengths\[1\].*from 2 to 3, received 1/],
    ['a length beyond the steps', {}, Int32Array.of(4, 2), 'E_ARGUMENT', /lengths\[0\].*received 4/],
  ])('with %s are refused', (_, options, lengths, code, message) => {
    const model = make({ shared: true, ...options });
    const X = random([2, model.config.steps, 4]);
    const given = { lengths } as never;
    expect(() => model.score(X, given)).toThrow(refusal(code, message));
    expect(() => model.gradients(X, zeros([2, 2]), given)).toThrow(refusal(code, message));
    if (model.config.kind === 'tt') expect(() => model.states(X, given)).toThrow(refusal(code, message));
  });

  it('misspelt are refused', () => {
    expect(() => model.states(random([1, 3, 4]), { length: 3 } as never)).toThrow(
      refusal('E_ARGUMENT', /^states: .*received 'length'/),
    );
    expect(() => model.score(random([1, 3, 4]), { length: 3 } as never)).toThrow(
      refusal('E_ARGUMENT', /received 'length'/),
    );
  });
});
