import { XI, type Xi } from '../core/xi.gen.ts';
import type { PerformanceRecord } from '../experiments/performance.ts';
import type { ResultSettings } from '../experiments/results.ts';
import type { ModelKind } from '../models/config.ts';
import { html, type Markup } from './markup.ts';
import type { Colour } from './plot.ts';

/** What the families are called, and the colour that each has in every figure. */
export const KINDS: Readonly<Record<ModelKind, { readonly name: string; readonly colour: Colour }>> = {
  tt: { name: 'recurrent network (TT)', colour: 1 },
  ht: { name: 'tree (HT)', colour: 3 },
  cp: { name: 'shallow network (CP)', colour: 2 },
};
export const KIND_ORDER: readonly ModelKind[] = ['tt', 'ht', 'cp'];

const DATASETS: Readonly<Record<string, string>> = {
  mnist: 'MNIST',
  cifar10: 'CIFAR-10',
  imdb: 'IMDB',
  spam: 'SpamAssassin e-mails',
  splice: 'Splice-junction DNA',
};
export const datasetName = (name: string): string => DATASETS[name] ?? name;

export const formulaOf = (xi: Xi): string => XI[xi].formula;

/** `M^(T−1)` and `r_t` of a statement in plain text as powers and indices. */
export function formula(text: string): Markup {
  const match = /\^(?:\(((?:[^()]|\([^()]*\))*)\)|(⌊[^⌋]*⌋|\w+))|_(\w)(?!\w)/.exec(text);
  if (!match) return html`${text}`;
  const [all, bracketed, power, index] = match;
  const raised = bracketed ?? power;
  const part = raised === undefined ? html`<sub>${index}</sub>` : html`<sup>${formula(raised)}</sup>`;
  return html`${text.slice(0, match.index)}${part}${formula(text.slice(match.index + all.length))}`;
}

export const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)}\u00a0%`;
export const count = (value: number): string => value.toLocaleString('en-US');

/** 4000 seconds as `1 h 7 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The command that makes a part of the results. */
export function commandOf(
  { quick, seed, seeds, epochs, networks, data }: ResultSettings,
  stage: string,
): string {
  const given = {
    ...(seed !== 0 && { seed }),
    ...(seeds !== (quick ? 1 : 3) && { seeds }),
    ...{ epochs, networks, data: data.map(({ source }) => source).join(',') },
  };
  const options = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  );
  return ['xitensor reproduce', stage, ...(quick ? ['--quick'] : []), ...options].join(' ');
}

/** Records with the same key, in the order of the first of each. */
export function groups<T>(records: readonly T[], key: (record: T) => unknown): T[][] {
  const found = new Map<unknown, T[]>();
  for (const record of records) {
    const name = key(record);
    const list = found.get(name);
    if (list) list.push(record);
    else found.set(name, [record]);
  }
  return [...found.values()];
}

/** The legend of plots that draw a curve for each family of networks, of those that there are. */
export const legendOf = (
  records: readonly PerformanceRecord[],
  swatch: 'line' | 'points',
): readonly (readonly [Colour, string, typeof swatch])[] =>
  KIND_ORDER.filter((kind) => records.some((record) => record.kind === kind)).map((kind) => [
    KINDS[kind].colour,
    KINDS[kind].name,
    swatch,
  ]);
