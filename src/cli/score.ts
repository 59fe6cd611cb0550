import { Command, Option } from 'commander';
import { mismatch } from '../core/errors.ts';
import { tensor } from '../core/tensor.ts';
import { checkWritable } from '../io/atomic.ts';
import { readNpy, writeNpy } from '../io/npy.ts';
import { loadModel } from '../models/files.ts';
import type { Model } from '../models/model.ts';
import { evaluate } from '../train/trainer.ts';
import {
  type BackendChoice,
  type DataChoice,
  loadData,
  openChosen,
  percent,
  printJson,
  withBackendOptions,
  withDataOptions,
} from './options.ts';

interface Flags extends DataChoice, BackendChoice {
  readonly input?: string;
  readonly output?: string;
  readonly split: 'train' | 'test';
  readonly json?: boolean;
}

export function scoreCommand(): Command {
  const command = new Command('score')
    .description('scores a data set or a .npy file with a saved model')
    .argument('<model>', 'a .safetensors file that train wrote')
    .option('-i, --input <file>', 'inputs [batch, steps, inputs] as .npy instead of a data set')
    .option('-o, --output <file>', 'write the scores [batch, outputs] as .npy')
    .addOption(
      new Option('--split <name>', 'part of the data set').choices(['train', 'test']).default('test'),
    );
  const patchText = 'side of the patches that an image is cut into (default: what the model takes)';
  return withBackendOptions(withDataOptions(command, patchText, 'score the first n examples only'))
    .option('--json', 'print one record')
    .action(async (path: string, flags: Flags) => {
      const ofData = ['data', 'split', 'patch', 'limit'].filter(
        (name) => command.getOptionValueSource(name) === 'cli',
      );
      if (flags.input !== undefined && ofData.length > 0) {
        throw mismatch(
          'E_ARGUMENT',
          '--input',
          'no option of a data set',
          ofData.map((name) => `--${name}`),
        );
      }
      if (flags.output !== undefined) await checkWritable(flags.output);
      const model = await loadModel(path, { backend: openChosen(flags) });
      await (flags.input === undefined ? scoreDataset(model, flags) : scoreFile(model, flags.input, flags));
    });
}

async function scoreDataset(model: Model, flags: Flags): Promise<void> {
  const side = Math.sqrt(model.config.inputs);
  const patch = flags.patch ?? (Number.isInteger(side) ? side : undefined);
  const data = await loadData({ ...flags, patch }, flags.split, model.config.dtype);
  const started = performance.now();
  const { loss, accuracy } = evaluate(model, data);
  const seconds = (performance.now() - started) / 1000;
  if (flags.output !== undefined) await writeNpy(flags.output, model.score(data.inputs));
  const count = data.labels.length;
  const { name, isa } = model.backend;
  if (flags.json) printJson({ data: data.name, count, loss, accuracy, seconds, backend: name, isa });
  else {
    process.stdout.write(
      `${data.name}: accuracy ${percent(accuracy)} (${Math.round(accuracy * count)} of ${count}), ` +
        `loss ${loss.toFixed(4)}, ${name} ${isa}, ${Math.round(count / seconds)} a second\n`,
    );
  }
}

async function scoreFile(model: Model, input: string, flags: Flags): Promise<void> {
  const X = await readNpy(input);
  const { steps, inputs, dtype, outputs } = model.config;
  if (X.shape.length !== 3) throw mismatch('E_SHAPE', input, `[batch, ${steps}, ${inputs}]`, X.shape);
  const scores = model.score(tensor(X, undefined, dtype));
  if (flags.output !== undefined) await writeNpy(flags.output, scores);
  const rows = Array.from({ length: scores.shape[0] }, (_, b) =>
    Array.from(scores.data.subarray(b * outputs, (b + 1) * outputs)),
  );
  if (flags.json) printJson({ input, shape: scores.shape, scores: rows });
  else if (flags.output === undefined) for (const row of rows) process.stdout.write(`${row.join(' ')}\n`);
  else process.stdout.write(`wrote ${flags.output}: scores [${scores.shape.join(', ')}]\n`);
}
