import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DTYPE_ID } from '../../src/core/abi.gen.ts';
import { XI } from '../../src/core/xi.gen.ts';
import { ROOT } from '../support/processes.ts';

const BYTES = 2 ** 20;
const [REFUSED, DONE] = [1, 0];

const bytesOf = (name: string) => readFileSync(join(ROOT, `wasm/${name}.wasm`));
/** Relaxed SIMD is behind a flag in Node 20. */
const runsHere = (name: string) => WebAssembly.validate(bytesOf(name));

/** What a module itself does with arguments that no check in JavaScript has seen, where sizes have 32 bits. */
describe.each(['xitensor', 'xitensor-relaxed'].filter(runsHere))('the module %s', (name) => {
  type Call = (...args: readonly number[]) => number;
  let call: Readonly<Record<string, Call>>;
  let memory: WebAssembly.Memory;
  let at: number;

  beforeAll(async () => {
    // A GiB and something: pages that nobody writes to cost nothing.
    memory = new WebAssembly.Memory({ initial: 2 ** 14 + 64, maximum: 2 ** 14 + 1024 });
    const module = new WebAssembly.Module(bytesOf(name));
    const instance = await WebAssembly.instantiate(module, { env: { memory, start_workers: () => {} } });
    call = instance.exports as unknown as typeof call;
    call.__wasm_call_ctors();
    at = call.xt_alloc(BYTES);
  });

  const context = 1 << 8;
  const { float32: f32 } = DTYPE_ID;
  const joined = (plan: readonly number[]) => {
    const words = at + BYTES / 2;
    new Int32Array(memory.buffer, words, plan.length).set(plan);
    return call.xt_joined(
      ...[context, f32, XI.max.id, 0, 1, 0, words, plan.length, at, at + 512, ...Array<number>(6).fill(0)],
      ...[at + 1024, at + 2048],
    );
  };
  const length = (...LRK: readonly number[]) => call.xt_packed_length(context, f32, ...LRK, at);

  it('computes what fits', () => {
    expect(joined([0, 1, 1, 1, 1, 1, 3, 5, 4, 4, 1, 4, 1, 5, 1])).toBe(DONE);
    expect(length(3, 4, 5)).toBe(DONE);
  });

  it.each([0, 1, 2, 3])(
    'refuses a plan whose numbers of axes make a small sum, from the %ith on',
    (first) => {
      const canary = new Uint8Array(memory.buffer, at + BYTES / 4, 16).fill(7);
      const counts = [0, 1, 2].map((n) => [2 ** 31 - 1, 2 ** 31 - 1, 2][(n + first) % 3]);
      expect(joined([...(first === 3 ? [1, 1, 1, 2 ** 31 - 1] : [...counts, 0]), 1, 1, 1, 1])).toBe(REFUSED);
      expect([...canary]).toEqual(Array(16).fill(7));
    },
  );

  it('takes all the elements that an address can reach', () => {
    const [first, result] = [64 * 2 ** 16, at];
    expect(call.xt_sum_squares(context, f32, 2 ** 28, first, 0, result)).toBe(DONE);
    expect(call.xt_sum_squares(context, f32, 2 ** 28 + 2 ** 26, first, 0, result)).toBe(REFUSED);
    expect(call.xt_sum_squares(context, f32, 2 ** 30, first, 0, result)).toBe(REFUSED);
  });

  it('refuses weights whose panels are more than 32 bits can count', () => {
    for (const LRK of [
      [2 ** 29, 1, 1],
      [2 ** 15, 2 ** 14, 1],
      [1, 1, 2 ** 32 - 1],
      [2 ** 16, 2 ** 16, 1],
    ])
      expect(length(...LRK), LRK.join(' × ')).toBe(REFUSED);
    expect(call.xt_pack_weights(context, f32, 2 ** 29, 1, 1, at, at)).toBe(REFUSED);
    expect(call.xt_contract_packed(context, f32, 1, 0, 2 ** 29, 1, 1, at, at, at, at)).toBe(REFUSED);
  });
});
