import { describe, expect, it } from 'vitest';
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
});
