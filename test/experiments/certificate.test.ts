import { beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/core/tensor.ts';
import { type Certificate, checkCertificate } from '../../src/experiments/certificate.ts';
import { certify } from '../../src/experiments/certify.ts';
import { sidesOf } from '../../src/experiments/subgrid.ts';
import * as library from '../../src/index.ts';
import { createModel, type Model } from '../../src/models/model.ts';
import { subgridBound } from '../../src/theory/subgrid.ts';
import { OPTIONS, randomTemplates } from '../support/certified.ts';
import { refusal } from '../support/models.ts';

describe('a certificate', () => {
  let model: Model;
  let templates: Tensor;
  let certificate: Certificate;
  beforeAll(async () => {
    model = createModel({ ...OPTIONS, init: 'normal', seed: 4 });
    templates = randomTemplates(1, 5);
    certificate = (await certify(model, templates, { samples: 30, exact: true, seed: 2 })).certificate!;
  });
  const tampered = (change: object) => JSON.parse(JSON.stringify({ ...certificate, ...change })) as unknown;
  const check = (value: unknown, on = model, to = templates) => checkCertificate(on, to, value);

  it('is checked within a limit of memory', async () => {
    const limited = (options: object) => checkCertificate(model, templates, certificate, options);
    await expect(limited({ maxBytes: 10_000 })).rejects.toThrow(
      refusal(
        'E_MEMORY',
        /^checkCertificate: expected at most 10000 bytes \(maxBytes\), received 729 exact scores, \d+ bytes$/,
      ),
    );
    expect(await limited({ maxBytes: 2 ** 27 })).toEqual(certificate);
    await expect(limited({ maxBytes: -1 })).rejects.toThrow(
      refusal('E_ARGUMENT', /checkCertificate maxBytes/),
    );
    await expect(limited({ memory: 1 })).rejects.toThrow(refusal('E_ARGUMENT', /checkCertificate/));
  });

  it.each(['cp', 'tt', 'ht'] as const)('of a %s is verified again, in float64 too', async (kind) => {
    const other = createModel({ ...OPTIONS, kind, init: 'normal', dtype: 'float64', seed: 6 });
    const shown = randomTemplates(3, 4, 'float64');
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
    [
      'a pivot twice',
      (c) => ({ pivotRows: c.pivotRows.map(() => 0) }),
      /pivotRows: expected \d+ different indices, received \[0, 0/,
    ],
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
    await expect(check(certificate, model, randomTemplates(9, 5))).rejects.toEqual(
      refusal('E_NUMERIC', /checkCertificate templates/),
    );
    await expect(check(null)).rejects.toEqual(refusal('E_ARGUMENT', /expected an object/));
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
    await expect(library.checkCertificate(big, many, forged)).rejects.toThrow(/\d+ exact scores, \d+ bytes/);
  });
});
