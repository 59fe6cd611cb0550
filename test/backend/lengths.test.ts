import { describe, expect, it } from 'vitest';
import type { Backend, PackedWeights, Storage } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { lengthOf } from '../../src/core/realm.ts';
import { subjects } from '../support/subjects.ts';

const FAR = 1e8;

class Boasting extends Float32Array {
  override get length() {
    return FAR;
  }
}

const resized = () => {
  type Resizable = ArrayBuffer & { resize(bytes: number): void };
  const Buffer = ArrayBuffer as unknown as new (bytes: number, o: { maxByteLength: number }) => Resizable;
  const buffer = new Buffer(4096, { maxByteLength: 4096 });
  const array = new Float32Array(buffer, 0, 1024);
  buffer.resize(8);
  return array;
};

const detached = () => {
  const array = new Float32Array(1024);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

/** Arrays that claim to have more elements than are there, and how many there are. */
const LIARS: readonly (readonly [string, () => Float32Array, number])[] = [
  [
    'a property of its own',
    () => Object.defineProperty(new Float32Array(4), 'length', { value: FAR }) as Float32Array,
    4,
  ],
  ['a getter of its class', () => new Boasting(4) as Float32Array, 4],
  ['a detached buffer', detached, 0],
  ['a buffer that was shrunk', resized, 0],
];

const refusal = expect.objectContaining({
  name: 'XiError',
  code: expect.stringMatching(/^E_(SHAPE|ARGUMENT|BACKEND)$/),
});

describe.each(subjects)('$label and a length that is wrong by', ({ open }) => {
  const backend = open();
  it.each(LIARS)('%s', (_, make, elements) => {
    expect(lengthOf(make())).toBe(elements);
    const x = backend.adopt(make());
    expect(x.length).toBe(elements);
    expect(backend.sumSquares(x)).toBe(0);
    const out = backend.allocate('float32', 16);
    expect(() => backend.outer('sum', out.at(0, 1024 / 64), x, out)).toThrow(refusal);
    expect(() => backend.adam(backend.allocate('float32', 1024), x, x, x, {} as never)).toThrow(refusal);
  });

  it('weights that were changed after packing', () => {
    const packed = backend.packWeights(64, 64, 64, backend.allocate('float32', 64 ** 3));
    const s = (n: number) => backend.allocate('float32', n);
    const call = (weights: PackedWeights) =>
      backend.contractPacked('max', 64, s(4096), s(4096), weights, s(4096));
    call(packed);
    expect(() => Object.assign(packed, { K: 1 })).toThrow(TypeError);
    expect(() => Object.assign(packed, { values: s(1) })).toThrow(TypeError);
    expect(() => call({ ...packed, K: 1 })).toThrow(/weights that this backend packed/);
    try {
      Object.assign(packed.values, { data: new Float32Array(1) });
    } catch {
      call(packed); // it cannot be changed
      return;
    }
    if (backend.name === 'native') expect(() => call(packed)).toThrow(refusal);
  });

  it('a storage that says so, or that is none', () => {
    const claim = (storage: Storage) => Object.defineProperty(storage, 'length', { value: FAR });
    const inherit = (storage: Storage) => Object.create(storage, { length: { value: FAR } }) as Storage;
    if (backend.name === 'reference') return; // an array of JavaScript, which ends where it does
    for (const lie of [claim, inherit]) {
      expect(() => backend.sumSquares(lie(backend.allocate('float32', 4)))).toThrow(
        backend.name === 'wasm' && lie === claim ? TypeError : refusal,
      );
    }
  });
});

it.runIf(probeBackend('wasm').usable)('a module refuses what reaches beyond its memory', () => {
  const { backend } = selectBackend({ prefer: ['wasm'] });
  const lying = (times: number, far: number): { B: number; L: number; R: number; K: number } => {
    let asked = 0;
    return {
      get B() {
        return asked++ < times ? 2 : far;
      },
      ...{ L: 3, R: 4, K: 5 },
    };
  };
  const call = (on: Backend, sizes: ReturnType<typeof lying>) => {
    const s = (n: number) => on.allocate('float32', n);
    on.contract('sum', sizes, s(6), s(8), s(60), s(10));
  };
  // Read by the check of counts, by that of lengths, and by the binding.
  expect(() => call(backend, lying(99, 1e8))).not.toThrow();
  expect(() => call(backend, lying(2, 2 ** 29))).toThrow(refusal);
  expect(() => call(backend, lying(99, 1e8))).not.toThrow();
});
