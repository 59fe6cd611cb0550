import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXACT_XI, exactFeatures } from '../../src/analysis/exact/definition.ts';
import { eliminate } from '../../src/analysis/exact/eliminate.ts';
import { filteredResidues } from '../../src/analysis/exact/filtered.ts';
import { choosePrime, PrimeField } from '../../src/analysis/exact/modular.ts';
import { exactRows } from '../../src/analysis/exact/rows.ts';
import { exactNetwork, exactRank } from '../../src/analysis/exact_rank.ts';
import { XiError } from '../../src/core/errors.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, tensor } from '../../src/core/tensor.ts';
import { createModel } from '../../src/models/model.ts';
import { asTensor, type GoldenArray, golden } from '../support/golden.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

interface ExactCase {
  readonly M: number;
  readonly T: number;
  readonly L: number;
  readonly R: number;
  readonly shared: boolean;
  readonly F: GoldenArray;
  readonly rnn: { readonly C: GoldenArray[]; readonly G: GoldenArray[] };
  readonly exact_rank: number;
}

describe('exactRank', () => {
  it.each(golden<{ cases: ExactCase[] }>('exact_rank.json').cases.map((one, n) => [n, one] as const))(
    'golden case %d',
    (_, { M, T, L, R, shared, F, rnn, exact_rank }) => {
      const model = createModel({
        ...{ kind: 'tt', xi: 'rectifier', steps: T, inputs: M, outputs: 1, rank: R, projection: L, shared },
        ...{ features: { size: M, activation: 'identity' }, dtype: 'float64' },
      });
      const place = (t: number) => (shared ? ['first', 'middle', 'last'][t] : String(t));
      const identity = Float64Array.from({ length: M * M }, (_, n) => Number(n % (M + 1) === 0));
      model.setParameters({
        'features.A': tensor(identity, [M, M]),
        'features.b': tensor(new Float64Array(M)),
        ...Object.fromEntries(rnn.C.map((C, t) => [`C.${place(t)}`, asTensor(C, 'float64')])),
        ...Object.fromEntries(rnn.G.map((G, t) => [`G.${place(t)}`, asTensor(G, 'float64')])),
      });
      const odd = Array.from({ length: Math.ceil(T / 2) }, (_, n) => 2 * n);
      const report = exactRank(model, asTensor(F, 'float64'), odd);
      expect(report.rank).toBe(exact_rank);
      for (const seed of [1, 2])
        expect(exactRank(model, asTensor(F, 'float64'), odd, { seed }).rank).toBe(exact_rank);
    },
  );
});

/** Values that collide: small integers, halves, signed zeros among ordinary numbers. */
const draws: Readonly<Record<string, (rng: Rng, isSum: boolean) => number>> = {
  normal: (rng) => rng.normal(),
  integers: (rng) => rng.below(5) - 2,
  ties: (rng) => (rng.below(3) === 0 ? rng.normal() : (rng.below(7) - 3) / 8 + (rng.below(2) ? 2 ** -45 : 0)),
  sparse: (rng) => (rng.below(2) === 0 ? 0 : rng.normal()),
  scales: (rng) => rng.normal() * 2 ** (rng.below(60) - 30),
  /** Integers, sums of which round to one another. */
  rounded: (rng, isSum) => (rng.below(3) - 1) * (isSum && rng.below(2) ? 2 ** -53 : 1),
};

/** Values whose products leave the range of float64. */
const SCATTERED: typeof draws = {
  small: (rng) => (rng.below(5) - 2) * 2 ** (-200 * rng.below(3)),
  /** What is left where ones cancel. */
  tiny: (rng) => (rng.below(3) - 1) * (rng.below(3) ? 2 ** -600 : 1),
  both: (rng) => (rng.below(5) - 2) * 2 ** (250 * (rng.below(5) - 2)),
  few: (rng) => (rng.below(5) - 2) * 2 ** (450 * Math.trunc((rng.below(9) - 4) / 4)),
  anywhere: (rng) => rng.normal() * 2 ** (rng.below(1200) - 800),
};

describe('the filtered evaluation', () => {
  const options = {
    kind: fc.constantFrom('cp' as const, 'tt' as const, 'ht' as const),
    xi: fc.constantFrom(...EXACT_XI),
    dtype: fc.constantFrom(...DTYPES),
    steps: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    rank: fc.integer({ min: 1, max: 4 }),
    shared: fc.boolean(),
    activation: fc.constantFrom('identity' as const, 'relu' as const),
    draw: fc.constantFrom(...Object.keys(draws)),
    diagonal: fc.boolean(),
    seed: fc.nat(10000),
    // Of the largest prime no more than two products fit into a double.
    prime: fc.constantFrom('default', 67_108_859, 'of a seed'),
    M: fc.integer({ min: 1, max: 3 }),
  };
  const record = fc.record(options);
  type Chosen = typeof record extends fc.Arbitrary<infer T> ? T : never;

  /** Compares the residues of a random network with those of the integers that define them; how many comparisons integers decided. */
  function compare({ M, activation, diagonal, draw, prime: kind, ...rest }: Chosen, from = draws): number {
    const model = createModel({
      ...{ ...rest, inputs: 2, features: { size: 3, activation }, init: 'normal' },
      ...(rest.kind === 'ht' ? { diagonal } : {}),
    });
    const rng = new Rng(rest.seed, 2);
    const random = (length: number, isSum = false) =>
      Float64Array.from({ length }, () => from[draw](rng, isSum));
    const parameters = Object.entries(model.parameters).map(([name, { shape, data }]) => {
      return [name, tensor(random(data.length, /^[GBl]/.test(name)), shape, rest.dtype)];
    });
    model.setParameters(Object.fromEntries(parameters));
    const templates = tensor(random(2 * M), [M, 2], rest.dtype);
    const all = Array.from({ length: M }, (_, m) => m);
    const network = exactNetwork('test', model, templates, new Array(rest.steps).fill(all));
    const prime =
      typeof kind === 'number'
        ? kind
        : choosePrime('test', undefined, kind === 'default' ? undefined : rest.seed);
    const field = new PrimeField(prime);
    const found = filteredResidues(network, prime);
    const { root } = network;
    const wanted: number[] = [];
    for (let row = 0; row < network.rows(root); row++) {
      const { integers, exponent } = network.row(root, row);
      wanted.push(...integers.map((n) => field.ofDyadic(n, exponent)));
    }
    expect([...found.values]).toEqual(wanted);
    // All rows at once, from integers as well.
    const fresh = exactNetwork('test', model, templates, network.choice);
    const { integers, exponent } = exactRows(fresh, root);
    expect(integers.map((n) => field.ofDyadic(n, exponent))).toEqual(wanted);
    return found.undecided;
  }

  it('equals the residues of the definition in integers, for every kind and exact ξ', () => {
    let undecided = 0;
    fc.assert(
      fc.property(record, (chosen) => {
        undecided += compare(chosen);
      }),
      { numRuns: 400 },
    );
    // The integers were asked.
    expect(undecided).toBeGreaterThan(100);
  });

  it('where products of its numbers underflow, and is refused where they overflow', () => {
    let [counted, refused] = [0, 0];
    fc.assert(
      fc.property(fc.record({ ...options, draw: fc.constantFrom(...Object.keys(SCATTERED)) }), (chosen) => {
        try {
          compare({ ...chosen, dtype: 'float64' }, SCATTERED);
          counted++;
        } catch (error) {
          if (!(error instanceof XiError)) throw error;
          expect(error.code).toBe('E_NUMERIC');
          refused++;
        }
      }),
      { numRuns: 600 },
    );
    expect(Math.min(counted, refused)).toBeGreaterThan(50);
  });

  it('sees what is above zero where its double is not', () => {
    const I = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      undefined,
      'float64',
    );
    const least = 2 ** -600;
    const sizes = { steps: 2, inputs: 2, outputs: 1, rank: 3, features: { size: 2 } } as const;
    const model = createModel({ kind: 'tt', xi: 'rectifier', ...sizes, dtype: 'float64' });
    const values: Record<string, number[]> = {
      'features.A': [1, 0, 0, 1],
      'features.b': [0, 0],
      'C.0': [least, 2 * least, 1, 1],
      'G.0': [least, least, 0, 0, 1, 0],
      'C.1': [0, 0, 3, 5],
      'G.1': [-1, 1, 0, 0, 0, 1],
    };
    const parameters = Object.entries(model.parameters).map(([name, { shape }]) => [
      name,
      tensor(Float64Array.from(values[name]), shape),
    ]);
    model.setParameters(Object.fromEntries(parameters));
    // The score is 1 + c of the second step: h_1 − h_0 = 1, although h_1 rounds to 1 and h_0 to 0.
    expect(exactRank(model, I, [0]).rank).toBe(1);
  });

  it.each([
    [2, 3, 0.25],
    [0.5, 0.25, 4],
  ])('has the feature %d · %d + %d', (weight, input, bias) => {
    const sizes = { kind: 'cp', xi: 'max', steps: 1, inputs: 1, outputs: 1, rank: 1 } as const;
    const model = createModel({ ...sizes, features: { size: 1 }, dtype: 'float64' });
    const [A, b] = [tensor(Float64Array.of(weight), [1, 1]), tensor(Float64Array.of(bias))];
    model.setParameters({ ...model.parameters, 'features.A': A, 'features.b': b });
    const templates = tensor(Float64Array.of(input), [1, 1]);
    const { integers, exponent } = exactFeatures('test', model, templates);
    expect(Number(integers[0]) * 2 ** exponent).toBe(weight * input + bias);
  });

  it('and the definition is that of the model', () => {
    const options = {
      kind: 'tt',
      steps: 4,
      inputs: 2,
      outputs: 2,
      rank: 3,
      features: { size: 3 },
      dtype: 'float64',
    } as const;
    for (const kind of ['cp', 'tt', 'ht'] as const) {
      for (const xi of EXACT_XI) {
        const model = createModel({ ...options, kind, xi, init: 'normal', seed: 3 });
        const rng = new Rng(5);
        const templates = tensor(
          Float64Array.from({ length: 6 }, () => rng.normal()),
          [3, 2],
        );
        const all = [0, 1, 2];
        const network = exactNetwork('test', model, templates, new Array(4).fill(all));
        const tuple = [2, 0, 1, 2];
        const row = tuple.reduce((at, m) => at * 3 + m, 0);
        const { integers, exponent } = network.row(network.root, row);
        const X = tensor(
          tuple.flatMap((m) => [...templates.data.subarray(2 * m, 2 * m + 2)]),
          [1, 4, 2],
          'float64',
        );
        model.score(X).data.forEach((score, c) => {
          const exact = Number(integers[c] >> BigInt(-exponent - 60)) * 2 ** -60;
          expect(Math.abs(exact - score)).toBeLessThan(1e-12);
        });
      }
    }
  });
});

describe('sums of doubles that lose more than values differ by', () => {
  const R = 64;
  /** Weights of one node: what they add up to stands in b = 0. */
  const weights = (of: (a: number) => number) =>
    tensor(
      Float64Array.from({ length: R * R }, (_, n) => (n % R === 0 ? of(n / R) : 0)),
      [R, R, 1],
    );
  it.each([
    [0, 0],
    [0, R - 1],
    [2, 0],
    [2, R - 1],
  ])('are left to integers, node %d, place %d', (node, place) => {
    const sizes = { kind: 'ht', xi: 'max', steps: 8, inputs: 1, outputs: 1, rank: [R, 1, 1] } as const;
    const features = { size: 1, activation: 'identity' } as const;
    const model = createModel({ ...sizes, features, dtype: 'float64' });
    const one = (shape: readonly number[], value = 1) =>
      tensor(new Float64Array(shape.reduce((count, n) => count * n, 1)).fill(value), shape);
    const ones = Object.entries(model.parameters).map(([name, { shape }]) => [name, one(shape)]);
    model.setParameters({
      ...Object.fromEntries(ones),
      'features.b': one([1], 0),
      ...Object.fromEntries([0, 1, 2, 3].map((n) => [`B.1.${n}`, weights(() => 0)])),
      // 1 + 63·2⁻⁵³, of which doubles see 1, and 1 + 40·2⁻⁵³.
      [`B.1.${node}`]: weights((a) => (a === place ? 1 : 2 ** -53)),
      [`B.1.${2 - node}`]: weights((a) => (a === 0 ? 1 + 5 * 2 ** -50 : 0)),
    });
    const network = exactNetwork('test', model, tensor([[1]], undefined, 'float64'), new Array(8).fill([0]));
    const field = new PrimeField(16_777_213);
    const exact = field.ofDyadic(2n ** 53n + 63n, -53);
    expect([...filteredResidues(network, field.p).values]).toEqual([exact]);
  });
});

describe('wide bounds', () => {
  it('are renewed from integers, so that a long network with large weights leaves little undecided', () => {
    const options = {
      steps: 12,
      inputs: 2,
      outputs: 1,
      rank: 12,
      features: { size: 8 },
      init: 'normal',
      seed: 1,
    } as const;
    const model = createModel({ kind: 'tt', xi: 'rectifier', ...options });
    const rng = new Rng(8);
    const templates = tensor(
      Float32Array.from({ length: 4 }, () => rng.normal()),
      [2, 2],
    );
    const network = exactNetwork('test', model, templates, new Array(12).fill([0, 1]));
    const { values, undecided } = filteredResidues(network, 16_777_213);
    expect(undecided).toBeLessThan(10);
    expect(network.known.size).toBeGreaterThan(0);
    const field = new PrimeField(16_777_213);
    const plain = exactNetwork('test', model, templates, network.choice);
    for (const row of [0, 1000, 4095]) {
      const { integers, exponent } = plain.row(plain.root, row);
      expect(values[row]).toBe(field.ofDyadic(integers[0], exponent));
    }
  });
});

describe('elimination modulo a prime', () => {
  it.each(subjects)('on $label finds rank and pivots whose minor has it', (subject) => {
    const backend = subject.open();
    const shapes = {
      m: fc.integer({ min: 0, max: 70 }),
      n: fc.integer({ min: 0, max: 70 }),
      r: fc.integer({ min: 0, max: 50 }),
    };
    fc.assert(
      fc.property(
        fc.record({ ...shapes, seed: fc.nat(1000), p: fc.constantFrom(3, 101, 16_777_213, 67_108_859) }),
        (one) => {
          const { m, n, r, seed, p } = one;
          const field = new PrimeField(p);
          const rng = new Rng(seed);
          const draw = (length: number) => Float64Array.from({ length }, () => rng.below(p));
          const [U, V] = [draw(m * r), draw(r * n)];
          const A = Float64Array.from({ length: m * n }, (_, at) => {
            let sum = 0;
            for (let i = 0; i < r; i++)
              sum = field.reduce(sum + field.multiply(U[Math.floor(at / n) * r + i], V[i * n + (at % n)]));
            return sum;
          });
          const { rank, rows, columns } = eliminate(backend, field, A.slice(), m, n);
          expect(rank).toBe(m * n === 0 ? 0 : backend.rankModulo(m, n, backend.adopt(A), p));
          if (p > 1000) expect(rank).toBe(Math.min(m, n, r));
          const minor = Float64Array.from(
            { length: rank * rank },
            (_, at) => A[rows[Math.floor(at / rank)] * n + columns[at % rank]],
          );
          expect(eliminate(backend, field, minor, rank, rank).rank).toBe(rank);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('what has no exact value is refused', () => {
  const make = (options: object) =>
    createModel({
      ...{ kind: 'tt', xi: 'max', steps: 2, inputs: 1, outputs: 1, rank: 1, features: { size: 1 } },
      ...options,
    });
  const templates = tensor(new Float32Array(2), [2, 1]);
  it.each(['logsumexp', 'l2'])('ξ = %s', (xi) => {
    expect(() => exactRank(make({ xi }), templates, [0])).toThrow(
      refusal('E_ARGUMENT', /xi: expected .*dyadic rationals.*received '(logsumexp|l2)'/),
    );
  });
  it('tanh features', () => {
    const model = make({ features: { size: 1, activation: 'tanh' } });
    expect(() => exactRank(model, templates, [0])).toThrow(
      refusal('E_ARGUMENT', /activation.*received 'tanh'/),
    );
  });
  it('no prime, modes that are not there, and what does not fit into memory', () => {
    expect(() => exactRank(make({}), templates, [0], { prime: 9 })).toThrow(
      refusal('E_ARGUMENT', /a prime, received 9/),
    );
    const options = { onProgress: 5 } as object;
    expect(() => exactRank(make({}), templates, [0], options)).toThrow(refusal('E_ARGUMENT', /onProgress/));
    expect(() => exactRank(make({}), templates, [2])).toThrow(refusal('E_ARGUMENT', /rowModes/));
    expect(() => exactRank(make({ steps: 40 }), templates, [0])).toThrow(
      refusal('E_MEMORY', /at most \d+ bytes \(maxBytes\), received 1099511627776 exact scores, \d+ bytes/),
    );
  });
});
