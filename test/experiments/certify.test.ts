import { beforeAll, describe, expect, it } from 'vitest';
import { exactRank } from '../../src/analysis/exact_rank.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { type Certificate, checkCertificate } from '../../src/experiments/certificate.ts';
import { type CertifyOptions, certify } from '../../src/experiments/certify.ts';
import { chooseSubgrid, sidesOf } from '../../src/experiments/subgrid.ts';
import * as library from '../../src/index.ts';
import { createModel, type Model } from '../../src/models/model.ts';
import { widthBound } from '../../src/theory/bounds.ts';
import { subgridBound } from '../../src/theory/subgrid.ts';
import { refusal } from '../support/models.ts';

const OPTIONS = {
  kind: 'tt',
  xi: 'rectifier',
  steps: 6,
  inputs: 3,
  outputs: 2,
  rank: 4,
  features: { size: 4 },
} as const;
const random = (seed: number, M: number, dtype: 'float32' | 'float64' = 'float32') => {
  const rng = new Rng(seed);
  return tensor(
    Float64Array.from({ length: 3 * M }, () => rng.normal()),
    [M, 3],
    dtype,
  );
};

describe('the part of the grid', () => {
  it('has many modes with few templates, at most as many rows and columns as wanted', () => {
    const mnist = chooseSubgrid(100, 16, 2048, 0);
    expect(mnist.rowModes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(sidesOf(mnist)).toEqual({
      ...{ rows: new Array(11).fill(2), columns: [4, 4, 4, 4, 8] },
      ...{ rowCount: 2048, columnCount: 2048 },
    });
    const dna = chooseSubgrid(4, 60, 2048, 0);
    expect(dna.rowModes.length).toBe(49);
    expect(sidesOf(dna)).toMatchObject({ rowCount: 2048, columnCount: 2048 });
    expect(dna.choice.map((list) => list.length).slice(-12)).toEqual(new Array(12).fill(2));
    expect(sidesOf(chooseSubgrid(2, 4, 2048, 0))).toMatchObject({ rowCount: 4, columnCount: 4 });
    expect(sidesOf(chooseSubgrid(1, 1, 1, 0))).toMatchObject({ rowCount: 1, columnCount: 1 });
    for (const list of mnist.choice) expect(new Set(list).size).toBe(list.length);
    const middle = chooseSubgrid(4, 60, 2048, 0, undefined, [19, 41]);
    expect(middle.rowModes).toEqual(Array.from({ length: 30 }, (_, mode) => mode));
    expect(middle.choice.map((list) => list.length)).toEqual([
      ...new Array(19).fill(1),
      ...new Array(22).fill(2),
      ...new Array(19).fill(1),
    ]);
    expect(chooseSubgrid(100, 16, 2048, 0)).toEqual(mnist);
    expect(chooseSubgrid(100, 16, 2048, 1)).not.toEqual(mnist);
  });

  it('gives the bound of the whole grid on the whole grid', () => {
    for (const xi of XI_NAMES) {
      for (const [M, steps, rank] of [
        [3, 4, 7],
        [2, 6, 8],
        [5, 5, 0],
        [4, 3, 2],
        [2, 2, 1],
      ]) {
        const k = Math.floor(steps / 2);
        const sizes = { rows: new Array(k).fill(M), columns: new Array(steps - k).fill(M) };
        expect(subgridBound(xi, rank, sizes)).toMatchObject(widthBound({ xi, size: M, steps, rank }));
      }
    }
  });
});

describe('certify', () => {
  let model: Model;
  let templates: Tensor;
  let certificate: Certificate;
  beforeAll(async () => {
    model = createModel({ ...OPTIONS, init: 'normal', seed: 4 });
    templates = random(1, 5);
    certificate = (await certify(model, templates, { samples: 30, exact: true, seed: 2 })).certificate!;
  });
  const tampered = (change: object) => JSON.parse(JSON.stringify({ ...certificate, ...change })) as unknown;
  const check = (value: unknown, on = model, to = templates) => checkCertificate(on, to, value);

  it('proves a rank, which singular values in float64 confirm', async () => {
    const { certificate: _, ...exact } = await certify(model, templates, {
      samples: 30,
      exact: true,
      seed: 2,
    });
    expect(exact).toMatchObject({ method: 'exact', rows: 27, columns: 27 });
    // 240 parameters less 16 of the features; a term of width takes 6 · 4 + 2.
    expect(exact.equalWidth).toBe(Math.floor((model.parameterCount - 16) / 26));
    expect(exact.spectrum?.rank).toBe(exact.rank);
    expect(exact.rank).toBeGreaterThan(5);
    const numerical = await certify(model, templates, { samples: 30, seed: 2 });
    expect(numerical).toMatchObject({ method: 'singular values', bound: exact.bound, rank: exact.rank });
    expect(numerical.spectrum?.tolerance).toBe(1e-10);
    expect(exact.bound.refined).toBe(Math.ceil(exact.rank / 7));
  });

  it('is checked within a limit of memory', async () => {
    const limited = (options: object) => checkCertificate(model, templates, certificate, options);
    await expect(limited({ maxBytes: 10_000 })).rejects.toThrow(
      refusal('E_MEMORY', /^checkCertificate: 729 exact scores need \d+ bytes, the limit is 10000$/),
    );
    expect(await limited({ maxBytes: 2 ** 27 })).toEqual(certificate);
    await expect(limited({ maxBytes: -1 })).rejects.toThrow(
      refusal('E_ARGUMENT', /checkCertificate maxBytes/),
    );
    await expect(limited({ memory: 1 })).rejects.toThrow(refusal('E_ARGUMENT', /checkCertificate/));
  });

  it('keeps a proof where the scores or their singular values leave the range of float64', async () => {
    const sizes = { kind: 'cp', xi: 'product', steps: 2, inputs: 2, outputs: 1, rank: 2 } as const;
    const huge = createModel({ ...sizes, features: { size: 2, activation: 'identity' }, dtype: 'float64' });
    const unit = tensor([
      [1, 0],
      [0, 1],
    ]);
    const lambda = tensor([[1], [1]]);
    const set = (first: number[][], last: number[][]) =>
      huge.setParameters({
        'features.A': unit,
        'features.b': tensor([0, 0]),
        lambda,
        v: tensor([first, last]),
      });
    set(
      [
        [1e200, 1],
        [1, 2e200],
      ],
      [
        [3e200, 1],
        [1, 1e200],
      ],
    );
    const { spectrum, rank, certificate } = await certify(huge, unit, { exact: true });
    expect({ spectrum, rank }).toEqual({ spectrum: null, rank: 2 });
    expect(await check(certificate, huge, unit)).toEqual(certificate);
    await expect(certify(huge, unit)).rejects.toThrow(refusal('E_NUMERIC', /finite/));
    set(
      [
        [1e154, 1e154],
        [1, 1],
      ],
      [
        [1.7e154, 1.7e154],
        [1, 1],
      ],
    );
    expect(await certify(huge, unit, { exact: true })).toMatchObject({ spectrum: null, rank: 1 });
  });

  it('is about the network, the templates and the choice at the time of the call', async () => {
    const small = createModel({ ...OPTIONS, steps: 4, init: 'normal', seed: 5, dtype: 'float64' });
    const then = small.parameters;
    const zero = { ...then, 'G.3': tensor(new Float64Array(then['G.3'].data.length), then['G.3'].shape) };
    const shown = random(2, 3, 'float64');
    const choice = new Array(4).fill(0).map(() => [0, 1, 2]);
    const options = { exact: true, choice };
    const { certificate: good, spectrum } = await certify(small, shown, options);
    expect(good!.rank).toBeGreaterThan(1);
    const pending = certify(small, shown, options);
    small.setParameters(zero);
    shown.data.fill(0);
    choice[0].pop();
    const found = await pending;
    expect(found.certificate).toEqual(good);
    expect(found.spectrum).toEqual(spectrum);
    choice[0].push(2);

    const same = random(2, 3, 'float64');
    const { certificate: ofZero } = await certify(small, same, options);
    const forged = { ...good, model: ofZero!.model };
    const refused = checkCertificate(small, same, forged);
    small.setParameters(then);
    await expect(refused).rejects.toThrow(refusal('E_NUMERIC', /checkCertificate/));
    const accepted = checkCertificate(small, same, good);
    small.setParameters(zero);
    same.data.fill(0);
    expect(await accepted).toEqual(good);
  });

  it('over the whole grid proves what exactRank does', async () => {
    const small = createModel({ ...OPTIONS, steps: 4, init: 'normal', seed: 5 });
    const all = [0, 1, 2];
    for (const output of [0, 1]) {
      const options = { exact: true, rowModes: [0, 2], choice: new Array(4).fill(all), output };
      const { rank } = await certify(small, random(2, 3), options);
      expect(rank).toBe(exactRank(small, random(2, 3), [0, 2], { output }).rank);
    }
    const options = { exact: true, rowModes: [0, 2], choice: new Array(4).fill(all) };
    const ranks = await Promise.all(
      [0, 1].map((output) => certify(small, random(2, 3), { ...options, output })),
    );
    const best = await certify(small, random(2, 3), { ...options, output: 'all' });
    expect(best.rank).toBe(Math.max(...ranks.map(({ rank }) => rank)));
    expect(await check(best.certificate, small, random(2, 3))).toEqual(best.certificate);
  });

  it.each(['cp', 'tt', 'ht'] as const)('of a %s is verified again, in float64 too', async (kind) => {
    const other = createModel({ ...OPTIONS, kind, init: 'normal', dtype: 'float64', seed: 6 });
    const shown = random(3, 4, 'float64');
    const { certificate: made, bound } = await certify(other, shown, {
      samples: 16,
      exact: true,
      prime: 67_108_859,
    });
    expect(await check(JSON.parse(JSON.stringify(made)), other, shown)).toEqual(made);
    // A shallow network of width 4 needs no more than width 4.
    if (kind === 'cp') expect(bound.joint).toBeLessThanOrEqual(4);
  });

  it('holds as it is', async () => expect(await check(tampered({}))).toEqual(certificate));

  it.each<[string, (c: Certificate) => object, RegExp]>([
    ['a higher rank', (c) => ({ rank: c.rank + 1 }), /pivotRows|bound/],
    [
      'a higher rank with pivots',
      ({ rank, ...c }) => {
        const spare = (list: readonly number[]) =>
          Array.from({ length: 27 }, (_, n) => n).find((n) => !list.includes(n))!;
        const bound = subgridBound('rectifier', rank + 1, sidesOf(c));
        const pivots = {
          pivotRows: [...c.pivotRows, spare(c.pivotRows)],
          pivotColumns: [...c.pivotColumns, spare(c.pivotColumns)],
        };
        return { rank: rank + 1, bound, ...pivots };
      },
      /rank of the minor of its pivots/,
    ],
    ['another bound', (c) => ({ bound: { ...c.bound, refined: 99 } }), /bound/],
    ['no prime', () => ({ prime: 16_777_215 }), /prime: expected a prime/],
    ['a small prime', () => ({ prime: 3 }), /rank of the minor/],
    ['another model', () => ({ model: `sha256:${'0'.repeat(64)}` }), /checkCertificate model/],
    ['other templates', () => ({ templates: `sha256:${'0'.repeat(64)}` }), /checkCertificate templates/],
    ['another ξ', () => ({ xi: 'max' }), /checkCertificate xi/],
    [
      'the other output',
      (c) => ({
        output: 1 - c.output,
        rank: 27,
        pivotRows: [...Array(27).keys()],
        pivotColumns: [...Array(27).keys()],
      }),
      /checkCertificate/,
    ],
    ['templates that are not there', (c) => ({ choice: c.choice.map(() => [0, 1, 99]) }), /choice\[0\]/],
    ['fewer templates', (c) => ({ choice: c.choice.map((list) => list.slice(1)) }), /checkCertificate rows/],
    ['a template twice', (c) => ({ choice: c.choice.map((list) => [list[0], ...list]) }), /each once/],
    ['a pivot twice', (c) => ({ pivotRows: c.pivotRows.map(() => 0) }), /pivotRows/],
    ['other sizes', () => ({ rows: 64 }), /checkCertificate rows/],
    ['another bound on all terms', (c) => ({ bound: { ...c.bound, joint: 99 } }), /bound/],
    ['another paper bound', (c) => ({ bound: { ...c.bound, paper: 99 } }), /bound/],
    ['the claim of impossibility', (c) => ({ bound: { ...c.bound, impossible: true } }), /bound/],
    ['a lower rank', (c) => ({ rank: c.rank - 1 }), /pivotRows|bound/],
    ['other columns', () => ({ columns: 64 }), /checkCertificate columns/],
    ['a score that is not there', () => ({ output: 2 }), /output/],
    ['a prime beyond the largest', () => ({ prime: 2 ** 31 - 1 }), /prime/],
    ['other row modes', () => ({ rowModes: [0, 1] }), /checkCertificate (rows|columns|bound)/],
    ['row modes out of order', (c) => ({ rowModes: [...c.rowModes].reverse() }), /rowModes/],
    ['a mode that is not there', () => ({ rowModes: [0, 1, 6] }), /rowModes/],
    ['a pivot row beyond the matrix', (c) => ({ pivotRows: [27, ...c.pivotRows.slice(1)] }), /pivotRows/],
    ['a pivot column twice', (c) => ({ pivotColumns: c.pivotColumns.map(() => 0) }), /pivotColumns/],
    ['a step less', (c) => ({ choice: c.choice.slice(1) }), /choice/],
    ['pivots that are no list', () => ({ pivotRows: 'all' }), /pivotRows/],
    ['another format', () => ({ format: 'x' }), /format/],
    [
      'no format',
      () => ({ format: undefined, width: 3 }),
      /format 'xitensor[^']*', as certify --exact --out writes/,
    ],
    ['another seed', ({ chosen }) => ({ chosen: { ...chosen, seed: 3 } }), /checkCertificate choice/],
    ['other samples', ({ chosen }) => ({ chosen: { ...chosen, samples: 8 } }), /checkCertificate choice/],
    [
      'another window',
      ({ chosen }) => ({ chosen: { ...chosen, window: [1, 6] } }),
      /checkCertificate choice/,
    ],
    ['no window', ({ chosen }) => ({ chosen: { ...chosen, window: 3 } }), /window/],
    ['a key that nobody checks', () => ({ author: 'me' }), /'author'/],
    ['another version', () => ({ version: 1 }), /version/],
  ])('with %s is rejected', async (_, change, message) => {
    await expect(check(tampered(change(certificate)))).rejects.toThrow(message);
  });

  it.each(
    Object.keys({
      ...{ format: 0, version: 0, model: 0, templates: 0, xi: 0, output: 0, rows: 0, columns: 0, prime: 0 },
      ...{ rank: 0, pivotRows: 0, pivotColumns: 0, bound: 0, rowModes: 0, choice: 0, chosen: 0 },
    }),
  )('without %s is rejected', async (key) => {
    expect(certificate).toHaveProperty(key);
    await expect(check(tampered({ [key]: undefined }))).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(ARGUMENT|NUMERIC)$/),
    });
  });

  it('is checked as it was when it was handed in, and a copy comes back', async () => {
    const live = tampered({}) as { rank: number };
    const checking = check(live);
    live.rank = 1e6;
    expect(await checking).toEqual(certificate);
  });

  it('of values that are not plain, or too deep, is rejected', async () => {
    await expect(check({ ...certificate, bound: () => 1 })).rejects.toEqual(
      refusal('E_ARGUMENT', /plain values/),
    );
    const deep = JSON.parse(`${'['.repeat(1e5)}${']'.repeat(1e5)}`);
    for (const key of ['model', 'bound', 'xi'])
      await expect(check({ ...certificate, [key]: deep })).rejects.toMatchObject({ name: 'XiError' });
  });

  it('is rejected for another model and other templates, and when it is no object', async () => {
    const other = createModel({ ...model.config, init: 'normal', seed: 5 });
    await expect(check(certificate, other)).rejects.toEqual(refusal('E_NUMERIC', /checkCertificate model/));
    await expect(check(certificate, model, random(9, 5))).rejects.toEqual(
      refusal('E_NUMERIC', /checkCertificate templates/),
    );
    await expect(check(null)).rejects.toEqual(refusal('E_ARGUMENT', /expected an object/));
  });

  it('gives a network of two or three steps rows and columns', async () => {
    const identity = tensor(
      Float64Array.from({ length: 25 }, (_, n) => Number(n % 6 === 0)),
      [5, 5],
    );
    const shape = { inputs: 5, outputs: 1, rank: 4, dtype: 'float64', init: 'normal', seed: 1 } as const;
    const features = { size: 5, activation: 'identity' } as const;
    for (const steps of [2, 3]) {
      const short = createModel({ kind: 'tt', xi: 'product', steps, features, ...shape });
      const { rows, columns, bound } = await certify(short, identity, { samples: 25, exact: true });
      expect({ rows, columns, joint: bound.joint }).toEqual({ rows: 5 ** (steps - 1), columns: 5, joint: 4 });
    }
  });

  it('takes the modes of rows in any order', async () => {
    const [one, other] = await Promise.all(
      [
        [0, 2, 4],
        [4, 0, 2],
      ].map((rowModes) => certify(model, templates, { samples: 30, rowModes, exact: true })),
    );
    expect(other).toEqual(one);
    expect(other.subgrid.rowModes).toEqual([0, 2, 4]);
  });

  it('says what it refuses', async () => {
    await expect(certify(model, templates, { samples: 0 })).rejects.toEqual(refusal('E_ARGUMENT', /samples/));
    for (const window of [[6, 7], [2, 2], [0, 7], [1], 3]) {
      const options = { window } as unknown as CertifyOptions;
      await expect(certify(model, templates, options)).rejects.toEqual(refusal('E_ARGUMENT', /window/));
    }
    await expect(certify(model, templates, { output: 2 })).rejects.toEqual(refusal('E_ARGUMENT', /output/));
    await expect(certify(model, random(1, 0))).rejects.toEqual(refusal('E_SHAPE', /at least one template/));
    await expect(certify(model, templates, { maxBytes: 1000 })).rejects.toEqual(
      refusal('E_MEMORY', /limit is 1000/),
    );
    const smooth = createModel({ ...OPTIONS, xi: 'l2' });
    await expect(certify(smooth, templates, { samples: 4, exact: true })).rejects.toEqual(
      refusal('E_ARGUMENT', /xi/),
    );
    expect((await certify(smooth, templates, { samples: 4 })).bound).toEqual({
      paper: 1,
      refined: 1,
      joint: 1,
      impossible: false,
    });
  });
});

describe('the event loop has turns', () => {
  const model = createModel(OPTIONS);

  it.each([
    ['exact', true],
    ['numerical', false],
  ])('in which a certification may be stopped, %s', async (_, exact) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(certify(model, random(1, 4), { exact, signal: controller.signal })).rejects.toThrow(
      refusal('E_ABORTED', /stopped/),
    );
  });

  it('and anything but a signal is refused', async () => {
    const signal = 3 as never;
    await expect(certify(model, random(1, 4), { signal })).rejects.toThrow(
      refusal('E_ARGUMENT', /certify signal: expected an AbortSignal/),
    );
    expect(() => exactRank(model, random(1, 2), [0], { signal })).toThrow(
      refusal('E_ARGUMENT', /exactRank signal/),
    );
  });
});

describe('memory', () => {
  it('a certificate of more sequences than there is memory for is refused at once', async () => {
    const big = library.createModel({
      ...{ kind: 'tt', xi: 'rectifier', steps: 16, inputs: 3, outputs: 1, rank: 2, dtype: 'float64' },
      features: { size: 3 },
    });
    const many = library.tensor(
      Float64Array.from({ length: 120 }, (_, n) => Math.sin(n)),
      [40, 3],
    );
    const { certificate } = await library.certify(big, many, { exact: true, samples: 4 });
    const all = Array.from({ length: 40 }, (_, m) => m);
    const [rows, columns] = [40 ** 5, 40 ** 5];
    const choice = Array.from({ length: 16 }, (_, t) => (t < 10 ? all : [0]));
    const forged = { ...certificate, chosen: null, choice, rowModes: [0, 1, 2, 3, 4], rows, columns };
    await expect(library.checkCertificate(big, many, forged)).rejects.toThrow(/exact scores need/);
  });
});
