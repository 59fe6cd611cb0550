import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const COMMAND = join(ROOT, 'dist/cli/main.js');
export const NATIVE_FILE = `prebuilds/${process.platform}-${process.arch}/xitensor.node`;
export const WASM_FILE = 'wasm/xitensor.wasm';
/** Where engines have relaxed SIMD, as Node 22 and later do. */
export const RELAXED_FILE = 'wasm/xitensor-relaxed.wasm';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of Node. */
  readonly program?: string;
  readonly stdin?: 'pipe' | 'ignore';
}

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
  /** Resolves when what was printed matches; rejects when the process ends before. */
  until(pattern: RegExp): Promise<void>;
}

/** Starts Node with the environment of this process, but for the variables that choose a backend. */
export function start(args: readonly string[], options: Options = {}): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('XITENSOR_'));
  const child = spawn(options.program ?? process.execPath, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const watch of watchers) watch();
    });
  }
  const done = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...text }));
  });
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const watch = () => {
        if (!pattern.test(text.stdout + text.stderr)) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      watch();
      done.then(
        (outcome) => reject(new Error(`ended before ${pattern}: ${JSON.stringify(outcome)}`)),
        reject,
      );
    });
  return { child, done, until };
}

export const run = (args: readonly string[], options?: Options): Promise<Outcome> =>
  start(args, options).done;

/** Runs the xitensor command of dist/. */
export const xitensor = (args: readonly string[], options?: Options): Promise<Outcome> =>
  run([COMMAND, ...args], options);

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'xitensor-test-'));

/** A copy of what the package consists of, whose binaries a test may damage. */
export function packageFolder(): string {
  const folder = temporaryFolder();
  for (const part of ['dist', 'package.json', NATIVE_FILE, WASM_FILE, RELAXED_FILE]) {
    if (!existsSync(join(ROOT, part))) continue;
    mkdirSync(join(folder, part, '..'), { recursive: true });
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** A failure of the command is one message, without a stack, and nothing on standard output. */
export async function fails(
  args: readonly string[],
  code: 1 | 2,
  message: RegExp,
  cwd: string,
): Promise<void> {
  const outcome = await xitensor(args, { cwd });
  expect(outcome.stderr).toMatch(message);
  expect(outcome.stderr).not.toMatch(/\n\s+at |unexpected failure/);
  expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' });
}

/** A folder for the commands of a test file, made before its first test and removed after the last. */
export function commandFolder() {
  let folder = '';
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    inFolder: (...parts: string[]) => join(folder, ...parts),
    fails: (args: readonly string[], code: 1 | 2, message: RegExp) => fails(args, code, message, folder),
  };
}
