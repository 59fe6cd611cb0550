import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, over dist/
import * as figures from '../../scripts/lib/figures.mjs';

interface Curve {
  readonly kind: string;
  readonly rank: number;
  readonly parameters: number;
  readonly accuracies: readonly number[];
}

const data = figures.readData();
const readme = readFileSync('README.md', 'utf8');

describe('the figures of the README', () => {
  it('are drawn from the data beside them, and no other file lies there', () => {
    const drawn: Record<string, string> = figures.draw(data);
    for (const [name, svg] of Object.entries(drawn))
      expect(readFileSync(`docs/figures/${name}`, 'utf8') === svg, name).toBe(true);
    expect(readdirSync('docs/figures').sort()).toEqual([...Object.keys(drawn), 'data.json'].sort());
  });

  it('count what random networks give here', () => {
    expect(figures.widths()).toEqual(data.widths);
  });

  it('have the spectrum of the network of the playground', async () => {
    const { values, ...found } = await figures.spectrum();
    const { values: drawn, ...known } = data.spectrum;
    expect(found).toEqual(known);
    // Rounding of float64 reaches the last digits of the smallest.
    for (const [k, value] of values.entries())
      expect(Math.abs(value - drawn[k])).toBeLessThan(0.02 * drawn[k] + 1e-9);
  });

  it('have the accuracies that networks reach, whatever the instruction set does to the last bits', async () => {
    const [first, ...others]: Curve[] = await figures.learning(['tt'], 3);
    expect(others).toEqual([]);
    const { accuracies, ...network } = data.learning.find(({ kind }: Curve) => kind === 'tt');
    expect(first).toMatchObject(network);
    // After two epochs; a percent of 10,000 images is three deviations of a share of 0.9.
    expect(Math.abs(first.accuracies[2] - accuracies[2])).toBeLessThan(0.01);
  });

  it('are in the README, three of them, each for wide and narrow windows and in words with the same figures', () => {
    const shown = [...readme.matchAll(/srcset="(.*?)">\s*<img src="(.*?)" alt="(.*?)">/g)];
    expect(shown).toHaveLength(3);
    for (const [, narrow, wide, alt] of shown) {
      expect(narrow).toBe(wide.replace('.svg', '-narrow.svg'));
      expect([narrow, wide].every((path) => existsSync(path))).toBe(true);
      expect(alt.length).toBeGreaterThan(60);
    }
    const words = shown.map(([, , , alt]) => alt).join('\n');
    for (const { accuracies } of data.learning) expect(words).toContain((100 * accuracies.at(-1)).toFixed(1));
    expect(readme).toContain(`needs at least ${data.spectrum.width} terms`);
    const means = data.widths.map(({ mean }: { mean: number }) => mean);
    expect(words).toContain(`from ${means[0].toFixed(1)} to ${means.at(-1)} on average`);
  });
});
