import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { BenchResult } from '../src/bench/records.ts';
import { writeFileAtomic } from '../src/io/atomic.ts';
import { chartOf } from './chart.ts';
import { performancePage } from './markdown.ts';
import { withSpeedTables } from './readme.ts';

const RESULTS = 'bench/results';
const DOCS = 'docs/performance';

const write = (path: string, text: string) => writeFileAtomic(path, new TextEncoder().encode(text));

/** A result as JSON with a line for each record, so that runs can be compared line by line. */
export function resultJson({ records, ...rest }: BenchResult): string {
  const head = JSON.stringify({ ...rest, records: [] }, null, 1).replace(/\[\]\n\}$/, '');
  return `${head}[\n${records.map((record) => JSON.stringify(record)).join(',\n')}\n]}\n`;
}

/** `2026-11-24-amd-epyc-family-26-model-2`: one file for each machine and day. */
export function resultName({ machine }: BenchResult): string {
  const words = machine.processor.toLowerCase().replace(/\(r\)|\(tm\)|processor|cpu/g, '');
  return `${machine.date}-${words.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')}`;
}

/**
 * The files that docs/performance.md consists of, and the README with its tables, made of the newest result of each machine, newest
 * first.
 */
export function docsOf(
  results: readonly { name: string; result: BenchResult }[],
  { intro, learnt, readme }: { intro: string; learnt: string; readme?: string },
): Readonly<Record<string, string>> {
  const machines = new Map<string, { name: string; result: BenchResult }>();
  for (const entry of [...results].sort((x, y) => (x.name < y.name ? -1 : 1))) {
    machines.set(entry.result.machine.processor, entry);
  }
  const shown = [...machines.values()].sort((x, y) => (x.name < y.name ? 1 : -1));
  const pictures = shown.map(({ name, result }) => [`${DOCS}/${name}.svg`, chartOf(result)]);
  const sections = shown.map(({ name, result }) => ({ result, picture: `performance/${name}.svg` }));
  return {
    'docs/performance.md': performancePage(intro, learnt, sections),
    ...Object.fromEntries(pictures),
    ...(readme !== undefined &&
      shown.length > 0 && {
        'README.md': withSpeedTables(
          readme,
          shown.map(({ result }) => result),
        ),
      }),
  };
}

/** Reads what is published and written by hand. */
export function readSources() {
  const names = existsSync(RESULTS) ? readdirSync(RESULTS).filter((name) => name.endsWith('.json')) : [];
  const results = names.map((name) => ({
    name: name.replace(/\.json$/, ''),
    result: JSON.parse(readFileSync(`${RESULTS}/${name}`, 'utf8')) as BenchResult,
  }));
  const [intro, learnt] = ['intro.md', 'learnt.md'].map((name) => readFileSync(`${DOCS}/${name}`, 'utf8'));
  return { results, texts: { intro, learnt, readme: readFileSync('README.md', 'utf8') } };
}

/** Makes docs/performance.md, its pictures and the tables of the README of bench/results/. */
export async function writeDocs(): Promise<void> {
  const { results, texts } = readSources();
  for (const [path, text] of Object.entries(docsOf(results, texts))) {
    await write(path, text);
    console.log(`made ${path}`);
  }
}

/** Keeps a run in bench/results/ and makes the documentation anew. */
export async function publish(result: BenchResult): Promise<void> {
  const path = `${RESULTS}/${resultName(result)}.json`;
  await write(path, resultJson(result));
  console.log(`wrote ${path}`);
  await writeDocs();
}
