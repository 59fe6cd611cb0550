import { type Command, InvalidArgumentError, Option } from 'commander';
import { BACKEND_NAMES, type Backend, type BackendName } from '../backend/interface.ts';
import { selectBackend } from '../backend/select.ts';

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
    .option('--threads <n>', 'threads that compute (default: the number of cores)', number);
}

export function openChosen({ backend, isa, threads }: BackendChoice): Backend {
  return selectBackend({ ...(backend && { prefer: [backend] }), isa, threads }).backend;
}

/** Those of the named options that were on the command line, as they are written there. */
export function givenOf(command: Command, names: readonly string[]): string[] {
  return command.options
    .filter((option) => names.includes(option.attributeName()))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map(({ long, flags }) => long ?? flags);
}

/** What the library calls otherwise than the command line does. */
const TYPED_AS = new Map([
  ['validationSplit', 'validation'],
  ['features.size', 'features'],
  ['steps', 'length'],
  ['M', 'templates'],
  ['T', 'steps'],
  ['L', 'projection'],
  ['ranks', 'rank'],
]);

/** What a function of the library says of one of its options, `train learningRate: …`, with the option as it was typed instead. */
export function asTyped(message: string, command: Command): string {
  const [begin, name] = /^\w+ ([\w.]+)(?=: )/.exec(message) ?? ['', ''];
  const [option] = givenOf(command, [name, TYPED_AS.get(name) ?? name]);
  return option === undefined ? message : option + message.slice(begin.length);
}

/** Prints one machine-readable record. */
export function printJson(record: unknown): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
