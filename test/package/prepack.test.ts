import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { refuseIncomplete } from '../../scripts/setup.mjs';
import { ROOT } from '../support/processes.ts';

it('npm pack refuses to make a package without its binaries, and names them all', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(scripts.prepack).toBe('node scripts/setup.mjs --pack');
  expect(() => refuseIncomplete({})).not.toThrow();
  // What only the tests need is no part of the package.
  expect(() => refuseIncomplete({ chromium: 'missing' })).not.toThrow();
  expect(() => refuseIncomplete({ native: 'missing: make', wasm: 'no Clang' })).toThrow(
    /^package: expected .*, received none of\n {2}native: missing: make\n {2}wasm: no Clang\n/,
  );
});
