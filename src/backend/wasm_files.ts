import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { XiError } from '../core/errors.ts';
import { absence, packagePath } from './package_files.ts';
import type { Probe } from './probes.ts';
import { probeModules } from './wasm.ts';
import { type Threads, WORK } from './wasm_threads.ts';

const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
let refusal =
  permission?.has('worker') === false
    ? "one thread: Node's permission model allows no workers without --allow-worker"
    : '';
let alive = 0;

/** Threads that fail are noticed once there is none. */
function failed({ message }: Error): void {
  if (alive === 0) refusal = `one thread: no worker can be started: ${message}`;
}

const threads: Threads = {
  get refusal() {
    return refusal;
  },
  start(start) {
    const source = `${WORK}(require('node:worker_threads').workerData)`;
    let worker: Worker;
    try {
      worker = new Worker(source, { eval: true, workerData: start, execArgv: [] });
    } catch (cause) {
      failed(cause as Error);
      throw cause;
    }
    alive++;
    worker.on('error', (cause) => {
      alive--;
      failed(cause);
    });
    worker.unref();
    return worker;
  },
};

/** Reads the modules from the package's folder; their threads are worker_threads. */
export const probeWasm = (): Probe =>
  probeModules((file) => {
    const path = packagePath(file);
    try {
      return new Uint8Array(readFileSync(path));
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new XiError('E_BACKEND', code === 'ENOENT' ? absence(file, path) : message);
    }
  }, threads);
