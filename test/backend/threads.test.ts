import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend, Joined, Storage } from '../../src/backend/interface.ts';
import { Rng } from '../../src/core/rng.ts';
import type { DType, FloatArray } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { createModel } from '../../src/models/model.ts';
import { checkPlan } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { lowRank, residues } from '../support/matrices.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import { subjects } from '../support/subjects.ts';

const THREADS = [1, 2, 3, 7];

const digest = (arrays: readonly FloatArray[]): string => {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
};

/** What every kernel makes of the same random numbers; all are large enough to be shared among threads. */
function everyKernel(backend: Backend, dtype: DType): Record<string, string> {
  const rng = new Rng(42);
  const random = (count: number): Storage => {
    const storage = backend.allocate(dtype, count);
    storage.write(Float64Array.from({ length: count }, () => rng.normal()));
    return storage;
  };
  const zero = (count: number) => backend.allocate(dtype, count);
  const results: Record<string, string> = {};
  const keep = (name: string, ...storages: Storage[]) => {
    results[name] = digest(storages.map((storage) => storage.read()));
  };
  const sizes = { B: 61, L: 17, R: 23, K: 37 };
  const [a, h, G, dout] = [random(61 * 17), random(61 * 23), random(17 * 23 * 37), random(61 * 37)];
  const [z, weights] = [random(5 * 9001), random(9001)];
  for (const xi of XI_NAMES) {
    const out = zero(61 * 37);
    backend.contract(xi, sizes, a, h, G, out);
    keep(`contract ${xi}`, out);
    for (const precision of dtype === 'float32' ? (['bf16x3', 'bf16'] as const) : []) {
      backend.contract(xi, sizes, a, h, G, out, precision);
      keep(`contract ${xi} at ${precision}`, out);
    }
    const to = { da: zero(61 * 17), dh: zero(61 * 23), dG: random(17 * 23 * 37) };
    backend.contractGradient(xi, sizes, { a, h, G, dout }, to, true);
    keep(`contractGradient ${xi}`, to.da, to.dh, to.dG);
    const [folded, dz, table] = [zero(9001), zero(5 * 9001), zero(151 * 199)];
    backend.fold(xi, 5, 9001, z, folded);
    backend.foldGradient(xi, 5, 9001, z, weights, dz);
    backend.outer(xi, z.at(0, 151), z.at(200, 199), table);
    keep(`fold ${xi}`, folded, dz, table);
  }
  // Few rows and many columns, which threads share by columns: of more than one block, the last panel cut short. A row has the
  // same bits alone and among others, whether weights are packed or not.
  const [x, y0, W] = [random(29 * 5), random(29 * 7), random(5 * 7 * 1181)];
  const packed = backend.packWeights(5, 7, 1181, W);
  for (const xi of ['product', 'rectifier', 'l2'] as const) {
    const all = zero(29 * 1181);
    backend.contract(xi, { B: 29, L: 5, R: 7, K: 1181 }, x, y0, W, all);
    for (const B of [1, 3, 4, 5, 13, 29]) {
      const [plain, fromPacked] = [zero(B * 1181), zero(B * 1181)];
      const [few, fewToo] = [x.at(0, B * 5), y0.at(0, B * 7)];
      backend.contract(xi, { B, L: 5, R: 7, K: 1181 }, few, fewToo, W, plain);
      backend.contractPacked(xi, B, few, fewToo, packed, fromPacked);
      const same = digest([all.at(0, B * 1181).read()]);
      expect([digest([plain.read()]), digest([fromPacked.read()])]).toEqual([same, same]);
    }
    keep(`contract ${xi} of many columns`, all);
  }
  // Gradients cut by rows, by batch elements, and, where an operand stands still along both or its rows overlap, not at all.
  for (const [name, batch, strides] of [
    ['rows', 1, [0, 67, 1]],
    ['batch elements', 30, [67, 0, 1]],
    ['nothing', 30, [0, 0, 1]],
    ['nothing, of windows that overlap', 1, [0, 1, 1]],
  ] as const) {
    for (const [combine, reduce] of [
      ['sum', 'logsumexp'],
      ['rectifier', 'sum'],
    ] as const) {
      const rows = batch === 1 ? 83 : 8;
      const [left, right, out, weights] = [
        rows * batch * 67,
        71 * 67,
        batch * rows * 71,
        batch * rows * 71,
      ].map(random);
      const plan: Joined = {
        ...{
          xi: 'sum',
          combine,
          reduce,
          fromUnit: false,
          batch: [batch],
          rows: [rows],
          columns: [71],
          terms: [67],
        },
        left: [{ data: left, strides: [...strides] }],
        right: [{ data: right, strides: [0, 67, 1] }],
        outStrides: [rows * 71, 71, 1],
      };
      backend.joined(plan, out);
      const to = { left: [zero(left.length)], right: [zero(right.length)] };
      backend.joinedGradient(plan, out, weights, to);
      keep(`joinedGradient ${combine} ${reduce} cut by ${name}`, to.left[0], to.right[0]);
    }
  }
  const dense = (data: Storage, cols: number) => ({ data, rowStride: cols, colStride: 1 });
  const C = random(83 * 71);
  backend.matmul(83, 71, 67, dense(random(83 * 67), 67), dense(random(67 * 71), 71), dense(C, 71), true);
  keep('matmul', C);
  for (const [M, N, K] of [
    [13, 901, 67],
    [301, 24, 530],
  ]) {
    const product = zero(M * N);
    backend.matmul(M, N, K, dense(random(M * K), K), dense(random(K * N), N), dense(product, N), false);
    keep(`matmul of ${M} rows and ${N} columns`, product);
  }
  const [y, bias, dy, dbias] = [random(301 * 97), random(97), random(301 * 97), zero(97)];
  for (const activation of ['identity', 'relu', 'tanh'] as const) {
    backend.activate(activation, 301, 97, bias, y);
    backend.activateGradient(activation, 301, 97, y, dy, dbias);
    keep(activation, y, dy, dbias);
  }
  const [p, g, m, v] = [random(50_021), random(50_021), random(50_021), zero(50_021)];
  backend.adam(p, g, m, v, {
    ...{ rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...{ correction1: 0.1, correction2: 0.001, scale: 0.7, decay: 0.01 },
  });
  keep('adam', p, m, v);
  const tokens = Int32Array.from({ length: 9001 }, (_, n) => (n * n) % 53);
  const [embedded, table] = [zero(9001 * 31), zero(31 * 53)];
  backend.embed(9001, 31, 53, tokens, random(31 * 53), embedded);
  backend.embedGradient(9001, 31, 53, tokens, random(9001 * 31), table);
  keep('embed', embedded, table);
  const [scores, dScores] = [random(9001 * 53), zero(9001 * 53)];
  results.loss = JSON.stringify(backend.loss('softmax', 9001, 53, scores, tokens, dScores));
  keep('loss gradient', dScores);
  results.sumSquares = String(backend.sumSquares(g));
  return results;
}

function trained(backend: Backend): string {
  const [count, steps, inputs] = [300, 5, 12];
  const rng = new Rng(7);
  const data = Float32Array.from({ length: count * steps * inputs }, () => rng.uniform());
  const labels = Int32Array.from({ length: count }, () => rng.below(4));
  const model = createModel({
    ...{ kind: 'tt', xi: 'rectifier', steps, inputs, outputs: 4, rank: 20, seed: 5, backend },
    features: { size: 16 },
  });
  const set = {
    name: 'random',
    inputs: { dtype: 'float32', shape: [count, steps, inputs], data },
    labels,
  } as const;
  const trainer = new Trainer(
    model,
    { ...set, classes: 4 },
    checkPlan('fit', { epochs: 9, batch: 128, seed: 3 }),
  );
  for (let step = 0; step < 20; step++) trainer.step();
  const { m, v } = trainer;
  return digest([model.block, m, v].map(({ storage }) => storage.read()));
}

/** Decompositions of a matrix that is compressed first, of a tall one and of one of full rank. */
function everyDecomposition(backend: Backend): Record<string, string> {
  const results: Record<string, string> = {};
  for (const [m, n, rank] of [
    [260, 180, 150],
    [180, 260, 150],
    [3000, 40, 40],
    [210, 210, 210],
  ]) {
    const A = backend.adopt(lowRank(new Rng(m, n), m, n, rank));
    const keep = (name: string, parts: Readonly<Record<string, Float64Array>>) => {
      for (const [part, values] of Object.entries(parts))
        results[`${name} ${part}, ${m} × ${n}`] = digest([values]);
    };
    keep('svd', { ...backend.svd(m, n, A) });
    keep('leftSvd', { ...backend.leftSvd(m, n, A) });
    keep('singularValues', { s: backend.singularValues(m, n, A) });
    keep('qr', { ...backend.qr(m, n, A) });
    keep('triangle', { R: backend.triangle(m, n, A) });
    const p = 16_777_213;
    const modular = backend.adopt(residues(new Rng(m, n), m, n, Math.min(rank, 60), p));
    results[`rankModulo, ${m} × ${n}`] = String(backend.rankModulo(m, n, modular, p));
    results[`numericalRank, ${m} × ${n}`] = String(backend.numericalRank(m, n, A, 1e-10));
    results[`fullRank, ${m} × ${n}`] = String(backend.fullRank(m, n, A, 1e-3));
  }
  return results;
}

const threaded = subjects.filter(({ label }) => !label.startsWith('reference'));

describe.each(threaded)('$label decomposes to the same bits', ({ label, open }) => {
  it('with any number of threads', () => {
    const all = (label.startsWith('native') ? THREADS : [1, 2, 3]).map((threads) => open(threads));
    expect(all.map(({ threads }) => threads).length).toBeGreaterThan(2);
    const [one, ...more] = all.map(everyDecomposition);
    expect(Object.keys(one).length).toBe(4 * 12);
    for (const other of more) expect(other).toEqual(one);
  });
});

const native = subjects.filter(({ label }) => label.startsWith('native'));
if (native.length === 0) console.warn('threads are not covered: the native backend cannot be had');

describe.each(native)('$label gives the same bits', ({ open }) => {
  it.each(['float32', 'float64'] as const)('from every kernel, %s', (dtype) => {
    const [one, ...more] = THREADS.map((threads) => everyKernel(open(threads), dtype));
    for (const other of more) expect(other).toEqual(one);
  });

  it('from twenty steps of training', () => {
    const results = THREADS.map((threads) => trained(open(threads)));
    expect(new Set(results).size).toBe(1);
  });

  it('from a second run', () => {
    expect(everyKernel(open(3), 'float32')).toEqual(everyKernel(open(3), 'float32'));
  });
});

// In a process of its own, since what may go wrong here ends the process.
const WORKERS = `
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { contract, createModel, openBackend, tensor } from '${new URL('dist/index.js', `file://${ROOT}`).href}';

const backend = await openBackend({ prefer: [process.argv[2]], threads: 3 });
const values = (count) => Float32Array.from({ length: count }, (_, n) => ((n * 37) % 101) / 50 - 1);
const operands = [[24, 30, 40], [200, 24], [200, 30]].map((shape) => tensor(values(shape.reduce((x, y) => x * y)), shape));
const model = createModel({ kind: 'tt', xi: 'l2', steps: 6, inputs: 20, outputs: 5, rank: 25, seed: 1, features: { size: 20 }, backend });
const compute = () => {
  const out = contract('ijk; bi,bj -> bk', operands, { xi: 'rectifier', backend });
  const scores = model.score(tensor(values(150 * 120), [150, 6, 20]));
  return Buffer.from(out.data.buffer).toString('hex') + Buffer.from(scores.data.buffer).toString('hex');
};
if (!isMainThread) {
  for (;;) parentPort.postMessage(compute());
}
const want = compute();
for (let round = 0; round < 3; round++) {
  const workers = Array.from({ length: 4 }, () => new Worker(fileURLToPath(import.meta.url), { argv: [process.argv[2]] }));
  await Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
    let seen = 0;
    worker.on('error', reject);
    worker.on('message', (got) => {
      if (got !== want) reject(new Error('a worker computed something else'));
      if (++seen === 3) resolve();
    });
  })));
  if (compute() !== want) throw new Error('wrong beside the workers');
  await Promise.all(workers.map((worker) => worker.terminate()));
  for (let n = 0; n < 5; n++) if (compute() !== want) throw new Error('wrong after the workers');
}
console.log('right');
`;

describe('worker_threads load it at once and are terminated in the middle of a call', () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));
  const backends = new Set(subjects.map(({ label }) => label.split(' ')[0]));
  it.each([...backends].filter((name) => name !== 'reference'))('%s', async (name) => {
    const script = join(folder, 'workers.mjs');
    writeFileSync(script, WORKERS);
    const outcome = await run([script, name]);
    expect(outcome).toEqual({ code: 0, signal: null, stdout: 'right\n', stderr: '' });
  });
});
