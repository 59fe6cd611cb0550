import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { XiError } from '../core/errors.ts';
import type { Probe } from './interface.ts';
import { probeModules } from './wasm.ts';

/** Reads the modules from the package's folder. */
export const probeWasm = (): Probe =>
  probeModules((file) => {
    try {
      return new Uint8Array(readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url))));
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new XiError('E_BACKEND', code === 'ENOENT' ? `${file} is missing` : message);
    }
  });
