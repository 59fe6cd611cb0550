import { describe, expect, it } from 'vitest';
import { checkConfig, type ModelOptions } from '../../src/models/config.ts';
import { drawNetwork } from '../../src/models/draw.ts';
import { make } from '../support/models.ts';

describe('String(model)', () => {
  const draw = (options: object) => String(make({ outputs: 9, inputs: 3, ...options }));

  it.each([
    [1, [], 6 * 4 + 36 + 54],
    [2, [5], 6 * 4 + 2 * 36 + 30 + 6 * 5 * 9],
    [4, [5, 7, 8], 6 * 4 + 4 * 36 + 30 + 210 + 336 + 432],
  ])('draws %d steps with their ranks', (steps, rank, count) => {
    const text = draw({ steps, rank });
    expect(text).toContain(
      `ξ = rectifier · ${steps} ${steps === 1 ? 'step' : 'steps'} of 3 inputs · 9 outputs · float32`,
    );
    expect(text).toContain(`${count.toLocaleString('en-US')} parameters`);
    expect(make({ outputs: 9, inputs: 3, steps, rank }).parameterCount).toBe(count);
    const train = text.split('\n').find((line) => line.includes('[G.0]')) ?? '';
    expect(train.match(/\d+(?=[ ─]|$)(?<!\.\d+)/g)?.map(Number)).toEqual([1, ...rank, 9]);
    for (let t = 0; t < steps; t++)
      expect(text).toMatch(new RegExp(`x\\.${t}[\\s\\S]*C\\.${t} 6[\\s\\S]*\\[G\\.${t}\\]`));
  });

  it('counts one of each in the singular', () => {
    const one = draw({ kind: 'cp', steps: 1, inputs: 1, outputs: 1, rank: 1, features: { size: 1 } });
    expect(one).toContain('1 step of 1 input · 1 output · float32 · 4 parameters');
  });

  it('shortens long networks and names shared cores', () => {
    const long = draw({ steps: 16, rank: Array.from({ length: 15 }, (_, t) => t + 10) });
    for (const part of ['x.0', '[G.2]── 12 ', '…', 'x.15', '[G.15]']) expect(long).toContain(part);
    expect(long).not.toContain('[G.7]');
    const shared = draw({ steps: 16, shared: true });
    for (const part of ['one middle core · ', '[G.first]', '[G.middle]', '[G.last]', 'C.middle 6', ' 5 '])
      expect(shared).toContain(part);
    expect(shared).toContain(`${(6 * 4 + 3 * 36 + 30 + 150 + 270).toLocaleString('en-US')} parameters`);
    for (const line of [...long.split('\n'), ...shared.split('\n')]) expect(line.length).toBeLessThan(120);
  });

  it('draws the fold of a CP network', () => {
    const text = draw({ kind: 'cp', xi: 'max', steps: 3, rank: 1024 });
    expect(text.split('\n').slice(1)).toEqual([
      '   x.0        x.1        x.2',
      '    │          │          │',
      '   f 6        f 6        f 6',
      '    │          │          │',
      '  [v.0]── ξ ─[v.1]── ξ ─[v.2]─── 1024 ──[lambda]── 9',
      'f(x) = relu(A x + b) · score = Σ_r lambda[r,·] ξ_t ⟨v[t,r,·], f(x.t)⟩',
    ]);
    expect(draw({ kind: 'cp', steps: 3, shared: true })).toMatch(
      /one v ·[\s\S]*\[v\]── ξ ─\[v\]── ξ ─\[v\]─/,
    );
  });

  it('draws the tree of an HT network, with nodes that are passed up', () => {
    const text = draw({ kind: 'ht', steps: 3, rank: [4, 5] });
    expect(text.split('\n').slice(1)).toEqual([
      '     x.0       x.1       x.2',
      '      │         │         │',
      '     f 6       f 6       f 6',
      '      │         │         │',
      '    [W.0]     [W.1]     [W.2]     3 leaves, R_0 = 4',
      '      └────┬────┘         │',
      '        [B.1.0]           │       1 node, R_1 = 5',
      '           └──────┬───────┘',
      '               [B.2.0]',
      '                  │',
      '                  9',
      'f(x) = relu(A x + b) · leaf = W f(x) · node = Σ B[a,b,·] ξ(left[a], right[b])',
    ]);
  });

  it.each([1, 2, 7, 8, 9, 16, 100, 10_000])('draws every family over %d steps in 120 columns', (steps) => {
    for (const [kind, diagonal] of [['cp'], ['tt'], ['ht'], ['ht', true]]) {
      for (const shared of [false, true]) {
        if (shared && kind === 'ht' && steps % 2) continue;
        const options = { kind, diagonal, shared, steps, inputs: 784, outputs: 1000, rank: 1024 };
        const config = checkConfig('createModel', {
          ...options,
          xi: 'logsumexp',
          features: { size: 128 },
        } as ModelOptions);
        for (const line of drawNetwork(config, 123_456_789).split('\n'))
          expect(line.length, line).toBeLessThanOrEqual(120);
      }
    }
  });

  it('says the ranks of all levels of a tall tree', () => {
    const text = draw({ kind: 'ht', steps: 100, rank: [9, 8, 7, 6, 5, 4, 3] });
    [100, 50, 25, 12, 6, 3, 2].forEach((count, level) => {
      expect(text).toMatch(new RegExp(`${count} (leaf|leaves|nodes?), R_${level} = ${9 - level}`));
    });
    expect(text).toMatch(/\[B\.7\.0\]\n *│\n *9\n/);
  });
});
