import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../bench/arguments.ts';
import { encodeModel } from '../../bench/peers/onnx_model.ts';
import { operationsOf, selectWorkloads, WORKLOADS } from '../../src/bench/workloads.ts';
import { start } from '../support/processes.ts';

describe('arguments', () => {
  it('a word selects the workloads whose names begin with it', () => {
    const names = (...words: string[]) => selectWorkloads(words).chosen.map(({ name }) => name);
    expect(names('c1 rectifier f32')).toEqual(['C1 rectifier f32', 'C1 rectifier f32 gradients']);
    expect(names('S1', 'G1')).toHaveLength(2);
    expect(names()).toHaveLength(WORKLOADS.length);
    expect(selectWorkloads(['C']).unknown).toEqual(['C']);
  });

  it('--quick, --rounds and --only', () => {
    expect(parseArguments(['C1', '--quick', '--only', 'avx512, torch'])).toMatchObject({
      rounds: 5,
      only: ['avx512', 'torch'],
    });
    expect(parseArguments(['--rounds', '7']).rounds).toBe(7);
  });

  it.each([
    [['--rounds', '0'], /--rounds: expected an integer from 1/],
    [['--frobnicate'], /Unknown option '--frobnicate'/],
    [['C9'], /unknown workload 'C9': expected the start of a name in C1, C2/],
  ])('refuses %j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });

  it('operations of the whole grid are those of its steps', () => {
    const grid = WORKLOADS.find(({ name }) => name === 'G1 grid f64')!;
    const middle = 2 * 10 * 8 * 8 * (1e2 + 1e3 + 1e4 + 1e5);
    expect(operationsOf(grid)).toBe(2 * 10 * 10 * 1 * 8 + middle + 2 * 1e6 * 10 * 8);
  });
});

describe('npm run bench', () => {
  it('--help lists workloads and options', async () => {
    const { code, stdout } = await start(['scripts/bench.mjs', '--help']).done;
    expect(code).toBe(0);
    for (const word of ['C1, C2, C3, S1', '--only', '--rounds', '--quick', '--json', '--check'])
      expect(stdout).toContain(word);
  });

  it('an unknown workload ends with status 2 and one clear line', async () => {
    const { code, stderr } = await start(['scripts/bench.mjs', 'C9']).done;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^unknown workload 'C9': expected .*\nnpm run bench -- --help lists/);
  });
});

it('models of ONNX are Protocol Buffers: a graph of one node', () => {
  const bytes = encodeModel({
    dtype: 'float32',
    nodes: [{ op: 'Relu', inputs: ['a'], output: 'out' }],
    inputs: { a: [300] },
    output: { name: 'out', shape: [300] },
    constants: {},
  });
  // ir_version = 8; opset_import { domain: '', version: 17 }; graph of so many bytes.
  expect([...bytes.subarray(0, 8)]).toEqual([0x08, 8, 0x42, 4, 0x0a, 0, 0x10, 17]);
  expect(bytes[8]).toBe(0x3a);
  expect(bytes[9]).toBe(bytes.length - 10);
  // The extent 300 as a varint.
  expect(Buffer.from(bytes).includes(Buffer.from([0x08, 0xac, 0x02]))).toBe(true);
});
