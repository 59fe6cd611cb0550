import { describe, expect, it } from 'vitest';
import type { Backend, Storage } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { contract, contractGradient, outer } from '../../src/contract/contract.ts';
import { type DType, type Tensor, zeros } from '../../src/core/tensor.ts';
import { createModel } from '../../src/models/model.ts';
import { refusal } from '../support/models.ts';
import { ROOT, run } from '../support/processes.ts';
import { subjects } from '../support/subjects.ts';

const open = (name: 'native' | 'wasm' | 'reference') => selectBackend({ prefer: [name] }).backend;

function put(backend: Backend, values: ArrayLike<number>, dtype: DType = 'float32'): Storage {
  const storage = backend.allocate(dtype, values.length);
  storage.write(values);
  return storage;
}

const ramp = (length: number) => Float32Array.from({ length }, (_, n) => (n % 23) - 11);

describe.each(subjects)('$label storage', ({ open: openSubject }) => {
  const backend = openSubject();

  it('begins as zeros, is written, filled and read as a copy', () => {
    const storage = backend.allocate('float64', 5);
    expect([...storage.read()]).toEqual([0, 0, 0, 0, 0]);
    storage.write([1, 2, 3, 4, 5]);
    const copy = storage.read();
    storage.fill(7);
    expect([...copy]).toEqual([1, 2, 3, 4, 5]);
    copy.fill(9);
    expect([...storage.read()]).toEqual([7, 7, 7, 7, 7]);
  });

  it('shares memory with its parts', () => {
    const storage = put(backend, [0, 1, 2, 3, 4, 5, 6, 7]);
    const part = storage.at(2, 4);
    part.at(1, 2).write([30, 40]);
    expect([...part.read()]).toEqual([2, 30, 40, 5]);
    expect([...storage.read()]).toEqual([0, 1, 2, 30, 40, 5, 6, 7]);
    expect([...storage.at(6).read()]).toEqual([6, 7]);
    expect(storage.at(8).length).toBe(0);
    const out = backend.allocate('float32', 2);
    backend.outer('sum', storage.at(3, 1), storage.at(6), out);
    expect([...out.read()]).toEqual([36, 37]);
  });

  it.each([
    [-1, 2],
    [7, 2],
    [9, 0],
    [0, -1],
    [0.5, 1],
    [Number.NaN, 1],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses the part at(%d, %d) of eight', (offset, length) => {
    expect(() => put(backend, ramp(8)).at(offset, length)).toThrow(refusal('E_SHAPE', /part of a storage/));
  });

  it('refuses to write another number of values, and then writes none', () => {
    const storage = put(backend, [1, 2, 3]);
    for (const values of [[9], [9, 9, 9, 9], []]) {
      expect(() => storage.write(values)).toThrow(refusal('E_SHAPE', /expected 3 values/));
    }
    expect([...storage.read()]).toEqual([1, 2, 3]);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53])('refuses to allocate %d elements', (length) => {
    const code = expect.stringMatching(/^E_(MEMORY|SHAPE)$/);
    expect(() => backend.allocate('float32', length)).toThrow(expect.objectContaining({ code }));
  });
});

const haveWasm = probeBackend('wasm').usable;
if (!haveWasm) console.warn('memory of wasm is not covered: it cannot be had');

describe.runIf(haveWasm)('storage of another backend', () => {
  const wasm = haveWasm ? open('wasm') : open('reference');
  const others: [string, () => Backend][] = [
    ...(probeBackend('native').usable ? [['native', () => open('native')] as [string, () => Backend]] : []),
    ['reference', () => open('reference')],
    ['another instance of wasm', () => open('wasm')],
  ];
  it.each(others)('wasm and %s refuse each other', (_, make) => {
    const other = make();
    for (const [backend, stranger] of [
      [wasm, other],
      [other, wasm],
    ]) {
      const own = put(backend, [1, 2, 3, 4]);
      const alien = put(stranger, [5, 6, 7, 8]);
      const out = backend.allocate('float32', 16);
      expect(() => backend.outer('sum', own, alien, out)).toThrow(
        refusal('E_BACKEND', /this backend allocated/),
      );
      expect(() => backend.sumSquares(alien)).toThrow(refusal('E_BACKEND'));
      const alienOut = stranger.allocate('float32', 16);
      expect(() => backend.outer('sum', own, own, alienOut)).toThrow(refusal('E_BACKEND'));
      expect([...out.read(), ...alienOut.read()]).toEqual(new Array(32).fill(0));
    }
  });
});

describe.runIf(haveWasm)('memory of wasm', () => {
  const bytesOf = (backend: Backend): number => {
    const storage = backend.allocate('float32', 1) as Storage & {
      instance: { exports: { memory: { buffer: ArrayBuffer } } };
    };
    return storage.instance.exports.memory.buffer.byteLength;
  };

  it('may grow under storages, copies and models', () => {
    const backend = open('wasm');
    const model = createModel({
      ...{ kind: 'tt', xi: 'rectifier', steps: 4, inputs: 5, outputs: 3, rank: 6, seed: 3, backend },
      features: { size: 7 },
    });
    const X: Tensor = { dtype: 'float32', shape: [9, 4, 5], data: ramp(180) };
    const before = model.score(X);
    const storage = put(backend, ramp(1000));
    const part = storage.at(100, 50);
    const copy = storage.read();
    const size = bytesOf(backend);
    const large = Array.from({ length: 12 }, () => backend.allocate('float32', 2 ** 22));
    expect(bytesOf(backend)).toBeGreaterThan(size + 11 * 2 ** 24);
    expect(copy).toEqual(ramp(1000));
    expect(storage.read()).toEqual(ramp(1000));
    part.fill(5);
    expect(storage.read().subarray(98, 102)).toEqual(Float32Array.of(...ramp(100).subarray(98), 5, 5));
    expect(model.score(X)).toEqual(before);
    large[11].fill(1);
    expect(backend.sumSquares(large[11])).toBe(2 ** 22);
  });

  it('is given back by every synchronous call: a loop that never yields does not fill it', () => {
    const backend = open('wasm');
    const options = { xi: 'max', backend } as const;
    const model = createModel({
      ...{ kind: 'tt', xi: 'max', steps: 2, inputs: 100, outputs: 2, rank: 3, backend },
      features: { size: 50 },
    });
    const [G, a, h] = [zeros([250, 1, 1]), zeros([1000, 250]), zeros([1000, 1])];
    const calls = (n: number) => {
      contract('ijk; bi,bj -> bk', [G, a, h], options);
      contractGradient('ijk; bi,bj -> bk', [G, a, h], zeros([1000, 1]), options);
      outer(zeros([500]), zeros([500]), options);
      const X = zeros([400 + (n % 7), 2, 100]);
      model.score(X);
      model.states(X);
      model.gradients(X, zeros([X.shape[0], 2]));
      expect(() => contract('ijk; bi,bj -> bk', [G, a], options)).toThrow();
    };
    for (let n = 0; n < 14; n++) calls(n);
    const size = bytesOf(backend);
    for (let n = 0; n < 70; n++) calls(n);
    // Fragments of the seven batch sizes may cost a little; without release it would be some 500 MB.
    expect(bytesOf(backend) - size).toBeLessThan(2 ** 23);
  });

  it('refuses a storage that was released, and more than 4 GiB', () => {
    const backend = open('wasm');
    const storage = put(backend, [1, 2]);
    const part = storage.at(1);
    storage.release();
    storage.release();
    for (const use of [() => storage.read(), () => part.fill(1), () => backend.sumSquares(part)]) {
      expect(use).toThrow(refusal('E_BACKEND', /released/));
    }
    expect(() => backend.allocate('float64', 2 ** 29)).toThrow(
      refusal('E_MEMORY', /4 GiB.*once a timer or setImmediate was awaited/),
    );
    expect([...put(backend, [3]).read()]).toEqual([3]);
  });

  it('is freed by the garbage collector: 100 × 64 MB pass through 4 GiB', async () => {
    const script = `
      const { openBackend } = await import(${JSON.stringify(new URL('dist/index.js', `file://${ROOT}`).href)});
      const backend = await openBackend({ prefer: ['wasm'] });
      for (let n = 0; n < 100; n++) {
        backend.allocate('float32', 2 ** 24).at(5, 1).fill(n);
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve));
      }
      console.log('survived');`;
    const outcome = await run(['--expose-gc', '--input-type=module', '-e', script]);
    expect(outcome).toMatchObject({ code: 0, stdout: 'survived\n', stderr: '' });
  });
});

it('native and reference fail with E_MEMORY where the heap is too small', () => {
  for (const name of ['native', 'reference'] as const) {
    if (!probeBackend(name).usable) continue;
    expect(() => open(name).allocate('float64', 2 ** 45)).toThrow(refusal('E_MEMORY'));
  }
});
