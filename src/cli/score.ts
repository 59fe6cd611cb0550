import { Command, Option } from 'commander';
import { mismatch, type XiError } from '../core/errors.ts';
import { isTokens } from '../core/tensor.ts';
import { readInputs, readLengths } from '../data/arrays.ts';
import { isTable } from '../data/csv.ts';
import { countOf, hasTargets } from '../data/dataset.ts';
import { checkWritable } from '../io/atomic.ts';
import { readSafetensors, writeNpy } from '../io/disk.ts';
import { loadModel } from '../models/disk.ts';
import type { Model } from '../models/model.ts';
import { evaluate, finiteScores } from '../train/evaluate.ts';
import { lossFor } from '../train/options.ts';
import {
  DATA_OPTIONS,
  type DataChoice,
  filesIn,
  type Known,
  kindOf,
  loadParts,
  withDataOptions,
} from './data.ts';
import { knownFrom, readTable, rememberedData, rememberedTable } from './known.ts';
import {
  type BackendChoice,
  givenOf,
  openChosen,
  percent,
  printJson,
  withBackendOptions,
} from './options.ts';

interface Flags extends DataChoice, BackendChoice {
  readonly input?: string;
  readonly lengths?: string;
  readonly out?: string;
  readonly split: 'train' | 'test';
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  xitensor score m.safetensors
  xitensor score dna.safetensors --split train
  xitensor score table.safetensors --data new.csv
  xitensor score m.safetensors -i inputs.npy -o scores.npy
  xitensor score table.safetensors -i unlabelled.csv -o scores.npy
  xitensor score table.safetensors -i unlabelled.csv > predictions.tsv`;

export function scoreCommand(): Command {
  const command = new Command('score')
    .description('scores a data set or a .npy file with a saved model')
    .argument('<model>', 'a .safetensors file that train wrote')
    .option(
      '-i, --input <file>',
      'inputs [batch, steps, inputs], or tokens [batch, steps], as .npy, or a CSV file without answers, instead of a data set',
    )
    .option(
      '--lengths <file>',
      'of --input: steps of each sequence [batch], as .npy; for shared tt networks, and needed where training had several',
    )
    .option(
      '-o, --out <file>',
      'write the scores [batch, outputs] as .npy, instead of a table of classes and scores',
    )
    .addOption(
      new Option('--split <name>', 'part of the data set').choices(['train', 'test']).default('test'),
    );
  const texts = {
    limit: 'score the first n examples only',
    patch: 'of images: side of the patches that they are cut into (default: what the model takes)',
    data: 'what the model was trained on, where that needs no file or folder',
  };
  return withBackendOptions(withDataOptions(command, texts))
    .option('--json', 'print one record')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: Flags) => {
      // A table is read alike wherever it stands.
      const own = flags.input !== undefined && isTable(flags.input) ? ['delimiter'] : [];
      const ofData = givenOf(
        command,
        [...DATA_OPTIONS, 'split'].filter((name) => !own.includes(name)),
      );
      if (flags.input !== undefined && ofData.length > 0)
        throw mismatch('E_ARGUMENT', '--input', 'no option of a data set', ofData);
      if (flags.lengths !== undefined && flags.input === undefined)
        throw mismatch('E_ARGUMENT', '--lengths', 'an --input beside them', flags.lengths);
      if (flags.out !== undefined)
        await checkWritable(flags.out, [path, flags.input, flags.lengths, ...filesIn(flags.data)]);
      const model = await loadModel(path, { backend: openChosen(flags) });
      const known = knownFrom(path, (await readSafetensors(path)).metadata);
      if (flags.input !== undefined) return scoreFile(model, path, flags, known);
      if (flags.words !== undefined && known.vocabulary)
        throw mismatch('E_ARGUMENT', '--words', `none, as ${path} has its vocabulary`, flags.words);
      const data = flags.data ?? rememberedData('--data', path, known);
      if (!kindOf(data).kind.splits && givenOf(command, ['split']).length > 0)
        throw mismatch('E_ARGUMENT', '--split', 'data of two parts', data);
      const decided = givenOf(command, ['words', 'classes']);
      if (kindOf(data).name === 'npy' && decided.length > 0)
        throw mismatch('E_ARGUMENT', '--data', 'no option that the model decides', decided);
      return scoreDataset(model, { ...flags, data }, known);
    });
}

async function scoreDataset(model: Model, flags: Flags, known: Known): Promise<void> {
  const choice = { ...fromModel(model, flags, known), ...definedIn(flags) };
  const { [flags.split]: data } = await loadParts(choice, model.config.dtype, [flags.split], known);
  if (known.variable && !data!.lengths) throw withoutLengths('--data', 'X.npy+Y.npy+LENGTHS.npy', flags.data);
  const started = performance.now();
  // Real targets have a loss of their own, whatever the model was trained on.
  const minimized = lossFor('score', data!, hasTargets(data!) ? undefined : known.loss);
  const { loss, accuracy } = evaluate(model, data!, { loss: minimized });
  const seconds = (performance.now() - started) / 1000;
  if (flags.out !== undefined)
    await writeNpy(flags.out, model.score(data!.inputs, { lengths: data!.lengths }));
  const count = countOf(data!);
  const { name, isa } = model.backend;
  if (flags.json) {
    const figures = { count, loss, minimized, accuracy, seconds };
    printJson({ data: data!.name, ...figures, backend: name, isa });
  } else {
    const figures = Number.isNaN(accuracy)
      ? ''
      : `accuracy ${percent(accuracy)} (${Math.round(accuracy * count)} of ${count}), `;
    process.stdout.write(
      `${data!.name}: ${figures}` +
        `${minimized} loss ${loss.toFixed(4)}, ${name} ${isa}, ${Math.round(count / seconds)} a second\n`,
    );
  }
}

/** What a model says of how its data were read: the side of patches, the length of texts, columns, whether lengths differ. */
function fromModel({ config: { inputs, steps } }: Model, flags: Flags, known: Known): Partial<DataChoice> {
  const { kind, name } = kindOf(flags.data);
  const { variable = known.variable } = flags;
  const takes = (option: (typeof DATA_OPTIONS)[number]) => kind.takes.includes(option);
  if (takes('label'))
    return { ...rememberedTable(known, flags), ...(variable && { length: steps, variable }) };
  if (takes('length')) return { length: steps, ...(variable && { variable }) };
  if (!takes('patch')) return {};
  const side = Math.sqrt(name === 'cifar10' ? inputs / 3 : inputs);
  return Number.isInteger(side) ? { patch: side } : {};
}

const definedIn = (flags: Flags): DataChoice => {
  const given = DATA_OPTIONS.filter((name) => flags[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, flags[name]])) as unknown as DataChoice;
};

/** Inputs from a file that has no answers; of a table the columns that the model was trained on. */
async function inputsFrom(path: string, { config: { dtype, steps } }: Model, flags: Flags, known: Known) {
  if (!isTable(path)) {
    if (known.variable && flags.lengths === undefined)
      throw withoutLengths('--input', 'an .npy file and --lengths beside it', path);
    const inputs = await readInputs(path, dtype);
    return {
      inputs,
      lengths: flags.lengths === undefined ? undefined : await readLengths(flags.lengths, inputs),
    };
  }
  if (flags.lengths !== undefined)
    throw mismatch('E_ARGUMENT', '--lengths', 'inputs as .npy: a table has its own', flags.lengths);
  const { delimiter = known.table?.delimiter } = flags;
  return readTable(path, { ...known, table: { ...known.table, delimiter } }, steps, dtype);
}

/** Of a model that knows ends of sequences: it would take what lies behind them for steps. */
function withoutLengths(option: string, expected: string, received: string): XiError {
  const why = 'as the model was trained on sequences of several lengths';
  return mismatch('E_ARGUMENT', option, `${expected}, ${why}`, received);
}

async function scoreFile(model: Model, path: string, flags: Flags, known: Known): Promise<void> {
  const { outputs } = model.config;
  const input = flags.input!;
  const { inputs: X, lengths } = await inputsFrom(input, model, flags, known);
  if (isTokens(X) && !flags.json) process.stderr.write(`reads ${input} as tokens [${X.shape.join(', ')}]\n`);
  const classes = classesOf(path, outputs, known);
  const scores = finiteScores('score', input, model.score(X, { lengths }));
  if (flags.out !== undefined) await writeNpy(flags.out, scores);
  const rows = Array.from({ length: scores.shape[0] }, (_, b) =>
    Array.from(scores.data.subarray(b * outputs, (b + 1) * outputs)),
  );
  // The first of equal scores, as in accuracies.
  const predictions = classes && rows.map((row) => classes[row.indexOf(Math.max(...row))]);
  if (flags.json)
    printJson({ input, shape: scores.shape, ...(classes && { classes, predictions }), scores: rows });
  else if (flags.out !== undefined)
    process.stdout.write(`wrote ${flags.out}: scores [${scores.shape.join(', ')}]\n`);
  else if (classes) {
    const lines = [['prediction', ...classes], ...rows.map((row, n) => [predictions![n], ...row])];
    for (const line of lines) process.stdout.write(`${line.map(cell).join('\t')}\n`);
  } else for (const row of rows) process.stdout.write(`${row.join(' ')}\n`);
}

/** What the scores of a classifier are of; undefined where a model file does not tell that it is one. */
function classesOf(
  path: string,
  outputs: number,
  { classNames, loss }: Known,
): readonly string[] | undefined {
  if (classNames && classNames.length !== outputs)
    throw mismatch('E_FILE', `${path} classes`, `${outputs} names, one for each score`, classNames);
  if (classNames || loss !== 'softmax') return classNames;
  return Array.from({ length: outputs }, (_, label) => `${label}`);
}

/** A name or number in a table whose columns tabs divide. */
const cell = (value: string | number): string =>
  String(value).replace(/\p{Cc}/gu, (found) => JSON.stringify(found).slice(1, -1));
