import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/** Loads CommonJS packages of bench/peers/node_modules, which are no dependencies of xitensor. */
export const requirePeer = createRequire(resolve('bench/peers/package.json'));

/** The version that is installed. */
export function versionOf(name: string): string {
  const file = resolve('bench/peers/node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
