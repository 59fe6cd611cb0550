import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { knownKeys, XiError } from '../core/errors.ts';
import { fileError } from '../io/atomic.ts';
import { folderOf, type Path } from '../io/path.ts';
import { readTexts } from '../io/text.ts';
import {
  checkLimits,
  type Documents,
  partsOf,
  TEXT_KEYS,
  type TextLimits,
  type TextParts,
  type VocabularyOptions,
} from './text.ts';

const CLASS_NAMES = ['neg', 'pos'];

/** Where IMDB lies and how {@link loadImdb} makes tokens of it. */
export interface ImdbOptions extends VocabularyOptions, TextLimits {
  /** The folder `aclImdb` of the archive. */
  readonly source: Path;
}

/**
 * The Large Movie Review Dataset from its `aclImdb` folder: `train/neg/*.txt`, `train/pos/*.txt` and the same under
 * `test`, as tokens [count, steps] with classes 0 (negative) and 1 (positive), which take turns. A vocabulary of 10,000
 * where none is asked for.
 *
 * Source of the format: https://ai.stanford.edu/~amaas/data/sentiment/ (Maas et al. 2011).
 *
 * @throws XiError E_ARGUMENT for options, E_FILE for a folder that is missing or has no reviews, or a review that is not
 * UTF-8.
 */
export async function loadImdb(options: ImdbOptions): Promise<TextParts> {
  const where = 'loadImdb';
  knownKeys(where, options, ['source', ...TEXT_KEYS]);
  const { source, limit, testLimit, ...rest } = options;
  const folder = folderOf(`${where} source`, source);
  const most = checkLimits(where, { limit, testLimit });
  const train = await readPart(folder, 'train', most.train);
  return partsOf(where, train, await readPart(folder, 'test', most.test), rest);
}

async function readPart(source: string, part: 'train' | 'test', limit: number): Promise<Documents> {
  const byClass = await Promise.all(CLASS_NAMES.map((name) => listReviews(join(source, part, name))));
  const longest = Math.max(...byClass.map((paths) => paths.length));
  const chosen: { path: string; label: number }[] = [];
  for (let n = 0; n < longest; n++) {
    byClass.forEach((paths, label) => {
      if (n < paths.length && chosen.length < limit) chosen.push({ path: paths[n], label });
    });
  }
  const texts = await readTexts(chosen.map(({ path }) => path));
  const labels = Int32Array.from(chosen, ({ label }) => label);
  return { name: `imdb-${part}`, texts, labels, classNames: CLASS_NAMES };
}

/** Reviews are called <number>_<stars>.txt; in the order of the numbers. */
async function listReviews(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw fileError('read', folder, cause);
  }
  const reviews = names
    .filter((name) => name.endsWith('.txt'))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
  if (reviews.length === 0)
    throw new XiError('E_FILE', `${folder}: expected reviews <number>_<stars>.txt, found none`);
  return reviews.map((name) => join(folder, name));
}
