import { describe, expect, it } from 'vitest';
import * as library from '../src/index.ts';
import { outcome } from './support/outcome.ts';

const { XiError } = library;

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
  const short = { dtype: 'float64', shape: [2, 3], data: new Float64Array(2) } as const;
  const certify = (options: object) => () => library.certify(model, templates, options);
  const splice = { ...library.SPLICE_EXPERIMENT, folds: 0 };

  it.each<[string, () => unknown, RegExp]>([
    // All singular values would count, or none.
    ['a negative tolerance', certify({ tolerance: -1 }), /tolerance: expected a number from 0 and below 1/],
    ['a tolerance that is no number', certify({ tolerance: Number.NaN }), /tolerance: expected a number/],
    ['exact that is no boolean', certify({ exact: 'no' }), /exact: expected true or false/],
    ['a number to be told', certify({ onProgress: 1 }), /^certify onProgress: expected a function/],
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
      'a part of a backend',
      () => library.contract('ij->i', [templates], { backend: { contract: () => {} } as never }),
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
      /^outer x shape: expected a list of extents/,
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
      () => library.summarize(library.checkStudy({}), [{ R: 1 } as never], null),
      /^summarize rank: expected an integer/,
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
    [
      'validation data of other steps',
      () => library.fit(model, fitting, { validation: data }),
      /^fit validation two: expected 4 steps/,
    ],
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
});

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
