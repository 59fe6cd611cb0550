import { describe, expect, it } from 'vitest';
import { type AdamOptions, type Backend, LOSSES, type Storage } from '../../src/backend/interface.ts';
import { XiError } from '../../src/core/errors.ts';
import { type DType, tensor } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { subjects } from '../support/subjects.ts';

type Make = (length: number, dtype?: DType) => Storage;
/** A call whose arguments can be replaced by name: lengths and dtypes of storages, sizes, names. */
type Call = (
  backend: Backend,
  make: (name: string, length: number) => Storage,
  size: (name: string, n: number) => number,
) => void;

const dense = (data: Storage, cols: number) => ({ data, rowStride: cols, colStride: 1 });
const ADAM: AdamOptions = {
  ...{ rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
  ...{ correction1: 0.1, correction2: 0.01, scale: 1, decay: 0 },
};

/** Operands that have strides. */
const STRIDED: Readonly<Record<string, readonly string[]>> = {
  matmul: ['A', 'B', 'C'],
  projectFold: ['f', 'v'],
  winnerSums: ['x', 'out'],
};

const TOKENS = Int32Array.of(3, 0, 3);

const CALLS: Readonly<Record<string, Call>> = {
  contract: (on, s, n) =>
    on.contract(
      'sum',
      { B: n('B', 2), L: n('L', 3), R: n('R', 4), K: n('K', 5) },
      ...([s('a', 6), s('h', 8), s('G', 60), s('out', 10)] as const),
    ),
  contractGradient: (on, s, n) =>
    on.contractGradient(
      'max',
      { B: n('B', 2), L: n('L', 3), R: n('R', 4), K: n('K', 5) },
      { a: s('a', 6), h: s('h', 8), G: s('G', 60), dout: s('dout', 10) },
      { da: s('da', 6), dh: s('dh', 8), dG: s('dG', 60) },
      false,
    ),
  contractGrid: (on, s, n) =>
    on.contractGrid(
      'min',
      { P: n('P', 2), M: n('M', 3), L: n('L', 4), R: n('R', 5), K: n('K', 1) },
      ...([s('a', 12), s('h', 10), s('G', 20), s('out', 6)] as const),
    ),
  fold: (on, s, n) => on.fold('l2', n('steps', 3), n('count', 4), s('z', 12), s('out', 4)),
  foldGradient: (on, s, n) =>
    on.foldGradient('l2', n('steps', 3), n('count', 4), s('z', 12), s('dout', 4), s('dz', 12)),
  projectFold: (on, s, n) =>
    on.projectFold(
      'rectifier',
      { steps: n('steps', 3), B: n('B', 2), R: n('R', 4), M: n('M', 5) },
      { data: s('f', 30), row: 15, step: 5 },
      { data: s('v', 60), row: 5, step: 20 },
      {
        sum: { K: n('K', 3), lambda: s('lambda', 12), scores: s('scores', 6) },
        s: s('s', 8),
        winners: s('winners', 8),
      },
    ),
  winnerSums: (on, s, n) =>
    on.winnerSums(
      { steps: n('steps', 6), P: n('P', 2), Q: n('Q', 4), M: n('M', 5) },
      ...([s('winners', 8), s('d', 8), false] as const),
      { data: s('x', 120), row: 5, step: 20 },
      { data: s('out', 60), row: 30, step: 5 },
    ),
  outer: (on, s) => on.outer('sum', s('x', 3), s('y', 4), s('out', 12)),
  matmul: (on, s, n) =>
    on.matmul(
      n('M', 2),
      n('N', 3),
      n('K', 4),
      dense(s('A', 8), 4),
      dense(s('B', 12), 3),
      dense(s('C', 6), 3),
      false,
    ),
  activate: (on, s, n) => on.activate('relu', n('rows', 3), n('cols', 4), s('bias', 4), s('z', 12)),
  activateGradient: (on, s, n) =>
    on.activateGradient('tanh', n('rows', 3), n('cols', 4), s('y', 12), s('dy', 12), s('dbias', 4)),
  embed: (on, s, n) => on.embed(n('rows', 3), n('M', 2), n('N', 4), TOKENS, s('A', 8), s('z', 6)),
  embedGradient: (on, s, n) =>
    on.embedGradient(n('rows', 3), n('M', 2), n('N', 4), TOKENS, s('dz', 6), s('dA', 8)),
  loss: (on, s, n) =>
    on.loss('mse', n('rows', 3), n('outputs', 2), s('scores', 6), s('targets', 6), s('dScores', 6)),
  adam: (on, s) => on.adam(s('p', 7), s('g', 7), s('m', 7), s('v', 7), ADAM),
};

/** Runs a call with some arguments replaced, and returns what it threw and whether any storage changed. */
function attempt(
  backend: Backend,
  call: Call,
  replace: {
    storage?: (name: string, length: number, make: Make) => Storage | undefined;
    size?: [string, number];
  },
) {
  const made: { storage: Storage; before: ArrayLike<number> }[] = [];
  const make: Make = (length, dtype = 'float32') => {
    const storage = backend.allocate(dtype, length);
    storage.write(Array.from({ length }, (_, n) => 1 + (n % 5)));
    made.push({ storage, before: storage.read() });
    return storage;
  };
  let error: unknown;
  try {
    call(
      backend,
      (name, length) => replace.storage?.(name, length, make) ?? make(length),
      (name, n) => (replace.size?.[0] === name ? replace.size[1] : n),
    );
  } catch (thrown) {
    error = thrown;
  }
  const changed = made.some(({ storage, before }) => storage.read().some((value, n) => value !== before[n]));
  return { error, changed };
}

/** Names of the arguments of a call, in order, from a run that works. */
function namesOf(backend: Backend, call: Call) {
  const storages: string[] = [];
  const sizes: string[] = [];
  call(
    backend,
    (name, length) => {
      storages.push(name);
      return backend.allocate('float32', length);
    },
    (name, n) => {
      sizes.push(name);
      return n;
    },
  );
  return { storages, sizes };
}

const refused = (code: RegExp, message: RegExp) => ({
  error: expect.objectContaining({
    name: 'XiError',
    code: expect.stringMatching(code),
    message: expect.stringMatching(message),
  }),
  changed: false,
});

describe.each(subjects)('$label', ({ open }) => {
  const backend = open();
  describe.each(Object.entries(CALLS))('%s', (kernel, call) => {
    const { storages, sizes } = namesOf(backend, call);

    it('changes something when its arguments fit', () => {
      expect(attempt(backend, call, {})).toEqual({ error: undefined, changed: true });
    });

    it.each(storages)('refuses %s of another length', (name) => {
      for (const wrong of [(n: number) => n - 1, (n: number) => n + 1, () => 0]) {
        const outcome = attempt(backend, call, {
          storage: (which, length, make) => (which === name ? make(wrong(length)) : undefined),
        });
        // A strided operand may be part of something longer; and outer reads its sizes off x and y.
        const longer = STRIDED[kernel]?.includes(name) && wrong(8) > 8;
        if (longer) expect(outcome.error).toBeUndefined();
        else expect(outcome).toEqual(refused(/^E_SHAPE$/, new RegExp(`^${kernel} \\w+: expected`)));
      }
    });

    it.each(storages)('refuses %s of another dtype', (name) => {
      const outcome = attempt(backend, call, {
        storage: (which, length, make) => (which === name ? make(length, 'float64') : undefined),
      });
      expect(outcome).toEqual(refused(/^E_DTYPE$/, new RegExp(`^${kernel} \\w+: expected float(32|64)`)));
    });

    it.each(sizes)('refuses a size %s that does not fit', (name) => {
      for (const value of [-1, 1.5, 1e9, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(attempt(backend, call, { size: [name, value] })).toEqual(refused(/^E_SHAPE$/, /./));
      }
    });
  });

  it.each(Object.entries(CALLS))('%s refuses what is no storage', (kernel, call) => {
    const { storages } = namesOf(backend, call);
    for (const wanted of storages) {
      for (const wrong of [new Float32Array(12), tensor([1, 2]), 7, 'x', []]) {
        const outcome = attempt(backend, call, {
          storage: (name) => (name === wanted ? (wrong as unknown as Storage) : undefined),
        });
        expect(outcome).toEqual(
          refused(/^E_ARGUMENT$|^E_DTYPE$/, new RegExp(`^${kernel} .*: expected an? `)),
        );
      }
    }
  });

  it.each(Object.entries(CALLS))('%s refuses to be called with too little', (name, call) => {
    const given: unknown[][] = [];
    const kernel = (...list: unknown[]) => void given.push(list);
    call(
      new Proxy(backend, { get: () => kernel }),
      (_, length) => backend.allocate('float32', length),
      (_, n) => n,
    );
    const [list] = given;
    const own = backend[name as 'outer'] as (...list: unknown[]) => unknown;
    // The last of some may be left out.
    for (let count = 0; count < list.length - 1; count++)
      expect(() => own(...list.slice(0, count)), `${count}`).toThrow(XiError);
    for (let n = 0; n < list.length - 1; n++) {
      if (typeof list[n] === 'boolean') continue;
      for (const wrong of [undefined, null, {}])
        expect(() => own(...list.with(n, wrong)), `${n} ${wrong}`).toThrow(XiError);
    }
  });

  it('refuses what is no storage or size, by name', () => {
    const own = backend as unknown as Record<string, (...list: unknown[]) => unknown>;
    const raw = (length: number) => new Float32Array(length);
    const sizes = { B: 1, L: 1, R: 1, K: 1 };
    expect(() => own.contract('max')).toThrow('contract sizes: expected { B, L, R, K }, received undefined');
    expect(() => own.contract('max', { B: 1, L: 1 })).toThrow('contract R: expected a non-negative integer');
    expect(() => own.contract('max', sizes, raw(1), raw(1), raw(1), raw(1))).toThrow(
      'contract a: expected a storage (allocate or adopt of the backend), received Float32Array(4 bytes)',
    );
    expect(() => own.packWeights(1, 1, 1)).toThrow('packWeights G: expected a storage');
    expect(() => own.sumSquares()).toThrow('sumSquares x: expected a storage');
    expect(() => own.qr(1, 1, raw(1))).toThrow('qr A: expected a storage');
    expect(() => own.peak('int8', 1)).toThrow('peak dtype: expected one of float32, float64');
    for (const dtype of ['int8', undefined])
      expect(() => own.allocate(dtype, 4)).toThrow('storage dtype: expected one of float32, float64');
    expect(() => own.allocate('float32')).toThrow('storage: expected a non-negative number of elements');
  });

  it('refuses sizes whose product fits but which are none', () => {
    const [a, h, G, out] = [4, 4, 4, 4].map((length) => backend.allocate('float32', length));
    const negative = { B: -2, L: -2, R: -2, K: -2 };
    expect(() => backend.contract('sum', negative, a, h, G, out)).toThrow(
      /contract B: expected a non-negative/,
    );
    expect(() => backend.fold('sum', -2, -2, a, out)).toThrow(/fold steps/);
    expect(() => backend.activate('relu', 0.5, 8, backend.allocate('float32', 8), a)).toThrow(
      /activate rows/,
    );
  });

  it('refuses names that are not in the table', () => {
    const s = backend.allocate('float32', 1);
    expect(() => backend.outer('plus' as Xi, s, s, s)).toThrow(
      /xi: expected one of product, .*received 'plus'/,
    );
    expect(() => backend.activate('gelu' as 'relu', 1, 1, s, s)).toThrow(
      /activation: expected one of identity/,
    );
  });

  it.each([
    ['too few', [0, 1], 'E_SHAPE', /3 indices, received 2/],
    ['a negative one', [0, -1, 1], 'E_ARGUMENT', /index 1: expected an index from 0 to 1, received -1/],
    ['one beyond', [0, 1, 2], 'E_ARGUMENT', /index 2: expected an index from 0 to 1, received 2/],
  ] as const)('refuses %s of tokens and classes', (_, list, code, message) => {
    const s = (n: number) => backend.allocate('float32', n);
    const indices = Int32Array.from(list);
    const refusal = expect.objectContaining({ code, message: expect.stringMatching(message) });
    expect(() => backend.embed(3, 2, 2, indices, s(4), s(6))).toThrow(refusal);
    expect(() => backend.embedGradient(3, 2, 2, indices, s(6), s(4))).toThrow(refusal);
    for (const loss of LOSSES) expect(() => backend.loss(loss, 3, 2, s(6), indices)).toThrow(refusal);
  });

  it('refuses winners that are no steps, rows that fall together, and a ξ that has no winners', () => {
    const s = (...values: number[]) => {
      const storage = backend.allocate('float32', values.length);
      storage.write(values);
      return storage;
    };
    const rows = (data: Storage) => ({ data, row: 1, step: 1 });
    const sizes = { steps: 2, P: 1, Q: 1, M: 1 };
    for (const winner of [2, -2, Number.NaN]) {
      const call = () => backend.winnerSums(sizes, s(winner), s(1), false, rows(s(1, 2)), rows(s(0, 0)));
      expect(call).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
    }
    const two = { steps: 2, P: 2, Q: 1, M: 1 };
    for (const [row, step] of [
      [1, 1],
      [0, 2],
    ])
      expect(() =>
        backend.winnerSums(two, s(0, 0), s(1, 1), false, rows(s(1, 2)), { data: s(0, 0, 0, 0), row, step }),
      ).toThrow(/winnerSums out: expected strides that keep elements apart, received \[\d, \d, 1\]/);
    const fold = { steps: 2, B: 1, R: 1, M: 1 };
    expect(() => backend.projectFold('sum', fold, rows(s(1, 2)), rows(s(1, 2)), { winners: s(0) })).toThrow(
      /projectFold winners: expected rectifier, max or min/,
    );
  });

  it('refuses a softmax of targets, and an unknown loss', () => {
    const s = (n: number) => backend.allocate('float32', n);
    expect(() => backend.loss('softmax', 3, 2, s(6), s(6))).toThrow(/an Int32Array of classes/);
    expect(() => backend.loss('hinge' as 'mse', 3, 2, s(6), s(6))).toThrow(
      /loss kind: expected one of softmax, mse/,
    );
  });

  it('refuses a result with overlapping or strided rows', () => {
    const s = (n: number) => backend.allocate('float32', n);
    const matmul = (rowStride: number, colStride: number) =>
      backend.matmul(2, 3, 4, dense(s(8), 4), dense(s(12), 3), { data: s(20), rowStride, colStride }, false);
    expect(() => matmul(2, 1)).toThrow(/matmul C: expected dense rows of 3/);
    expect(() => matmul(6, 2)).toThrow(/matmul C: expected dense rows of 3/);
    expect(() => matmul(-3, 1)).toThrow(/non-negative/);
    expect(() => matmul(3, 1)).not.toThrow();
  });
});

describe('packed weights', () => {
  it.each(subjects)('of another backend are refused, and so are wrong lengths, $label', ({ open }) => {
    const [backend, other] = [open(), open()];
    const [a, h, G, out] = [4, 6, 24, 8].map((length) => backend.allocate('float32', length));
    G.fill(1);
    const packed = backend.packWeights(2, 3, 4, G);
    backend.contractPacked('max', 2, a, h, packed, out);
    expect(() => other.contractPacked('max', 2, a, h, packed, out)).toThrow(
      /weights that this backend packed/,
    );
    expect(() => backend.contractPacked('max', 3, a, h, packed, out)).toThrow(/contractPacked a: expected 6/);
    expect(() => backend.packWeights(2, 3, 5, G)).toThrow(/packWeights G: expected 30/);
  });
});
