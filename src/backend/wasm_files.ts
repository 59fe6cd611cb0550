import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { XiError } from '../core/errors.ts';
import { absence, packagePath } from './package_files.ts';
import type { Probe } from './probes.ts';
import { probeModules } from './wasm.ts';
import { type Threads, WORK } from './wasm_threads.ts';

const threads: Threads = {
  refusal: '',
  start(start) {
    const source = `${WORK}(require('node:worker_threads').workerData)`;
    const worker = new Worker(source, { eval: true, workerData: start, execArgv: [] });
    worker.on('error', () => {});
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
