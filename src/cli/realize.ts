import { Command, Option } from 'commander';
import { gridTensor } from '../analysis/grid.ts';
import { counted } from '../core/counted.ts';
import { frobeniusError, relativeError } from '../core/distance.ts';
import { tensor } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';
import { checkWritable } from '../io/atomic.ts';
import { readNpy } from '../io/disk.ts';
import { MODEL_KINDS, type ModelKind } from '../models/config.ts';
import { saveModel } from '../models/disk.ts';
import { SHALLOW_VARIANTS } from '../theory/entries.ts';
import { type RealizeVariant, realization } from '../theory/realize.ts';
import { RECURRENT_VARIANTS } from '../theory/recurrent.ts';
import { type BackendChoice, number, openChosen, printJson, withBackendOptions } from './options.ts';

interface Flags extends BackendChoice {
  readonly kind: ModelKind;
  readonly xi: Xi;
  readonly variant?: RealizeVariant;
  readonly features?: string;
  readonly steps?: number;
  readonly eps?: number;
  readonly out?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  xitensor realize H.npy --kind tt --out m.safetensors
  xitensor realize H.npy --kind cp --xi max --features F.npy`;

export function realizeCommand(): Command {
  const command = new Command('realize')
    .description('builds a network whose grid tensor on one-hot templates is a given .npy tensor')
    .argument('<file>', 'H [M,…,M] or [M,…,M,outputs] as .npy')
    .addOption(new Option('--kind <name>', 'which network').choices(MODEL_KINDS).default('tt'))
    .addOption(new Option('--xi <name>', 'which ξ').choices(XI_NAMES).default('rectifier'))
    .addOption(
      new Option('--variant <name>', 'which construction').choices([
        ...SHALLOW_VARIANTS,
        ...RECURRENT_VARIANTS,
      ]),
    )
    .option('--features <file>', 'features F [M,M] of the templates as .npy (default: the identity)')
    .option('--steps <n>', 'T, if the last axis may be that of the outputs', number)
    .option(
      '--eps <error>',
      'relative error, in the Frobenius norm, that the tensor train of kind tt may make (default: 1e-13; of float32 above its rounding, some 1e-7)',
      number,
    )
    .option('-o, --out <file>', 'write the model as .safetensors');
  return withBackendOptions(command)
    .option('--json', 'print one record')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

/** Ranks, of which a network of one step has none. */
const ranksText = (ranks: readonly number[]): string => ranks.join(', ') || 'none';

async function run(path: string, flags: Flags): Promise<void> {
  if (flags.out !== undefined) await checkWritable(flags.out, [path, flags.features]);
  const given = await readNpy(path);
  const H = tensor(given, undefined, 'float64');
  const features = flags.features === undefined ? undefined : await readNpy(flags.features);
  const { kind, xi, variant, steps, eps } = flags;
  const made = realization(given, { kind, xi, variant, steps, eps, features, backend: openChosen(flags) });
  const grid = gridTensor(made.model, made.templates).data;
  const error = relativeError(grid, H.data);
  const errorFrobenius = frobeniusError(grid, H.data);
  // F is in the model, whose inputs are unit vectors whatever the features.
  if (flags.out !== undefined) await saveModel(made.model, flags.out, { templates: 'one-hot' });
  const { config, parameterCount } = made.model;
  if (flags.json) {
    const { rank, projection, outputs } = config;
    const sizes = { steps: config.steps, size: config.features.size, outputs, rank, projection };
    const { ttRanks, condition } = made;
    printJson({
      kind,
      xi,
      variant: made.variant,
      ...sizes,
      ttRanks,
      parameters: parameterCount,
      condition,
      error,
      errorFrobenius,
      out: flags.out,
    });
    return;
  }
  process.stdout.write(`${made.model}\n`);
  const trains = made.ttRanks
    ? `${eps === undefined ? 'TT-ranks of H' : 'TT-ranks used'} ${ranksText(made.ttRanks)}\n`
    : '';
  process.stdout.write(
    `${trains}construction '${made.variant}' · ranks ${ranksText(config.rank)} · ${counted(parameterCount, 'parameter')}\n` +
      `error on the grid ${error.toExponential(1)} of the largest entry, ${errorFrobenius.toExponential(1)} in the Frobenius norm · condition of the features ${made.condition.toPrecision(3)}\n`,
  );
  if (flags.out !== undefined) process.stdout.write(`wrote ${flags.out}\n`);
}
