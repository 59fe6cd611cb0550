// Before npm publish, on Linux x64: the package that npm packs next must have every binary that docs/backends.md promises.
import { existsSync } from 'node:fs';
import { inProject } from './lib/steps.mjs';
import { setup } from './setup.mjs';

const BINARIES = [
  'prebuilds/linux-x64/xitensor.node',
  'prebuilds/linux-arm64/xitensor.node',
  'wasm/xitensor.wasm',
  'wasm/xitensor-relaxed.wasm',
];

try {
  const { missing } = await setup({ neon: true });
  const absent = BINARIES.filter((path) => !existsSync(inProject(path)));
  const stale = ['native', 'wasm', 'neon'].filter((part) => missing[part]);
  if (absent.length + stale.length > 0)
    throw new Error(`expected every binary, received none of ${[...absent, ...stale].join(', ')}`);
} catch (error) {
  console.error(`not ready to publish\n${error.message}`);
  process.exitCode = 1;
}
