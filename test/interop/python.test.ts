import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { readNpy, writeNpy } from '../../src/io/disk.ts';
import type { ModelOptions } from '../../src/models/config.ts';
import { loadModel, saveModel } from '../../src/models/disk.ts';
import { createModel, type Model } from '../../src/models/model.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { expectClose } from '../support/golden.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import { pythonWith } from '../support/python.ts';
import { subjects } from '../support/subjects.ts';

const SCRIPT = join(ROOT, 'examples/interop.py');
const python = await pythonWith('numpy');

const FAMILIES: readonly Partial<ModelOptions>[] = [
  { kind: 'cp', rank: 7 },
  { kind: 'cp', rank: 7, shared: true },
  { kind: 'tt', rank: 4, projection: 3 },
  { kind: 'tt', rank: 4, shared: true },
  { kind: 'ht', rank: [4, 5, 3] },
  { kind: 'ht', rank: 4, diagonal: true },
  { kind: 'ht', rank: 4, shared: true },
];
const [STEPS, INPUTS, OUTPUTS, BATCH] = [6, 4, 3, 20];

describe.runIf(python)('examples/interop.py, plain NumPy', () => {
  let folder: string;
  const inFolder = (name: string) => join(folder, name);
  const rng = new Rng(7);
  const normal = (shape: readonly number[]) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return tensor(
      Float32Array.from({ length: count }, () => rng.normal()),
      shape,
    );
  };
  const X = normal([BATCH, STEPS, INPUTS]);

  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function script(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run([SCRIPT, ...args], { program: python });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  const close = (what: string, got: Tensor, want: Tensor) => {
    expect(got.shape, what).toEqual(want.shape);
    expectClose(what, got.data, want.data, 1e-5);
  };

  it('reads what we write and computes the same scores, every family and every ξ', async () => {
    await writeNpy(inFolder('x.npy'), X);
    const models = new Map<string, Model>();
    for (const xi of XI_NAMES) {
      for (const [n, family] of FAMILIES.entries()) {
        const shape = { xi, steps: STEPS, inputs: INPUTS, outputs: OUTPUTS, rank: 4 } as const;
        const features = { size: 5, activation: (['relu', 'tanh', 'identity'] as const)[n % 3] };
        const options = { kind: 'tt', ...shape, ...family, features, init: 'normal', seed: n } as const;
        const model = createModel({ ...options, backend: subjects[n % subjects.length].open() });
        models.set(inFolder(`${xi}-${n}.safetensors`), model);
        await saveModel(model, inFolder(`${xi}-${n}.safetensors`));
      }
    }
    await script('score', inFolder('x.npy'), ...models.keys());
    for (const [path, model] of models) {
      const scores = await readNpy(path.replace('.safetensors', '.scores.npy'));
      close(path, scores, model.score(X));
    }
  });

  it('writes what we read: a network that it trained has the same scores here', async () => {
    const inputs = normal([60, STEPS, INPUTS]);
    const labels = Int32Array.from({ length: 60 }, (_, n) => Number(inputs.data[n * STEPS * INPUTS] > 0));
    await writeNpy(inFolder('train.npy'), inputs);
    await writeNpy(inFolder('labels.npy'), tensor(Float64Array.from(labels)));
    const path = inFolder('theirs.safetensors');
    const printed = await script('train', inFolder('train.npy'), inFolder('labels.npy'), path);
    const [first, last] = [...printed.matchAll(/loss (\S+)/g)].map(([, loss]) => Number(loss));
    expect(last).toBeLessThan(0.7 * first);
    const want = await readNpy(inFolder('theirs.scores.npy'));
    for (const { label, open } of subjects) {
      const model = await loadModel(path, { backend: open() });
      expect(model.config).toMatchObject({ kind: 'tt', xi: 'rectifier', rank: [5, 5, 5, 5, 5] });
      close(label, want, model.score(inputs));
      const { loss } = evaluate(model, { name: 'theirs', inputs, labels, classes: 2 });
      expect(loss).toBeLessThan(last * 1.05);
    }
  });
});
