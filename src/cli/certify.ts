import { Command, InvalidArgumentError } from 'commander';
import { integer, mismatch, XiError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { type Certificate, checkCertificate } from '../experiments/certificate.ts';
import { type Certification, type CertifyOptions, certify } from '../experiments/certify.ts';
import { checkWritable, readFileChecked, writeFileAtomic } from '../io/atomic.ts';
import { readSafetensors } from '../io/disk.ts';
import { loadModel } from '../models/disk.ts';
import type { Model } from '../models/model.ts';
import { knownFrom } from './known.ts';
import {
  type BackendChoice,
  givenOf,
  number,
  numbers,
  openChosen,
  printJson,
  withBackendOptions,
} from './options.ts';
import { type CountView, countView } from './progress.ts';
import { loadTemplates, rememberedTemplates } from './templates.ts';

interface Flags extends BackendChoice {
  readonly model?: string;
  readonly templates?: string;
  readonly count?: number;
  readonly samples: number;
  readonly seed: number;
  readonly output: number | 'all';
  readonly window?: readonly number[];
  readonly exact?: boolean;
  readonly prime?: number;
  readonly tolerance?: number;
  readonly maxBytes?: number;
  readonly out?: string;
  readonly check?: string;
  readonly json?: boolean;
}

const NOTES = `
The bound holds for every shallow network with the same ξ and features that agrees with the model on the
templates. Without --exact it rests on a numerical rank, which proves nothing. --exact proves it; --out keeps the certificate, which --check verifies without trusting it.

Examples:
  xitensor certify m.safetensors --exact --out cert.json
  xitensor certify table.safetensors --templates table.csv --exact
  xitensor certify --check cert.json --model m.safetensors`;

/** What a certificate says itself, or has no use for. */
const DECIDED = ['samples', 'output', 'window', 'exact', 'prime', 'tolerance', 'out'];

export function certifyCommand(): Command {
  const command = new Command('certify')
    .description('lower bound on the width of any shallow network that does what a saved model does')
    .argument('[model]', 'a .safetensors file that train wrote')
    .option('--model <file>', 'the same, for --check')
    .option(
      '--templates <source>',
      "'mnist', 'mnist:DIR' or 'cifar10:DIR' (patches), 'splice' (the four letters), a .csv file as the model was trained on, 'one-hot' (as of what realize writes), or a .npy file [M, inputs] (default: what the model was trained on, where that needs no file or folder)",
    )
    .option(
      '--count <M>',
      'how many patches, or steps of a table (default: 100, or all if they are fewer)',
      number,
    )
    .option('--samples <S>', 'most rows, and most columns, of the matrix', number, 2048)
    .option('--seed <n>', 'of templates and of their choice', number, 0)
    .option('--output <c>', "number of one score, or 'all' for the best", outputOf, 0)
    .option('--window <from,to>', 'steps that show several templates, to excluded (default: all)', numbers)
    .option('--exact', 'exact arithmetic instead of singular values')
    .option('--prime <p>', 'of --exact arithmetic (default: 16777213)', number)
    .option('--tolerance <t>', 'of singular values (default: 1e-10)', number)
    .option('--max-bytes <n>', 'most bytes of the scores that are evaluated (default: 4294967296)', number)
    .option('-o, --out <file>', 'write the certificate (--exact), or the result, as JSON')
    .option('--check <file>', 'verify a certificate');
  return withBackendOptions(command)
    .option('--json', 'print one record, and no progress')
    .addHelpText('after', NOTES)
    .action(async (argument: string | undefined, flags: Flags) => {
      if ((argument === undefined) === (flags.model === undefined))
        throw mismatch('E_ARGUMENT', 'certify', 'one model file', argument === undefined ? 'none' : 'two');
      const path = argument ?? flags.model!;
      if (flags.check !== undefined) {
        const given = givenOf(command, DECIDED);
        if (given.length > 0)
          throw mismatch('E_ARGUMENT', '--check', 'no option that the certificate decides', given);
      }
      if (flags.prime !== undefined && !flags.exact)
        throw mismatch('E_ARGUMENT', '--prime', 'an --exact beside it', flags.prime);
      if (flags.out !== undefined) await checkWritable(flags.out, [path, flags.templates]);
      const model = await loadModel(path, { backend: openChosen(flags) });
      if (flags.count !== undefined) integer('--count', flags.count, 1, 2 ** 20);
      integer('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER);
      const known = knownFrom(path, (await readSafetensors(path)).metadata);
      const source = flags.templates ?? rememberedTemplates(path, known);
      const templates = await loadTemplates(source, flags, model.config, known);
      await (flags.check === undefined
        ? make(model, templates, flags)
        : check(model, templates, flags.check, flags));
    });
}

function outputOf(text: string): number | 'all' {
  if (text === 'all') return text;
  if (Number.isNaN(Number(text)))
    throw new InvalidArgumentError('expected a number or all, of the scores; --out names the file.');
  return number(text);
}

async function make(model: Model, templates: Tensor, flags: Flags): Promise<void> {
  const { samples, seed, exact = false, prime, tolerance, output, maxBytes } = flags;
  const window = flags.window as CertifyOptions['window'];
  let view: CountView | undefined;
  const onProgress = (done: number, total: number) => {
    view ??= countView('sequences', total, 0, flags.json === true);
    view.update(done);
  };
  let result: Certification;
  try {
    const options = { samples, seed, exact, output, prime, tolerance, window, maxBytes, onProgress } as const;
    result = await certify(model, templates, options);
  } finally {
    view?.stop();
  }
  const { certificate, ...rest } = result;
  const { spectrum: seen } = result;
  const spectrum = seen && { ...seen, singularValues: Array.from(seen.singularValues) };
  // Within a record, as --check takes a certificate alone.
  const record = { ...rest, spectrum, ...(certificate && { certificate }) };
  if (flags.out !== undefined)
    await writeFileAtomic(flags.out, new TextEncoder().encode(`${JSON.stringify(certificate ?? record)}\n`));
  if (flags.json) printJson(record);
  else
    process.stdout.write(
      `${describe(model, result)}${flags.out === undefined ? '' : `wrote ${flags.out}\n`}`,
    );
}

const IMPOSSIBLE = 'no shallow network of any width agrees with it';

function describe(
  model: Model,
  { bound, equalWidth, rank, rows, columns, method, spectrum, certificate, output }: Certification,
): string {
  const doubt = certificate ? '' : ` by a numerical rank, not proven; gap ${spectrum!.gap.toPrecision(3)}`;
  const width = bound.impossible
    ? `${IMPOSSIBLE}${doubt}`
    : `a shallow network that agrees with it has width ≥ ${bound.joint}${doubt} (${bound.refined} term by term, ${bound.paper} by the paper's form)`;
  const how = certificate
    ? `proven modulo ${certificate.prime}`
    : `singular values above ${spectrum!.tolerance} of the largest`;
  const { kind, xi } = model.config;
  return `${kind}, ξ = ${xi}, score ${output}: rank ${rank} of a ${rows} × ${columns} matrix, ${how} (${method})\n${width}\n${spectrumLine(spectrum)}\na shallow network with as many parameters has width ${equalWidth}\n`;
}

/** How fast the singular values fall: how many are above each third power of ten. */
function spectrumLine(spectrum: Certification['spectrum']): string {
  if (spectrum === null) return 'spectrum: none, the scores leave the range of float64';
  const { singularValues, effectiveRank, entropy } = spectrum;
  const above = [1e-3, 1e-6, 1e-9].map((part) => {
    const count = singularValues.filter((s) => s > part * singularValues[0]).length;
    return `${count} above ${part.toExponential()}`;
  });
  return `spectrum: ${above.join(', ')} of the largest; effective rank ${effectiveRank.toFixed(2)}, entropy ${entropy.toFixed(2)}`;
}

async function check(model: Model, templates: Tensor, path: string, flags: Flags): Promise<void> {
  const text = new TextDecoder().decode(await readFileChecked(path));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new XiError('E_FILE', `${path}: expected a certificate as JSON`, { cause });
  }
  const { maxBytes } = flags;
  if (maxBytes !== undefined) integer('--max-bytes', maxBytes, 0, Number.MAX_SAFE_INTEGER);
  const { rank, prime, bound } = await checkFile(path, () =>
    checkCertificate(model, templates, parsed, { maxBytes }),
  );
  if (flags.json) printJson({ valid: true, rank, prime, bound });
  else {
    const width = bound.impossible ? IMPOSSIBLE : `width ≥ ${bound.joint}`;
    process.stdout.write(`${path} holds: rank ≥ ${rank}, ${width} (modulo ${prime})\n`);
  }
}

/** What is no certificate is a faulty file here, whose name its message has. */
async function checkFile(path: string, check: () => Promise<Certificate>): Promise<Certificate> {
  try {
    return await check();
  } catch (cause) {
    if (!(cause instanceof XiError && cause.code === 'E_ARGUMENT')) throw cause;
    throw new XiError('E_FILE', cause.message.replace(/^checkCertificate/, path), { cause });
  }
}
