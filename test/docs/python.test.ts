import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { readNpy, writeNpy } from '../../src/io/disk.ts';
import { loadModel } from '../../src/models/disk.ts';
import { type Block, blocksFor, nextTo } from '../support/docs.ts';
import { expectClose } from '../support/golden.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import { pythonWith } from '../support/python.ts';

const python = await pythonWith('numpy', 'torch');
const blocks = blocksFor('python').map((block) => ({
  block,
  title: block.code.match(/^import \w+/gm)?.join(', '),
}));

/** Packages that no package of Debian has: their blocks run where somebody installed them. */
const ABSENT = ['opt_einsum', 'tntorch', 'tensorly'];

const promisedBy = ({ code, language }: Block) => {
  const call = language === 'js' ? /console\.log\(.*\/\/ (.*)$/gm : /^\s*print\(.*\) {2}# (.*)$/gm;
  return [...code.matchAll(call)].map(([, line]) => line);
};

/** The numbers and truths of a line, without the names of types. */
const figures = (line: string) =>
  (line.replace(/\w+Array\(\d+\)/g, '').match(/(?<![\w.])-?\d+(\.\d*)?(?!\w)|true|false/gi) ?? []).map(
    (word) => (/\d/.test(word) ? Number(word) : word.toLowerCase()),
  );

describe.runIf(python)('the blocks in Python', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/xitensor'));
    for (const file of ['test/docs/run_block.py', 'test/docs/python_api.json', 'examples/interop.py'])
      cpSync(join(ROOT, file), join(folder, file.replace(/.*\//, '')));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function runBlock(
    code: string,
  ): Promise<{ lines: string[]; missing: string | null; wrong: string[] }> {
    writeFileSync(join(folder, 'block.py'), code);
    const args = ['run_block.py', 'block.py', 'python_api.json'];
    const { code: status, stdout, stderr } = await run(args, { program: python, cwd: folder });
    expect(status, stderr).toBe(0);
    // tntorch recommends a package that is faster.
    const lines = stdout
      .trim()
      .split('\n')
      .filter((line) => !line.includes('optional maxvolpy package'));
    return { ...JSON.parse(lines.pop() ?? ''), lines };
  }

  it.each(blocks)('$title: prints what it says, or asks for what its package has', async ({ block }) => {
    const { lines, missing, wrong } = await runBlock(block.code);
    expect(wrong).toEqual([]);
    expect(promisedBy(block)).not.toEqual([]);
    if (missing === null) expect(lines).toEqual(promisedBy(block));
    else expect(ABSENT).toContain(missing);
  });

  it.each(blocks)('$title: the block in JavaScript beside it prints the same figures', ({ block }) => {
    const beside = nextTo(block);
    expect(beside?.language).toBe('js');
    const theirs = promisedBy(block).map(figures);
    expect(theirs.flat()).not.toEqual([]);
    expect(promisedBy(beside!).map(figures).slice(0, theirs.length)).toEqual(theirs);
  });

  it.each([
    ['an argument', 'memory_limit=', 'memory=', 'contract has no argument memory'],
    ['a function', 'oe.contract(', 'oe.contraction(', 'contraction is not recorded'],
    ['an attribute', 'info.opt_cost', 'info.cost', 'opt_cost is recorded and not used'],
  ])('%s that a package does not have is found', async (_, from, to, message) => {
    const { block } = blocks.find(({ title }) => title?.includes('opt_einsum'))!;
    expect(block.code).toContain(from);
    // Nothing is computed: the record is compared first, and a package that is there would complain by itself.
    const code = `${block.code.replace(from, to)}`.replace(/^print.*$/gm, (line) => `lambda: ${line}`);
    expect((await runBlock(code)).wrong).toContain(message);
  });

  it('the network of PyTorch has the scores of the one beside it, with its parameters', async () => {
    const { block } = blocks.find(({ title }) => title?.includes('torch') && !title.includes('tntorch'))!;
    writeFileSync(join(folder, 'block.mjs'), nextTo(block)!.code);
    expect(await run(['block.mjs'], { cwd: folder })).toMatchObject({ code: 0 });
    const rng = new Rng(3);
    const X = tensor(
      Float32Array.from({ length: 60 }, () => rng.normal()),
      [20, 3, 1],
    );
    await writeNpy(join(folder, 'x.npy'), X);
    const network = block.code.slice(0, block.code.indexOf('# Does the sequence rise?'));
    await runBlock(`${network}
import numpy as np
from interop import read_safetensors

weights, _ = read_safetensors('net.safetensors')
names = {'A': 'features.A', 'b': 'features.b', **{f'{c}.{t}': f'{c}.{t}' for c in 'CG' for t in range(3)}}
net = Net(T=3, N=1, K=2, M=8, R=8)
net.load_state_dict({ours: torch.tensor(weights[theirs]) for ours, theirs in names.items()})
np.save('scores.npy', net(torch.tensor(np.load('x.npy'))).detach().numpy())
`);
    const model = await loadModel(join(folder, 'net.safetensors'));
    const theirs = await readNpy(join(folder, 'scores.npy'));
    expectClose('scores', theirs.data, model.score(X).data, 1e-5);
  });
});
