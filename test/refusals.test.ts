import { describe, expect, it } from 'vitest';
import * as library from '../src/index.ts';
import { outcome } from './support/outcome.ts';

const { XiError } = library;

/** What no function takes for an argument that it needs, and what some take. */
const JUNK: readonly unknown[] = [
  ...[undefined, null, Number.NaN, -1, 1.5, 1e300, '', 'abc', true, 10n, Symbol('s'), () => 1, new Map()],
  ...[[], [Number.NaN], {}, new Float32Array(2), new Float64Array([Number.NaN])],
  { dtype: 'float32', shape: [2], data: new Float32Array(2) },
  { dtype: 'float64', shape: [3], data: new Float64Array(2) },
  { dtype: 'float32', shape: 3, data: new Float32Array(3) },
  { dtype: 'x', shape: [1], data: [1] },
];

/** Nothing is wrong with no argument at all: they would set to work. */
const WORKS = ['crossValidateSplice', 'loadSpam', 'verify'];

const functions = Object.entries(library).filter(
  ([name, value]) => typeof value === 'function' && !/^class\b/.test(String(value)) && !WORKS.includes(name),
) as [string, (...args: readonly unknown[]) => unknown][];

/** Whether a message begins with the name of the function, or of the file or the bytes that it was told the name of. */
function beginsWith(message: string, name: string, args: readonly unknown[]): boolean {
  const given = args.filter((value) => typeof value === 'string' && value !== '');
  const names = [name, ...given, ...given.map((file) => `cannot read ${file}`), ...(NAMED[name] ?? [])];
  return names.some((word) => message.startsWith(`${word}:`) || message.startsWith(`${word} `));
}

/** What messages of others begin with. */
const NAMED: Readonly<Record<string, readonly string[]>> = { probeBackend: ['backend'] };

describe('every function of the library refuses what it does not understand by an XiError', () => {
  it.each(functions)('%s', async (name, call) => {
    // `abc` would be written where the tests run.
    const junk = /^(write|save)/.test(name) ? JUNK.filter((value) => value !== 'abc') : JUNK;
    const tuples = [[], ...junk.flatMap((first) => [[first], ...junk.map((second) => [first, second])])];
    let refused = 0;
    for (const args of tuples) {
      await outcome(() => call(...args)).catch((error) => {
        refused++;
        const call = `${name}(${args.map(shown).join(', ')})`;
        if (!(error instanceof XiError)) expect.fail(`${call}: ${error}`);
        if (!beginsWith(error.message, name, args)) expect.fail(`${call} does not say who refuses: ${error}`);
      });
    }
    expect(refused).toBeGreaterThan(name === 'probeBackend' ? 10 : 0);
  });
});

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value);
}
