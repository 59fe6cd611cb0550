// Fetches the runtimes besides Node in which the tests run the package: Bun, Deno, and workerd, which is that of Cloudflare Workers.
import { accessSync, constants } from 'node:fs';
import { inProject, npm, step } from './lib/steps.mjs';

const FOLDER = 'test/runtimes';
const { platform, arch } = process;

/** Where the packages of npm for this platform have the executables. */
const EXECUTABLES = {
  bun: `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}/bin/bun`,
  deno: `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}/deno`,
  workerd: `@cloudflare/workerd-${platform}-${arch === 'x64' ? '64' : arch}/bin/workerd`,
};

/** The path of a runtime's executable; '' if it is not there. */
export function findRuntime(name) {
  const path = inProject(FOLDER, 'node_modules', EXECUTABLES[name]);
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return '';
  }
}

const absent = () => Object.keys(EXECUTABLES).filter((name) => !findRuntime(name));

/** Resolves with {} when all are there, with { missing } when one is not. No script of the packages runs. */
export async function ensureRuntimes() {
  const inputs = [`${FOLDER}/package.json`, `${FOLDER}/package-lock.json`];
  // The lock is the stamp's output: 350 MB of executables are not read again at each start.
  const outputs = [`${FOLDER}/node_modules/.package-lock.json`];
  const does = `npm ci in ${FOLDER} (Bun, Deno, workerd)`;
  try {
    await step('runtimes', { does, inputs, outputs }, () =>
      npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: inProject(FOLDER) }),
    );
  } catch (error) {
    return {
      missing: `npm could not install ${absent().join(', ')}: ${error.message.trim().split('\n').at(-1)}`,
    };
  }
  const names = absent();
  return names.length > 0 ? { missing: `no ${names.join(', ')} for ${platform} on ${arch}` } : {};
}
