import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';

/**
 * Trains for a few steps on batches of 2000 and prints what the process took: the bytes of WebAssembly memories, or the
 * most that was ever resident. An array over B·L·R would be 74 MB here, one over B·T·R of a CP network 48 MB.
 */
const CHILD = `
const memories = [];
const Own = WebAssembly.Memory;
WebAssembly.Memory = class extends Own { constructor(descriptor) { super(descriptor); memories.push(this); } };
const { createModel, openBackend, Trainer } = await import('${pathToFileURL(join(ROOT, 'dist/index.js'))}');
const { checkPlan } = await import('${pathToFileURL(join(ROOT, 'dist/train/options.js'))}');
const [name, shape] = [process.argv[2], JSON.parse(process.argv[3])];
const backend = await openBackend({ prefer: [name], threads: 1 });
const [count, steps, inputs] = [2000, 3, 8];
const X = { dtype: 'float32', shape: [count, steps, inputs], data: Float32Array.from({ length: count * steps * inputs }, (_, n) => Math.sin(n)) };
const data = { name: 'waves', inputs: X, labels: Int32Array.from({ length: count }, (_, n) => n % 2), classes: 2 };
const used = () => name === 'wasm' ? memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) : process.resourceUsage().maxRSS * 1024;
const trainer = (batch, options) => new Trainer(createModel({ ...shape, ...options, xi: 'rectifier', steps, inputs, outputs: 2, backend }), data, checkPlan('fit', { epochs: 9, batch }));
const small = trainer(10, { rank: 8, features: { size: 8 } });
small.step();
const before = used();
const large = trainer(count, {});
const made = used();
for (let n = 0; n < 2; n++) large.step();
console.log(JSON.stringify({ before, made, after: used(), parameters: large.model.parameterCount }));
`;

const [B, T, M, R, WIDTH] = [2000, 3, 96, 96, 2000];
const MB = 1e6;
/** Numbers for each example that the way forward keeps and that the way back needs, as docs/models.md counts them. */
const FAMILIES = {
  tt: { rank: R, stored: T * M + T * M + (T - 1) * R + 2, back: T * M + M + 2 * R },
  ht: { rank: R, stored: T * M + T * R + R + 2, back: T * M + 4 * R },
  cp: { rank: WIDTH, stored: T * M + 2, back: T * M },
} as const;

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, 'child.mjs'), CHILD);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function measure(name: string, kind: keyof typeof FAMILIES) {
  const { rank, stored, back } = FAMILIES[kind];
  const shape = JSON.stringify({ kind, rank, features: { size: M } });
  const { code, stdout, stderr } = await run([join(folder, 'child.mjs'), name, shape]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { before, made, after, parameters } = JSON.parse(stdout) as Record<string, number>;
  return { before, made, after, weights: 4 * parameters * 4, pass: 4 * B * (stored + back + T * 8) };
}

describe('a training step', () => {
  it.each(Object.keys(FAMILIES) as (keyof typeof FAMILIES)[])(
    'of %s takes parameters, gradients, two moments, the stored states and a block',
    async (kind) => {
      const { before, after, weights, pass } = await measure('wasm', kind);
      // Packed panels, of a CP network s and winners of a block of columns, what allocation leaves between.
      const block = 8 * MB + (kind === 'cp' ? 2 * 4 * 2 ** 20 : 0);
      expect(after).toBeGreaterThan(weights);
      expect(after).toBeLessThan(before + weights + pass + block);
      expect(pass + block).toBeLessThan(4 * B * T * WIDTH);

      const native = await measure('native', kind);
      expect(native.after - native.made).toBeLessThan(pass + block + 16 * MB);
    },
  );
});
