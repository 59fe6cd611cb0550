import { Command, Option } from 'commander';
import type { Backend } from '../backend/interface.ts';
import { frobeniusError } from '../core/distance.ts';
import { mismatch } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { cpAls } from '../decompose/cp_als.ts';
import { htFull } from '../decompose/ht.ts';
import { htSvd } from '../decompose/ht_svd.ts';
import {
  type Decomposition,
  type DecompositionFormat,
  FORMATS,
  namedParts,
  partsIn,
  ranksOf,
} from '../decompose/named.ts';
import { ttFull } from '../decompose/tt.ts';
import { ttSvd } from '../decompose/tt_svd.ts';
import { checkWritable } from '../io/atomic.ts';
import { readNpy, writeSafetensors } from '../io/disk.ts';
import {
  type BackendChoice,
  givenOf,
  number,
  numbers,
  openChosen,
  printJson,
  withBackendOptions,
} from './options.ts';

interface Flags extends BackendChoice {
  readonly format: DecompositionFormat;
  readonly eps?: number;
  readonly ranks?: number | number[];
  readonly randomized?: boolean;
  readonly starts?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** The options that a format takes beside its ranks. */
const OPTIONS: Readonly<Record<DecompositionFormat, readonly string[]>> = {
  tt: ['eps', 'randomized', 'seed'],
  ht: ['eps'],
  cp: ['starts', 'seed'],
};

const EXAMPLES = `
Examples:
  xitensor decompose H.npy --format tt --eps 1e-6 --out H.safetensors
  xitensor decompose H.npy --format cp --ranks 12 --starts 20`;

export function decomposeCommand(): Command {
  const command = new Command('decompose')
    .description('TT, HT or CP of a .npy tensor, with its ranks and errors')
    .argument('<file>', 'a tensor as .npy')
    .addOption(
      new Option('--format <name>', 'tensor train, hierarchical Tucker, canonical polyadic')
        .choices(FORMATS)
        .default('tt'),
    )
    .option(
      '--eps <e>',
      'largest error relative to the Frobenius norm; tt and ht (default: 1e-12; of float32 above its rounding, some 1e-7)',
      number,
    )
    .option(
      '--ranks <R>',
      'most ranks, one or a list: of tt R_1 to R_{T−1}, of ht those of the T leaves, then of the nodes level by level without the root; of cp the number of terms',
      numbers,
    )
    .option('--randomized', 'look for a low rank by random projections first; tt')
    .option('--starts <n>', 'starts, of which the best is kept; cp (default: 10)', number)
    .option('--seed <n>', 'of random numbers; cp, and tt with --randomized (default: 0)', number)
    .option('-o, --out <file>', 'write the parts as .safetensors');
  return withBackendOptions(command)
    .option('--json', 'print one record')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: Flags) => {
      const others = ['eps', 'randomized', 'starts', 'seed'].filter(
        (name) => !OPTIONS[flags.format].includes(name),
      );
      for (const given of givenOf(command, others))
        throw mismatch('E_ARGUMENT', given, `a format that takes it`, flags.format);
      if (flags.out !== undefined) await checkWritable(flags.out, [path]);
      await run(path, flags, openChosen(flags));
    });
}

async function run(path: string, flags: Flags, backend: Backend): Promise<void> {
  const tensor = await readNpy(path);
  const started = performance.now();
  const { decomposition, error } = decompose(tensor, flags, backend);
  const seconds = (performance.now() - started) / 1000;
  const ranks = ranksOf(decomposition);
  const parameters = partsIn(decomposition).reduce((sum, { data }) => sum + data.length, 0);
  const compression = tensor.data.length / parameters;
  const { format } = flags;
  if (flags.out !== undefined) {
    const { tensors, metadata } = namedParts(decomposition, { shape: tensor.shape, error });
    await writeSafetensors(flags.out, tensors, metadata);
  }
  const { name, isa } = backend;
  if (flags.json) {
    const { shape } = tensor;
    const record = { input: path, format, shape, ranks, error, parameters, compression, seconds };
    return printJson({ ...record, backend: name, isa, out: flags.out });
  }
  const ofLevels = (list: number[] | number[][] | number) =>
    typeof list === 'number' ? `${list}` : list.map((rank) => `${rank}`).join(' · ');
  process.stdout.write(
    `${path} [${tensor.shape.join(', ')}] as ${format}: ranks ${ofLevels(ranks)}\n` +
      `relative error ${error.toExponential(3)}, ` +
      `${parameters} numbers for ${tensor.data.length} elements (compression ${compression.toPrecision(3)}), ` +
      `${seconds.toFixed(3)} s on ${name} ${isa}\n` +
      (flags.out === undefined ? '' : `wrote ${flags.out}\n`),
  );
}

function decompose(
  tensor: Tensor,
  { format, eps, ranks, randomized, starts, seed }: Flags,
  backend: Backend,
): { decomposition: Decomposition; error: number } {
  if (format === 'cp') {
    if (typeof ranks !== 'number')
      throw mismatch('E_ARGUMENT', '--ranks', 'the number of terms of cp', ranks ?? 'none');
    const value = cpAls(tensor, { rank: ranks, starts, seed, backend });
    return { decomposition: { format, value }, error: value.error };
  }
  if (format === 'ht') {
    const value = htSvd(tensor, { eps, maxRanks: ranks, backend });
    // What htSvd promises is a bound, and may exceed 1 where the ranks are given.
    return {
      decomposition: { format, value },
      error: frobeniusError(htFull(value, { backend }).data, tensor.data),
    };
  }
  const value = ttSvd(tensor, { eps, maxRanks: ranks, randomized, seed, backend });
  // The error of ttSvd is what it left out, without rounding.
  return {
    decomposition: { format, value },
    error: frobeniusError(ttFull(value, { backend }).data, tensor.data),
  };
}
