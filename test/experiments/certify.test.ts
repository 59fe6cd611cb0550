import { describe, expect, it } from 'vitest';
import { exactRank } from '../../src/analysis/exact_rank.ts';
import { tensor } from '../../src/core/tensor.ts';
import { checkCertificate } from '../../src/experiments/certificate.ts';
import { type CertifyOptions, certify } from '../../src/experiments/certify.ts';
import { createModel } from '../../src/models/model.ts';
import { OPTIONS, randomTemplates } from '../support/certified.ts';
import { refusal } from '../support/models.ts';

describe('certify', () => {
  const model = createModel({ ...OPTIONS, init: 'normal', seed: 4 });
  const templates = randomTemplates(1, 5);

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
    expect(numerical).toMatchObject({ method: 'spectrum', bound: exact.bound, rank: exact.rank });
    expect(numerical.spectrum?.tolerance).toBe(1e-10);
    expect(exact.bound.refined).toBe(Math.ceil(exact.rank / 7));
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
    expect(await checkCertificate(huge, unit, certificate)).toEqual(certificate);
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
    const shown = randomTemplates(2, 3, 'float64');
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

    const same = randomTemplates(2, 3, 'float64');
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

  it('refuses options that contradict each other, and counts scores as what they are', async () => {
    const choice = new Array(6).fill([0, 1]);
    for (const [options, text] of [
      [{ choice, samples: 4 }, /^certify samples: expected none beside choice.*received 4/],
      [{ choice, seed: 1 }, /^certify seed: expected none beside choice/],
      [{ choice, window: [0, 2] }, /^certify window: expected none beside choice/],
      [{ prime: 101 }, /^certify prime: expected exact: true beside it, received 101/],
      [{ prime: 101, exact: false }, /^certify prime: expected exact: true/],
    ] as const)
      await expect(certify(model, templates, options as CertifyOptions)).rejects.toEqual(
        refusal('E_ARGUMENT', text),
      );
    for (const [exact, text] of [
      [false, /^certify: .* received \d+ scores, \d+ bytes/],
      [true, /^certify: .* received \d+ exact scores, \d+ bytes/],
    ] as const)
      await expect(certify(model, templates, { samples: 9, exact, maxBytes: 10 })).rejects.toEqual(
        refusal('E_MEMORY', text),
      );
  });

  it('over the whole grid proves what exactRank does', async () => {
    const small = createModel({ ...OPTIONS, steps: 4, init: 'normal', seed: 5 });
    const all = [0, 1, 2];
    for (const output of [0, 1]) {
      const options = { exact: true, rowModes: [0, 2], choice: new Array(4).fill(all), output };
      const { rank } = await certify(small, randomTemplates(2, 3), options);
      expect(rank).toBe(exactRank(small, randomTemplates(2, 3), [0, 2], { output }).rank);
    }
    const options = { exact: true, rowModes: [0, 2], choice: new Array(4).fill(all) };
    const ranks = await Promise.all(
      [0, 1].map((output) => certify(small, randomTemplates(2, 3), { ...options, output })),
    );
    const best = await certify(small, randomTemplates(2, 3), { ...options, output: 'all' });
    expect(best.rank).toBe(Math.max(...ranks.map(({ rank }) => rank)));
    expect(await checkCertificate(small, randomTemplates(2, 3), best.certificate)).toEqual(best.certificate);
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
    await expect(certify(model, randomTemplates(1, 0))).rejects.toEqual(
      refusal('E_SHAPE', /at least one template/),
    );
    await expect(certify(model, templates, { maxBytes: 1000 })).rejects.toEqual(
      refusal('E_MEMORY', /at most 1000 bytes \(maxBytes\)/),
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
    await expect(certify(model, randomTemplates(1, 4), { exact, signal: controller.signal })).rejects.toThrow(
      refusal('E_ABORTED', /stopped/),
    );
  });

  it('and anything but a signal is refused', async () => {
    const signal = 3 as never;
    await expect(certify(model, randomTemplates(1, 4), { signal })).rejects.toThrow(
      refusal('E_ARGUMENT', /certify signal: expected an AbortSignal/),
    );
    expect(() => exactRank(model, randomTemplates(1, 2), [0], { signal })).toThrow(
      refusal('E_ARGUMENT', /exactRank signal/),
    );
  });
});
