import { type Command, InvalidArgumentError, Option } from 'commander';
import { BACKEND_NAMES, type Backend, type BackendName } from '../backend/interface.ts';
import { selectBackend } from '../backend/select.ts';
import { mismatch } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import type { Dataset } from '../data/dataset.ts';
import { loadMnist } from '../data/mnist.ts';

/** A number on the command line; ranges are the business of whoever takes it. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('expected a number.');
  return value;
}

/** One number or several with commas between. */
export function numbers(text: string): number | number[] {
  const values = text.split(',').map(number);
  return values.length === 1 ? values[0] : values;
}

export interface BackendChoice {
  readonly backend?: BackendName;
  readonly isa?: string;
  readonly threads?: number;
}

export function withBackendOptions(command: Command): Command {
  return command
    .addOption(new Option('--backend <name>', 'force a backend').choices(BACKEND_NAMES))
    .option('--isa <name>', 'force an instruction set, such as avx2')
    .option('--threads <n>', 'threads of the native backend (default: the number of cores)', number);
}

export function openChosen({ backend, isa, threads }: BackendChoice): Backend {
  return selectBackend({ ...(backend && { prefer: [backend] }), isa, threads }).backend;
}

export interface DataChoice {
  readonly data: string;
  readonly patch?: number;
  readonly limit?: number;
}

export function withDataOptions(command: Command, patchText: string, limitText: string): Command {
  return command
    .option('--data <name>', "'mnist', or a folder with IDX files of the same names", 'mnist')
    .option('--patch <pixels>', patchText, number)
    .option('--limit <n>', limitText, number);
}

export function loadData(
  { data, patch, limit }: DataChoice,
  split: 'train' | 'test',
  dtype: DType,
): Promise<Dataset> {
  if (data === '') throw mismatch('E_ARGUMENT', '--data', "'mnist' or a folder", data);
  return loadMnist({ split, patch, limit, dtype, source: data === 'mnist' ? undefined : data });
}

/** Prints one machine-readable record. */
export function printJson(record: unknown): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
