import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor } from '../../src/core/tensor.ts';
import { readNpy, writeNpy } from '../../src/io/disk.ts';
import { loadModel, saveModel } from '../../src/models/disk.ts';
import { createModel } from '../../src/models/model.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { expectClose } from '../support/golden.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import { pythonWith } from '../support/python.ts';
import { subjects } from '../support/subjects.ts';

const SCRIPT = join(ROOT, 'examples/interop_torch.py');
const python = await pythonWith('numpy', 'torch');
const [STEPS, INPUTS, BATCH] = [5, 3, 60];

describe.runIf(python)('examples/interop_torch.py', () => {
  let folder: string;
  const inFolder = (name: string) => join(folder, name);
  const rng = new Rng(11);
  const X = tensor(
    Float32Array.from({ length: BATCH * STEPS * INPUTS }, () => rng.normal()),
    [BATCH, STEPS, INPUTS],
  );

  beforeAll(async () => {
    folder = temporaryFolder();
    await writeNpy(inFolder('x.npy'), X);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const script = (...args: string[]) => run([SCRIPT, ...args], { program: python });

  const close = (what: string, got: Tensor, want: Tensor) => {
    expect(got.shape, what).toEqual(want.shape);
    expectClose(what, got.data, want.data, 1e-5);
  };

  it('reads what we write and computes the same scores', async () => {
    const shape = { kind: 'tt', xi: 'rectifier', steps: STEPS, inputs: INPUTS, outputs: 4 } as const;
    const model = createModel({
      ...shape,
      rank: [3, 4, 5, 6],
      projection: 7,
      features: { size: 8 },
      init: 'normal',
    });
    await saveModel(model, inFolder('ours.safetensors'));
    const { code, stderr } = await script('score', inFolder('x.npy'), inFolder('ours.safetensors'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    close('scores', await readNpy(inFolder('ours.scores.npy')), model.score(X));
  });

  it('says what it does not read', async () => {
    const shape = { kind: 'cp', xi: 'max', steps: STEPS, inputs: INPUTS, outputs: 4, rank: 3 } as const;
    await saveModel(createModel({ ...shape, features: { size: 2 } }), inFolder('shallow.safetensors'));
    const { code, stderr } = await script('score', inFolder('x.npy'), inFolder('shallow.safetensors'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/shallow\.safetensors: expected a tt model with xi rectifier/);
  });

  it('writes what we read: a network that it trained has the same scores here', async () => {
    const labels = Int32Array.from({ length: BATCH }, (_, n) => Number(X.data[n * STEPS * INPUTS] > 0));
    await writeNpy(inFolder('labels.npy'), tensor(Float64Array.from(labels)));
    const path = inFolder('theirs.safetensors');
    const { code, stdout, stderr } = await script('train', inFolder('x.npy'), inFolder('labels.npy'), path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, last] = [...stdout.matchAll(/loss (\S+)/g)].map(([, loss]) => Number(loss));
    expect(last).toBeLessThan(0.5 * first);
    const want = await readNpy(inFolder('theirs.scores.npy'));
    for (const { label, open } of subjects) {
      const model = await loadModel(path, { backend: open() });
      close(label, model.score(X), want);
      const { loss } = evaluate(model, { name: 'theirs', inputs: X, labels, classes: 2 });
      expect(loss).toBeLessThan(last * 1.05);
    }
  });
});
