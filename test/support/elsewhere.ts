import { existsSync } from 'node:fs';
// @ts-expect-error plain JavaScript
import { neonRunner } from '../../scripts/neon.mjs';
import { RELAXED_FILE } from './processes.ts';
import { subjects } from './subjects.ts';

/** One backend with one instruction set that another Node runs. */
export interface ElsewhereSubject {
  readonly label: string;
  /** What starts that Node. */
  readonly command: readonly string[];
}

function neon(): readonly ElsewhereSubject[] {
  const runner = neonRunner();
  if (!('missing' in runner))
    return [{ label: 'native neon (qemu)', command: [runner.command, ...runner.args] }];
  console.warn(`native neon is not covered: ${runner.missing}`);
  return [];
}

/** Node 20 has relaxed SIMD behind a flag, with the opcodes of the standard; later versions have it anyway, and no flag. */
function relaxed(): readonly ElsewhereSubject[] {
  const label = 'wasm relaxed128';
  if (subjects.some((subject) => subject.label === label)) return [];
  if (existsSync(RELAXED_FILE)) {
    return [{ label, command: [process.execPath, '--experimental-wasm-relaxed-simd'] }];
  }
  console.warn(`${label} is not covered: ${RELAXED_FILE} is missing`);
  return [];
}

/** Those of this machine: the addon for AArch64 on an emulated processor, and WebAssembly that Node hides behind a flag. */
export const elsewhere: readonly ElsewhereSubject[] = [...neon(), ...relaxed()];
