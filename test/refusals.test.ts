import { describe, expect, it } from 'vitest';
import * as library from '../src/index.ts';

const { XiError } = library;

/** What no function takes for an argument that it needs, and what some take. */
const JUNK: readonly unknown[] = [
  ...[undefined, null, Number.NaN, -1, 1.5, 1e300, '', 'abc', true, 10n, Symbol('s'), () => 1, new Map()],
  ...[[], [Number.NaN], {}, new Float32Array(2), new Float64Array([Number.NaN])],
  { dtype: 'float32', shape: [2], data: new Float32Array(2) },
  { dtype: 'float64', shape: [3], data: new Float64Array(2) },
  { dtype: 'float32', shape: 3, data: new Float32Array(3) },
  { dtype: 'x', shape: [1], data: [1] },
];

/** Nothing is wrong with no argument at all: they would set to work. */
const WORKS = ['crossValidateSplice', 'loadSpam', 'verify'];

const functions = Object.entries(library).filter(
  ([name, value]) => typeof value === 'function' && !/^class\b/.test(String(value)) && !WORKS.includes(name),
) as [string, (...args: readonly unknown[]) => unknown][];

/** Whether a message begins with the name of the function, or of the file or the bytes that it was told the name of. */
function beginsWith(message: string, name: string, args: readonly unknown[]): boolean {
  const given = args.filter((value) => typeof value === 'string' && value !== '');
  const names = [name, ...given, ...given.map((file) => `cannot read ${file}`), ...(NAMED[name] ?? [])];
  return names.some((word) => message.startsWith(`${word}:`) || message.startsWith(`${word} `));
}

/** What messages of others begin with. */
const NAMED: Readonly<Record<string, readonly string[]>> = { probeBackend: ['backend'] };

/** Runs what was called, of a generator its first step. */
async function outcome(call: () => unknown): Promise<unknown> {
  const result = call() as Partial<AsyncGenerator> | undefined;
  return typeof result?.next === 'function' ? result.next() : result;
}

describe('every function of the library refuses what it does not understand by an XiError', () => {
  it.each(functions)('%s', async (name, call) => {
    // `abc` would be written where the tests run.
    const junk = /^(write|save)/.test(name) ? JUNK.filter((value) => value !== 'abc') : JUNK;
    const tuples = [[], ...junk.flatMap((first) => [[first], ...junk.map((second) => [first, second])])];
    let refused = 0;
    for (const args of tuples) {
      await outcome(() => call(...args)).catch((error) => {
        refused++;
        const call = `${name}(${args.map(shown).join(', ')})`;
        if (!(error instanceof XiError)) expect.fail(`${call}: ${error}`);
        if (!beginsWith(error.message, name, args)) expect.fail(`${call} does not say who refuses: ${error}`);
      });
    }
    expect(refused).toBeGreaterThan(name === 'probeBackend' ? 10 : 0);
  });
});

describe('options that would change a result in silence', () => {
  const { tensor } = library;
  const model = library.createModel({
    ...{ kind: 'tt', xi: 'rectifier', steps: 4, inputs: 3, outputs: 1, rank: 2, dtype: 'float64' },
    features: { size: 3 },
  });
  const templates = tensor([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  const documents = { name: 'one', texts: ['a'], labels: Int32Array.of(0), classNames: ['x'] };
  const train = { cores: [tensor([[[1], [2]]])] };
  const cp = { weights: tensor([1]), factors: [] };
  const vocabulary = library.buildVocabulary(['a']);
  const options = { ...model.config, kind: 'tt' } as const;
  const trainer = () => new library.Trainer(model, fitting, { epochs: 1 });
  const own = { value: (x: number, y: number) => x + y };
  const short = { dtype: 'float64', shape: [2, 3], data: new Float64Array(2) } as const;
  const certify = (options: object) => () => library.certify(model, templates, options);
  const splice = { ...library.SPLICE_EXPERIMENT, folds: 0 };

  it.each<[string, () => unknown, RegExp]>([
    // All singular values would count, or none.
    ['a negative tolerance', certify({ tolerance: -1 }), /tolerance: expected a number from 0 and below 1/],
    ['a tolerance that is no number', certify({ tolerance: Number.NaN }), /tolerance: expected a number/],
    ['exact that is no boolean', certify({ exact: 'no' }), /exact: expected true or false/],
    ['row modes that are no list', certify({ rowModes: 'ab' }), /rowModes: expected a list of modes/],
    [
      'a limit that is no number',
      () => library.gridTensor(model, templates, { maxBytes: Number.NaN }),
      /maxBytes: expected an integer/,
    ],
    [
      'a misspelt limit',
      () => library.gridTensor(model, templates, { memorylimit: 3 } as object),
      /expected options among .*received 'memorylimit'/,
    ],
    ['data that do not fill a shape', () => library.matricize(short, [1]), /matricize: expected 6 elements/],
    ['no factor', () => library.ttScale(train, undefined as never), /factor: expected a finite number/],
    ['an unknown dtype', () => library.zeros([2], 'int8' as never), /zeros dtype: expected one of float32/],
    [
      'something else for a backend',
      () => library.contract('ij->i', [templates], { backend: {} as never }),
      /contract backend: expected what openBackend\(\) resolves to/,
    ],
    [
      'a number for a shape',
      () => library.contract.plan('ij->i', [3 as never]),
      /shape 0: expected a list of extents/,
    ],
    [
      'bf16 of doubles',
      () => library.contract.arg('; ij->i', [templates], { xi: 'sum', reduce: 'max', precision: 'bf16' }),
      /contract\.arg at precision bf16: expected float32/,
    ],
    [
      'no folds',
      async () => {
        for await (const _ of library.crossValidateSplice(splice));
      },
      /folds: expected an integer from 2/,
    ],
    [
      'no checks',
      async () => {
        for await (const _ of library.verify({ only: [] }));
      },
      /only: expected a list of ids/,
    ],
    [
      'fits that are no number',
      () => library.bracketWidth(templates, { xi: 'rectifier', fits: Number.NaN }),
      /fits: expected an integer/,
    ],
    [
      'examples that there are not',
      () => library.selectDataset(data, [0, 2]),
      /rows\[1\]: expected an integer/,
    ],
    [
      'more than all examples',
      () => library.splitRows(10, 1.5, 0),
      /fraction: expected a number from 0 to 1/,
    ],
    ['a list that contains itself', () => tensor(endless()), /at most 64 lists in one another/],
    ...[{ shape: null }, { shape: [10n, 2] }, { shape: [Symbol('s'), 2] }, { data: null }].map(
      (parts): [string, () => unknown, RegExp] => [
        `templates with ${Object.keys(parts)}`,
        () => library.exactRank(model, { ...templates, ...parts } as never, [0]),
        /^exactRank templates: expected/,
      ],
    ),
    [
      'templates for certify without a shape',
      () => library.certify(model, { ...templates, shape: [Symbol('s')] } as never),
      /^certify templates: expected/,
    ],
    [
      'examples without data',
      () => library.selectDataset({ ...data, inputs: { ...data.inputs, data: null } } as never, [0]),
      /^selectDataset inputs: expected a Float32Array or Float64Array/,
    ],
    [
      'examples of −1 steps',
      () => library.selectDataset({ ...data, inputs: { ...data.inputs, shape: [2, -1, 3] } }, [0]),
      /^selectDataset inputs: expected non-negative integers/,
    ],
    [
      'examples without answers',
      () => library.selectDataset({ ...data, labels: null } as never, [0]),
      /^selectDataset: expected a Dataset/,
    ],
    [
      'no images',
      () => library.cutPatches(null as never, { count: 1, height: 4, width: 4, patch: 2 }),
      /^cutPatches: expected a Uint8Array/,
    ],
    [
      'images of a side that is no number',
      () => library.cutPatches(new Uint8Array(16), { count: 1, height: 4n as never, width: 4, patch: 2 }),
      /^cutPatches height: expected an integer/,
    ],
    [
      'documents without class names',
      () => library.encodeParts({ ...documents, classNames: null } as never, documents),
      /^encodeParts: expected documents/,
    ],
    [
      'null for options',
      () => library.encodeParts(documents, documents, null as never),
      /^encodeParts: expected options/,
    ],
    ...[{ shape: null }, { shape: '12' }].map((parts): [string, () => unknown, RegExp] => [
      `an outer product of ${JSON.stringify(parts)}`,
      () => library.outer({ ...templates, ...parts } as never, templates, { xi: 'max' }),
      /^outer x: expected a Tensor/,
    ]),
    ['holes for cores', () => library.ttRanks({ cores: new Array(3) }), /^ttRanks core 0: expected a Tensor/],
    [
      'holes for factors',
      () => library.cpFull({ ...cp, factors: new Array(2) }),
      /^cpFull factor 0: expected/,
    ],
    [
      'holes for shapes',
      () => library.contract.plan('i,j->ij', new Array(2)),
      /^contract\.plan shape 0: expected/,
    ],
    ['a list for options', () => library.ttSvd(templates, [] as never), /^ttSvd: expected options/],
    [
      'a Map for options',
      () => library.ttSvd(templates, new Map([['eps', 1]]) as never),
      /^ttSvd: expected options/,
    ],
    [
      'an option that throws',
      () => library.ttSvd(templates, thrower('eps')),
      /^ttSvd eps: .*a getter that throws/,
    ],
    [
      'a tensor that throws',
      () => library.matricize(thrower('shape') as never, []),
      /^matricize: expected a Tensor/,
    ],
    [
      'a limit that is a symbol',
      certify({ maxBytes: Symbol('s') }),
      /^certify maxBytes: expected an integer/,
    ],
    ['row modes that are NaN', certify({ rowModes: Number.NaN }), /^certify rowModes: expected a list/],
    [
      'a bigint for metadata',
      () => library.namedParts({ format: 'tt', value: train }, { a: 1n }),
      /^namedParts extra: expected plain values/,
    ],
    [
      'a symbol for the name of bytes',
      () => library.decodeSafetensors(new Uint8Array(9), Symbol('s') as never),
      /^decodeSafetensors where: expected a name/,
    ],
    ...([[null], new Array(2), [{ rank: 1 }]] as never[]).map((cuts): [string, () => unknown, RegExp] => [
      `${JSON.stringify(cuts)} for cuts`,
      () => library.bestWidthBound({ xi: 'max', size: 2, steps: 2, cuts }),
      /^bestWidthBound cuts\[0\]: expected/,
    ]),
    [
      'no distribution',
      () => library.distributionsCsv([{ rank: 1 } as never]),
      /^distributionsCsv distribution 0/,
    ],
    [
      'a check that is a pattern',
      () => library.verify({ only: [/x/ as never] }).next(),
      /^verify only: expected beginnings/,
    ],
    [
      'a record without a rank',
      () => library.summarise(library.checkStudy({}), [{ R: 1 } as never], null),
      /^summarise rank: expected an integer/,
    ],
    [
      'no backend for a study',
      () => library.studyNetwork(undefined as never, library.checkStudy({}), { R: 1, index: 0 }),
      /^studyNetwork backend: expected/,
    ],
    [
      '−1 examples',
      () => library.selectDataset(data, { length: -1 }),
      /^selectDataset rows: expected a list/,
    ],
    [
      'true for a number',
      () => library.selectDataset(data, [true as never]),
      /^selectDataset rows\[0\]: expected/,
    ],
    [
      'labels that are bigints',
      () => library.stratifiedFold([1n] as never, 0, 2, 0),
      /^stratifiedFold labels\[0\]: expected an integer/,
    ],
    [
      'a label that is none of a class',
      () => library.encodeText({ ...documents, labels: Int32Array.of(1) }, vocabulary),
      /^encodeText one labels\[0\]: expected a class from 0 to 0/,
    ],
    [
      'words that are numbers',
      () => library.vocabularyOf([...vocabulary.words, 1 as never]),
      /^vocabularyOf: /,
    ],
    ['no progress', () => trainer().resume(null as never), /^resume: expected a progress/],
    [
      'no history',
      () => trainer().resume({ step: 0, loss: 0, correct: 0 }, undefined, [null] as never),
      /^resume history epoch: expected/,
    ],
    ['no figures', () => trainer().endEpoch({} as never), /^endEpoch validation: expected/],
    // Messages say which function refuses.
    ['a rank of 0', () => library.createModel({ ...options, rank: 0 }), /^createModel rank: expected/],
    ['no ξ', () => library.contract('; ij->i', [templates]), /^contract xi: expected/],
    [
      'no ξ of arg',
      () => library.contract.arg('; ij->i', [templates], { reduce: 'max' }),
      /^contract\.arg xi: /,
    ],
    [
      'no operands',
      () => library.contractGradient('ij->i', 3 as never, templates),
      /^contractGradient operands: /,
    ],
    ['a study of no templates', () => library.checkStudy({ M: 0 }), /^checkStudy M: expected/],
    ['no epochs', () => library.fit(model, data, { epochs: 0 }), /^fit epochs: expected/],
    ['no batch', () => new library.Trainer(model, data, { batch: 0 }), /^Trainer batch: expected/],
    ['no rate', () => new library.AdamW(model, { learningRate: -1 }), /^AdamW learningRate: expected/],
    [
      'a target that is no tensor',
      () => library.realize(3 as never, { kind: 'tt', xi: 'max' }),
      /^realize H: /,
    ],
    [
      'a rank that was left out',
      () =>
        library.createModel({
          ...model.config,
          kind: 'tt',
          steps: 3,
          rank: Object.assign(new Array(2), { 1: 2 }),
        }),
      /rank\[0\]: expected an integer/,
    ],
  ])('%s', async (_, call, message) => {
    const error = (await outcome(call).catch((reason) => reason)) as Error;
    expect(error).toBeInstanceOf(XiError);
    expect(error.message).toMatch(message);
  });

  const fitting = {
    ...{ name: 'four', inputs: library.zeros([4, 4, 3], 'float64'), classes: 1 },
    labels: Int32Array.of(0, 0, 0, 0),
  };
  const data = { name: 'two', inputs: library.zeros([2, 3, 3]), labels: Int32Array.of(0, 1), classes: 2 };

  it('gradients of an operator of one’s own are those of the table beside infinities', () => {
    const xi = { ...own, dx: () => 1, dy: () => 1 };
    const [one, infinite] = [tensor([1], []), tensor([1, Number.POSITIVE_INFINITY, 2])];
    const [got] = library.contractGradient('; k ->', [infinite], one, { xi, reduce: 'logsumexp' });
    const [want] = library.contractGradient('; k ->', [infinite], one, { xi: 'sum', reduce: 'logsumexp' });
    expect(got).toEqual(want);
    // The slope of the root at 0 is infinite, of a term that lost nothing.
    const root = { value: (x: number, y: number) => x + Math.sqrt(y), dx: () => 1, dy: slope, unit: 0 };
    const [gradient] = library.contractGradient('; k ->', [tensor([0, 4])], one, { xi: root, reduce: 'max' });
    expect([...gradient.data]).toEqual([0, 0.25]);
  });

  it('networks of more numbers than a call has arguments are made and added', () => {
    const open = library.openSetNetwork({ size: 400, steps: 2, rank: 2 });
    expect(open.config.projection).toBe(400);
    const sizes = {
      kind: 'cp',
      xi: 'product',
      steps: 2,
      inputs: 2,
      outputs: 10,
      features: { size: 2 },
    } as const;
    const wide = library.createModel({ ...sizes, rank: 10_000 });
    const sum = library.addNetworks(wide, wide);
    const x = library.zeros([1, 2, 2]);
    x.data.set([1, 2, 3, 4]);
    const [once, twice] = [wide, sum].map((network) => network.score(x).data);
    twice.forEach((score, c) => void expect(score).toBeCloseTo(2 * once[c], 3));
  });

  it('a certificate of more sequences than there is memory for is refused at once', async () => {
    const big = library.createModel({ ...model.config, kind: 'tt', steps: 16, rank: 2 });
    const many = tensor(
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

const slope = (_: number, y: number): number => 0.5 / Math.sqrt(y);

/** An object with a property that cannot be read. */
function thrower(name: string): object {
  const get = (): never => {
    throw new TypeError('not now');
  };
  return Object.defineProperty({}, name, { enumerable: true, get });
}

function endless(): library.NestedArray {
  const list: unknown[] = [];
  list.push(list);
  return list as never;
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value);
}
