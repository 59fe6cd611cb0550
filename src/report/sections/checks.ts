import { COMPARED } from '../../experiments/backend_comparison.ts';
import type { Results } from '../../experiments/results.ts';
import { csvOf, framed, section, table } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import { commandOf, duration, formula } from '../words.ts';

/** Every statement of the theory with its figure. */
export function verificationSection({ settings, verification }: Results): Markup | null {
  if (!verification) return null;
  const { checks, seed, seconds } = verification;
  const passed = checks.filter(({ pass }) => pass).length;
  const rows = checks.map(({ statement, source, instances, kind, figure, tolerance, pass }) => [
    html`${formula(statement)}<br><small>${source}</small>`,
    pass ? html`<span class="good">✓ holds</span>` : html`<span class="bad">✗ fails</span>`,
    exponential(figure),
    exponential(tolerance),
    kind,
    instances,
  ]);
  const csv = csvOf(
    ['id', 'statement', 'source', 'instances', 'kind', 'figure', 'tolerance', 'pass'],
    checks.map((check) => [
      check.id,
      check.statement,
      check.source,
      check.instances,
      check.kind,
      check.figure,
      check.tolerance,
      check.pass,
    ]),
  );
  const caption = `Every theorem of the paper, and ours, tried on random instances (seed ${seed}, ${duration(seconds)}): ${passed} of ${checks.length} hold. A relative error is the largest over all instances.`;
  return section(
    'verify',
    'Theorems as checks',
    framed(
      { id: 'verify', caption, csv: ['verify.csv', csv], command: commandOf(settings, 'expressivity') },
      table('Theorems', ['statement', 'result', 'worst', 'allowed', 'measure', 'instances'], rows),
    ),
  );
}

/** NaN and infinities, which JSON has not, come as null. */
const exponential = (value: number | null) =>
  value === null
    ? 'no number'
    : Number.isInteger(value)
      ? String(value)
      : value.toExponential(1).replace('-', '−');

/** One contraction on every backend. */
export function backendsSection({ settings, comparison }: Results): Markup | null {
  if (!comparison) return null;
  const { timings, refused, machine } = comparison;
  const reference = timings.find(({ name }) => name === 'reference');
  const rows = [
    ...timings.map(({ name, isa, milliseconds, repetitions, difference }) => [
      name,
      isa,
      `${milliseconds}\u00a0ms`,
      reference ? `${Number((reference.milliseconds / milliseconds).toPrecision(2))} ×` : '–',
      repetitions,
      exponential(difference),
    ]),
    ...refused.map(({ name, reason }) => [name, reason, '–', '–', '–', '–']),
  ];
  const { B, L, R, K } = COMPARED;
  const caption = `One step of a rectifier recurrent network, out[b,k] = Σ G[i,j,k] max(a[b,i], h[b,j], 0), b = ${B}, i = ${L}, j = ${R}, k = ${K}, float32, one thread, median of the repetitions of half a second, on ${machine.processor}. The column × reference says how many times as fast as the reference. A first impression taken while other work may run, not a benchmark: xitensor bench is one.`;
  const csv = csvOf(
    ['backend', 'isa', 'threads', 'milliseconds', 'repetitions', 'difference'],
    timings.map((t) => [t.name, t.isa, t.threads, t.milliseconds, t.repetitions, t.difference]),
  );
  return section(
    'backends',
    'Backends side by side',
    framed(
      { id: 'backends', caption, csv: ['backends.csv', csv], command: commandOf(settings, 'expressivity') },
      table(
        'Backends',
        ['backend', 'instruction set', 'time', '× reference', 'repetitions', 'largest relative difference'],
        rows,
      ),
    ),
  );
}
